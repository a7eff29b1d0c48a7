//! `handsel admin gallery`: whether the three galleries are right and alike, and changing them as a whole.

use std::process::ExitCode;
use std::time::Duration;

use base::id::SessionId;
use base::party::PartyId;
use base::time::{Clock, SystemClock, Timestamp};
use rand_core::UnwrapErr;
use serde_json::json;
use store::Store;
use store::membership::KindCount;
use wire::bytes::HexArray;
use wire::party::{GalleryOperation, PartyAnswer, PartyCommand};
use wire::upkeep::{Audited, ChangeSummary, PrepareRefresh, Rebuild, Verified};

use super::bisect::first_difference;
use super::parties::Parties;
use crate::args::{GalleryCommand, GalleryOptions};
use crate::node::place;
use crate::provision::{PlatformKeys, PlatformNode, open_store, read};
use crate::run::{Failure, failed, runtime};

/// A question about the log.
const QUESTION: Duration = Duration::from_secs(10);
/// Work over the whole gallery.
const WORK: Duration = Duration::from_secs(3_600);
/// How long the running platform may take to hand out a change that was queued beside it.
const DELIVERY: Duration = Duration::from_secs(60);

/// What came of a command: a sentence for people, an object for programs, and whether the answer is yes.
struct Outcome {
    text: String,
    object: serde_json::Value,
    is_good: bool,
}

