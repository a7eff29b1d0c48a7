use base::money::Currency;
use base::secret::Secret;
use base::time::Timestamp;
use payments::rules::RuleBook;

use super::*;
use crate::Store;
use crate::row::Bits;

const NOW: Timestamp = Timestamp::from_millis(1_795_000_000_000);

fn open(path: &Path) -> Result<Store, StoreError> {
    let rules = RuleBook::parse(include_str!("../../../../rules/cn.toml")).expect("sound");
    Store::open(path, rules, Secret::new([1; 32]))
}

/// Writes a row as a batch of its own.
fn add(store: &Store, number: u128) -> Result<(), StoreError> {
    let key = ledger::account::AccountKey::wallet(base::id::AccountId::from_bits(number));
    store.run_tx("adds", |tx| crate::posting::open_account(tx, key, Currency::CNY))
}

fn rows(store: &Store) -> i64 {
    store
        .read(|tx| Ok(tx.one("SELECT count(*) FROM ledger_accounts WHERE kind = 'customer_wallet'", (), |row| row.get(0))?))
        .expect("reads")
}

/// A store as a process leaves it that is killed right when a row of account 1 is durable and not yet in the file.
fn killed(directory: &Path) -> PathBuf {
    for attempt in 0..100 {
        let [path, copy] = ["before", "killed"].map(|name| directory.join(format!("{name}{attempt}.db")));
        let store = open(&path).expect("opens");
        let to = copy.clone();
        store.watch_steps(move |step| {
            if step == crate::Step::Durable {
                for part in ["", "-wal", "-redo"] {
                    std::fs::copy(beside(&path, part), beside(&to, part)).expect("copies");
                }
            }
        });
        add(&store, 1).expect("is written");
        // The writer may have been faster than the copying.
        let position = place(&Connection::open(&Location::from(&copy), Role::Reader).expect("opens")).expect("reads");
        if position.is_some_and(|(_, position)| position == 0) {
            return copy;
        }
    }
    panic!("the file always has it at once");
}

#[test]
fn what_was_acknowledged_is_done_again_at_the_next_start_and_for_who_only_reads() {
    let directory = tempfile::tempdir().expect("a directory");
    assert_eq!(rows(&open(&killed(directory.path())).expect("opens")), 1);
    let other = tempfile::tempdir().expect("a directory");
    let backup = other.path().join("backup.db");
    crate::copy::backup(&Location::from(&killed(other.path())), &backup).expect("copies");
    assert_eq!(rows(&open(&backup).expect("opens")), 1);
}

#[test]
fn what_is_done_again_no_longer_rests_on_a_log_that_the_disk_may_not_have_taken() {
    let directory = tempfile::tempdir().expect("a directory");
    let killed = killed(directory.path());
    let location = Location::from(&killed);
    let connection = Connection::open(&location, Role::Writer).expect("opens");
    assert!(recover(&location, &connection).expect("is done again").is_some());
    // The file alone, as if neither SQLite's log nor the redo log had come to the disk.
    let alone = directory.path().join("alone.db");
    std::fs::copy(&killed, &alone).expect("copies");
    assert_eq!(rows(&open(&alone).expect("opens")), 1);
}

#[test]
fn the_log_of_a_newer_program_is_left_to_that() {
    let directory = tempfile::tempdir().expect("a directory");
    let killed = killed(directory.path());
    let log = std::fs::read(beside(&killed, "-redo")).expect("reads");
    let connection = Connection::open(&Location::from(&killed), Role::Writer).expect("opens");
    connection.batch("INSERT INTO schema_version VALUES (999, zeroblob(32))").expect("is newer");
    let refused = open(&killed).err().expect("is newer").to_string();
    assert!(refused.contains("use the newer program"), "{refused}");
    assert_eq!(std::fs::read(beside(&killed, "-redo")).expect("reads"), log);
    connection.batch("DELETE FROM schema_version WHERE version = 999").expect("is not newer");
    drop(connection);
    assert_eq!(rows(&open(&killed).expect("opens")), 1);
}

