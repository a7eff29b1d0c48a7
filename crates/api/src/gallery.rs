//! Keeping the parties' galleries in step: every queued change goes to each party in order until it is acknowledged.
//! What was queued is durable, so a restart of anybody goes on where it was. Parties that are equally far and hold
//! different galleries are named in the log and by `GET /readyz`; their operators must look, for no search can run. A party
//! that is less far than it said before has lost its disk or is an older copy of itself: the other two give it its gallery
//! back, deletions included, before anything else is done.

use std::time::Duration;

use base::id::{RecordId, SessionId};
use base::party::PartyId;
use ed25519_dalek::{Signature, VerifyingKey};
use store::Store;
use store::error::StoreError;
use store::gallery::GallerySequence;
use wire::party::{DeletionConfirmation, GalleryChange, GalleryOperation, PartyAnswer, PartyCommand, PartyRefusal, PartyStatus};
use wire::upkeep::Rebuild;

use crate::app::{SharedApp, rng};
use crate::problem::Answer;

/// Changes read at a time: a crowd's change has some megabytes.
const CHANGES_AT_ONCE: u32 = 4;
/// A million rows of 512 features take minutes on a slow line.
const REBUILD_MS: u64 = 3_600_000;

/// Delivers changes for ever: at once when one was queued, and again and again to a party that was away.
pub async fn keep_in_step(app: SharedApp) {
    let mut known = vec![];
    loop {
        let parties = app.resolver.status().await;
        let apart = diverged(&parties);
        for party in apart.iter().filter(|party| !known.contains(*party)) {
            tracing::error!(%party, "the party's gallery differs from the others' though it is as far; nobody can be identified");
        }
        known = apart;
        for party in fallen_behind(&app, &parties).await {
            rebuild(&app, party).await;
        }
        match deliver_all(&app, &parties).await {
            Ok(true) => {}
            Ok(false) | Err(_) => wait(&app).await,
        }
    }
}

/// The parties whose gallery's log is another than that of one that is as far: the one against two, or all that differ.
pub fn diverged(parties: &[Option<PartyStatus>; 3]) -> Vec<PartyId> {
    let others = |own: &PartyStatus| {
        let party = own.party;
        let as_far = own.gallery_sequence;
        parties.iter().flatten().filter(move |other| other.party != party && other.gallery_sequence == as_far)
    };
    let is_apart = |own: &&PartyStatus| {
        let agree = others(own).filter(|other| other.gallery_root == own.gallery_root).count();
        agree == 0 && others(own).next().is_some()
    };
    parties.iter().flatten().filter(is_apart).map(|status| status.party).collect()
}

/// Parties whose gallery is less far than what they acknowledged.
async fn fallen_behind(app: &SharedApp, parties: &[Option<PartyStatus>; 3]) -> Vec<PartyId> {
    let Ok(GallerySequence { acknowledged, .. }) = app.with_store(Store::gallery_sequence).await else { return vec![] };
    let is_behind = |status: &&PartyStatus| status.gallery_sequence < acknowledged[status.party.index()];
    parties.iter().flatten().filter(is_behind).map(|status| status.party).collect()
}

/// Asks all three to give `party` its gallery back; what came of it is logged, and it is tried again in the next round.
async fn rebuild(app: &SharedApp, party: PartyId) {
    tracing::warn!(%party, "the party's gallery is behind what it acknowledged; the other two give it back");
    let command = Rebuild { session: app.new_id(SessionId::new), party };
    let ask = |whom: PartyId| app.resolver.client(whom).ask(PartyCommand::Rebuild(command.clone()), REBUILD_MS);
    let (first, second, third) = tokio::join!(ask(PartyId::P1), ask(PartyId::P2), ask(PartyId::P3));
    for (whom, answer) in PartyId::ALL.into_iter().zip([first, second, third]) {
        match answer {
            Ok(PartyAnswer::Rebuilt { sequence, rows, .. }) if whom == party => tracing::info!(%party, sequence, rows, "rebuilt"),
            Ok(PartyAnswer::Rebuilt { .. }) => {}
            Ok(PartyAnswer::Refused { code, detail }) => tracing::error!(party = %whom, ?code, detail, "the rebuilding was refused"),
            Ok(_) => tracing::error!(party = %whom, "the party answers the rebuilding with something else"),
            Err(reason) => tracing::warn!(party = %whom, %reason, "the rebuilding was not answered"),
        }
    }
}

async fn wait(app: &SharedApp) {
    tokio::select! {
        () = app.gallery_changed.notified() => {}
        () = tokio::time::sleep(Duration::from_millis(app.timing.gallery_interval_ms)) => {}
    }
}

