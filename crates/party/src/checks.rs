//! What a party checks about every probe by itself, before it does anything with it.

use std::time::Duration;

use base::party::PartyId;
use base::time::Timestamp;
use wire::party::PartyRefusal;
use wire::probe::{ProbeContext, ProbeForParty, Purpose};

use crate::budget::{Budgets, Pasts, Subject};
use crate::config::PartyConfig;
use crate::error::Refusal;

/// How far the clocks of platform and party may differ.
const CLOCK_SKEW_MS_MAX: u64 = 5_000;
/// How far a counter may be behind the highest one seen: looks at one till that are under way at once may overtake one
/// another on their way. A used nonce is refused anyhow; the counter bounds how old a look can be that was held back.
pub const COUNTER_WINDOW: u64 = 64;
/// The largest number that SQLite keeps.
const STORED_MAX: u64 = i64::MAX as u64;

/// Checks, in this order, that the terminal is registered, that it signed this probe, that the probe is for `purpose`, and
/// that its shape is the one kept here.
///
/// # Errors
/// [`PartyRefusal::TerminalUnknown`], [`PartyRefusal::SignatureInvalid`], [`PartyRefusal::PurposeMismatch`],
/// [`PartyRefusal::ShareMalformed`], [`PartyRefusal::RequestMalformed`].
pub fn check_origin(probe: &ProbeForParty, purpose: Purpose, config: &PartyConfig) -> Result<(), Refusal> {
    let context = &probe.context;
    let key = config
        .terminals
        .get(&context.terminal)
        .ok_or_else(|| Refusal::new(PartyRefusal::TerminalUnknown, format!("{} is not registered", context.terminal)))?;
    probe.verify(config.party, key).map_err(|error| Refusal::new(PartyRefusal::SignatureInvalid, error.to_string()))?;
    if context.purpose != purpose {
        return Err(Refusal::new(PartyRefusal::PurposeMismatch, format!("the probe is for {:?}, not for {purpose:?}", context.purpose)));
    }
    if context.dimensions != config.dimensions || (purpose == Purpose::Pay && context.templates != 1) {
        let detail = format!("{} templates of {} features; here they have {}", context.templates, context.dimensions, config.dimensions);
        return Err(Refusal::new(PartyRefusal::ShareMalformed, detail));
    }
    if [context.counter, context.issued_at.millis(), context.expires_at.millis()].into_iter().any(|number| number > STORED_MAX) {
        return Err(Refusal::new(PartyRefusal::RequestMalformed, "a number is above 2^63 - 1"));
    }
    Ok(())
}

/// Checks that the challenge is valid at `now`.
///
/// # Errors
/// [`PartyRefusal::ChallengeExpired`].
pub fn check_time(context: &ProbeContext, now: Timestamp) -> Result<(), Refusal> {
    check_issued(context, now)?;
    if now > context.expires_at {
        return Err(Refusal::new(PartyRefusal::ChallengeExpired, format!("it expired {} ms ago", now.millis_since(context.expires_at))));
    }
    Ok(())
}

/// Checks that the challenge does not come from the future.
///
/// # Errors
/// [`PartyRefusal::ChallengeExpired`].
pub fn check_issued(context: &ProbeContext, now: Timestamp) -> Result<(), Refusal> {
    if context.issued_at > now.plus_millis(CLOCK_SKEW_MS_MAX) {
        return Err(Refusal::new(PartyRefusal::ChallengeExpired, "it is not valid yet; compare the clocks of platform and party"));
    }
    Ok(())
}

/// Checks that the terminal's counter is not [`COUNTER_WINDOW`] or more behind the highest one seen.
///
/// # Errors
/// [`PartyRefusal::CounterNotIncreasing`].
pub fn check_counter(context: &ProbeContext, highest: Option<u64>) -> Result<(), Refusal> {
    // Both are at most 2^63 - 1, see `check_origin`.
    if let Some(counter) = highest.filter(|highest| context.counter + COUNTER_WINDOW <= *highest) {
        let detail = format!("{} counts {}, but was at {counter} already", context.terminal, context.counter);
        return Err(Refusal::new(PartyRefusal::CounterNotIncreasing, detail));
    }
    Ok(())
}

/// How long the look must wait by the budgets.
///
/// # Errors
/// [`PartyRefusal::BudgetExhausted`].
pub fn check_budgets(context: &ProbeContext, pasts: &Pasts, budgets: &Budgets) -> Result<Duration, Refusal> {
    budgets.judge(pasts).map_err(|subject| {
        let (who, past) = match subject {
            Subject::Terminal => (context.terminal.to_string(), pasts.terminal),
            Subject::Payee => ("the payee's tills".into(), pasts.payee),
            Subject::All => ("all tills together".into(), pasts.all),
        };
        let detail = format!("{who} asked {} times in a minute and {} in a day", past.last_minute, past.last_day);
        Refusal::new(PartyRefusal::BudgetExhausted, detail)
    })
}

/// Refuses a share that does not open or has the wrong length, and an enrolment that is void; says nothing of what is in it.
pub fn malformed(party: PartyId) -> Refusal {
    Refusal::new(PartyRefusal::ShareMalformed, format!("the share sealed to {party} does not open, or is not of the announced shape"))
}
