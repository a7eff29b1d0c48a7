//! Tills on their way to work: a code from the console, a device that proves its key, and what it is bound to for good.

use base::id::{ActivationId, BankAccountId, MerchantId, StaffId, StoreId, TerminalId};
use base::time::Timestamp;
use ed25519_dalek::VerifyingKey;
use payments::activation::{ACTIVATION_MS, STATUSES, bind, check_device, check_proof, status_name};
use rand_core::CryptoRng;
use wire::api::List;
use wire::bytes::HexArray;
use wire::problem::Code;
use wire::shop::{Activation, ActivationStatus, Attested, Bound, RedeemedActivation};

use crate::db::{DbError, Row, Tx};
use crate::error::StoreError;
use crate::idempotency::{Answer, Idempotency, Keep};
use crate::row::{At, Bits, Name};
use crate::setup::NewTerminal;
use crate::shop::office;
use crate::{Store, account};

/// What of a device is known once it has proved its key, for registering it.
pub struct Proved {
    /// The activation.
    pub id: ActivationId,
    /// Whose till it is.
    pub merchant: MerchantId,
    /// Its merchant's public name.
    pub merchant_name: String,
    /// Its store's public name.
    pub store_name: String,
    /// The till.
    pub terminal: NewTerminal,
}

/// What a new activation begins with.
pub struct Begun {
    /// Where the till will stand.
    pub store: StoreId,
    /// Who begins it.
    pub by: StaffId,
    /// Hash of the code that the till redeems.
    pub code_sha256: [u8; 32],
}

impl Store {
    /// Begins one: 201 with [`Activation`], or `not_found` for another's store, `onboarding_incomplete` naming what is missing.
    pub fn begin_activation(
        &self,
        idempotency: &Idempotency,
        merchant: MerchantId,
        begun: &Begun,
        rng: &mut dyn CryptoRng,
        now: Timestamp,
    ) -> Result<Answer, StoreError> {
        let id = ActivationId::new(now, rng);
        let Begun { store, by, code_sha256 } = *begun;
        self.once("begin_activation", idempotency, Keep::Day, now, |tx| {
            let place = office::store_of(tx, merchant, store)?.place;
            bind(office::head_office(tx, merchant)?, settlement_account(tx, merchant)?, place)?;
            tx.execute(
                "INSERT INTO activations (id, merchant, store, status, code_sha256, expires_at, created_by, created_at)
                 VALUES (?1, ?2, ?3, 'waiting', ?4, ?5, ?6, ?7)",
                (
                    Bits(id.bits()),
                    Bits(merchant.bits()),
                    Bits(store.bits()),
                    code_sha256,
                    At(now.plus_millis(ACTIVATION_MS)),
                    Bits(by.bits()),
                    At(now),
                ),
            )?;
            Ok(Answer::of(201, &load(tx, "a.id = ?1", Bits(id.bits()))?.shown))
        })
    }

    /// The device redeems its code and is bound to the five elements (PBoC 2021-259): `code_invalid`, `invalid_request`,
    /// `terminal_elsewhere`, `serial_taken`, `onboarding_incomplete`. A code is redeemed once.
    pub fn redeem_activation(
        &self,
        device: &RedeemedActivation,
        code_sha256: &[u8; 32],
        acquirer_code: &str,
        rng: &mut dyn CryptoRng,
        now: Timestamp,
    ) -> Result<Attested, StoreError> {
        let (terminal, nonce) = (TerminalId::new(now, rng), account::random::<32>(rng));
        self.run_tx("redeem_activation", |tx| {
            let found = load(tx, "a.code_sha256 = ?1", code_sha256).map_err(as_invalid)?;
            let place = office::store_of(tx, found.merchant, found.shown.store)?.place;
            let (said, account, place) = bind(office::head_office(tx, found.merchant)?, settlement_account(tx, found.merchant)?, place)?;
            check_device(device, &place, found.shown.expires_at, now)?;
            let taken = "SELECT 1 FROM activations WHERE serial = ?1 AND status IN ('attested', 'active')";
            if tx.find(taken, [&device.serial], |_| Ok(()))?.is_some() {
                return Err(Code::SerialTaken.into());
            }
            tx.execute(
                "UPDATE activations SET status = 'attested', code_sha256 = NULL, terminal = ?2, serial = ?3, public_key = ?4, token_sha256 = ?5,
                     nonce = ?6, acquirer_code = ?7, credit_code = ?8, bank_account = ?9, address = ?10, latitude_e6 = ?11, longitude_e6 = ?12,
                     attested_at = ?13
                 WHERE id = ?1",
                (
                    Bits(found.shown.id.bits()),
                    Bits(terminal.bits()),
                    &device.serial,
                    device.public_key.0,
                    device.token_sha256.0,
                    nonce,
                    acquirer_code,
                    &said.credit_code,
                    Bits(account.bits()),
                    format!("{}, {}", place.address, place.city),
                    device.latitude_e6,
                    device.longitude_e6,
                    At(now),
                ),
            )?;
            let shown = load(tx, "a.id = ?1", Bits(found.shown.id.bits()))?;
            Ok(Attested { terminal, merchant_name: shown.merchant_name, store_name: shown.shown.store_name, nonce: HexArray(nonce) })
        })
    }

