//! Enrolling a face and deleting it.

use base::id::{AccountId, EnrolmentId, RecordId, TerminalId};
use base::party::PartyId;
use base::time::Timestamp;
use payments::enrolment::{Enrolment, STATUSES, Step, next_status, status_name};
use payments::probe::{Challenge, Sender};
use payments::refusal::Refusal;
use payments::rules::RulePack;
use rand_core::CryptoRng;
use wire::api::{self, EnrolmentStatus, QueryKind};
use wire::bytes::HexArray;
use wire::party::DeletionConfirmation;
use wire::probe::SealedProbe;
use wire::problem::Code;

use crate::account::{check_payment_consent, random};
use crate::db::{DbError, Row, Tx};
use crate::error::StoreError;
use crate::gallery::{self, NewToken};
use crate::idempotency::{Answer, Idempotency, Keep};
use crate::passkey::Answered;
use crate::query_log::{self, Outcome};
use crate::row::{At, Bits, Name, Sequence};
use crate::{Store, approval, membership, place, setup, voucher};

impl Store {
    /// Begins an enrolment that a bound device has approved, or staff: 201 with [`api::Enrolment`] and its challenge, or
    /// `consent_missing`, `consent_outdated`, `enrolment_exists`, `approval_required`, `device_missing`, `passkey_unknown`,
    /// `passkey_invalid`, `approval_used`, `approval_expired`, `approval_mismatch`. One that still waits for its capture is
    /// replaced.
    pub fn create_enrolment(
        &self,
        idempotency: &Idempotency,
        account: AccountId,
        approval: Option<&Answered>,
        rng: &mut dyn CryptoRng,
        now: Timestamp,
    ) -> Result<Answer, StoreError> {
        let id = EnrolmentId::new(now, rng);
        let nonce = random(rng);
        let rules = self.rules(now)?;
        self.once("create_enrolment", idempotency, Keep::Day, now, |tx| {
            check_payment_consent(tx, account)?;
            match standing(tx, account)? {
                Some(waiting) if waiting.status == EnrolmentStatus::WaitingForCapture => {
                    delete(tx, account, waiting.id, waiting.status, rules, now)?
                }
                Some(_) => return Err(Code::EnrolmentExists.into()),
                None => {}
            }
            approval::approve_enrolment(tx, account, approval, now)?;
            let expires_at = now.plus_millis(rules.clocks.enrolment_lifetime_s * 1000);
            insert(tx, id, account, &nonce, expires_at, now)?;
            Ok(Answer::of(201, &load(tx, account, id)?))
        })
    }

    /// The account's own enrolment, or `not_found`.
    pub fn enrolment(&self, account: AccountId, id: EnrolmentId) -> Result<api::Enrolment, StoreError> {
        self.read(|tx| load(tx, account, id))
    }

