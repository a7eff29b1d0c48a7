//! From a durable look to the payment's outcome: waits until the parties can be asked, asks them once, and hands what
//! they found to the store, which judges and posts.

use std::time::Duration;

use base::id::{PaymentId, SessionId, TerminalId};
use mpc::protocol::identify::Resolution;
use store::payment::Identification;
use tokio::sync::RwLockReadGuard;
use tokio::time::Instant;
use wire::api::Payment;
use wire::party::{PartyRefusal, PartyStatus};
use wire::probe::SealedProbe;
use wire::problem::Code;

use crate::app::{SharedApp, rng};
use crate::problem::Answer;
use crate::resolver::timings::Timings;
use crate::resolver::{Failed, Outcome};

/// Between two looks at whether the parties are back.
const RETRY_MS: u64 = 100;
/// Between two tries to write an outcome that cannot be written.
const STORE_RETRY_MS: u64 = 1_000;

/// Carries one look through. The payment is definite afterwards; the timings are for the answer's header and the log.
///
/// # Errors
/// Only a payment that cannot be found or read any more: see [`crate::app::App::with_store`].
pub async fn check(app: SharedApp, payment: PaymentId, probe: SealedProbe, mut timings: Timings) -> Answer<(Payment, Timings)> {
    let found = match ask_parties(&app, payment, &probe, &mut timings).await {
        Ok(outcome) => {
            timings.append(outcome.timings);
            match outcome.resolution {
                Resolution::Token(token) => Identification::Token(token),
                Resolution::None => Identification::None,
                Resolution::Ambiguous => Identification::Ambiguous,
            }
        }
        Err(code) => Identification::Failed(code),
    };
    let payment = report(&app, payment, probe.context.terminal, found, &mut timings).await?;
    tracing::info!(payment = %payment.id, status = ?payment.status, refusal = payment.refusal.map(Code::name), timings = timings.header(), "checked");
    Ok((payment, timings))
}

async fn ask_parties(app: &SharedApp, payment: PaymentId, probe: &SealedProbe, timings: &mut Timings) -> Result<Outcome, Code> {
    let started = Instant::now();
    let reached = tokio::time::timeout(Duration::from_millis(app.timing.reach_parties_ms), reach(app)).await;
    let Ok((_gate, sequence)) = reached else {
        tracing::warn!(%payment, "the parties could not be reached in time");
        return Err(Code::PartiesUnavailable);
    };
    timings.add_since("reach", started);
    let session = app.new_id(SessionId::new);
    let asked = Instant::now();
    let outcome = app.resolver.identify(session, sequence, probe, app.timing.identify_ms).await;
    timings.add_since("identify", asked);
    outcome.map_err(|failed| {
        let code = code_of(&failed);
        tracing::warn!(%payment, %session, %failed, code = code.name(), "not identified");
        code
    })
}

/// Waits until all parties are there and agree, and holds the gallery still: no change gets between the question how far
/// it is and the search. It may wait for ever, for a party or for one that hangs while it takes a change.
async fn reach(app: &SharedApp) -> (RwLockReadGuard<'_, ()>, u64) {
    loop {
        let gate = app.gallery_gate.read().await;
        if let Some(sequence) = common_sequence(&app.resolver.status().await) {
            return (gate, sequence);
        }
        drop(gate);
        tokio::time::sleep(Duration::from_millis(RETRY_MS)).await;
    }
}

/// How far the three galleries are, if all parties are there, reach each other and agree.
pub fn common_sequence(parties: &[Option<PartyStatus>; 3]) -> Option<u64> {
    let [Some(first), Some(second), Some(third)] = parties else { return None };
    let agree = |other: &PartyStatus| other.gallery_sequence == first.gallery_sequence && other.gallery_root == first.gallery_root;
    let complete = [first, second, third].into_iter().all(|party| party.peers_connected);
    (complete && agree(second) && agree(third)).then_some(first.gallery_sequence)
}

/// Tells the store until it could write it down: until then nobody knows what became of the payment.
async fn report(
    app: &SharedApp,
    payment: PaymentId,
    terminal: TerminalId,
    found: Identification,
    timings: &mut Timings,
) -> Answer<Payment> {
    let mut is_in_doubt = false;
    loop {
        let (found, now) = (found.clone(), app.now());
        let started = Instant::now();
        let written = app.with_store(move |store| {
            let mut rules_took = Duration::ZERO;
            let judged = store.identified(payment, &found, &mut rng(), now, &mut || rules_took = started.elapsed());
            let payment = match judged {
                // The try before was written, and the database was gone before it could say so.
                Err(error) if is_in_doubt && error.code() == Code::StateConflict => store.payment(terminal, payment, now)?,
                judged => judged?,
            };
            Ok((payment, rules_took))
        });
        match written.await {
            Ok((payment, rules_took)) => {
                timings.add_until("rules", started, started + rules_took);
                timings.add_since("commit", started + rules_took);
                return Ok(payment);
            }
            Err(refused) if matches!(refused.code(), Code::StorageFull | Code::Internal) => {
                is_in_doubt = true;
                tokio::time::sleep(Duration::from_millis(STORE_RETRY_MS)).await;
            }
            Err(refused) => return Err(refused),
        }
    }
}

/// What a failed identification means at the till. Nothing was charged in any case.
fn code_of(failed: &Failed) -> Code {
    use PartyRefusal as Why;
    match failed {
        Failed::Refused { refusal, .. } => match refusal {
            Why::TerminalUnknown | Why::SignatureInvalid | Why::ShareMalformed | Why::ProbeInvalid => Code::ProbeInvalid,
            Why::PurposeMismatch => Code::ProbeMismatch,
            Why::ChallengeExpired => Code::ChallengeExpired,
            Why::NonceReused | Why::CounterNotIncreasing => Code::ProbeReplayed,
            Why::BudgetExhausted => Code::BudgetExhausted,
            Why::StorageFailed => Code::PartiesUnavailable,
            Why::MacMismatch | Why::CheckFailed | Why::SharesContradict => Code::IdentificationUnsound,
            Why::RequestMalformed
            | Why::EnrolmentUnchecked
            | Why::GalleryOutOfStep
            | Why::ProbeDiffers
            | Why::WorkerLost
            | Why::PeerUnavailable
            | Why::SessionReused => Code::IdentificationInterrupted,
        },
        Failed::Inconsistent => Code::IdentificationUnsound,
        Failed::Unanswered { .. } => Code::IdentificationInterrupted,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use base::party::PartyId;
    use wire::bytes::HexArray;

    #[test]
    fn parties_are_asked_only_when_all_are_there_and_agree() {
        let status = |party, gallery_sequence, root, peers_connected| {
            Some(PartyStatus {
                party,
                gallery_sequence,
                gallery_root: HexArray([root; 32]),
                records: 1,
                peers_connected,
                chunks_at_workers: 0,
            })
        };
        let [first, second] = [status(PartyId::P1, 4, 7, true), status(PartyId::P2, 4, 7, true)];
        for (what, third, expected) in [
            ("all agree", status(PartyId::P3, 4, 7, true), Some(4)),
            ("one is away", None, None),
            ("one is behind", status(PartyId::P3, 3, 7, true), None),
            ("one went another way", status(PartyId::P3, 4, 8, true), None),
            ("one lacks a peer", status(PartyId::P3, 4, 7, false), None),
        ] {
            assert_eq!(common_sequence(&[first.clone(), second.clone(), third]), expected, "{what}");
        }
    }
}