#[test]
fn the_log_of_another_store_and_an_older_copy_of_the_store_are_refused_and_nothing_is_lost() {
    let directory = tempfile::tempdir().expect("a directory");
    let (killed, other) = (killed(directory.path()), directory.path().join("other.db"));
    drop(open(&other).expect("opens"));
    let log = std::fs::read(beside(&killed, "-redo")).expect("reads");
    std::fs::write(beside(&other, "-redo"), &log).expect("writes");
    let refused = open(&other).err().expect("it is another's").to_string();
    assert!(refused.contains("other.db-redo is the redo log of another store"), "{refused}");
    assert_eq!(std::fs::read(beside(&other, "-redo")).expect("reads"), log);
    // The first record of the log is missing, and the store has not got it either.
    let (lineage, found) = read(&log).expect("a whole head");
    let statements = found[0].statements;
    let later = [&log[..HEAD_LEN as usize], &record::head(&lineage, 5, statements)[..], statements].concat();
    std::fs::write(beside(&killed, "-redo"), later).expect("writes");
    let refused = open(&killed).err().expect("something is missing").to_string();
    assert!(refused.contains("an older copy of the store"), "{refused}");
    std::fs::write(beside(&killed, "-redo"), log).expect("writes");
    assert_eq!(rows(&open(&killed).expect("opens")), 1);
}

#[test]
fn of_two_programs_one_has_the_log_and_both_see_what_the_other_wrote() {
    let directory = tempfile::tempdir().expect("a directory");
    let path = directory.path().join("platform.db");
    let (one, other) = (open(&path).expect("opens"), open(&path).expect("opens"));
    for number in 0..6 {
        add(if number % 2 == 0 { &one } else { &other }, number).expect("is written");
        wait_for_all(&Location::from(&path)).expect("is soon in the file");
        assert_eq!(rows(&other), number as i64 + 1);
    }
    drop(one);
    assert_eq!(std::fs::metadata(beside(&path, "-redo")).expect("is there").len(), HEAD_LEN, "closed in order");
    assert_eq!(rows(&other), 6);
}

#[test]
fn what_a_program_that_died_had_acknowledged_comes_before_what_another_one_writes() {
    let directory = tempfile::tempdir().expect("a directory");
    let killed = killed(directory.path());
    let alive = File::open(beside(&killed, "-redo")).expect("is there");
    alive.lock().expect("nobody has it");
    let other = open(&killed).expect("opens beside the first");
    assert_eq!(rows(&other), 0, "the first has not folded it");
    drop(alive);
    add(&other, 2).expect("is written");
    assert_eq!(rows(&other), 2);
}

#[test]
fn what_fails_in_a_batch_takes_nothing_along_that_was_acknowledged_before() {
    let directory = tempfile::tempdir().expect("a directory");
    let store = open(&directory.path().join("platform.db")).expect("opens");
    for number in 0..40 {
        add(&store, number).expect("is written");
        // Found only when the batch ends: the row refers to a merchant that is not there.
        let failed = store
            .run_tx("breaks", |tx| Ok(tx.put("INSERT INTO merchant_lists (merchant) VALUES (?1)", [crate::row::Bits(number + 1_000)])?));
        assert!(failed.is_err(), "{number}");
    }
    assert_eq!(rows(&store), 40);
}

#[test]
fn nothing_of_what_was_erased_is_left_in_the_log() {
    let directory = tempfile::tempdir().expect("a directory");
    let path = directory.path().join("platform.db");
    let store = open(&path).expect("opens");
    store.register_merchant(base::id::MerchantId::from_bits(1), "Erased Noodles", NOW).expect("registers");
    let holds = || {
        let bytes = std::fs::read(beside(&path, "-redo")).expect("reads");
        bytes.windows(14).any(|window| window == b"Erased Noodles")
    };
    assert!(holds());
    store.tidy(NOW).expect("tidies");
    assert!(!holds());
}

#[test]
fn a_log_that_cannot_be_written_answers_nobody_with_success() {
    let directory = tempfile::tempdir().expect("a directory");
    let path = directory.path().join("log");
    std::fs::write(&path, []).expect("writes");
    let syncer = Syncer::start(File::open(&path).expect("only for reading"), [1; 16], 0);
    let (tell, told) = std::sync::mpsc::channel();
    for number in 1..=3 {
        let tell = tell.clone();
        syncer.append(
            record::Place { number, at: (number - 1) * 42 },
            vec![0; 10],
            Box::new(move |durable| tell.send(durable.is_ok()).expect("the test listens")),
        );
    }
    assert!(syncer.erase(0).is_err() && syncer.is_broken());
    assert_eq!(told.try_iter().collect::<Vec<_>>(), [false; 3]);
}

