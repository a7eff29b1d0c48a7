//! `handsel demo`: people from folders of photographs enrol and pay, strangers try, and everything is counted.
//!
//! The pictures go through the real till's agent, three party processes and the platform; nothing is skipped but the
//! camera. Archive photographs are no captures, so liveness is computed but refuses nobody here.

use std::fs;
use std::process::ExitCode;

use indicatif::{ProgressBar, ProgressStyle};
use wire::problem::Code;

use crate::args::DemoOptions;
use crate::crowd;
use crate::photos::{self, Person};
use crate::provision::{self, Mode};
use crate::report::DemoReport;
use crate::run::{Failure, context, failed};
use crate::till_client::{Outcome, Shopper, TillClient};
use crate::up;

/// Enrolment uses up to this many pictures and always leaves one to pay with.
const ENROLMENT_PICTURES_MAX: usize = 3;
/// Every demo payment is ¥12.00: small enough for a look alone.
const AMOUNT_MINOR: i64 = 1_200;

/// Runs the demo in a fresh installation.
pub fn run(options: &DemoOptions) -> Result<ExitCode, Failure> {
    let people = photos::people(&options.photos)?;
    let (mut members, mut strangers): (Vec<Person>, Vec<Person>) = people.into_iter().partition(|person| person.pictures.len() >= 2);
    members.truncate(options.people.unwrap_or(usize::MAX));
    let strangers_in_folder = strangers.len();
    strangers.truncate(options.strangers.or(options.people).unwrap_or(usize::MAX));
    if members.is_empty() {
        return Err(Failure(format!("nobody in {} has two pictures: one to enrol and one to pay with", options.photos.display())));
    }
    let temporary = up::temporary_folder("demo")?;
    let folder = options.dir.as_deref().unwrap_or(temporary.path());
    let report = up::run_until_stopped(async {
        let running = up::start(folder, &options.installation, Mode::Archive, true)?;
        let client = TillClient::new(&running)?;
        up::wait_until_ready(&running, &client).await?;
        let steps = options.crowd + members.len() + payments_of(&members) + strangers.len();
        let progress = progress_bar(steps);
        let loader = running.loader.as_ref().expect("a demo's installation has a loader");
        progress.set_message("enrolling the crowd");
        crowd::enrol(&client, loader, options.crowd, &progress).await?;
        let mut report = DemoReport {
            people: members.len(),
            strangers: strangers.len(),
            strangers_in_folder,
            crowd: options.crowd,
            ..DemoReport::default()
        };
        let shoppers = enrol_all(&client, &members, &mut report, &progress).await?;
        pay_all(&client, &members, &shoppers, &mut report, &progress).await?;
        strangers_try(&client, &strangers, &mut report, &progress).await?;
        progress.finish_and_clear();
        let store = provision::open_store(&folder.join("platform/handsel.sqlite"), &options.installation.rules)?;
        report.books = Some(store.books().map_err(failed("the books cannot be checked"))?);
        Ok::<_, Failure>(report)
    })?;
    report.print(options.json);
    Ok(if report.is_sound() { ExitCode::SUCCESS } else { ExitCode::from(1) })
}

fn enrolment_pictures(person: &Person) -> usize {
    ENROLMENT_PICTURES_MAX.min(person.pictures.len() - 1)
}

fn payments_of(members: &[Person]) -> usize {
    members.iter().map(|person| person.pictures.len() - enrolment_pictures(person)).sum()
}

/// Opens an account for everybody and enrols them; `None` for whose pictures were refused.
async fn enrol_all(
    client: &TillClient,
    members: &[Person],
    report: &mut DemoReport,
    progress: &ProgressBar,
) -> Result<Vec<Option<Shopper>>, Failure> {
    progress.set_message("enrolling people");
    let mut shoppers = Vec::with_capacity(members.len());
    for (number, person) in members.iter().enumerate() {
        let top_up = AMOUNT_MINOR * person.pictures.len() as i64;
        let shopper = client.open_account(number, top_up).await?;
        let frames = person.pictures[..enrolment_pictures(person)].iter().map(read_picture).collect::<Result<Vec<_>, _>>()?;
        shoppers.push(match client.enrol(&shopper, &frames).await? {
            Ok(()) => Some(shopper),
            Err(code) => {
                report.count_enrolment_refused(code);
                None
            }
        });
        progress.inc(1);
    }
    Ok(shoppers)
}

async fn pay_all(
    client: &TillClient,
    members: &[Person],
    shoppers: &[Option<Shopper>],
    report: &mut DemoReport,
    progress: &ProgressBar,
) -> Result<(), Failure> {
    progress.set_message("people pay");
    for (person, shopper) in members.iter().zip(shoppers) {
        for picture in &person.pictures[enrolment_pictures(person)..] {
            progress.inc(1);
            let attempt = client.pay(AMOUNT_MINOR, &[read_picture(picture)?], shopper.as_ref()).await?;
            let right_person = match (&attempt.outcome, shopper) {
                (Outcome::Paid(payment), Some(shopper)) => client.was_charged(shopper, *payment).await?,
                _ => false,
            };
            report.count_member(&attempt, right_person);
        }
    }
    Ok(())
}

async fn strangers_try(client: &TillClient, strangers: &[Person], report: &mut DemoReport, progress: &ProgressBar) -> Result<(), Failure> {
    progress.set_message("strangers try to pay");
    for person in strangers {
        for picture in &person.pictures {
            let attempt = client.pay(AMOUNT_MINOR, &[read_picture(picture)?], None).await?;
            report.count_stranger(&attempt);
        }
        progress.inc(1);
    }
    Ok(())
}

fn read_picture(path: impl AsRef<std::path::Path>) -> Result<Vec<u8>, Failure> {
    fs::read(path.as_ref()).map_err(context(path.as_ref()))
}

/// A bar on standard error; invisible where standard error is no terminal.
pub fn progress_bar(steps: usize) -> ProgressBar {
    let style = ProgressStyle::with_template("{msg:24} {bar:40} {pos}/{len} {eta}").expect("the template is well formed");
    ProgressBar::new(steps as u64).with_style(style)
}

impl DemoReport {
    fn count_enrolment_refused(&mut self, code: Code) {
        *self.enrolments_refused.entry(code.name()).or_default() += 1;
    }
}
