//! Customer service: clerks, cases by reference, freezing, and the log of all of it.

mod case;
pub mod clerk;
pub mod log;

use base::id::{ClerkId, ServiceEntryId};
use base::time::Timestamp;
use payments::service::{HOUR_MS, Reference, check_look_ups, open_until};
use rand_core::CryptoRng;
use wire::passkey::NoticeKind;
use wire::problem::Code;
use wire::service::{Case, Desk, NewFreeze, ServiceAct};

use crate::error::StoreError;
use crate::idempotency::{Answer, Idempotency, Keep};
use crate::service::log::Line;
use crate::{Store, account_rows, notice, owner};

impl Store {
    /// Who is at the desk, and how much may be looked up yet; `not_found` for a clerk that is not there.
    pub fn desk(&self, clerk: ClerkId, now: Timestamp) -> Result<Desk, StoreError> {
        let rules = self.rules(now)?;
        self.read(|tx| {
            let max = rules.service.look_ups_per_hour_max;
            let left = max.saturating_sub(log::look_ups_since(tx, clerk, hour_before(now))?);
            Ok(Desk { id: clerk, name: clerk::load(tx, clerk, now)?.name, look_ups_left: left, look_ups_per_hour_max: max })
        })
    }

    /// The case of a reference, masked: `reference_unknown` for whatever is none, `look_ups_spent`. A look-up stands in the log
    /// whether or not it found anything; what was typed only if it has the form of a reference, because it may be a name.
    pub fn look_up_case(&self, clerk: ClerkId, typed: &str, rng: &mut dyn CryptoRng, now: Timestamp) -> Result<Case, StoreError> {
        let rules = self.rules(now)?;
        let id = ServiceEntryId::new(now, rng);
        let reference = Reference::parse(typed);
        // Not by an error, which would take the line back.
        let found = self.run_tx("look_up_case", |tx| {
            check_look_ups(log::look_ups_since(tx, clerk, hour_before(now))?, rules)?;
            let found = reference.map_or(Ok(None), |reference| case::find(tx, reference))?;
            let account = found.as_ref().and_then(|found| found.account);
            let reference = reference.map(|reference| reference.to_string()).unwrap_or_default();
            let line = Line { id, clerk, act: ServiceAct::LookUp, reference, account, reason: None, at: now };
            log::add(tx, &line)?;
            found.map(|found| case::render(tx, &found, &line, open_until(now, rules), rules, now)).transpose()
        });
        found?.ok_or(Code::ReferenceUnknown.into())
    }

    /// Freezes the account of a case that this clerk looked up: 200 with [`Case`], also if it was frozen before; or `not_found`,
    /// `case_over`, `state_conflict` where there is no account or it is closed. Its owner is told, and thaws it with the passcode.
    pub fn freeze_case(
        &self,
        idempotency: &Idempotency,
        clerk: ClerkId,
        look_up: ServiceEntryId,
        new: &NewFreeze,
        rng: &mut dyn CryptoRng,
        now: Timestamp,
    ) -> Result<Answer, StoreError> {
        let rules = self.rules(now)?;
        let id = ServiceEntryId::new(now, rng);
        self.once("freeze_case", idempotency, Keep::Day, now, |tx| {
            let looked_up = log::look_up(tx, clerk, look_up)?;
            let open_until = open_until(looked_up.at, rules);
            if now >= open_until {
                return Err(Code::CaseOver.into());
            }
            let found = Reference::parse(&looked_up.reference).map_or(Ok(None), |reference| case::find(tx, reference))?;
            let found = found.ok_or(Code::NotFound)?;
            let account = looked_up.account.ok_or(Code::StateConflict)?;
            let payer = account_rows::payer(tx, account, now)?;
            if payer.closed {
                return Err(Code::StateConflict.into());
            }
            let line = Line { id, act: ServiceAct::Freeze, reason: Some(new.reason), at: now, ..looked_up.clone() };
            log::add(tx, &line)?;
            if !payer.frozen {
                owner::freeze_account(tx, account, rules, now)?;
                notice::record(tx, account, NoticeKind::ServiceFroze, now)?;
            }
            Ok(Answer::of(200, &case::render(tx, &found, &looked_up, open_until, rules, now)?))
        })
    }
}

fn hour_before(now: Timestamp) -> Timestamp {
    Timestamp::from_millis(now.millis().saturating_sub(HOUR_MS))
}