/// One round to each party that has just answered; whether any of them took something. A party that hangs is left out: it
/// would keep every look waiting.
async fn deliver_all(app: &SharedApp, parties: &[Option<PartyStatus>; 3]) -> Answer<bool> {
    let behind = app.with_store(parties_behind).await?;
    let open: Vec<PartyId> = behind.into_iter().filter(|party| parties[party.index()].is_some()).collect();
    if open.is_empty() {
        return Ok(false);
    }
    let gate = app.gallery_gate.write().await;
    let deliver = |party: PartyId| {
        let is_open = open.contains(&party);
        async move { if is_open { deliver(app, party).await } else { Ok(Delivered::default()) } }
    };
    let (first, second, third) = tokio::join!(deliver(PartyId::P1), deliver(PartyId::P2), deliver(PartyId::P3));
    let delivered = [first?, second?, third?];
    drop(gate);
    let unchecked = delivered.iter().filter_map(|delivered| delivered.unchecked).min();
    let has_checked = match unchecked {
        // A party that hangs would keep the check waiting.
        Some(sequence) if parties.iter().all(Option::is_some) => check_enrolment(app, sequence).await?,
        _ => false,
    };
    Ok(has_checked || delivered.iter().any(|delivered| delivered.progress))
}

/// Has the parties check the enrolment `sequence` together; whether they could.
async fn check_enrolment(app: &SharedApp, sequence: u64) -> Answer<bool> {
    let mut probes = Vec::with_capacity(3);
    for party in PartyId::ALL {
        match app.with_store(move |store| store.change_for(party, sequence)).await?.map(|change| change.operation) {
            Some(GalleryOperation::Enrol { probe, .. }) => probes.push(probe),
            _ => return Ok(false),
        }
    }
    let probes = probes.try_into().unwrap_or_else(|_| unreachable!("there are three parties"));
    let session = app.new_id(SessionId::new);
    match app.resolver.check_enrolment(session, probes, app.timing.apply_ms).await {
        Ok(is_valid) => tracing::info!(sequence, is_valid, "the parties checked an enrolment"),
        Err(failed) => {
            tracing::warn!(sequence, %failed, "the parties could not check an enrolment; they will be asked again");
            return Ok(false);
        }
    }
    Ok(true)
}

/// What came of a round to one party.
#[derive(Clone, Copy, Default)]
struct Delivered {
    /// It took something.
    progress: bool,
    /// It waits for this enrolment to be checked.
    unchecked: Option<u64>,
}

/// What came of sending one change.
enum Sent {
    /// It was applied, with these confirmations.
    Applied(Vec<DeletionConfirmation>),
    /// The enrolment has to be checked first.
    Unchecked,
    /// It was not; the reason is logged.
    NotApplied,
}

/// The parties that have not acknowledged every change.
fn parties_behind(store: &Store) -> Result<Vec<PartyId>, StoreError> {
    let GallerySequence { queued, acknowledged, .. } = store.gallery_sequence()?;
    Ok(PartyId::ALL.into_iter().filter(|party| acknowledged[party.index()] < queued).collect())
}

async fn deliver(app: &SharedApp, party: PartyId) -> Answer<Delivered> {
    let mut delivered = Delivered::default();
    for change in app.with_store(move |store| store.pending_changes(party, CHANGES_AT_ONCE)).await? {
        let sequence = change.sequence;
        let (deleted, is_refresh) = (deleted_records(&change), matches!(change.operation, GalleryOperation::Refresh { .. }));
        let deletions = match apply(app, party, change).await? {
            Sent::Applied(deletions) => deletions,
            Sent::Unchecked => {
                delivered.unchecked = Some(sequence);
                break;
            }
            Sent::NotApplied => {
                if is_refresh && others_have(app, party, sequence).await? {
                    // It has not prepared the refresh that is in force at the other two.
                    rebuild(app, party).await;
                }
                break;
            }
        };
        if !confirms(&deletions, party, sequence, &deleted, &app.confirmation_keys[party.index()]) {
            tracing::error!(%party, sequence, "the party's confirmations do not cover the change");
            break;
        }
        let now = app.now();
        app.with_store(move |store| store.acknowledge_change(party, sequence, &deletions, &mut rng(), now)).await?;
        tracing::info!(%party, sequence, "change acknowledged");
        delivered.progress = true;
    }
    Ok(delivered)
}

/// Whether both other parties have acknowledged the change.
async fn others_have(app: &SharedApp, party: PartyId, sequence: u64) -> Answer<bool> {
    app.with_store(move |store| Ok(store.acknowledged(party.next())?.min(store.acknowledged(party.previous())?) >= sequence)).await
}