    /// The device whose token this is, if it proves its key: `code_invalid`, `probe_invalid`.
    pub fn prove_activation(&self, token_sha256: &[u8; 32], signature: &[u8; 64], now: Timestamp) -> Result<Proved, StoreError> {
        self.read(|tx| {
            let found = load(tx, "a.status = 'attested' AND a.token_sha256 = ?1", token_sha256).map_err(as_invalid)?;
            let (terminal, (public_key, nonce)) = found.shown.terminal.zip(found.key_and_nonce).ok_or(Code::CodeInvalid)?;
            check_proof(terminal, &nonce, &public_key, signature, found.shown.expires_at, now)?;
            let public_key = VerifyingKey::from_bytes(&public_key).map_err(|_| Code::ProbeInvalid)?;
            let terminal = NewTerminal { id: terminal, store: found.shown.store, token_sha256: *token_sha256, public_key };
            Ok(Proved {
                id: found.shown.id,
                merchant: found.merchant,
                merchant_name: found.merchant_name,
                store_name: found.shown.store_name,
                terminal,
            })
        })
    }

    /// Its test payment and refund are through: it takes payments from now on. `state_conflict` if it was stopped meanwhile.
    pub fn finish_activation(&self, proved: &Proved, now: Timestamp) -> Result<Activation, StoreError> {
        self.run_tx("finish_activation", |tx| {
            let sql = "UPDATE activations SET status = 'active', active_at = ?2 WHERE id = ?1 AND status = 'attested'";
            if tx.execute(sql, (Bits(proved.id.bits()), At(now)))? == 0 {
                return Err(Code::StateConflict.into());
            }
            crate::setup::insert_terminal(tx, &proved.terminal, now)?;
            Ok(load(tx, "a.id = ?1", Bits(proved.id.bits()))?.shown)
        })
    }

    /// Takes a till out of use at once, or gives one up that is on its way: its token opens nothing from now on. 200 with
    /// [`Activation`], or `not_found`, `state_conflict` for one that was stopped.
    pub fn stop_activation(
        &self,
        idempotency: &Idempotency,
        merchant: MerchantId,
        id: ActivationId,
        rng: &mut dyn CryptoRng,
        now: Timestamp,
    ) -> Result<Answer, StoreError> {
        let nobodys = account::random::<32>(rng);
        self.once("stop_activation", idempotency, Keep::Day, now, |tx| {
            let before = load(tx, "a.id = ?1", Bits(id.bits()))?;
            if before.merchant != merchant {
                return Err(Code::NotFound.into());
            }
            if before.shown.status == ActivationStatus::Stopped {
                return Err(Code::StateConflict.into());
            }
            tx.execute(
                "UPDATE activations SET status = 'stopped', stopped_at = ?2, code_sha256 = NULL, token_sha256 = NULL WHERE id = ?1",
                (Bits(id.bits()), At(now)),
            )?;
            if let Some(terminal) = before.shown.terminal {
                tx.execute("UPDATE terminals SET token_sha256 = ?2 WHERE id = ?1", (Bits(terminal.bits()), nobodys))?;
            }
            Ok(Answer::of(200, &load(tx, "a.id = ?1", Bits(id.bits()))?.shown))
        })
    }

