//! API keys as texts: `sk_test_…` and `sk_live_…`, and when they were last used.

use store::api_key::NewKey;
use wire::merchant::Mode;

use crate::app::{App, SharedApp, random};
use crate::auth::KeyHolder;
use crate::token_sha256;

/// Between two notes of a key's use, in milliseconds.
const NOTE_EVERY_MS: u64 = 60_000;
/// Characters of a key that its owner sees later.
const HINT_LEN: usize = 4;

/// A key, to be shown once.
pub struct Fresh {
    /// The key itself.
    pub secret: String,
    /// What the store keeps of it.
    pub kept: NewKey,
}

/// A fresh key of `mode` that its merchant calls `name`: 32 random bytes behind the prefix.
pub fn fresh(app: &App, mode: Mode, name: String) -> Fresh {
    let secret = format!("{}{}", prefix(mode), base::hash::hex(&random::<32>()));
    let hint = secret[secret.len() - HINT_LEN..].to_owned();
    let kept = NewKey { id: app.new_id(base::id::ApiKeyId::new), name, secret_sha256: token_sha256(&secret), hint };
    Fresh { secret, kept }
}

/// What keys of `mode` begin with.
pub const fn prefix(mode: Mode) -> &'static str {
    match mode {
        Mode::Test => "sk_test_",
        Mode::Live => "sk_live_",
    }
}

/// What a key says that it opens.
pub fn mode_of(key: &str) -> Option<Mode> {
    [Mode::Test, Mode::Live].into_iter().find(|mode| key.starts_with(prefix(*mode)))
}

/// Notes that a key was used, at most once a minute: a leaked key shows by its use.
pub async fn note_use(app: &SharedApp, holder: KeyHolder) {
    let now = app.now();
    let is_due = {
        let mut noted = app.keys_noted.lock().expect("nobody panics while holding this lock");
        let recent = noted.get(&holder.key).is_some_and(|at| now.millis_since(*at) < NOTE_EVERY_MS);
        if !recent {
            noted.insert(holder.key, now);
        }
        !recent
    };
    if is_due {
        // What went wrong is logged where it happened; the request goes on.
        let _ = app.with_store_of(holder.mode, move |store| store.note_key_use(holder.key, now)).await;
    }
}