/// Sends one change; the reason why it was not applied is logged.
async fn apply(app: &SharedApp, party: PartyId, change: GalleryChange) -> Answer<Sent> {
    let sequence = change.sequence;
    match app.resolver.client(party).ask(PartyCommand::Apply(Box::new(change)), app.timing.apply_ms).await {
        Ok(PartyAnswer::Applied { sequence: applied, deletions, .. }) if applied == sequence => return Ok(Sent::Applied(deletions)),
        Ok(PartyAnswer::Refused { code: PartyRefusal::ShareMalformed, .. }) if has_reached(app, party, sequence).await => {
            tracing::error!(%party, sequence, "the party cannot use the enrolment: its share or its terminal; the enrolment is deleted");
            let now = app.now();
            app.with_store(move |store| store.void_change(sequence, now)).await?;
            return Ok(Sent::Applied(vec![]));
        }
        Ok(PartyAnswer::Refused { code: PartyRefusal::EnrolmentUnchecked, .. }) => return Ok(Sent::Unchecked),
        Ok(PartyAnswer::Refused { code, detail }) => {
            tracing::error!(%party, sequence, ?code, detail, "the party refuses a change; its gallery stays behind");
        }
        Ok(_) => tracing::error!(%party, sequence, "the party answers a change with something else"),
        Err(reason) => tracing::warn!(%party, sequence, %reason, "a change was not answered; it will be sent again"),
    }
    Ok(Sent::NotApplied)
}

/// Whether `party` took the change into its log, whatever it says of it.
async fn has_reached(app: &SharedApp, party: PartyId, sequence: u64) -> bool {
    let status = app.resolver.status().await;
    status[party.index()].as_ref().is_some_and(|status| status.gallery_sequence >= sequence)
}

fn deleted_records(change: &GalleryChange) -> Vec<RecordId> {
    match &change.operation {
        GalleryOperation::Delete { records } => records.clone(),
        GalleryOperation::Enrol { .. }
        | GalleryOperation::Compact { .. }
        | GalleryOperation::Refresh { .. }
        | GalleryOperation::Relabel { .. } => vec![],
    }
}

/// Whether there is one signed confirmation for each of `records`, and none else.
fn confirms(deletions: &[DeletionConfirmation], party: PartyId, sequence: u64, records: &[RecordId], key: &VerifyingKey) -> bool {
    deletions.len() == records.len()
        && records.iter().zip(deletions).all(|(record, deletion)| {
            deletion.record == *record
                && deletion.party == party
                && deletion.sequence == sequence
                && key.verify_strict(&deletion.message(), &Signature::from_bytes(&deletion.signature.0)).is_ok()
        })
}

#[cfg(test)]
mod tests {
    use super::*;
    use base::time::Timestamp;
    use ed25519_dalek::{Signer, SigningKey};
    use wire::bytes::HexArray;

    #[test]
    fn who_went_another_way_is_named() {
        use PartyId::{P1, P2, P3};
        let none: &[PartyId] = &[];
        for (what, [first, second, third], expected) in [
            ("all agree", [Some((4, 7)), Some((4, 7)), Some((4, 7))], none),
            ("one differs", [Some((4, 7)), Some((4, 8)), Some((4, 7))], &[P2]),
            ("one is behind", [Some((4, 7)), Some((4, 7)), Some((3, 6))], none),
            ("one is away", [None, Some((4, 7)), Some((4, 7))], none),
            ("one is away and two differ", [None, Some((4, 7)), Some((4, 8))], &[P2, P3]),
            ("one is behind and two differ", [Some((3, 7)), Some((4, 7)), Some((4, 8))], &[P2, P3]),
            ("all differ", [Some((4, 7)), Some((4, 8)), Some((4, 9))], &[P1, P2, P3]),
            ("one alone", [Some((4, 7)), None, None], none),
        ] {
            let status = |party, at: Option<(u64, u8)>| {
                at.map(|(gallery_sequence, root)| PartyStatus {
                    party,
                    gallery_sequence,
                    gallery_root: HexArray([root; 32]),
                    records: 1,
                    peers_connected: true,
                    chunks_at_workers: 0,
                })
            };
            assert_eq!(diverged(&[status(P1, first), status(P2, second), status(P3, third)]), expected, "{what}");
        }
    }

    #[test]
    fn a_deletion_counts_only_with_every_signature() {
        let key = SigningKey::from_bytes(&[5; 32]);
        let records = [RecordId::from_bits(1), RecordId::from_bits(2)];
        let confirm = |record, sequence, party| {
            let mut deletion =
                DeletionConfirmation { party, record, sequence, destroyed_at: Timestamp::from_millis(1), signature: HexArray([0; 64]) };
            deletion.signature = HexArray(key.sign(&deletion.message()).to_bytes());
            deletion
        };
        let good = [confirm(records[0], 9, PartyId::P2), confirm(records[1], 9, PartyId::P2)];
        let mut unsigned = good.clone();
        unsigned[1].signature.0[3] ^= 1;
        for (what, deletions, expected) in [
            ("all", good.to_vec(), true),
            ("one is missing", good[..1].to_vec(), false),
            ("one twice", vec![good[0].clone(), good[0].clone()], false),
            ("another change", vec![good[0].clone(), confirm(records[1], 8, PartyId::P2)], false),
            ("another party", vec![good[0].clone(), confirm(records[1], 9, PartyId::P3)], false),
            ("not signed", unsigned.to_vec(), false),
        ] {
            assert_eq!(confirms(&deletions, PartyId::P2, 9, &records, &key.verifying_key()), expected, "{what}");
        }
    }
}
