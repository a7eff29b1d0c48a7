//! A till on its way to work: the five elements that it is bound to, its place, and what it must prove.

use base::id::{BankAccountId, TerminalId};
use base::time::Timestamp;
use ed25519_dalek::{Signature, VerifyingKey};
use wire::problem::Code;
use wire::shop::{ActivationStatus, Element, HeadOffice, Place, RedeemedActivation, attestation};

use crate::refusal::Refusal;

/// How long a till's activation may take, in milliseconds.
pub const ACTIVATION_MS: u64 = 30 * 60_000;
/// How far a till may be from its store's place, in metres: a phone's worst fix inside a building.
pub const DISTANCE_MAX_M: f64 = 500.0;
/// What is paid and refunded to try a new till, in minor units.
pub const TEST_AMOUNT_MINOR: i64 = 1;
const EARTH_RADIUS_M: f64 = 6_371_009.0;

/// All states.
pub const STATUSES: [ActivationStatus; 4] =
    [ActivationStatus::Waiting, ActivationStatus::Attested, ActivationStatus::Active, ActivationStatus::Stopped];

/// The stable name of a state, as in the API.
pub const fn status_name(status: ActivationStatus) -> &'static str {
    match status {
        ActivationStatus::Waiting => "waiting",
        ActivationStatus::Attested => "attested",
        ActivationStatus::Active => "active",
        ActivationStatus::Stopped => "stopped",
    }
}

/// The stable name of an element, as in the API.
pub const fn element_name(element: Element) -> &'static str {
    match element {
        Element::AcquirerCode => "acquirer_code",
        Element::MerchantCode => "merchant_code",
        Element::CreditCode => "credit_code",
        Element::SettlementAccount => "settlement_account",
        Element::Location => "location",
    }
}

/// What is missing of what every till of a merchant is bound to: the institution's code and the merchant's own always are
/// there, and the place is the store's.
pub fn missing(head_office: Option<&HeadOffice>, settlement_account: Option<BankAccountId>) -> Vec<Element> {
    let mut missing = Vec::new();
    if head_office.is_none() {
        missing.push(Element::CreditCode);
    }
    if settlement_account.is_none() {
        missing.push(Element::SettlementAccount);
    }
    missing
}

/// What a till is bound to, of what there is; `onboarding_incomplete` naming the first element that is missing.
pub fn bind(
    head_office: Option<HeadOffice>,
    settlement_account: Option<BankAccountId>,
    place: Option<Place>,
) -> Result<(HeadOffice, BankAccountId, Place), Refusal> {
    let lacks = |element| Refusal::of_field(Code::OnboardingIncomplete, element_name(element));
    Ok((
        head_office.ok_or(lacks(Element::CreditCode))?,
        settlement_account.ok_or(lacks(Element::SettlementAccount))?,
        place.ok_or(lacks(Element::Location))?,
    ))
}

/// `code_invalid` for what has ended; `invalid_request` for what cannot be a device; `terminal_elsewhere` for one that is not
/// where its store is.
pub fn check_device(device: &RedeemedActivation, store: &Place, expires_at: Timestamp, now: Timestamp) -> Result<(), Refusal> {
    if now >= expires_at {
        return Err(Code::CodeInvalid.into());
    }
    let serial = device.serial.as_bytes();
    if !(4..=40).contains(&serial.len()) || !serial.iter().all(|letter| letter.is_ascii_alphanumeric() || *letter == b'-') {
        return Err(Refusal::of_field(Code::InvalidRequest, "serial"));
    }
    if VerifyingKey::from_bytes(&device.public_key.0).is_err() {
        return Err(Refusal::of_field(Code::InvalidRequest, "public_key"));
    }
    check_position(device.latitude_e6, device.longitude_e6)?;
    let here = (device.latitude_e6, device.longitude_e6);
    if distance_m(here, (store.latitude_e6, store.longitude_e6)) > DISTANCE_MAX_M {
        return Err(Code::TerminalElsewhere.into());
    }
    Ok(())
}

/// Whether the device that was attested holds the key that it gave: `probe_invalid` if not, `code_invalid` if too late.
pub fn check_proof(
    terminal: TerminalId,
    nonce: &[u8; 32],
    public_key: &[u8; 32],
    signature: &[u8; 64],
    expires_at: Timestamp,
    now: Timestamp,
) -> Result<(), Refusal> {
    if now >= expires_at {
        return Err(Code::CodeInvalid.into());
    }
    let key = VerifyingKey::from_bytes(public_key).map_err(|_| Refusal::from(Code::ProbeInvalid))?;
    key.verify_strict(&attestation(terminal, nonce), &Signature::from_bytes(signature)).map_err(|_| Code::ProbeInvalid.into())
}

/// `invalid_request` unless this is a place on Earth, in millionths of a degree.
pub fn check_position(latitude_e6: i64, longitude_e6: i64) -> Result<(), Refusal> {
    for (value, max, field) in [(latitude_e6, 90_000_000, "latitude_e6"), (longitude_e6, 180_000_000, "longitude_e6")] {
        if !(-max..=max).contains(&value) {
            return Err(Refusal::of_field(Code::InvalidRequest, field));
        }
    }
    Ok(())
}

/// Metres between two places given in millionths of a degree: haversine on a sphere, wrong by half a per cent at most.
pub fn distance_m(one: (i64, i64), other: (i64, i64)) -> f64 {
    let radians = |e6: i64| (e6 as f64 / 1e6).to_radians();
    let (half_latitude, half_longitude) = (radians(other.0 - one.0) / 2.0, radians(other.1 - one.1) / 2.0);
    let chord = half_latitude.sin().powi(2) + radians(one.0).cos() * radians(other.0).cos() * half_longitude.sin().powi(2);
    2.0 * EARTH_RADIUS_M * chord.sqrt().min(1.0).asin()
}

#[cfg(test)]
mod tests;
