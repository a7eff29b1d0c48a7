//! What can be asked of `handsel`, and the help that teaches it.

use std::path::PathBuf;

use base::party::PartyId;
use clap::{Args, Parser, Subcommand};
use store::Location;

use crate::activate::ActivateOptions;
use crate::admin::city::CityOptions;
use crate::admin::compensation::{DecideOptions, FundOptions};
use crate::admin::identity::IdentityCommand;
use crate::admin::ledger::LedgerCommand;
use crate::admin::merchant::MerchantCommand;
use crate::admin::service::ServiceCommand;
use crate::admin::settlement::{AlertsOptions, SettlementCommand};
use crate::admin::shoppers::{AllowEnrolmentOptions, NoticesOptions};

/// Pay with your face: nobody holds a biometric, every payment happens exactly once.
#[derive(Parser)]
#[command(
    name = "handsel",
    version,
    about,
    after_help = "Start with `handsel up`, then open the till and the wallet in a browser.\nExit status: 0 done, 1 the answer is no (somebody was charged wrongly, books do not balance), 2 something is missing or wrong."
)]
pub struct Arguments {
    #[command(subcommand)]
    pub command: Command,
}

const WORKER_HELP: &str = "To add a worker while the party runs:
  1. at the party    handsel admin party worker-config --config party1/node.toml > worker.toml
  2. at the worker   handsel worker --config worker.toml
                     makes its keys at the first start and logs its certificate's SHA-256
  3. at the party    add that to certificates_sha256 under [workers] in node.toml; the worker joins within a second
Beforehand, once: [workers] with listen = \"ADDRESS:PORT\" in the party's node.toml, and a restart of the party.";

#[derive(Subcommand)]
pub enum Command {
    /// Start the whole system on this machine: three parties, the platform, a till's agent.
    Up(UpOptions),
    /// Run the platform: HTTP API, ledger, wallet pages, resolver.
    Serve(NodeOptions),
    /// Run one share party.
    Party(NodeOptions),
    /// Run a worker of a share party: it keeps copies of segments in memory and works on them for its party.
    #[command(after_help = WORKER_HELP)]
    Worker(NodeOptions),
    /// Run a till's agent: pictures in, sealed and signed shares out.
    Terminal(NodeOptions),
    /// Activate a new till with the code from the merchant's console.
    Activate(ActivateOptions),
    /// Enrol people from folders of photographs, let them and strangers pay, and count.
    Demo(DemoOptions),
    /// Measure accuracy on labelled pictures.
    #[command(subcommand)]
    Eval(EvalCommand),
    /// Measure speed.
    #[command(subcommand)]
    Bench(BenchCommand),
    /// Check a deletion's receipt: did all three parties sign that they destroyed their shares?
    VerifyReceipt(VerifyReceiptOptions),
    /// What operators do by hand: the ledger's export, disputes, the fund, backups and moves of the store, the parties' galleries.
    #[command(subcommand)]
    Admin(AdminCommand),
    /// Run one share party with a made-up gallery; `bench identify` starts three.
    #[command(hide = true)]
    MeasuredParty(NodeOptions),
    /// Run the platform with a way to pay without a look, on made-up money; `bench pay` starts it.
    #[command(hide = true)]
    MeasuredPlatform(NodeOptions),
    /// Fold the fetched models' block-quantised weights to fp32 files that the runtime reads.
    Models(ModelsOptions),
}