    /// Takes the sealed templates of an enrolment and queues them for the parties: 202 with [`api::Enrolment`], or
    /// `not_found`, `probe_replayed`, `state_conflict`, `probe_mismatch`, `probe_invalid`, `challenge_expired`,
    /// `consent_missing`, `consent_outdated`, `invalid_request`. `tokens` holds one for each template in the probe. The
    /// change is durable before any party sees it: see [`Store::pending_changes`]. A look that is refused for what it is
    /// stands in its owner's log.
    #[expect(clippy::too_many_arguments, reason = "each is one thing that taking templates needs")]
    pub fn receive_template(
        &self,
        idempotency: &Idempotency,
        terminal: TerminalId,
        enrolment: EnrolmentId,
        probe: &SealedProbe,
        tokens: &[NewToken],
        rng: &mut dyn CryptoRng,
        now: Timestamp,
    ) -> Result<Answer, StoreError> {
        self.once("receive_template", idempotency, Keep::Day, now, |tx| {
            let device = setup::terminal(tx, terminal)?;
            let (account, state) = load_state(tx, enrolment)?;
            let sender = Sender { terminal, device_key: &device.public_key, nonce_used: gallery::nonce_used(tx, &probe.context.nonce.0)? };
            let next = match state.receive_template(probe, &sender, now) {
                Ok(next) => next,
                Err(refusal) if matches!(refusal.code, Code::ProbeInvalid | Code::ProbeMismatch | Code::ChallengeExpired) => {
                    // An answer and not an error, so that the owner reads of it.
                    query_log::record(tx, account, QueryKind::Enrolment, Outcome::Refused(refusal.code), rng, now)?;
                    return Ok(Answer::refusal(&refusal));
                }
                Err(refusal) => return Err(refusal.into()),
            };
            check_payment_consent(tx, account)?;
            if tokens.is_empty() || tokens.len() as u64 != u64::from(probe.context.templates) {
                return Err(Refusal::of_field(Code::InvalidRequest, "templates").into());
            }
            gallery::use_nonce(tx, &probe.context.nonce.0, now)?;
            let parts = membership::wanted(tx, account)?;
            let owned: Vec<gallery::OwnedToken> =
                tokens.iter().map(|token| gallery::OwnedToken { token, account, enrolment, parts: parts.clone() }).collect();
            gallery::queue_enrol(tx, probe, &owned, now)?;
            set_status(tx, enrolment, next)?;
            Ok(Answer::of(202, &load(tx, account, enrolment)?))
        })
    }

    /// Deletes the account's own enrolment: from now on nobody can pay with it, and the parties are told. Again: the
    /// same without effect.
    pub fn delete_enrolment(&self, account: AccountId, id: EnrolmentId, now: Timestamp) -> Result<api::Enrolment, StoreError> {
        self.run_tx("delete_enrolment", |tx| {
            let status = load(tx, account, id)?.status;
            delete(tx, account, id, status, self.rules(now)?, now)?;
            load(tx, account, id)
        })
    }
}

/// Puts a new enrolment in, waiting for its capture.
pub(crate) fn insert(
    tx: &Tx,
    id: EnrolmentId,
    account: AccountId,
    nonce: &[u8; 32],
    challenge_expires_at: Timestamp,
    now: Timestamp,
) -> Result<(), StoreError> {
    tx.execute("INSERT INTO enrolments (id, account, status, nonce, challenge_issued_at, challenge_expires_at, created_at) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?5)", (Bits(id.bits()), Bits(account.bits()), status_name(EnrolmentStatus::WaitingForCapture), nonce, At(now), At(challenge_expires_at)))?;
    Ok(())
}

/// Deletes whatever enrolment the account has.
pub(crate) fn delete_standing(tx: &Tx, account: AccountId, rules: &RulePack, now: Timestamp) -> Result<(), StoreError> {
    match standing(tx, account)? {
        Some(enrolment) => delete(tx, account, enrolment.id, enrolment.status, rules, now),
        None => Ok(()),
    }
}

fn delete(
    tx: &Tx,
    account: AccountId,
    id: EnrolmentId,
    status: EnrolmentStatus,
    rules: &RulePack,
    now: Timestamp,
) -> Result<(), StoreError> {
    // Deleting or deleted already: nothing more to do.
    let Some(next) = next_status(status, Step::Delete) else { return Ok(()) };
    set_status(tx, id, next)?;
    if next == EnrolmentStatus::Deleted {
        tx.execute("UPDATE enrolments SET deleted_at = ?2 WHERE id = ?1", (Bits(id.bits()), At(now)))?;
        return Ok(());
    }
    place::end(tx, account)?;
    voucher::stop(tx, account, rules, now)?;
    gallery::queue_delete(tx, account, id, now)
}

/// Stores where an enrolment stands.
pub(crate) fn set_status(tx: &Tx, id: EnrolmentId, status: EnrolmentStatus) -> Result<(), StoreError> {
    tx.execute("UPDATE enrolments SET status = ?2 WHERE id = ?1", (Bits(id.bits()), status_name(status)))?;
    Ok(())
}

