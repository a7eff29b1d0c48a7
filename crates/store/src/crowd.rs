//! Many made-up shoppers at once, for demonstrations and measurements.

use base::id::{AccountId, EnrolmentId, TopUpId};
use base::money::Currency;
use base::time::Timestamp;
use ledger::account::AccountKey;
use payments::refusal::Refusal;
use rand_core::CryptoRng;
use wire::api::{EnrolmentStatus, IdentityClass, Part};
use wire::probe::{PartitionLabel, SealedProbe};
use wire::problem::Code;

use crate::account_rows::NewRow;
use crate::error::StoreError;
use crate::gallery::{NewToken, OwnedToken};
use crate::{Store, account, account_rows, enrolment, gallery, posting};

/// One made-up shopper: an account of class II with a funded wallet, no passcode and an enrolled face.
#[derive(Clone)]
pub struct CrowdMember {
    /// The account.
    pub account: AccountId,
    /// Its enrolment.
    pub enrolment: EnrolmentId,
    /// A number that nobody else has, 11 digits.
    pub phone: String,
    /// The part of the gallery of everybody whose phone ends like this one.
    pub phone_part: PartitionLabel,
    /// The record and its token.
    pub token: NewToken,
}

impl std::fmt::Debug for CrowdMember {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "CrowdMember({})", self.account)
    }
}

impl Store {
    /// Makes `members` with `balance_minor` (0 for none) each in one transaction, and queues their templates, which
    /// `probe` holds in the same order, as one change for the parties. Keep a batch at some thousand members.
    /// `invalid_request` if the probe holds another number of templates, `probe_replayed`, `phone_taken`.
    pub fn insert_crowd(
        &self,
        members: &[CrowdMember],
        balance_minor: i64,
        probe: &SealedProbe,
        rng: &mut dyn CryptoRng,
        now: Timestamp,
    ) -> Result<(), StoreError> {
        self.run_tx("insert_crowd", |tx| {
            if members.is_empty() || members.len() as u64 != u64::from(probe.context.templates) {
                return Err(Refusal::of_field(Code::InvalidRequest, "templates").into());
            }
            let nonce = &probe.context.nonce.0;
            if gallery::nonce_used(tx, nonce)? {
                return Err(Code::ProbeReplayed.into());
            }
            gallery::use_nonce(tx, nonce, now)?;
            for CrowdMember { account, enrolment, phone, phone_part, .. } in members {
                account_rows::insert(
                    tx,
                    &NewRow { id: *account, name: "Crowd", phone, phone_part: phone_part.0, passcode_hash: None, class: IdentityClass::II },
                    now,
                )?;
                posting::open_account(tx, AccountKey::wallet(*account), Currency::CNY)?;
                if balance_minor > 0 {
                    account::fund(tx, *account, TopUpId::new(now, rng), balance_minor, now)?;
                }
                enrolment::insert(tx, *enrolment, *account, nonce, probe.context.expires_at, now)?;
                enrolment::set_status(tx, *enrolment, EnrolmentStatus::Storing)?;
            }
            let owned: Vec<OwnedToken> = members
                .iter()
                .map(|member| OwnedToken {
                    token: &member.token,
                    account: member.account,
                    enrolment: member.enrolment,
                    parts: vec![(member.phone_part, Part::PhoneSuffix)],
                })
                .collect();
            gallery::queue_enrol(tx, probe, &owned, now)
        })
    }
}
