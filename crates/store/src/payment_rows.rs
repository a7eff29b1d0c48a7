//! Payments as rows.

use std::collections::BTreeMap;
use std::sync::Arc;

use base::id::{AccountId, MerchantId, PaymentId, RefundId, StoreId, TerminalId, TransferId, VoucherId};
use base::money::Money;
use base::time::Timestamp;
use payments::account::tier::VerifiedBy;
use payments::payment::{Missed, Payment, STATUSES, judge, status_name};
use payments::probe::{Challenge, Searched};
use payments::rules::RulePack;
use wire::api::{self, Capture, Part, PaymentStatus};
use wire::bytes::HexArray;
use wire::passkey::WaitingPayment;
use wire::problem::Code;

use crate::db::{DbError, Kind, Row, Tx};
use crate::error::StoreError;
use crate::row::{At, Bits, Name, Sequence};
use crate::setup::Terminal;
use crate::{account_rows, merchant_lists, posting};

const COLUMNS: &str = "p.id, p.terminal, p.merchant, p.amount_minor, p.currency, p.created_at, p.expires_at, p.status, p.nonce, p.challenge_issued_at,
    p.challenge_expires_at, p.challenge_partition, p.passcode_always, p.payer, p.refusal, p.paid_at, p.verified_by, p.refunded_minor, p.refund_count, p.rules_version,
    p.capture, p.authorised_at, p.captured_minor, p.terms_sha256, p.searched, p.searched_people, p.missed_people, p.missed_ambiguous";

const CAPTURES: [Capture; 2] = [Capture::Automatic, Capture::Manual];

const fn capture_name(capture: Capture) -> &'static str {
    match capture {
        Capture::Automatic => "automatic",
        Capture::Manual => "manual",
    }
}

const PAYMENT: Kind<Payment> = Kind::new("payment", &["payments"]);
const SHOWN: Kind<Arc<Shown>> = Kind::new("shown payment", &["stores", "merchants"]);

/// What is shown of a payment beside its own row.
struct Shown {
    store: StoreId,
    store_name: String,
    merchant_name: String,
    merchant_reference: Option<String>,
    metadata: Option<BTreeMap<String, String>>,
    voucher: Option<api::PaidVoucher>,
}

/// A new payment at `terminal`, of which no search is recorded and nothing was refunded yet.
pub(crate) fn insert(
    tx: &Tx,
    payment: &Payment,
    terminal: &Terminal,
    new: &api::NewPayment,
    voucher: Option<api::PaidVoucher>,
) -> Result<(), StoreError> {
    let api::Terminal { store, store_name, merchant_name, .. } = &terminal.details;
    let shown = Arc::new(Shown {
        store: *store,
        store_name: store_name.clone(),
        merchant_name: merchant_name.clone(),
        merchant_reference: new.merchant_reference.clone(),
        metadata: new.metadata.clone().filter(|metadata| !metadata.is_empty()),
        voucher,
    });
    let metadata = shown.metadata.as_ref().map(|metadata| serde_json::to_string(metadata).expect("texts are plain data"));
    tx.learn(&SHOWN, (0, payment.id.bits()), shown);
    posting::is_unused(tx, TransferId::from_bits(payment.id.bits()));
    let previous = merchant_lists::add_payment(tx, payment.merchant, payment.id.bits())?;
    let challenge = payment.challenge.as_ref();
    tx.put_known(
        "INSERT INTO payments (id, terminal, store, merchant, amount_minor, currency, merchant_reference, status, created_at, expires_at,
             rules_version, capture, terms_sha256, nonce, challenge_issued_at, challenge_expires_at, challenge_partition, passcode_always,
             payer, refusal, authorised_at, paid_at, captured_minor, verified_by, previous, refunded_minor, refund_count)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, ?16, ?17, ?18, ?19, ?20, ?21, ?22, ?23, ?24, ?25, 0, 0)",
        (
            Bits(payment.id.bits()),
            Bits(payment.terminal.bits()),
            Bits(terminal.details.store.bits()),
            Bits(payment.merchant.bits()),
            payment.amount.minor,
            payment.amount.currency.code(),
            new.merchant_reference.as_deref(),
            status_name(payment.status),
            At(payment.created_at),
            At(payment.expires_at),
            &payment.rules_version,
            capture_name(payment.capture),
            payment.terms_sha256.map(|hash| hash.0),
            challenge.map(|challenge| challenge.nonce),
            challenge.map(|challenge| At(challenge.issued_at)),
            challenge.map(|challenge| At(challenge.expires_at)),
            challenge.and_then(Challenge::label).map(|label| label.0),
            challenge.map(|challenge| challenge.passcode_always),
            payment.payer.map(|payer| Bits(payer.bits())),
            payment.refusal.map(Code::name),
            payment.authorised_at.map(At),
            payment.paid_at.map(At),
            payment.captured_minor,
            payment.verified_by.map(VerifiedBy::name),
            previous,
        ),
        &PAYMENT,
        (0, payment.id.bits()),
        payment.clone(),
    )?;
    if let Some(metadata) = metadata {
        tx.put("INSERT INTO payment_metadata (payment, metadata) VALUES (?1, ?2)", (Bits(payment.id.bits()), metadata))?;
    }
    Ok(())
}

