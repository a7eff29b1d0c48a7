//! Many made-up shoppers at once, so that a demonstration searches a real crowd: each gets an account, money and a
//! record, and all their templates go to the parties as one change.

use std::collections::HashSet;

use base::id::{AccountId, EnrolmentId, RecordId};
use base::time::Timestamp;
use mpc::token::Token;
use rand_core::{CryptoRng, Rng};
use sha2::{Digest, Sha256};
use store::crowd::CrowdMember;
use store::gallery::NewToken;
use store::setup::Terminal;
use wire::bytes::HexArray;
use wire::probe::{Purpose, SealedProbe};
use wire::problem::Code;

use crate::app::{SharedApp, rng};
use crate::labels::phone_suffix;
use crate::problem::{Answer, Refused};

/// Largest crowd of one change.
pub const CROWD_MAX: u32 = 10_000;
/// Features of a face template (SFace, `docs/capture.md`). Parties refuse a change with any other number, and a refused
/// change would hold up all that come after it, so the platform looks first.
pub const DIMENSIONS: u16 = 128;
/// A crowd's probe may not be valid for longer: used nonces are remembered for a day.
const LIFETIME_MS_MAX: u64 = 600_000;
/// What each member has in the wallet, in minor units: 1,000 CNY.
const BALANCE_MINOR: i64 = 100_000;

/// Takes the sealed templates of `count` made-up shoppers and queues them for the parties.
///
/// # Errors
/// `invalid_request` unless `count` is 1 to [`CROWD_MAX`]; `probe_mismatch` unless the probe holds as many;
/// `probe_invalid`, `challenge_expired`, `probe_replayed`.
pub async fn enrol(app: &SharedApp, terminal: &Terminal, probe: SealedProbe, count: u32) -> Answer<u64> {
    if count == 0 || count > CROWD_MAX {
        return Err(Refused::at(Code::InvalidRequest, "count"));
    }
    if count != probe.context.templates {
        return Err(Code::ProbeMismatch.into());
    }
    let now = app.now();
    if probe.context.purpose != Purpose::Enrol || probe.context.terminal != terminal.details.id {
        return Err(Code::ProbeMismatch.into());
    }
    if probe.context.dimensions != DIMENSIONS {
        return Err(Code::ProbeInvalid.into());
    }
    probe.verify(&terminal.public_key).map_err(|_| Code::ProbeInvalid)?;
    if probe.context.expires_at <= now || probe.context.expires_at > now.plus_millis(LIFETIME_MS_MAX) {
        return Err(Code::ChallengeExpired.into());
    }
    let mut phones = HashSet::new();
    let members = (0..count).map(|_| member(app, &mut phones, now)).collect::<Vec<_>>();
    app.with_store(move |store| store.insert_crowd(&members, BALANCE_MINOR, &probe, &mut rng(), now)).await?;
    app.gallery_changed.notify_one();
    Ok(app.with_store(|store| store.gallery_sequence()).await?.queued)
}

fn member(app: &SharedApp, phones: &mut HashSet<String>, now: Timestamp) -> CrowdMember {
    let phone = loop {
        let phone = format!("1{:010}", rng().next_u64() % 10_000_000_000);
        if phones.insert(phone.clone()) {
            break phone;
        }
    };
    CrowdMember {
        account: AccountId::new(now, &mut rng()),
        enrolment: EnrolmentId::new(now, &mut rng()),
        phone_part: phone_suffix(&app.label_secret, &phone[7..]),
        phone,
        token: new_token(now, &mut rng()),
    }
}

/// A fresh record with a fresh random token.
pub fn new_token(now: Timestamp, rng: &mut dyn CryptoRng) -> NewToken {
    let mut token = Token::default();
    // Zero means that nobody was found.
    while token == Token::default() {
        rng.fill_bytes(&mut token);
    }
    NewToken { record: RecordId::new(now, rng), token: HexArray(token), token_sha256: Sha256::digest(token).into() }
}
