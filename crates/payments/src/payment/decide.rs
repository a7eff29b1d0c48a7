//! What may be done with a payment now. All functions are pure: state, request, rules and time in; event or refusal out.

use std::collections::BTreeMap;

use base::time::Timestamp;
use wire::api::{NewPayment, Part, PaymentStatus};
use wire::probe::{Purpose, SealedProbe};
use wire::problem::Code;

use super::{Event, Payment, Step, is_open, next_status};
use crate::account::Payer;
use crate::account::tier::{Tier, VerifiedBy};
use crate::passcode::{Given, Ladder};
use crate::payment::judge;
use crate::probe::{self, Bound, Challenge, Searched, Sender};
use crate::refusal::Refusal;
use crate::rules::RulePack;

/// Longest merchant reference in characters.
pub const MERCHANT_REFERENCE_CHARS_MAX: usize = 64;

/// Most names of a payment's metadata. All bounds together keep an event with them below its largest length.
pub const METADATA_NAMES_MAX: usize = 10;
/// Longest name in characters.
pub const METADATA_NAME_CHARS_MAX: usize = 40;
/// Longest value in characters.
pub const METADATA_VALUE_CHARS_MAX: usize = 200;

fn metadata_fits(metadata: &BTreeMap<String, String>) -> bool {
    let fits = |text: &String, chars_max: usize| text.chars().count() <= chars_max && !text.chars().any(char::is_control);
    let both_fit = |(name, value): (&String, &String)| {
        !name.is_empty() && fits(name, METADATA_NAME_CHARS_MAX) && fits(value, METADATA_VALUE_CHARS_MAX)
    };
    metadata.len() <= METADATA_NAMES_MAX && metadata.iter().all(both_fit)
}

/// Whether a payment may begin: `invalid_request` with the field at fault.
pub fn check_new(new: &NewPayment, rules: &RulePack) -> Result<(), Refusal> {
    if new.amount_minor < 1 {
        return Err(Refusal::of_field(Code::InvalidRequest, "amount_minor"));
    }
    if new.currency != rules.currency {
        return Err(Refusal::of_field(Code::InvalidRequest, "currency"));
    }
    // Control characters have no business in a reference, and not every database takes a NUL.
    let fits = |text: &String| text.chars().count() <= MERCHANT_REFERENCE_CHARS_MAX && !text.chars().any(char::is_control);
    if !new.merchant_reference.as_ref().is_none_or(fits) {
        return Err(Refusal::of_field(Code::InvalidRequest, "merchant_reference"));
    }
    if !new.metadata.as_ref().is_none_or(metadata_fits) {
        return Err(Refusal::of_field(Code::InvalidRequest, "metadata"));
    }
    Ok(())
}

impl Payment {
    /// Whether `step` may be made now; says why not: `payment_expired`, `payment_cancelled` or `state_conflict`.
    pub(super) fn require(&self, step: Step, now: Timestamp) -> Result<(), Refusal> {
        match self.status {
            PaymentStatus::Expired => return Err(Code::PaymentExpired.into()),
            PaymentStatus::Cancelled => return Err(Code::PaymentCancelled.into()),
            status if next_status(status, step).is_none() => return Err(Code::StateConflict.into()),
            _ => {}
        }
        if self.is_overdue(now) { Err(Code::PaymentExpired.into()) } else { Ok(()) }
    }

    /// Whether it is open and its time is over.
    pub fn is_overdue(&self, now: Timestamp) -> bool {
        is_open(self.status) && now >= self.expires_at
    }

    /// Issues a challenge for a search, or asks for the phone's last four digits if there is none that is small enough, or if
    /// a search without them met nobody or several people. A new challenge replaces an open one. The passcode is asked in any
    /// case if the people of both searches are more than may be searched, or if the first met several.
    pub fn start_challenge(&self, nonce: [u8; 32], search: Option<Searched>, rules: &RulePack, now: Timestamp) -> Result<Event, Refusal> {
        self.require(Step::Challenge, now)?;
        let may_be_searched = |searched: &Searched| searched.part == Part::PhoneSuffix || self.missed.is_none();
        let Some(searched) = search.filter(may_be_searched) else {
            return Err(Refusal::of_field(Code::PhoneSuffixRequired, "phone_suffix"));
        };
        let missed = self.missed.unwrap_or_default();
        let people = searched.people.saturating_add(missed.people);
        let expires_at = now.plus_millis(rules.clocks.challenge_lifetime_s * 1000).min(self.expires_at);
        Ok(Event::Challenged(Challenge {
            nonce,
            issued_at: now,
            expires_at,
            searched: Some(searched),
            passcode_always: people > rules.people_max(searched.part) || missed.was_ambiguous,
        }))
    }

