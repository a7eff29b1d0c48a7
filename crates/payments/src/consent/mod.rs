//! Consents: versioned texts in Chinese and English, one for each purpose and none bundled with another.

use sha2::{Digest, Sha256};
use wire::api::{ConsentPurpose, ConsentText};
use wire::bytes::HexArray;
use wire::problem::Code;

use crate::refusal::Refusal;

/// All purposes.
pub const PURPOSES: [ConsentPurpose; 4] =
    [ConsentPurpose::Payment, ConsentPurpose::Membership, ConsentPurpose::Improvement, ConsentPurpose::Marketing];

/// One text: purpose, version, locale, words.
struct Text {
    purpose: ConsentPurpose,
    version: &'static str,
    locale: &'static str,
    words: &'static str,
}

/// Every text that was ever shown, the newest version of each purpose and locale last. A changed text is a new file and a
/// new line here; old ones stay, because consents on record point to their hashes.
struct Texts<'a>(&'a [Text]);

const fn text(purpose: ConsentPurpose, version: &'static str, locale: &'static str, words: &'static str) -> Text {
    Text { purpose, version, locale, words }
}

const TEXTS: Texts = Texts(&[
    text(ConsentPurpose::Payment, "2026-11-01", "zh", include_str!("../../texts/payment.2026-11-01.zh.md")),
    text(ConsentPurpose::Payment, "2026-11-01", "en", include_str!("../../texts/payment.2026-11-01.en.md")),
    text(ConsentPurpose::Membership, "2026-11-01", "zh", include_str!("../../texts/membership.2026-11-01.zh.md")),
    text(ConsentPurpose::Membership, "2026-11-01", "en", include_str!("../../texts/membership.2026-11-01.en.md")),
    text(ConsentPurpose::Improvement, "2026-11-01", "zh", include_str!("../../texts/improvement.2026-11-01.zh.md")),
    text(ConsentPurpose::Improvement, "2026-11-01", "en", include_str!("../../texts/improvement.2026-11-01.en.md")),
    text(ConsentPurpose::Marketing, "2026-11-01", "zh", include_str!("../../texts/marketing.2026-11-01.zh.md")),
    text(ConsentPurpose::Marketing, "2026-11-01", "en", include_str!("../../texts/marketing.2026-11-01.en.md")),
]);

impl Text {
    fn sha256(&self) -> HexArray<32> {
        HexArray(Sha256::digest(self.words.as_bytes()).into())
    }

    fn shown(&self) -> ConsentText {
        ConsentText {
            purpose: self.purpose,
            version: self.version.into(),
            locale: self.locale.into(),
            text: self.words.into(),
            text_sha256: self.sha256(),
        }
    }
}

impl Texts<'_> {
    /// The newest text of `purpose` in `locale`.
    fn current(&self, purpose: ConsentPurpose, locale: &str) -> Option<&Text> {
        self.0.iter().rfind(|text| text.purpose == purpose && text.locale == locale)
    }

    /// The text of this hash, of whatever age.
    fn with(&self, text_sha256: &HexArray<32>) -> Option<&Text> {
        self.0.iter().find(|text| text.sha256() == *text_sha256)
    }

    /// The text of this hash if it is a current one of `purpose`.
    fn current_with(&self, purpose: ConsentPurpose, text_sha256: &HexArray<32>) -> Option<&Text> {
        let found = self.with(text_sha256).filter(|text| text.purpose == purpose)?;
        self.current(purpose, found.locale).filter(|newest| newest.version == found.version)
    }
}

/// The current texts in `locale` (`zh` or `en`), one for each purpose; `invalid_request` for another locale.
pub fn current_texts(locale: &str) -> Result<Vec<ConsentText>, Refusal> {
    let texts: Vec<ConsentText> = PURPOSES.into_iter().filter_map(|purpose| TEXTS.current(purpose, locale)).map(Text::shown).collect();
    if texts.is_empty() { Err(Refusal::of_field(Code::InvalidRequest, "locale")) } else { Ok(texts) }
}

/// The text with this hash, of whatever age; `not_found` if no such text was ever shown. For whoever asks later what was
/// consented to.
pub fn text_with(text_sha256: &HexArray<32>) -> Result<ConsentText, Refusal> {
    TEXTS.with(text_sha256).map(Text::shown).ok_or(Code::NotFound.into())
}

/// The version of the current text of `purpose` with this hash; `consent_outdated` if it is not a current one.
pub fn version_of(purpose: ConsentPurpose, text_sha256: &HexArray<32>) -> Result<&'static str, Refusal> {
    TEXTS.current_with(purpose, text_sha256).map(|text| text.version).ok_or(Refusal::of_field(Code::ConsentOutdated, "text_sha256"))
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