/// Where an enrolment stands.
pub(crate) fn status_of(tx: &Tx, id: EnrolmentId) -> Result<EnrolmentStatus, StoreError> {
    Ok(load_state(tx, id)?.1.status)
}

const ENROLMENTS: &str =
    "SELECT id, account, status, nonce, challenge_issued_at, challenge_expires_at, created_at, enrolled_at FROM enrolments";

/// The account's enrolment that is not deleted.
pub(crate) fn standing(tx: &Tx, account: AccountId) -> Result<Option<api::Enrolment>, StoreError> {
    let id: Option<Bits> =
        tx.find("SELECT id FROM enrolments WHERE account = ?1 AND status <> 'deleted'", [Bits(account.bits())], |row| row.get(0))?;
    id.map(|bits| load(tx, account, EnrolmentId::from_bits(bits.0))).transpose()
}

fn load(tx: &Tx, account: AccountId, id: EnrolmentId) -> Result<api::Enrolment, StoreError> {
    let found = tx.find(&format!("{ENROLMENTS} WHERE id = ?1 AND account = ?2"), (Bits(id.bits()), Bits(account.bits())), |row| {
        let (_, state) = read_state(row)?;
        Ok((state, row.get::<At>(6)?.0, row.get::<Option<At>>(7)?.map(|at| at.0)))
    });
    let (state, created_at, enrolled_at) = found?.ok_or(Code::NotFound)?;
    let Enrolment { status, challenge, .. } = state;
    let challenge = api::Challenge {
        nonce: HexArray(challenge.nonce),
        issued_at: challenge.issued_at,
        expires_at: challenge.expires_at,
        partition: None,
    };
    let challenge = Some(challenge).filter(|_| status == EnrolmentStatus::WaitingForCapture);
    Ok(api::Enrolment { id, status, created_at, enrolled_at, challenge, deletions: deletions(tx, id)? })
}

fn load_state(tx: &Tx, id: EnrolmentId) -> Result<(AccountId, Enrolment), StoreError> {
    tx.find(&format!("{ENROLMENTS} WHERE id = ?1"), [Bits(id.bits())], read_state)?.ok_or(Code::NotFound.into())
}

fn read_state(row: &Row) -> Result<(AccountId, Enrolment), DbError> {
    let challenge = Challenge {
        nonce: row.get(3)?,
        issued_at: row.get::<At>(4)?.0,
        expires_at: row.get::<At>(5)?.0,
        searched: None,
        passcode_always: false,
    };
    let status = row.get::<Name>(2)?.read(|name| STATUSES.into_iter().find(|status| status_name(*status) == name))?;
    let enrolment = Enrolment { id: EnrolmentId::from_bits(row.get::<Bits>(0)?.0), status, challenge };
    Ok((AccountId::from_bits(row.get::<Bits>(1)?.0), enrolment))
}

fn deletions(tx: &Tx, enrolment: EnrolmentId) -> Result<Vec<DeletionConfirmation>, StoreError> {
    let rows = tx.list(
        "SELECT d.party, d.record, d.sequence, d.destroyed_at, d.signature FROM deletion_confirmations d JOIN records r ON r.id = d.record
         WHERE r.enrolment = ?1 ORDER BY d.record, d.party",
        [Bits(enrolment.bits())],
        |row| {
            let number: u8 = row.get(0)?;
            Ok(DeletionConfirmation {
                party: PartyId::try_from(number).map_err(|_| rusqlite::Error::IntegralValueOutOfRange(0, number.into()))?,
                record: RecordId::from_bits(row.get::<Bits>(1)?.0),
                sequence: row.get::<Sequence>(2)?.0,
                destroyed_at: row.get::<At>(3)?.0,
                signature: HexArray(row.get(4)?),
            })
        },
    )?;
    Ok(rows)
}
