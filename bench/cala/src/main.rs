//! Payments on the ledger of the crate cala-ledger, on a PostgreSQL server that is there: a peer of `handsel bench pay`.
//!
//! `setup` makes its tables, a journal, the accounts and a template of two entries. `run` posts one transaction for each
//! payment, in a database transaction of its own and with an external identifier that no other has, and prints how long
//! each took.

use std::collections::HashMap;
use std::error::Error;
use std::fmt::Display;
use std::hash::{BuildHasher, RandomState};
use std::process::ExitCode;
use std::str::FromStr;
use std::sync::Arc;
use std::time::{Duration, Instant};

use cala_ledger::account::NewAccount;
use cala_ledger::job::{JobSvcConfig, Jobs};
use cala_ledger::journal::NewJournal;
use cala_ledger::tx_template::{NewParamDefinition, NewTxTemplate, NewTxTemplateEntry, NewTxTemplateTransaction, ParamDataType, Params};
use cala_ledger::{CalaLedger, CalaLedgerConfig, TransactionId};
use sqlx::PgPool;
use sqlx::postgres::{PgConnectOptions, PgPoolOptions};
use sqlx::types::Uuid;
use tokio::task::JoinSet;

type Failure = Box<dyn Error + Send + Sync>;

const USAGE: &str = "handsel-bench-cala setup | run --socket FOLDER --user NAME --database NAME --payers NUMBER --merchants NUMBER
  setup  makes tables, a journal, accounts and a template in an empty database
  run    pays for --seconds NUMBER with --clients NUMBER at a time and prints {\"seconds\": .., \"latencies_us\": [..]}";

const TEMPLATE: &str = "PAYMENT";
const JOURNAL: Uuid = Uuid::from_u128(1);
/// Accounts' identifiers are numbers beyond these.
const PAYERS: u128 = 1_000_000_000;
const MERCHANTS: u128 = 2_000_000_000;
/// Accounts that are made at once.
const ACCOUNTS_AT_ONCE: usize = 1_000;
/// Connections that the ledger uses beside those of its clients: it listens to its own events.
const OTHER_CONNECTIONS: u32 = 8;
/// Amounts as in `bench/naive.sql`, in fen.
const AMOUNT_MIN: u64 = 100;
const AMOUNT_MAX: u64 = 20_000;

#[tokio::main]
async fn main() -> ExitCode {
    match run_command(std::env::args().skip(1)).await {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("handsel-bench-cala: {error}");
            ExitCode::FAILURE
        }
    }
}

async fn run_command(mut arguments: impl Iterator<Item = String>) -> Result<(), Failure> {
    let command = arguments.next().unwrap_or_default();
    let options = Options::read(arguments)?;
    match command.as_str() {
        "setup" => setup(&options).await,
        "run" => run(&options).await,
        _ => Err(USAGE.into()),
    }
}

/// What stands behind `--NAME`.
struct Options(HashMap<String, String>);

impl Options {
    fn read(mut arguments: impl Iterator<Item = String>) -> Result<Self, Failure> {
        let mut options = HashMap::new();
        while let Some(name) = arguments.next() {
            let (Some(name), Some(value)) = (name.strip_prefix("--"), arguments.next()) else { return Err(USAGE.into()) };
            options.insert(name.to_owned(), value);
        }
        Ok(Self(options))
    }

    fn text(&self, name: &str) -> Result<&str, Failure> {
        self.0.get(name).map(String::as_str).ok_or_else(|| format!("--{name} is missing\n{USAGE}").into())
    }

    fn number<T: FromStr<Err: Display>>(&self, name: &str) -> Result<T, Failure> {
        self.text(name)?.parse().map_err(|error| format!("--{name}: {error}").into())
    }
}

/// Connections that are all open, so that none is opened while anything counts.
async fn connect(options: &Options, clients: u32) -> Result<PgPool, Failure> {
    let server = PgConnectOptions::new().socket(options.text("socket")?).port(5432);
    let server = server.username(options.text("user")?).database(options.text("database")?);
    let connections = clients + OTHER_CONNECTIONS;
    // The server is on this machine and does not go away; asking before each use whether it is there would be one more way to it.
    let pool = PgPoolOptions::new().max_connections(connections).min_connections(connections).test_before_acquire(false);
    Ok(pool.connect_with(server).await?)
}

/// The ledger with its defaults. The jobs are only those of balances that lag behind, which no account here has; they are not started.
async fn open(pool: &PgPool, is_new: bool) -> Result<(CalaLedger, Jobs), Failure> {
    let mut jobs = Jobs::init(JobSvcConfig::builder().pool(pool.clone()).build()?).await?;
    let config = CalaLedgerConfig::builder().pool(pool.clone()).exec_migrations(is_new).build()?;
    Ok((CalaLedger::init(config, &mut jobs).await?, jobs))
}

