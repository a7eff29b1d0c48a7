//! What needs the inside of the store: a disk that is full, and settings that durability rests on.

mod parts;

use base::id::{MerchantId, PaymentId, RecordId, StoreId, TerminalId};
use base::money::Currency;
use base::secret::Secret;
use base::time::Timestamp;
use ed25519_dalek::SigningKey;
use payments::rules::RuleBook;
use rand_core::{TryCryptoRng, TryRng};
use wire::api::NewPayment;
use wire::bytes::HexArray;
use wire::party::NewRecord;
use wire::problem::Code;

use crate::Store;
use crate::db::{Connection, Location, Role, Tx};
use crate::error::StoreError;
use crate::gallery::NewToken;
use crate::idempotency::{Idempotency, Keep};
use crate::setup::NewTerminal;

const NOW: Timestamp = Timestamp::from_millis(1_795_000_000_000);
const TILL: TerminalId = TerminalId::from_bits(1);

/// Bytes that differ from call to call.
struct Counter(u8);

impl TryRng for Counter {
    type Error = std::convert::Infallible;
    fn try_next_u32(&mut self) -> Result<u32, Self::Error> {
        Ok(7)
    }
    fn try_next_u64(&mut self) -> Result<u64, Self::Error> {
        Ok(7)
    }
    fn try_fill_bytes(&mut self, bytes: &mut [u8]) -> Result<(), Self::Error> {
        self.0 = self.0.wrapping_add(1);
        bytes.fill(self.0);
        Ok(())
    }
}

impl TryCryptoRng for Counter {}

fn store_with_a_till(directory: &tempfile::TempDir) -> Store {
    let rules = RuleBook::parse(include_str!("../../../rules/cn.toml")).expect("sound");
    let store = Store::open(&directory.path().join("platform.db"), rules, Secret::new([1; 32])).expect("opens");
    store.register_merchant(MerchantId::from_bits(1), "Noodle House", NOW).expect("registers");
    store.register_store(StoreId::from_bits(1), MerchantId::from_bits(1), "Main Street", NOW).expect("registers");
    let public_key = SigningKey::from_bytes(&[1; 32]).verifying_key();
    store
        .register_terminal(&NewTerminal { id: TILL, store: StoreId::from_bits(1), token_sha256: [1; 32], public_key }, NOW)
        .expect("registers");
    store
}

fn idempotency(number: usize) -> Idempotency {
    Idempotency { scope: "till".into(), key: number.to_string(), request_digest: [0; 32] }
}

#[test]
fn a_full_disk_refuses_loses_nothing_and_goes_on_when_there_is_room() {
    let directory = tempfile::tempdir().expect("a directory");
    fill(&store_with_a_till(&directory));
}

#[test]
fn where_rows_wait_for_the_file_none_is_acknowledged_that_may_find_no_room() {
    let directory = tempfile::tempdir().expect("a directory");
    fill(&store_with_a_till(&directory).let_rows_wait());
}

fn fill(store: &Store) {
    store.limit_growth(3).expect("is set");
    let new = NewPayment {
        amount_minor: 100,
        currency: Currency::CNY,
        merchant_reference: Some("x".repeat(64)),
        terminal: None,
        capture: wire::api::Capture::Automatic,
        metadata: None,
    };
    let begin = |number: usize| store.create_payment(&idempotency(number), TILL, &new, &mut Counter(number as u8), NOW);
    let count = || store.payments(TILL, None, 100, NOW).expect("reading needs no room").data.len();
    let mut begun = 0;
    let error = loop {
        match begin(begun) {
            Ok(answer) => assert!(answer.is_first_success(), "{}", String::from_utf8_lossy(&answer.body)),
            Err(error) => break error,
        }
        begun += 1;
        assert!(begun < 100, "three pages are soon full");
    };
    assert_eq!((error.code(), error.problem().status), (Code::StorageFull, 503), "{error:?}");
    assert_eq!(count(), begun, "what was refused left nothing behind");
    assert!(store.replay(&idempotency(begun)).expect("reads").is_none(), "it is not remembered, so that it may be asked again");
    assert!(store.replay(&idempotency(0)).expect("reads").is_some());
    assert!(store.books().expect("reads").balanced());
    store.limit_growth(1_000).expect("is set");
    assert!(begin(begun).expect("there is room").is_first_success());
    assert_eq!(count(), begun + 1);
}

