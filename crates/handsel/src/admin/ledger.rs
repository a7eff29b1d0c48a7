//! The ledger for an auditor: its export, and the verification of one without the platform.

use std::fs::File;
use std::io::{BufRead, BufReader, BufWriter, Write};
use std::path::PathBuf;
use std::process::ExitCode;

use base::hash::{hex, unhex};
use clap::{Args, Subcommand};
use ledger::chain::Head;
use ledger::export::{ExportError, Fault, Reader, Verified};
use serde_json::json;

use crate::admin::store::StoreOptions;
use crate::run::{Failure, context, failed};

#[derive(Subcommand)]
pub enum LedgerCommand {
    /// Write the hash-chained ledger to a file and print its head, which is worth noting down elsewhere.
    Export(ExportLedgerOptions),
    /// Verify such a file without the platform: hashes, limits, identifiers, sums. Exit status 1 if it is not sound.
    Verify(VerifyLedgerOptions),
}

#[derive(Args)]
pub struct ExportLedgerOptions {
    #[command(flatten)]
    pub store: StoreOptions,
    /// Where the export goes.
    #[arg(long)]
    pub out: PathBuf,
}

#[derive(Args)]
pub struct VerifyLedgerOptions {
    /// The export.
    pub export: PathBuf,
    /// A head that was noted earlier and must be in it: number, blank, hash, as `ledger export` prints it.
    #[arg(long)]
    pub head: Option<String>,
    /// Print one JSON object on standard output and nothing else there.
    #[arg(long)]
    pub json: bool,
}

/// Writes the ledger's export: see `docs/payments.md` for its format. The store may be in use.
pub fn export_ledger(options: &ExportLedgerOptions) -> Result<ExitCode, Failure> {
    let store = options.store.open()?;
    let file = File::create(&options.out).map_err(context(&options.out))?;
    let mut out = BufWriter::new(file);
    let head = store.export_ledger(|piece| out.write_all(piece.as_bytes())).map_err(failed("the ledger cannot be exported"))?;
    out.into_inner().map_err(|error| error.into_error()).and_then(|file| file.sync_all()).map_err(context(&options.out))?;
    println!("{} {}", head.sequence, hex(&head.hash));
    Ok(ExitCode::SUCCESS)
}

/// Verifies an export without the platform: status 1 if it is not sound.
pub fn verify_ledger(options: &VerifyLedgerOptions) -> Result<ExitCode, Failure> {
    let kept = options.head.as_deref().map(read_head).transpose()?;
    let file = File::open(&options.export).map_err(context(&options.export))?;
    match verify(BufReader::new(file), kept).map_err(context(&options.export))? {
        Ok(verified) => {
            report(&verified, options.json);
            Ok(ExitCode::SUCCESS)
        }
        Err(error) => {
            eprintln!("{}: {error}", options.export.display());
            if options.json {
                println!("{}", json!({"sound": false, "line": error.line, "fault": error.fault.to_string()}));
            }
            Ok(ExitCode::from(1))
        }
    }
}

fn report(verified: &Verified, as_json: bool) {
    let (Head { sequence, hash }, totals) = (verified.head, verified.totals);
    if as_json {
        let report = json!({
            "sound": true, "transfers": sequence, "head": format!("{sequence} {}", hex(&hash)),
            "debits_minor": totals.debits_minor, "credits_minor": totals.credits_minor,
            "customer_minor": totals.customer_minor, "merchant_minor": totals.merchant_minor,
            "earmarked_minor": totals.earmarked_minor, "transit_minor": totals.transit_minor, "reserve_minor": totals.reserve_minor,
        });
        println!("{report}");
    } else {
        println!("sound: {sequence} transfers, head {}", hex(&hash));
        let [customers, merchants] = [totals.customer_minor, totals.merchant_minor];
        println!("customers {customers}, merchants {merchants}, set aside {}, on its way {}", totals.earmarked_minor, totals.transit_minor);
        println!("reserve {} = all of them (minor units)", totals.reserve_minor);
    }
}

/// Reads line by line, so that an export may be larger than memory's habit; a last line without its end is torn.
fn verify(mut text: impl BufRead, kept: Option<Head>) -> std::io::Result<Result<Verified, ExportError>> {
    let mut reader = Reader::new(kept);
    let mut line = String::new();
    for number in 1.. {
        line.clear();
        if text.read_line(&mut line)? == 0 {
            return Ok(reader.finish());
        }
        let Some(whole) = line.strip_suffix('\n') else { return Ok(Err(ExportError { line: number, fault: Fault::Torn })) };
        if let Err(error) = reader.take(whole) {
            return Ok(Err(error));
        }
    }
    unreachable!("numbers do not end")
}

/// A head as `export` prints it: number and hash.
fn read_head(text: &str) -> Result<Head, Failure> {
    let read = || {
        let (sequence, hash) = text.split_once(' ')?;
        Some(Head { sequence: sequence.parse().ok()?, hash: unhex(hash)?.try_into().ok()? })
    };
    read().ok_or_else(|| Failure("--head takes what `ledger export` printed: a number, a blank and 64 hexadecimal digits".into()))
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::path::Path;

    use store::Location;

    use super::*;
    use crate::admin::compensation::{FundOptions, fund};

    /// Lines as any export has them: an empty ledger's.
    fn empty() -> String {
        ledger::export::write(&[], &[])
    }

    #[test]
    fn a_file_is_read_to_its_end_or_says_where_it_breaks() {
        let text = empty();
        let verified = verify(text.as_bytes(), None).expect("reads").expect("sound");
        assert_eq!(verified.head, Head::genesis());
        let torn = &text[..text.len() - 1];
        assert_eq!(verify(torn.as_bytes(), None).expect("reads").expect_err("torn").fault, Fault::Torn);
        let cut = text.lines().next().expect("a line").to_owned() + "\n";
        assert_eq!(verify(cut.as_bytes(), None).expect("reads").expect_err("no head").fault, Fault::Torn);
    }

    #[test]
    fn a_head_is_read_strictly() {
        let head = Head::genesis();
        assert!(read_head(&format!("0 {}", hex(&head.hash))).is_ok_and(|read| read == head));
        for bad in ["", "0", "0 00", "x 00", "0  00"] {
            assert!(read_head(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn the_export_of_a_store_verifies() {
        let directory = tempfile::tempdir().expect("a directory");
        let (place, out) = (directory.path().join("platform.db"), directory.path().join("ledger.txt"));
        let rules = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../rules/cn.toml");
        let id = "tra_00000000000000000000000001";
        let store = || StoreOptions { store: Location::from(&place), rules: rules.clone() };
        let options = FundOptions { store: store(), id: id.into(), amount_minor: 5_000 };
        fund(&options).expect("funds");
        fund(&options).expect("the same again is done once");
        export_ledger(&ExportLedgerOptions { store: store(), out: out.clone() }).expect("exports");
        let verified = verify(BufReader::new(File::open(&out).expect("opens")), None).expect("reads").expect("sound");
        assert_eq!((verified.head.sequence, verified.totals.earmarked_minor, verified.totals.reserve_minor), (1, 5_000, 5_000));
        let changed = fs::read_to_string(&out).expect("reads").replacen(" 5000 CNY", " 5001 CNY", 1);
        fs::write(&out, changed).expect("writes");
        let found = verify(BufReader::new(File::open(&out).expect("opens")), None).expect("reads").expect_err("changed");
        assert_eq!(found, ExportError { line: 2, fault: Fault::Hash });
    }
}
