//! Passkeys at the edge: asking devices, and verifying what they answer. Which challenge is for what, and that it is answered
//! once, [`payments::passkey`] and the store settle, in the transaction of what is approved.
//!
//! For a subject of any kind: [`ask_to_register`], then [`registered`], bind a device; [`ask_to_answer`], then [`answered`], sign
//! in or approve. The store's use case takes what the second of each returns.

mod base64url;
pub mod ceremony;

use payments::passkey::{Action, Subject, SubjectKind};
use serde_json::json;
use store::passkey::{Answered, NewChallenge, Registered};
use wire::passkey::{Assertion, Attestation, PasskeyRequest};
use wire::problem::Code;

use crate::app::SharedApp;
use crate::problem::Answer;
use ceremony::Asked;

/// What a new device of `subject` is asked. The device shows `name` and `display_name` to its owner.
///
/// # Errors
/// What the store refuses.
pub async fn ask_to_register(app: &SharedApp, subject: Subject, name: &str, display_name: &str) -> Answer<PasskeyRequest> {
    let bound = app.with_store(move |store| store.credentials_of(subject)).await?;
    let asked = app.relying_party.ask_to_register(subject, name, display_name, &bound)?;
    open(app, subject.kind, Some(subject), Action::register(), asked).await
}

/// What a bound device is asked for `action`: one of `subject`'s, or, without, whichever of this kind its owner picks.
///
/// # Errors
/// `device_missing` if `subject` has none; what the store refuses.
pub async fn ask_to_answer(app: &SharedApp, kind: SubjectKind, subject: Option<Subject>, action: Action) -> Answer<PasskeyRequest> {
    let bound = match subject {
        Some(subject) => app.with_store(move |store| store.credentials_of(subject)).await?,
        None => Vec::new(),
    };
    if subject.is_some() && bound.is_empty() {
        return Err(Code::DeviceMissing.into());
    }
    let asked = app.relying_party.ask_to_answer(&bound)?;
    open(app, kind, subject, action, asked).await
}

async fn open(app: &SharedApp, kind: SubjectKind, subject: Option<Subject>, action: Action, asked: Asked) -> Answer<PasskeyRequest> {
    let now = app.now();
    let Asked { challenge, mut public_key, state } = asked;
    let lifetime_ms = app
        .with_store(move |store| {
            let lifetime_ms = store.rules(now)?.devices.approval_lifetime_s * 1000;
            let expires_at = now.plus_millis(lifetime_ms);
            store.open_challenge(&NewChallenge { challenge, kind, subject, action, state, expires_at }, now)?;
            Ok(lifetime_ms)
        })
        .await?;
    public_key["timeout"] = json!(lifetime_ms);
    Ok(PasskeyRequest { public_key, expires_at: now.plus_millis(lifetime_ms) })
}

/// What a new device answered, verified.
///
/// # Errors
/// `passkey_invalid`, `passkey_origin`, `approval_expired`, `approval_mismatch`.
pub async fn registered(app: &SharedApp, attestation: Attestation) -> Answer<Registered> {
    let challenge = ceremony::challenge_of(&attestation.client_data_json)?;
    let state = app.with_store(move |store| store.challenge_state(&challenge)).await?;
    app.relying_party.verify_registration(challenge, &state, &attestation)
}

/// What a bound device answered, verified.
///
/// # Errors
/// `passkey_invalid`, `passkey_origin`, `passkey_unknown`, `approval_expired`, `approval_mismatch`.
pub async fn answered(app: &SharedApp, assertion: Assertion) -> Answer<Answered> {
    let challenge = ceremony::challenge_of(&assertion.client_data_json)?;
    let credential = ceremony::credential_of(&assertion)?;
    let id = credential.clone();
    let (state, known) = app.with_store(move |store| Ok((store.challenge_state(&challenge)?, store.credential(&id)?))).await?;
    app.relying_party.verify_answer(challenge, &state, credential, &known, &assertion)
}