#[test]
fn the_log_is_written_into_the_file_while_payments_go_on() {
    let directory = tempfile::tempdir().expect("a directory");
    let store = store_with_a_till(&directory);
    let file_len = || std::fs::metadata(directory.path().join("platform.db")).expect("is there").len();
    let before = file_len();
    let new = NewPayment {
        amount_minor: 100,
        currency: Currency::CNY,
        merchant_reference: None,
        terminal: None,
        capture: wire::api::Capture::Automatic,
        metadata: None,
    };
    // Far fewer pages than those at which SQLite itself would do it.
    for number in 0.. {
        assert!(number < 10_000, "the file has not grown");
        let answer = store.create_payment(&idempotency(number), TILL, &new, &mut Counter(number as u8), NOW.plus_millis(number as u64));
        assert!(answer.expect("answers").is_first_success());
        if file_len() > before {
            break;
        }
    }
}

#[test]
fn what_is_printed_of_tokens_holds_none_of_their_bytes() {
    let (record, byte, share) = (RecordId::from_bits(1), 0xa7, HexArray([0xa7; 16]));
    let token = NewToken { record, token: share, token_sha256: [byte; 32] };
    let new = NewRecord { record, partitions: vec![share], token: share };
    for printed in [format!("{token:?} {token:#?}"), format!("{new:?} {new:#?}")] {
        assert!(printed.contains("rec_"), "the record's name is no secret: {printed}");
        for bytes in ["a7", "A7", "167"] {
            assert!(!printed.contains(bytes), "{printed}");
        }
    }
}

#[test]
fn what_durability_rests_on_is_set_on_every_connection() {
    let directory = tempfile::tempdir().expect("a directory");
    let path = directory.path().join("platform.db");
    for role in [Role::Writer, Role::Reader] {
        let connection = Connection::open(&Location::from(&path), role).expect("opens");
        let text = |pragma: &str| -> String { Tx(&connection).one(&format!("PRAGMA {pragma}"), (), |row| row.get(0)).expect("reads") };
        let number = |pragma: &str| -> i64 { Tx(&connection).one(&format!("PRAGMA {pragma}"), (), |row| row.get(0)).expect("reads") };
        assert_eq!(text("journal_mode"), "wal");
        assert_eq!(number("synchronous"), 2, "FULL");
        assert_eq!(number("foreign_keys"), 1);
        assert_eq!(number("secure_delete"), 1);
    }
}

#[test]
fn a_panic_inside_a_transaction_undoes_it_and_the_store_goes_on() {
    let directory = tempfile::tempdir().expect("a directory");
    let store = store_with_a_till(&directory);
    let outcome = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| {
        store.run_tx("breaks", |tx| -> Result<(), crate::error::StoreError> {
            tx.execute("DELETE FROM terminals", ())?;
            panic!("an invariant is broken")
        })
    }));
    assert!(outcome.is_err());
    assert!(store.terminal_by_token(&[1; 32]).expect("reads").is_some());
    assert_eq!(store.payment(TILL, PaymentId::from_bits(1), NOW).expect_err("none").code(), Code::NotFound);
    store.register_merchant(MerchantId::from_bits(9), "Next", NOW).expect("the writer works");
}

#[test]
fn a_refusal_undoes_the_work_and_is_remembered_and_a_failure_is_not() {
    let directory = tempfile::tempdir().expect("a directory");
    let store = store_with_a_till(&directory);
    let terminals = || store.terminal_keys().expect("reads").len();
    let attempt = |number: usize, code: Code| {
        store.once("refuses", &idempotency(number), Keep::Forever, NOW, |tx| {
            tx.execute("DELETE FROM terminals", ())?;
            Err(code.into())
        })
    };
    let refused = attempt(1, Code::InsufficientBalance).expect("a refusal is an answer");
    assert_eq!((refused.status, refused.replayed, terminals()), (402, false, 1));
    assert!(attempt(1, Code::InsufficientBalance).expect("again").replayed);
    for (number, code) in [(2, Code::PartiesUnavailable), (3, Code::BudgetExhausted), (4, Code::RequestInFlight), (5, Code::StorageFull)] {
        assert_eq!(attempt(number, code).expect_err("asking again may help").code(), code);
        assert_eq!(terminals(), 1);
        assert!(store.replay(&idempotency(number)).expect("reads").is_none());
    }
}

#[test]
fn a_contradiction_in_the_books_stops_all_writing_and_reading_goes_on() {
    let directory = tempfile::tempdir().expect("a directory");
    let store = store_with_a_till(&directory);
    let breach = || StoreError::Breach(ledger::breach::Breach::Reserve(1));
    let before = store.terminal_keys().expect("reads").len();
    let refused = store.run_tx("contradicts", |tx| -> Result<(), StoreError> {
        tx.execute("DELETE FROM terminals", ())?;
        Err(breach())
    });
    assert_eq!(refused.expect_err("is told").code(), Code::LedgerHalted);
    let later = store.register_merchant(MerchantId::from_bits(9), "Next", NOW);
    assert_eq!(later.expect_err("nothing is written any more").code(), Code::LedgerHalted);
    assert_eq!(store.terminal_keys().expect("reads").len(), before);
}