/// Runs the command.
pub fn run(command: &GalleryCommand) -> Result<ExitCode, Failure> {
    let options = command.options();
    let node: PlatformNode = read(&options.config)?;
    let keys: PlatformKeys = read(&options.config.with_file_name("keys.toml"))?;
    let parties = Parties::new(&node, keys)?;
    let outcome = runtime()?.block_on(async {
        match command {
            GalleryCommand::Verify(_) => verify(&parties).await,
            GalleryCommand::Bisect(_) => bisect(&parties).await,
            GalleryCommand::Compact(_) => compact(&parties, &store(&node)?).await,
            GalleryCommand::Refresh(_) => refresh(&parties, &store(&node)?).await,
            GalleryCommand::Rebuild(options) => rebuild(&parties, options.party).await,
            GalleryCommand::Parts(_) => parts(&store(&node)?),
        }
    })?;
    if options.json {
        println!("{}", outcome.object)
    } else {
        println!("{}", outcome.text)
    }
    Ok(if outcome.is_good { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

fn store(node: &PlatformNode) -> Result<Store, Failure> {
    open_store(&place(&node.store)?, &node.rules)
}

/// What the platform counts; `verify` says whether the parties have the same labels.
fn parts(store: &Store) -> Result<Outcome, Failure> {
    let kinds = store.partition_kinds().map_err(failed("the store cannot be read"))?;
    let line = |count: &KindCount| {
        let KindCount { kind, parts, records, largest } = count;
        format!("{}: {records} records in {parts} parts, {largest} in the largest", kind.name())
    };
    let object = |count: &KindCount| {
        let KindCount { kind, parts, records, largest } = count;
        json!({ "kind": kind.name(), "parts": parts, "records": records, "largest": largest })
    };
    let text =
        if kinds.is_empty() { "Nobody stands in a named part.".into() } else { kinds.iter().map(line).collect::<Vec<_>>().join("\n") };
    Ok(Outcome { text, object: json!({ "kinds": kinds.iter().map(object).collect::<Vec<_>>() }), is_good: true })
}

async fn verify(parties: &Parties) -> Result<Outcome, Failure> {
    let verified = parties.ask_all(PartyCommand::Verify, WORK).await?.map(|answer| match answer {
        PartyAnswer::Verified(verified) => Ok(*verified),
        _ => Err(strange()),
    });
    let [first, second, third] = verified;
    let verified = [first?, second?, third?];
    let wrong: Vec<String> = verified.iter().filter(|party| !party.is_good()).map(complaint).collect();
    let is_alike = |one: &Verified, other: &Verified| (one.sequence, one.root, one.content) == (other.sequence, other.root, other.content);
    let alike = is_alike(&verified[0], &verified[1]) && is_alike(&verified[1], &verified[2]);
    let mut text = wrong.join("\n");
    if !alike {
        let far = verified.each_ref().map(|party| party.sequence.to_string()).join(", ");
        text += &format!("The parties' galleries differ (they are at changes {far}); `handsel admin gallery bisect` finds where.");
    }
    if wrong.is_empty() && alike {
        let Verified { sequence, records, segments, .. } = &verified[0];
        text = format!(
            "{records} records in {} segments as of change {sequence}: at each party as its journal says, and alike at all three.",
            segments.len()
        );
    }
    let is_good = wrong.is_empty() && alike;
    Ok(Outcome { text, object: json!({ "good": is_good, "alike": alike, "parties": verified }), is_good })
}

fn complaint(party: &Verified) -> String {
    let Verified { party, slots_wrong, first_slot_wrong, groups_damaged, .. } = party;
    let slot = first_slot_wrong.map(|slot| format!(", the first {slot}")).unwrap_or_default();
    format!(
        "{party}: {slots_wrong} slots are not as its journal says{slot}; {groups_damaged} groups are damaged. Restart it: it makes them anew.\n"
    )
}

async fn bisect(parties: &Parties) -> Result<Outcome, Failure> {
    let now = audit(parties, None).await?;
    let last = now.iter().map(|party| party.sequence).min().unwrap_or_default();
    let first = first_difference(last, async |sequence| {
        let roots = changes(parties, sequence).await?.map(|change| change.root);
        Ok(roots[0] != roots[1] || roots[1] != roots[2])
    })
    .await?;
    let far = now.each_ref().map(|party| party.sequence);
    let Some(sequence) = first else {
        let text = match far.iter().all(|sequence| *sequence == last) {
            true => format!("The three logs are alike up to their last change, {last}."),
            false => format!("The three logs are alike up to change {last}; the parties are at {}, {} and {}.", far[0], far[1], far[2]),
        };
        return Ok(Outcome { text, object: json!({ "alike": true, "sequences": far, "first_difference": null }), is_good: true });
    };
    let changes = changes(parties, sequence).await?;
    let lines = PartyId::ALL.into_iter().zip(&changes).map(|(party, change)| {
        let first = change.first_record.map(|record| format!(", the first {record}")).unwrap_or_default();
        let records = if change.records == 1 { "record" } else { "records" };
        format!("\n{party}: {} of {} {records}{first}", change.kind, change.records)
    });
    let text = format!("The logs differ from change {sequence} on.{}", lines.collect::<String>());
    Ok(Outcome {
        text,
        object: json!({ "alike": false, "sequences": far, "first_difference": { "sequence": sequence, "changes": changes } }),
        is_good: false,
    })
}

async fn audit(parties: &Parties, at: Option<u64>) -> Result<[Audited; 3], Failure> {
    let [first, second, third] = parties.ask_all(PartyCommand::Audit { at }, QUESTION).await?.map(|answer| match answer {
        PartyAnswer::Audited(audited) => Ok(*audited),
        _ => Err(strange()),
    });
    Ok([first?, second?, third?])
}

/// The change `sequence` as each party applied it; all have it.
async fn changes(parties: &Parties, sequence: u64) -> Result<[ChangeSummary; 3], Failure> {
    let [first, second, third] = audit(parties, Some(sequence))
        .await?
        .map(|party| party.change.ok_or_else(|| Failure(format!("{} does not know its own change {sequence}", party.party))));
    Ok([first?, second?, third?])
}

/// Queues a change beside the running platform and waits until all three parties have it.
async fn upkeep(parties: &Parties, store: &Store, operation: GalleryOperation) -> Result<Outcome, Failure> {
    let now = SystemClock.now();
    let sequence = store.queue_upkeep(&operation, now).map_err(failed("the change cannot be queued"))?;
    let until = now.plus_millis(DELIVERY.as_millis() as u64);
    let mut audited = audit(parties, None).await?;
    while audited.iter().any(|party| party.sequence < sequence) {
        if SystemClock.now() > until {
            let text =
                format!("Change {sequence} is queued, and not all parties have it yet; it is handed out when platform and parties run.");
            return Ok(Outcome { text, object: json!({ "sequence": sequence, "applied": false }), is_good: false });
        }
        tokio::time::sleep(Duration::from_millis(200)).await;
        audited = audit(parties, None).await?;
    }
    let [Audited { records, slots, epoch, .. }, ..] = &audited;
    let text = format!("Change {sequence} is applied at all three parties: {records} records in {slots} slots, epoch {epoch}.");
    let object = json!({ "sequence": sequence, "applied": true, "records": records, "slots": slots, "epoch": epoch });
    Ok(Outcome { text, object, is_good: true })
}

async fn compact(parties: &Parties, store: &Store) -> Result<Outcome, Failure> {
    let Audited { sequence, .. } = as_far(parties).await?;
    prepare(parties, PartyCommand::PrepareCompaction { gallery_sequence: sequence }).await?;
    upkeep(parties, store, GalleryOperation::Compact { as_of: sequence }).await
}

async fn refresh(parties: &Parties, store: &Store) -> Result<Outcome, Failure> {
    let Audited { sequence, epoch, .. } = as_far(parties).await?;
    let (session, epoch) = (SessionId::new(now(), &mut UnwrapErr(getrandom::SysRng)), epoch + 1);
    let name = prepare(parties, PartyCommand::PrepareRefresh(PrepareRefresh { session, gallery_sequence: sequence, epoch })).await?;
    upkeep(parties, store, GalleryOperation::Refresh { epoch, name }).await
}

/// How far all three are.
async fn as_far(parties: &Parties) -> Result<Audited, Failure> {
    let [first, second, third] = audit(parties, None).await?;
    if [second, third].iter().any(|party| (party.sequence, party.root) != (first.sequence, first.root)) {
        return Err(Failure("the parties are not equally far; try again when `handsel admin gallery verify` finds them alike".into()));
    }
    Ok(first)
}

/// Has all three prepare the same; its name.
async fn prepare(parties: &Parties, command: PartyCommand) -> Result<HexArray<32>, Failure> {
    let [first, second, third] = parties.ask_all(command, WORK).await?.map(|answer| match answer {
        PartyAnswer::Prepared { name, .. } => Ok(name),
        _ => Err(strange()),
    });
    let first = first?;
    if first != second? || first != third? {
        return Err(Failure("the parties prepared different things; nothing was changed".into()));
    }
    Ok(first)
}

async fn rebuild(parties: &Parties, party: PartyId) -> Result<Outcome, Failure> {
    let session = SessionId::new(now(), &mut UnwrapErr(getrandom::SysRng));
    let answers = parties.ask_all(PartyCommand::Rebuild(Rebuild { session, party }), WORK).await?;
    let PartyAnswer::Rebuilt { sequence, rows, .. } = &answers[party.index()] else { return Err(strange()) };
    let text = format!("{party} is at change {sequence} again; {rows} rows came from the other two.");
    Ok(Outcome { text, object: json!({ "party": party, "sequence": sequence, "rows": rows }), is_good: true })
}

fn now() -> Timestamp {
    SystemClock.now()
}

fn strange() -> Failure {
    Failure("a party answers with something else than was asked for; do all run the same version?".into())
}

impl GalleryCommand {
    fn options(&self) -> &GalleryOptions {
        match self {
            Self::Verify(options) | Self::Bisect(options) | Self::Compact(options) | Self::Refresh(options) | Self::Parts(options) => {
                options
            }
            Self::Rebuild(options) => &options.gallery,
        }
    }
}