/// Stores what changes in a payment.
pub(crate) fn save(tx: &Tx, payment: &Payment) -> Result<(), StoreError> {
    let challenge = payment.challenge.as_ref();
    let searched = challenge.and_then(|challenge| challenge.searched);
    tx.put_known("UPDATE payments SET status = ?2, nonce = ?3, challenge_issued_at = ?4, challenge_expires_at = ?5, challenge_partition = ?6, passcode_always = ?7,
             payer = ?8, refusal = ?9, paid_at = ?10, verified_by = ?11, refunded_minor = ?12, refund_count = ?13, rules_version = ?14,
             expires_at = ?15, authorised_at = ?16, captured_minor = ?17, searched = ?18, searched_people = ?19, missed_people = ?20,
             missed_ambiguous = ?21
         WHERE id = ?1", (
        Bits(payment.id.bits()),
        status_name(payment.status),
        challenge.map(|challenge| challenge.nonce),
        challenge.map(|challenge| At(challenge.issued_at)),
        challenge.map(|challenge| At(challenge.expires_at)),
        challenge.and_then(Challenge::label).map(|label| label.0),
        challenge.map(|challenge| challenge.passcode_always),
        payment.payer.map(|payer| Bits(payer.bits())),
        payment.refusal.map(Code::name),
        payment.paid_at.map(At),
        payment.verified_by.map(VerifiedBy::name),
        payment.refunded_minor,
        payment.refund_count,
        &payment.rules_version,
        At(payment.expires_at),
        payment.authorised_at.map(At),
        payment.captured_minor,
        searched.map(|searched| searched.part.name()),
        searched.map(|searched| Sequence(searched.people)),
        payment.missed.map(|missed| Sequence(missed.people)),
        payment.missed.map(|missed| missed.was_ambiguous),
    ), &PAYMENT, (0, payment.id.bits()), payment.clone())?;
    Ok(())
}

/// The payment of this identifier, or `not_found`.
pub(crate) fn load(tx: &Tx, id: PaymentId) -> Result<Payment, StoreError> {
    tx.recall(&PAYMENT, (0, id.bits()), || {
        tx.find(&format!("SELECT {COLUMNS} FROM payments p WHERE p.id = ?1"), [Bits(id.bits())], read)?.ok_or(Code::NotFound.into())
    })
}

/// Payments that a condition without parameters but `?1`, a time, selects.
pub(crate) fn load_where(tx: &Tx, condition: &'static str, time: Timestamp) -> Result<Vec<Payment>, StoreError> {
    let rows = tx.list(&format!("SELECT {COLUMNS} FROM payments p WHERE {condition}"), [At(time)], read)?;
    Ok(rows)
}

fn read(row: &Row) -> Result<Payment, DbError> {
    let challenge = match row.get::<Option<[u8; 32]>>(8)? {
        None => None,
        Some(nonce) => Some(Challenge {
            nonce,
            issued_at: row.get::<At>(9)?.0,
            expires_at: row.get::<At>(10)?.0,
            searched: read_searched(row)?,
            passcode_always: row.get(12)?,
        }),
    };
    let missed = match row.get::<Option<Sequence>>(26)? {
        None => None,
        Some(people) => Some(Missed { people: people.0, was_ambiguous: row.get(27)? }),
    };
    let code_from_name = |name: &str| Code::ALL.iter().copied().find(|code| code.name() == name);
    Ok(Payment {
        id: PaymentId::from_bits(row.get::<Bits>(0)?.0),
        terminal: TerminalId::from_bits(row.get::<Bits>(1)?.0),
        merchant: MerchantId::from_bits(row.get::<Bits>(2)?.0),
        amount: Money { minor: row.get(3)?, currency: posting::currency(row, 4)? },
        created_at: row.get::<At>(5)?.0,
        expires_at: row.get::<At>(6)?.0,
        status: row.get::<Name>(7)?.read(|name| STATUSES.into_iter().find(|status| status_name(*status) == name))?,
        challenge,
        missed,
        payer: row.get::<Option<Bits>>(13)?.map(|bits| AccountId::from_bits(bits.0)),
        refusal: row.get::<Option<Name>>(14)?.map(|name| name.read(code_from_name)).transpose()?,
        paid_at: row.get::<Option<At>>(15)?.map(|at| at.0),
        verified_by: row.get::<Option<Name>>(16)?.map(|name| name.read(VerifiedBy::from_name)).transpose()?,
        refunded_minor: row.get(17)?,
        refund_count: row.get(18)?,
        rules_version: row.get(19)?,
        capture: row.get::<Name>(20)?.read(|name| CAPTURES.into_iter().find(|capture| capture_name(*capture) == name))?,
        authorised_at: row.get::<Option<At>>(21)?.map(|at| at.0),
        captured_minor: row.get(22)?,
        terms_sha256: row.get::<Option<[u8; 32]>>(23)?.map(HexArray),
    })
}