    /// Takes a look: the state's refusals, then `probe_replayed`, then those of the probe itself. The state comes first
    /// because `probe_replayed` says that nothing was charged, which is not true of a payment that this look has paid.
    pub fn receive_probe(&self, probe: &SealedProbe, sender: &Sender, now: Timestamp) -> Result<Event, Refusal> {
        self.require(Step::TakeProbe, now)?;
        if sender.nonce_used {
            return Err(Code::ProbeReplayed.into());
        }
        let bound = Bound {
            purpose: Purpose::Pay,
            reference: self.id.to_string(),
            payee: self.merchant.to_string(),
            amount_minor: self.amount.minor,
            currency: self.amount.currency.code(),
            challenge: self.challenge.as_ref().expect("a challenged payment has its challenge"),
        };
        probe::check(probe, sender, &bound, now)?;
        Ok(Event::ProbeReceived)
    }

    /// Whether somebody is asked for the passcode: `payment_expired`, `payment_cancelled` or `state_conflict` if not.
    pub fn check_awaits_passcode(&self, now: Timestamp) -> Result<(), Refusal> {
        self.require(Step::WrongPasscode, now)
    }

    /// Judges one try at the passcode: where the payer's attempts stand after it, and what happens to the payment.
    /// A right passcode within all limits pays. The one given under threat does too, up to a small sum; above it the answer is
    /// the same as that of an empty wallet, so that whoever threatens sees nothing unusual.
    pub fn try_passcode(&self, payer: &Payer, given: Given, rules: &RulePack, now: Timestamp) -> Result<(Ladder, Event), Refusal> {
        self.check_awaits_passcode(now)?;
        let refused = |code| Event::Refused { payer: Some(payer.account), code };
        if payer.ladder.is_locked(now) {
            return Ok((payer.ladder, refused(Code::PasscodeLocked)));
        }
        let ladder = payer.ladder.after_try(given != Given::Wrong, &rules.passcode, now);
        if ladder.is_locked(now) {
            return Ok((ladder, refused(Code::PasscodeLocked)));
        }
        if given == Given::Wrong {
            return Ok((ladder, Event::PasscodeWrong));
        }
        let event = match judge::check_limits(self.amount.minor, Tier::B, payer, rules, now) {
            Ok(()) if given == Given::UnderThreat && self.amount.minor > rules.duress.payment_max_minor => {
                refused(Code::InsufficientBalance)
            }
            Ok(()) => self.accept(payer, VerifiedBy::LookAndPasscode, rules, now),
            Err(code) => refused(code),
        };
        Ok((ladder, event))
    }

    /// Judges the approval of a device of the payer's, which was verified: it pays within all limits but those of the passcode.
    /// The payer must still have a device that approves: `device_missing`.
    pub fn approve(&self, payer: &Payer, rules: &RulePack, now: Timestamp) -> Result<Event, Refusal> {
        self.check_awaits_passcode(now)?;
        if !payer.has_phone(now) {
            return Err(Code::DeviceMissing.into());
        }
        Ok(match judge::check_limits(self.amount.minor, Tier::A, payer, rules, now) {
            Ok(()) => self.accept(payer, VerifiedBy::LookAndPhone, rules, now),
            Err(code) => Event::Refused { payer: Some(payer.account), code },
        })
    }

    /// Declines it on the payer's word, as long as it waits for that word.
    pub fn decline(&self, now: Timestamp) -> Result<Event, Refusal> {
        self.check_awaits_passcode(now)?;
        Ok(Event::Refused { payer: self.payer, code: Code::DeclinedByPayer })
    }

    /// Gives it up at the till, unless its outcome is not known or is final.
    pub fn cancel(&self, now: Timestamp) -> Result<Event, Refusal> {
        self.require(Step::Cancel, now)?;
        Ok(Event::Cancelled)
    }

    /// Gives it up if its time is over.
    pub fn expire(&self, now: Timestamp) -> Option<Event> {
        self.is_overdue(now).then_some(Event::Expired)
    }

    /// Refuses it because the process ended while its look was with the parties, if that is where it stands.
    pub fn interrupt(&self) -> Option<Event> {
        (self.status == PaymentStatus::BeingChecked).then_some(Event::Refused { payer: None, code: Code::IdentificationInterrupted })
    }
}