#[derive(Subcommand)]
pub enum AdminCommand {
    /// The three galleries, from the platform's side.
    #[command(subcommand)]
    Gallery(GalleryCommand),
    /// One party's own data.
    #[command(subcommand)]
    Party(PartyCommandLine),
    /// The ledger, for an auditor.
    #[command(subcommand)]
    Ledger(LedgerCommand),
    /// Decide a dispute; prints it as JSON.
    Dispute(DecideOptions),
    /// Say in which city a store is.
    City(CityOptions),
    /// Let somebody without a phone, whom staff has seen with a document, enrol a face in the next minutes.
    AllowEnrolment(AllowEnrolmentOptions),
    /// What owners are to be told about their accounts' safety, oldest first, one JSON object a line: for letters, calls and
    /// messages beside the wallet. Go on from the last number.
    Notices(NoticesOptions),
    /// Put the institution's money into the compensation fund.
    Fund(FundOptions),
    /// Who shoppers are: checks of identity, the class that follows, and accounts of one person.
    #[command(subcommand)]
    Identity(IdentityCommand),
    /// What staff must look at about shoppers' accounts, newest first, one JSON object a line.
    Alerts(AlertsOptions),
    /// Paying merchants out.
    #[command(subcommand)]
    Settlement(SettlementCommand),
    /// Merchants and their consoles.
    #[command(subcommand)]
    Merchant(MerchantCommand),
    /// Customer service: who is at the desk, and what they looked up.
    #[command(subcommand)]
    Service(ServiceCommand),
    /// Write a backup of the store, which may be in use, into a new file; rows and books are compared at both ends.
    Backup(BackupOptions),
    /// Bring a backup back into an empty place.
    Restore(RestoreOptions),
    /// Move the store from one database to another. Afterwards the old one takes no writes, so that nothing is lost there.
    Move(MoveOptions),
}

#[derive(Subcommand)]
pub enum GalleryCommand {
    /// Compare every slot at each party with its journal, and the three with one another.
    Verify(GalleryOptions),
    /// Find the first change after which the parties' logs differ, and name it.
    Bisect(GalleryOptions),
    /// Number the slots anew, without those of deleted records.
    Compact(GalleryOptions),
    /// Give every record other shares of the same template; shares of before are of no use with those of after.
    Refresh(GalleryOptions),
    /// Give a party back its gallery from the other two.
    Rebuild(RebuildOptions),
    /// How many records stand in named parts, by kind: cities, stores' regulars, phones' digits.
    Parts(GalleryOptions),
}

#[derive(Subcommand)]
pub enum PartyCommandLine {
    /// Copy the journal to a new file; the party may be running.
    Backup(PartyFileOptions),
    /// Put a copy in place of the journal; the party must be stopped.
    Restore(PartyFileOptions),
    /// Print the configuration that a worker of the party needs.
    WorkerConfig(WorkerConfigOptions),
}

#[derive(Args)]
pub struct GalleryOptions {
    /// The platform's configuration file, beside its keys.
    #[arg(long, default_value = "var/handsel/platform/node.toml")]
    pub config: PathBuf,
    /// Print one JSON object on standard output and nothing else there.
    #[arg(long)]
    pub json: bool,
}

#[derive(Args)]
pub struct RebuildOptions {
    /// Whose gallery is lost or behind: 1, 2 or 3.
    #[arg(long, value_parser = party_number)]
    pub party: PartyId,
    #[command(flatten)]
    pub gallery: GalleryOptions,
}

#[derive(Args)]
pub struct WorkerConfigOptions {
    /// The party's configuration file, beside its keys.
    #[arg(long)]
    pub config: PathBuf,
}

#[derive(Args)]
pub struct PartyFileOptions {
    /// The party's configuration file.
    #[arg(long)]
    pub config: PathBuf,
    /// The copy.
    #[arg(long)]
    pub file: PathBuf,
    /// Print one JSON object on standard output and nothing else there.
    #[arg(long)]
    pub json: bool,
}

#[derive(Args)]
pub struct VerifyReceiptOptions {
    /// The receipt, as the wallet downloads it.
    pub file: PathBuf,
    /// The parties' public keys that you trust: a JSON array of three times 64 hexadecimal digits, in their order.
    #[arg(long)]
    pub keys: Option<PathBuf>,
    /// Print one JSON object on standard output and nothing else there.
    #[arg(long)]
    pub json: bool,
}

fn party_number(text: &str) -> Result<PartyId, String> {
    PartyId::ALL.into_iter().find(|party| party.number().to_string() == text).ok_or_else(|| "a party is 1, 2 or 3".into())
}

#[derive(Subcommand)]
pub enum EvalCommand {
    /// Face verification and open-set identification (ISO/IEC 19795), on float cosines and on the parties' integers.
    Face(EvalFaceOptions),
}

#[derive(Subcommand)]
pub enum BenchCommand {
    /// From press to paid at a real till's agent, per stage.
    Till(BenchTillOptions),
    /// Searches of a made-up gallery by three real parties: processor time per stage, bytes, rounds, time on the clock.
    Identify(BenchIdentifyOptions),
    /// Payments a second over HTTP, beside a plain transaction on PostgreSQL, in turns.
    Pay(BenchPayOptions),
}

