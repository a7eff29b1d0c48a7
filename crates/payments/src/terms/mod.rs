//! The terms of paying, as versioned texts. Their hash stands on every payment, so that nobody can say later that other
//! terms held.

use std::sync::LazyLock;

use sha2::{Digest, Sha256};
use wire::bytes::HexArray;
use wire::dispute::Terms;
use wire::problem::Code;

use crate::refusal::Refusal;

/// One version in both languages. A changed text is a new version; old ones stay, because receipts point to their hashes.
struct Version {
    name: &'static str,
    /// The text that binds.
    zh: &'static str,
    /// Its translation.
    en: &'static str,
}

/// All versions, the current one last.
const VERSIONS: [Version; 1] = [Version {
    name: "2026-11-01",
    zh: include_str!("../../texts/terms.2026-11-01.zh.md"),
    en: include_str!("../../texts/terms.2026-11-01.en.md"),
}];

fn current() -> &'static Version {
    VERSIONS.last().expect("there is one")
}

/// SHA-256 of the current terms: of the Chinese text, which binds.
pub fn current_sha256() -> HexArray<32> {
    // Each payment bears it, and the text is long.
    static HASH: LazyLock<HexArray<32>> = LazyLock::new(|| HexArray(Sha256::digest(current().zh.as_bytes()).into()));
    *HASH
}

/// The current terms in `locale` (`zh` or `en`); `invalid_request` for another.
pub fn current_text(locale: &str) -> Result<Terms, Refusal> {
    let text = match locale {
        "zh" => current().zh,
        "en" => current().en,
        _ => return Err(Refusal::of_field(Code::InvalidRequest, "locale")),
    };
    Ok(Terms { version: current().name.into(), locale: locale.into(), text: text.into(), terms_sha256: current_sha256() })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_binding_text_has_the_hash_that_receipts_bear() {
        let zh = current_text("zh").expect("there is one");
        assert_eq!(HexArray(Sha256::digest(zh.text.as_bytes()).into()), zh.terms_sha256);
        let en = current_text("en").expect("there is one");
        assert_eq!((en.terms_sha256, en.version), (zh.terms_sha256, zh.version));
        assert_ne!(en.text, zh.text);
        assert!(current_text("fr").is_err());
    }

    #[test]
    fn a_version_that_was_ever_in_force_never_changes() {
        // Receipts point to these hashes. A changed text is a new version with its own line.
        let hashes = VERSIONS.map(|version| base::hash::hex(&Sha256::digest(version.zh.as_bytes())));
        assert_eq!(hashes, ["1a0874c117fd5b11e54a342a573d361cf3c68dfa268ba934ae62f1255298dbfd"]);
    }
}