/// A row as large as `len`, as a batch of its own.
fn add_large(store: &Store, number: u64, len: usize) {
    let sql = "INSERT INTO stored_answers (place, request_digest, status, body, created_at) VALUES (?1, ?2, 200, ?3, 0)";
    store.run_tx("adds", |tx| Ok(tx.put(sql, (Bits(number.into()), [0; 32], vec![7; len]))?)).expect("is written");
}

fn large(store: &Store) -> i64 {
    store.read(|tx| Ok(tx.one("SELECT count(*) FROM stored_answers", (), |row| row.get(0))?)).expect("reads")
}

#[test]
fn the_log_is_written_in_turns_of_two_halves_and_what_is_longer_goes_into_the_file_at_once() {
    let directory = tempfile::tempdir().expect("a directory");
    let path = directory.path().join("platform.db");
    let store = open(&path).expect("opens").let_rows_wait();
    // Six times a half, so that each is written over more than once.
    let part = HALF_LEN as usize / 4;
    (0..24).for_each(|number| add_large(&store, number, part));
    assert!(std::fs::metadata(beside(&path, "-redo")).expect("is there").len() <= HEAD_LEN + 2 * HALF_LEN);
    add_large(&store, 24, HALF_LEN as usize + 1);
    add_large(&store, 25, 1);
    assert_eq!(large(&store), 26);
    drop(store);
    assert_eq!(large(&open(&path).expect("opens")), 26);
}

#[test]
fn records_of_both_halves_are_one_log_and_a_gap_between_them_is_refused() {
    let directory = tempfile::tempdir().expect("a directory");
    let killed = killed(directory.path());
    let log = std::fs::read(beside(&killed, "-redo")).expect("reads");
    let (lineage, found) = read(&log).expect("a whole head");
    let (number, statements) = (found[0].number, found[0].statements);
    let empty_batch = |number| [&record::head(&lineage, number, &[])[..], &[]].concat();
    let with_halves = |half_len: u64, first: Vec<u8>, second: Vec<u8>| {
        let mut bytes = log[..MARK.len() + 16].to_vec();
        bytes.extend(half_len.to_le_bytes());
        bytes.resize(HEAD_LEN as usize, 0);
        bytes.extend(first);
        bytes.resize((HEAD_LEN + if half_len == 0 { FIRST_HALF_LEN } else { half_len }) as usize, 0);
        bytes.extend(second);
        std::fs::write(beside(&killed, "-redo"), bytes).expect("writes");
    };
    let own = [&record::head(&lineage, number, statements)[..], statements].concat();
    with_halves(HALF_LEN, empty_batch(number + 2), own.clone());
    let refused = open(&killed).err().expect("a batch is missing").to_string();
    assert!(refused.contains(&format!("damaged behind batch {number}")), "{refused}");
    // The second half was written first, by a program that did not say how long a half is.
    with_halves(0, empty_batch(number + 1), own);
    assert_eq!(rows(&open(&killed).expect("opens")), 1);
}

#[test]
fn who_waits_for_its_turn_gets_it_although_another_program_writes_without_a_pause() {
    let directory = tempfile::tempdir().expect("a directory");
    let path = directory.path().join("platform.db");
    let (one, other) = (open(&path).expect("opens").let_rows_wait(), open(&path).expect("opens"));
    let is_over = std::sync::atomic::AtomicBool::new(false);
    let written = std::thread::scope(|scope| {
        let busy = scope.spawn(|| {
            (0..).take_while(|number| add(&one, *number).is_ok() && !is_over.load(std::sync::atomic::Ordering::Relaxed)).count() + 1
        });
        (0..5).for_each(|number| add(&other, (1 << 64) + number).expect("has its turn"));
        is_over.store(true, std::sync::atomic::Ordering::Relaxed);
        busy.join().expect("writes")
    });
    assert_eq!(rows(&one), written as i64 + 5);
}