#[derive(Args)]
pub struct BackupOptions {
    /// Where the store is: `sqlite:` and a path, or `postgres://user@host/database`.
    #[arg(long, default_value = "sqlite:var/handsel/platform/handsel.sqlite")]
    pub store: Location,
    /// The file to make.
    #[arg(long)]
    pub out: PathBuf,
    /// Print one JSON object on standard output and nothing else there.
    #[arg(long)]
    pub json: bool,
}

#[derive(Args)]
pub struct RestoreOptions {
    /// The backup.
    #[arg(long)]
    pub from: PathBuf,
    /// Where to: an empty database, or a file that is not there.
    #[arg(long)]
    pub store: Location,
    /// Print one JSON object on standard output and nothing else there.
    #[arg(long)]
    pub json: bool,
}

#[derive(Args)]
pub struct MoveOptions {
    /// Where the store is.
    #[arg(long, default_value = "sqlite:var/handsel/platform/handsel.sqlite")]
    pub from: Location,
    /// Where to: an empty database, or a file that is not there.
    #[arg(long)]
    pub to: Location,
    /// Print one JSON object on standard output and nothing else there.
    #[arg(long)]
    pub json: bool,
}

/// Where the parts of an installation are.
#[derive(Args, Clone)]
pub struct InstallationOptions {
    /// Folder of the folded face models (made by `make models`).
    #[arg(long, default_value = "var/models")]
    pub models: PathBuf,
    /// Folder of the built web pages (made by `make web`).
    #[arg(long, default_value = "web/dist")]
    pub web: PathBuf,
    /// The rule pack.
    #[arg(long, default_value = "rules/cn.toml")]
    pub rules: PathBuf,
    /// What the institution puts into the compensation fund at the first start, in minor units; 0 is nothing.
    #[arg(long, value_name = "MINOR", default_value_t = 1_000_000, value_parser = clap::value_parser!(i64).range(0..))]
    pub compensation_fund: i64,
}

#[derive(Args)]
pub struct UpOptions {
    /// Folder of keys, galleries and the ledger; made at the first start, kept afterwards.
    #[arg(long, default_value = "var/handsel")]
    pub dir: PathBuf,
    #[command(flatten)]
    pub installation: InstallationOptions,
    /// Take free ports instead of the usual ones (platform 7400, till 7410, parties 7421 to 7423).
    #[arg(long)]
    pub ephemeral_ports: bool,
    /// Print one JSON object with the addresses when everything is up.
    #[arg(long)]
    pub json: bool,
}

#[derive(Args)]
pub struct NodeOptions {
    /// The node's configuration file, as `handsel up` or `handsel admin party worker-config` writes it.
    #[arg(long)]
    pub config: PathBuf,
    /// End when standard input closes, that is, when the program that started this one has gone.
    #[arg(long)]
    pub supervised: bool,
}

#[derive(Args)]
pub struct DemoOptions {
    /// A folder with one folder per person. People with two or more pictures are enrolled from the first ones (up to
    /// three) and pay with each of the others; people with one picture are strangers who try to pay.
    #[arg(long)]
    pub photos: PathBuf,
    /// Enrol at most this many people; all without.
    #[arg(long)]
    pub people: Option<usize>,
    /// Let at most this many strangers try; without, all of them, or as many as --people says.
    #[arg(long)]
    pub strangers: Option<usize>,
    /// Random enrolled templates besides them, so that identification is one among many.
    #[arg(long, default_value_t = 10_000)]
    pub crowd: usize,
    /// Set the system up in this folder and keep it, with its logs; a temporary one that is removed without.
    #[arg(long)]
    pub dir: Option<PathBuf>,
    #[command(flatten)]
    pub installation: InstallationOptions,
    /// Print one JSON object on standard output and nothing else there.
    #[arg(long)]
    pub json: bool,
}

#[derive(Args)]
pub struct EvalFaceOptions {
    /// A folder with one folder of pictures per person, named NAME/NAME_0001.jpg as LFW names them.
    pub dir: PathBuf,
    /// LFW's pairs file: `NAME i j` for the same person, `NAME i OTHER j` for different ones.
    #[arg(long)]
    pub pairs: PathBuf,
    /// Folder of the folded face models (made by `make models`).
    #[arg(long, default_value = "var/models")]
    pub models: PathBuf,
    /// Print one JSON object on standard output and nothing else there.
    #[arg(long)]
    pub json: bool,
}