/// What the last look was compared with; payments older than that say only the label, which was of phone digits.
fn read_searched(row: &Row) -> Result<Option<Searched>, DbError> {
    let label = row.get::<Option<[u8; 16]>>(11)?.map(HexArray);
    let of_old = if label.is_some() { Part::PhoneSuffix } else { Part::Gallery };
    let part = row.get::<Option<Name>>(24)?.map(|name| name.read(Part::named)).transpose()?.unwrap_or(of_old);
    Ok(Some(Searched { part, label, people: row.get::<Option<Sequence>>(25)?.map_or(0, |people| people.0) }))
}

fn load_shown(tx: &Tx, id: PaymentId) -> Result<Shown, StoreError> {
    let sql = "SELECT p.store, s.name, m.name, p.merchant_reference, d.metadata, v.id, v.taken_at
         FROM payments p JOIN stores s ON s.id = p.store JOIN merchants m ON m.id = p.merchant LEFT JOIN payment_metadata d ON d.payment = p.id
             LEFT JOIN vouchers v ON v.payment = p.id
         WHERE p.id = ?1";
    let shown = tx.one(sql, [Bits(id.bits())], |row| {
        Ok(Shown {
            store: StoreId::from_bits(row.get::<Bits>(0)?.0),
            store_name: row.get(1)?,
            merchant_name: row.get(2)?,
            merchant_reference: row.get(3)?,
            metadata: row.get::<Option<Name>>(4)?.map(|text| text.read(|text| serde_json::from_str(text).ok())).transpose()?,
            voucher: match row.get::<Option<Bits>>(5)? {
                None => None,
                Some(id) => Some(api::PaidVoucher { id: VoucherId::from_bits(id.0), taken_at: row.get::<At>(6)?.0 }),
            },
        })
    });
    Ok(shown?)
}

/// The payment as its payer sees it while it waits.
pub(crate) fn waiting(tx: &Tx, payment: PaymentId) -> Result<WaitingPayment, StoreError> {
    let Shown { store_name, merchant_name, .. } = load_shown(tx, payment)?;
    let Payment { id, amount, expires_at, .. } = load(tx, payment)?;
    Ok(WaitingPayment { id, merchant_name, store_name, amount_minor: amount.minor, currency: amount.currency, expires_at })
}

/// The payment as its terminal sees it: never who paid.
pub(crate) fn render(tx: &Tx, payment: &Payment, rules: &RulePack, now: Timestamp) -> Result<api::Payment, StoreError> {
    let shown = tx.recall(&SHOWN, (0, payment.id.bits()), || load_shown(tx, payment.id).map(Arc::new))?;
    let Shown { store, store_name, merchant_name, merchant_reference, metadata, voucher } = &*shown;
    let challenge = payment.challenge.as_ref().filter(|_| payment.status == PaymentStatus::Challenged);
    let payer = payment.payer.filter(|_| payment.status == PaymentStatus::AwaitingPasscode);
    let payer = payer.map(|payer| account_rows::payer(tx, payer, now)).transpose()?;
    let attempts_left = payer.map(|payer| payer.ladder.attempts_left(&rules.passcode, now));
    Ok(api::Payment {
        id: payment.id,
        status: payment.status,
        amount_minor: payment.amount.minor,
        currency: payment.amount.currency,
        merchant: payment.merchant,
        merchant_name: merchant_name.clone(),
        store: *store,
        store_name: store_name.clone(),
        terminal: payment.terminal,
        merchant_reference: merchant_reference.clone(),
        metadata: metadata.clone(),
        created_at: payment.created_at,
        expires_at: payment.expires_at,
        capture: payment.capture,
        authorised_at: payment.authorised_at,
        paid_at: payment.paid_at,
        captured_minor: payment.captured_minor,
        refusal: payment.refusal,
        phone_suffix_required: payment.status == PaymentStatus::Created && payment.missed.is_some(),
        asks: payer.map(|payer| judge::asks(payment.amount.minor, &payer, rules, now)),
        attempts_left,
        voucher: *voucher,
        refunded_minor: payment.refunded_minor,
        refunds: if payment.refund_count == 0 { Vec::new() } else { refunds(tx, payment.id)? },
        dispute: None,
        rules_version: payment.rules_version.clone(),
        terms_sha256: payment.terms_sha256,
        challenge: challenge.map(|challenge| api::Challenge {
            nonce: HexArray(challenge.nonce),
            issued_at: challenge.issued_at,
            expires_at: challenge.expires_at,
            partition: challenge.label(),
        }),
    })
}

fn refunds(tx: &Tx, payment: PaymentId) -> Result<Vec<api::Refund>, StoreError> {
    let rows = tx.list(
        "SELECT id, amount_minor, refunded_at FROM refunds WHERE payment = ?1 ORDER BY refunded_at, id",
        [Bits(payment.bits())],
        |row| {
            Ok(api::Refund { id: RefundId::from_bits(row.get::<Bits>(0)?.0), amount_minor: row.get(1)?, refunded_at: row.get::<At>(2)?.0 })
        },
    )?;
    Ok(rows)
}