async fn setup(options: &Options) -> Result<(), Failure> {
    let (payers, merchants) = (options.number::<u128>("payers")?, options.number::<u128>("merchants")?);
    let pool = connect(options, 1).await?;
    let (ledger, _jobs) = open(&pool, true).await?;
    ledger.journals().create(NewJournal::builder().id(JOURNAL).name("payments").build()).await?;
    let numbers: Vec<u128> = (1..=payers).map(|payer| PAYERS + payer).chain((1..=merchants).map(|merchant| MERCHANTS + merchant)).collect();
    for some in numbers.chunks(ACCOUNTS_AT_ONCE) {
        let account = |number: &u128| {
            let name = number.to_string();
            NewAccount::builder().id(Uuid::from_u128(*number)).code(name.clone()).name(name).build()
        };
        ledger.accounts().create_all(some.iter().map(account).collect()).await?;
    }
    ledger.tx_templates().create(template()?).await?;
    Ok(())
}

/// A payment: from the payer to the merchant, settled at once.
fn template() -> Result<NewTxTemplate, Failure> {
    let param = |name: &str, r#type| NewParamDefinition::builder().name(name).r#type(r#type).build();
    let entry = |kind: &str, account: &str, direction: &str| {
        let entry = NewTxTemplateEntry::builder().entry_type(format!("'{kind}'")).account_id(format!("params.{account}"));
        entry.direction(direction).layer("SETTLED").units("params.amount").currency("'CNY'").build()
    };
    let transaction = NewTxTemplateTransaction::builder().journal_id(format!("uuid('{JOURNAL}')"));
    let transaction = transaction.effective("date()").external_id("params.key").build()?;
    let params = vec![
        param("payer", ParamDataType::Uuid)?,
        param("merchant", ParamDataType::Uuid)?,
        param("amount", ParamDataType::Decimal)?,
        param("key", ParamDataType::String)?,
    ];
    let entries = vec![entry("PAID", "payer", "DEBIT")?, entry("TAKEN", "merchant", "CREDIT")?];
    Ok(NewTxTemplate::builder().id(Uuid::from_u128(2)).code(TEMPLATE).params(params).transaction(transaction).entries(entries).build())
}

#[expect(clippy::disallowed_methods, reason = "measures")]
async fn run(options: &Options) -> Result<(), Failure> {
    let time = Duration::from_secs(options.number("seconds")?);
    let clients: u32 = options.number("clients")?;
    let pool = connect(options, clients).await?;
    let (ledger, _jobs) = open(&pool, false).await?;
    let payments = Payments { payers: options.number("payers")?, merchants: options.number("merchants")?, random: RandomState::new() };
    let payments = Arc::new((ledger, payments));
    // Statements are prepared before anything counts.
    pay(&payments, clients, 0, time / 4).await?;
    let begin = Instant::now();
    let latencies = pay(&payments, clients, u64::from(clients), time).await?;
    let seconds = begin.elapsed().as_secs_f64();
    println!(r#"{{"seconds":{seconds},"latencies_us":{latencies:?}}}"#);
    Ok(())
}

/// Pays for `time`, each client one payment at a time; `first` is the first client's number. Returns what each payment took, in microseconds.
#[expect(clippy::disallowed_methods, reason = "measures")]
async fn pay(payments: &Arc<(CalaLedger, Payments)>, clients: u32, first: u64, time: Duration) -> Result<Vec<u64>, Failure> {
    let end = Instant::now() + time;
    let mut tasks = JoinSet::new();
    for client in first..first + u64::from(clients) {
        let payments = payments.clone();
        tasks.spawn(async move {
            let (ledger, payments) = &*payments;
            let mut latencies = Vec::new();
            // Numbers that no other client uses.
            for number in client << 32.. {
                let begin = Instant::now();
                if begin >= end {
                    break;
                }
                ledger.post_transaction(TransactionId::new(), TEMPLATE, payments.number(number)).await?;
                latencies.push(begin.elapsed().as_micros() as u64);
            }
            Ok::<_, Failure>(latencies)
        });
    }
    let mut latencies = Vec::new();
    while let Some(done) = tasks.join_next().await {
        latencies.extend(done??);
    }
    Ok(latencies)
}

/// Who pays whom.
struct Payments {
    payers: u64,
    merchants: u64,
    random: RandomState,
}

impl Payments {
    /// A random payment; its key is another in every run.
    fn number(&self, number: u64) -> Params {
        let random = |what: &str, below: u64| self.random.hash_one((what, number)) % below;
        let account = |first: u128, number: u64| Uuid::from_u128(first + 1 + u128::from(number));
        let amount = AMOUNT_MIN + random("amount", AMOUNT_MAX - AMOUNT_MIN + 1);
        let mut params = Params::new();
        params.insert("payer", account(PAYERS, random("payer", self.payers)));
        params.insert("merchant", account(MERCHANTS, random("merchant", self.merchants)));
        params.insert("amount", format!("{}.{:02}", amount / 100, amount % 100));
        params.insert("key", format!("{:016x}{number:016x}", random("key", u64::MAX)));
        params
    }
}
