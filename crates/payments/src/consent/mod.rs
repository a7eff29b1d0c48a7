//! Consents: versioned texts in Chinese and English, one for each purpose and none bundled with another.

use sha2::{Digest, Sha256};
use wire::api::{ConsentPurpose, ConsentText};
use wire::bytes::HexArray;
use wire::problem::Code;

use crate::refusal::Refusal;

/// All purposes.
pub const PURPOSES: [ConsentPurpose; 4] =
    [ConsentPurpose::Payment, ConsentPurpose::Membership, ConsentPurpose::Improvement, ConsentPurpose::Marketing];

/// One text: purpose, version, locale, words. A changed text is a new file with a new version; old files stay, because
/// consents on record point to their hashes.
struct Text {
    purpose: ConsentPurpose,
    version: &'static str,
    locale: &'static str,
    words: &'static str,
}

const fn text(purpose: ConsentPurpose, locale: &'static str, words: &'static str) -> Text {
    Text { purpose, version: "2026-11-01", locale, words }
}

/// The current texts.
const CURRENT: [Text; 8] = [
    text(ConsentPurpose::Payment, "zh", include_str!("../../texts/payment.2026-11-01.zh.md")),
    text(ConsentPurpose::Payment, "en", include_str!("../../texts/payment.2026-11-01.en.md")),
    text(ConsentPurpose::Membership, "zh", include_str!("../../texts/membership.2026-11-01.zh.md")),
    text(ConsentPurpose::Membership, "en", include_str!("../../texts/membership.2026-11-01.en.md")),
    text(ConsentPurpose::Improvement, "zh", include_str!("../../texts/improvement.2026-11-01.zh.md")),
    text(ConsentPurpose::Improvement, "en", include_str!("../../texts/improvement.2026-11-01.en.md")),
    text(ConsentPurpose::Marketing, "zh", include_str!("../../texts/marketing.2026-11-01.zh.md")),
    text(ConsentPurpose::Marketing, "en", include_str!("../../texts/marketing.2026-11-01.en.md")),
];

fn sha256(words: &str) -> HexArray<32> {
    HexArray(Sha256::digest(words.as_bytes()).into())
}

/// The current texts in `locale` (`zh` or `en`), one for each purpose; `invalid_request` for another locale.
pub fn current_texts(locale: &str) -> Result<Vec<ConsentText>, Refusal> {
    let texts: Vec<ConsentText> = CURRENT
        .iter()
        .filter(|text| text.locale == locale)
        .map(|text| ConsentText {
            purpose: text.purpose,
            version: text.version.into(),
            locale: text.locale.into(),
            text: text.words.into(),
            text_sha256: sha256(text.words),
        })
        .collect();
    if texts.is_empty() { Err(Refusal::of_field(Code::InvalidRequest, "locale")) } else { Ok(texts) }
}

/// The version of the current text of `purpose` with this hash; `consent_outdated` if it is not a current one.
pub fn version_of(purpose: ConsentPurpose, text_sha256: &HexArray<32>) -> Result<&'static str, Refusal> {
    CURRENT
        .iter()
        .find(|text| text.purpose == purpose && sha256(text.words) == *text_sha256)
        .map(|text| text.version)
        .ok_or(Refusal::of_field(Code::ConsentOutdated, "text_sha256"))
}

/// Whether the last decision on record allows what `purpose` covers: `consent_missing` without one or after a
/// withdrawal, `consent_outdated` if another text was shown.
pub fn check_standing(purpose: ConsentPurpose, last: Option<(&HexArray<32>, bool)>) -> Result<(), Refusal> {
    match last {
        Some((text_sha256, true)) => version_of(purpose, text_sha256).map(|_| ()).map_err(|refusal| refusal.code.into()),
        _ => Err(Code::ConsentMissing.into()),
    }
}

/// The stable name of a purpose in storage.
pub const fn purpose_name(purpose: ConsentPurpose) -> &'static str {
    match purpose {
        ConsentPurpose::Payment => "payment",
        ConsentPurpose::Membership => "membership",
        ConsentPurpose::Improvement => "improvement",
        ConsentPurpose::Marketing => "marketing",
    }
}

#[cfg(test)]
mod tests;