    /// The merchant's, newest first, older than `starting_after`; at most `limit`, and at most 100.
    pub fn activations(
        &self,
        merchant: MerchantId,
        starting_after: Option<ActivationId>,
        limit: u32,
    ) -> Result<List<Activation>, StoreError> {
        self.read(|tx| {
            let (before, limit) = (starting_after.map_or(u128::MAX, ActivationId::bits), limit.clamp(1, crate::activity::LIST_MAX));
            let sql = format!("{ACTIVATIONS} WHERE a.merchant = ?1 AND a.id < ?2 ORDER BY a.id DESC LIMIT ?3");
            let mut data = tx.list(&sql, (Bits(merchant.bits()), Bits(before), limit + 1), |row| Ok(read(row)?.shown))?;
            let has_more = data.len() > limit as usize;
            data.truncate(limit as usize);
            Ok(List { data, has_more })
        })
    }
}

/// Where the merchant is, or will be, settled to: the newest bank account that staff approved.
pub(super) fn settlement_account(tx: &Tx, merchant: MerchantId) -> Result<Option<BankAccountId>, StoreError> {
    let sql = "SELECT id FROM bank_accounts WHERE merchant = ?1 AND status = 'approved' ORDER BY effective_at DESC, id DESC LIMIT 1";
    Ok(tx.find(sql, [Bits(merchant.bits())], |row| Ok(BankAccountId::from_bits(row.get::<Bits>(0)?.0)))?)
}

/// Nobody learns from a wrong code what there is.
fn as_invalid(error: StoreError) -> StoreError {
    match error {
        StoreError::Refused(refusal) if refusal.code == Code::NotFound => Code::CodeInvalid.into(),
        other => other,
    }
}

struct Loaded {
    shown: Activation,
    merchant: MerchantId,
    merchant_name: String,
    key_and_nonce: Option<([u8; 32], [u8; 32])>,
}

const ACTIVATIONS: &str = "SELECT a.id, a.store, s.name, a.status, a.created_at, a.expires_at, a.terminal, a.serial, a.acquirer_code, a.merchant,
    a.credit_code, a.bank_account, a.address, a.latitude_e6, a.longitude_e6, a.attested_at, a.active_at, a.stopped_at, m.name, a.public_key, a.nonce
    FROM activations a JOIN stores s ON s.id = a.store JOIN merchants m ON m.id = a.merchant";

fn load(tx: &Tx, which: &'static str, key: impl crate::db::ToValue) -> Result<Loaded, StoreError> {
    tx.find(&format!("{ACTIVATIONS} WHERE {which}"), [key], read)?.ok_or(Code::NotFound.into())
}

fn read(row: &Row) -> Result<Loaded, DbError> {
    let time = |at| Ok::<_, DbError>(row.get::<Option<At>>(at)?.map(|at| at.0));
    let merchant = MerchantId::from_bits(row.get::<Bits>(9)?.0);
    let bound = match row.get::<Option<String>>(7)? {
        None => None,
        Some(serial) => Some(Bound {
            serial,
            acquirer_code: row.get(8)?,
            merchant,
            credit_code: row.get(10)?,
            bank_account: BankAccountId::from_bits(row.get::<Bits>(11)?.0),
            address: row.get(12)?,
            latitude_e6: row.get(13)?,
            longitude_e6: row.get(14)?,
        }),
    };
    let shown = Activation {
        id: ActivationId::from_bits(row.get::<Bits>(0)?.0),
        store: StoreId::from_bits(row.get::<Bits>(1)?.0),
        store_name: row.get(2)?,
        status: row.get::<Name>(3)?.read(|name| STATUSES.into_iter().find(|status| status_name(*status) == name))?,
        created_at: row.get::<At>(4)?.0,
        expires_at: row.get::<At>(5)?.0,
        code: None,
        terminal: row.get::<Option<Bits>>(6)?.map(|bits| TerminalId::from_bits(bits.0)),
        bound,
        attested_at: time(15)?,
        active_at: time(16)?,
        stopped_at: time(17)?,
    };
    let key_and_nonce = row.get::<Option<[u8; 32]>>(19)?.zip(row.get::<Option<[u8; 32]>>(20)?);
    Ok(Loaded { shown, merchant, merchant_name: row.get(18)?, key_and_nonce })
}