#[derive(Args)]
pub struct BenchTillOptions {
    /// Enrolled templates.
    #[arg(long, default_value_t = 10_000)]
    pub gallery: usize,
    /// Payments that are timed, after five that are not.
    #[arg(long, default_value_t = 40)]
    pub payments: usize,
    /// A folder with one person's pictures in JPEG; the pictures that the tests fetch without.
    #[arg(long, default_value = "var/test-pictures")]
    pub photos: PathBuf,
    #[command(flatten)]
    pub installation: InstallationOptions,
    /// Print one JSON object on standard output and nothing else there.
    #[arg(long)]
    pub json: bool,
}

#[derive(Args)]
pub struct BenchPayOptions {
    /// Which database keeps the payments.
    #[arg(long, value_enum, default_value_t = BenchStore::Sqlite)]
    pub store: BenchStore,
    /// Connections that pay at once.
    #[arg(long, default_value_t = 64)]
    pub connections: usize,
    /// Shoppers with money.
    #[arg(long, default_value_t = 10_000)]
    pub shoppers: u32,
    /// Payments that are stored before anything is measured, made by the same code without HTTP; at most 300 for each shopper.
    #[arg(long, default_value_t = 0)]
    pub stored: u64,
    /// Rounds; what is reported are their medians.
    #[arg(long, default_value_t = 3)]
    pub rounds: u32,
    /// Seconds of each of the four measurements of a round, five with `--cala`.
    #[arg(long, default_value_t = 5)]
    pub seconds: u64,
    /// Measure the ledger of the crate cala-ledger too, one transaction for each payment, in turns with the others; run it in
    /// the root of the repository. The first time builds it with cargo, which takes some minutes.
    #[arg(long)]
    pub cala: bool,
    /// The rule pack.
    #[arg(long, default_value = "rules/cn.toml")]
    pub rules: PathBuf,
    /// Print one JSON object on standard output and nothing else there.
    #[arg(long)]
    pub json: bool,
}

/// A database to measure.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub enum BenchStore {
    /// A file, in this process.
    Sqlite,
    /// A server on this machine.
    Postgres,
}

impl BenchStore {
    /// The stable name.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Sqlite => "sqlite",
            Self::Postgres => "postgres",
        }
    }
}

#[derive(Args)]
pub struct BenchIdentifyOptions {
    /// Records that are searched.
    #[arg(long, default_value_t = 100_000, value_parser = clap::value_parser!(u32).range(1..=20_000_000))]
    pub gallery: u32,
    /// Features of a template: even, at most 1,024.
    #[arg(long, default_value_t = 128)]
    pub dim: u16,
    /// Searches that are asked for at the same time.
    #[arg(long, default_value_t = 1, value_parser = clap::value_parser!(u32).range(1..=32))]
    pub batch: u32,
    /// Rounds that are measured, after one that is not; the medians are printed.
    #[arg(long, default_value_t = 5, value_parser = clap::value_parser!(u32).range(1..))]
    pub rounds: u32,
    /// Workers of each party, as processes of their own. They work on 262,144 records at a time: more workers than that idle.
    #[arg(long, default_value_t = 0, value_parser = clap::value_parser!(u32).range(0..=16))]
    pub workers: u32,
    /// Leave out what notices cheating, to see what it costs.
    #[arg(long)]
    pub no_verification: bool,
    /// Make the galleries, or use what was made, in this folder and keep them; a temporary one that is removed without.
    #[arg(long)]
    pub dir: Option<PathBuf>,
    /// Write the templates, a signed byte per feature, to this file for others to search.
    #[arg(long)]
    pub vectors: Option<PathBuf>,
    /// Wait for a line on standard input before each round and print each round as a line, so that others can be measured in
    /// between.
    #[arg(long)]
    pub paced: bool,
    /// Print one JSON object on standard output and nothing else there.
    #[arg(long)]
    pub json: bool,
}

#[derive(Args)]
pub struct ModelsOptions {
    /// Folder of the fetched ONNX files.
    #[arg(long, default_value = "var/models/source")]
    pub source: PathBuf,
    /// Where the folded files go.
    #[arg(long, default_value = "var/models")]
    pub out: PathBuf,
}
