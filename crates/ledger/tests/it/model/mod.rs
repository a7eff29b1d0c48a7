//! A writer over a simulated disk takes a list of operations; an oracle that shares no code with the ledger says what must
//! come of each.
//!
//! A failure is: an outcome other than the oracle's, an entry that was acknowledged and is gone, one that was refused and
//! is there, half a chain, unequal books, another hash for the same seed, or an export that does not verify. Running out
//! of disk or losing power is not a failure. Nothing here is random but the seed.

mod disk;
mod operation;
mod oracle;
mod reproductions;
mod writer;

use operation::Operation;
use writer::Writer;

/// Operations of one world: short enough that the oracle, which starts from nothing each time, stays quick.
const WORLD_LEN: usize = 250;
/// Operations of `make test`; `HANDSEL_MODEL_OPERATIONS` sets another number.
const OPERATIONS: usize = 30_000;

/// What a run did, to see that it did something.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Counts {
    applied: usize,
    existed: usize,
    refused: usize,
    crashes: usize,
    torn: usize,
    disk_full: usize,
    write_errors: usize,
    sync_errors: usize,
    audits: usize,
}

impl Counts {
    fn add(&mut self, other: Self) {
        self.applied += other.applied;
        self.existed += other.existed;
        self.refused += other.refused;
        self.crashes += other.crashes;
        self.torn += other.torn;
        self.disk_full += other.disk_full;
        self.write_errors += other.write_errors;
        self.sync_errors += other.sync_errors;
        self.audits += other.audits;
    }
}

/// Runs the operations; the counts and the last hash, or what went wrong at which operation.
fn run(operations: &[Operation]) -> Result<(Counts, [u8; 32]), String> {
    let mut writer = Writer::new();
    for (at, operation) in operations.iter().enumerate() {
        writer.take(operation).map_err(|fault| format!("operation {at}, {operation:?}: {fault}"))?;
    }
    writer.take(&Operation::Crash { kept: 0 }).map_err(|fault| format!("the last crash: {fault}"))?;
    writer.take(&Operation::Audit).map_err(|fault| format!("the last audit: {fault}"))?;
    Ok((writer.counts, writer.head().hash))
}

/// The shortest list found that still fails: whole stretches left out first, then single operations.
fn shortest(mut operations: Vec<Operation>) -> Vec<Operation> {
    let mut stretch = operations.len() / 2;
    while stretch > 0 {
        let mut at = 0;
        while at < operations.len() {
            let mut fewer = operations.clone();
            fewer.drain(at..(at + stretch).min(operations.len()));
            if run(&fewer).is_err() {
                operations = fewer;
            } else {
                at += stretch;
            }
        }
        stretch /= 2;
    }
    operations
}

#[test]
fn every_operation_comes_out_as_the_oracle_says() {
    let wanted = std::env::var("HANDSEL_MODEL_OPERATIONS").map_or(OPERATIONS, |text| text.parse().expect("a number"));
    let first_seed: u64 = std::env::var("HANDSEL_MODEL_SEED").map_or(1, |text| text.parse().expect("a number"));
    let mut counts = Counts::default();
    for seed in first_seed..first_seed + wanted.div_ceil(WORLD_LEN) as u64 {
        let operations = operation::list(seed, WORLD_LEN);
        match run(&operations) {
            Ok((of_world, _)) => counts.add(of_world),
            Err(fault) => panic!("seed {seed}: {fault}\nshortest list that fails: {:#?}", shortest(operations)),
        }
    }
    println!("{wanted} operations from seed {first_seed}: {counts:?}");
    let Counts { applied, existed, refused, crashes, torn, disk_full, write_errors, sync_errors, audits } = counts;
    for (name, count) in [
        ("applied", applied),
        ("existed", existed),
        ("refused", refused),
        ("crashes", crashes),
        ("torn", torn),
        ("disk_full", disk_full),
        ("write_errors", write_errors),
        ("sync_errors", sync_errors),
        ("audits", audits),
    ] {
        assert!(count >= wanted / 1_000, "hardly any {name}: {counts:?}");
    }
}

#[test]
fn a_seed_gives_the_same_books_to_the_last_bit() {
    for seed in 1..20 {
        let operations = operation::list(seed, WORLD_LEN);
        assert_eq!(run(&operations), run(&operations), "seed {seed}");
    }
}
