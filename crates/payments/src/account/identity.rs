//! How well somebody's identity was checked, and the class that follows (PBoC announcement 2015-43).

use std::collections::BTreeSet;

use wire::api::IdentityClass;
use wire::problem::Code;

use crate::refusal::Refusal;
use crate::rules::RulePack;

/// The channel of a check face to face.
pub const FACE_TO_FACE: &str = "face_to_face";
/// What a demonstration records: nobody was asked. It gives class II and counts as no channel.
pub const DEMO: &str = "demo";
/// Longest name of a channel in characters.
pub const CHANNEL_CHARS_MAX: usize = 32;

/// Whether staff may record a check by this channel: small letters, digits and `_`, such as `bank_card` or `face_to_face`, and not
/// `demo`, which is no check.
pub fn check_channel(channel: &str) -> Result<(), Refusal> {
    let plain = channel.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'_');
    let fits = plain && (1..=CHANNEL_CHARS_MAX).contains(&channel.len()) && channel != DEMO;
    if fits { Ok(()) } else { Err(Refusal::of_field(Code::InvalidRequest, "channel")) }
}

/// The class that checks by these channels give; the same channel counts once, and face to face stands for all. `None` if
/// they give none.
pub fn class_of<'a>(channels: impl IntoIterator<Item = &'a str>, rules: &RulePack) -> Option<IdentityClass> {
    let mut channels: BTreeSet<&str> = channels.into_iter().collect();
    if channels.contains(FACE_TO_FACE) {
        return Some(IdentityClass::III);
    }
    let demo = channels.remove(DEMO).then_some(IdentityClass::II);
    let count = u32::try_from(channels.len()).unwrap_or(u32::MAX);
    let classes = &rules.classes;
    let needs = [
        (IdentityClass::III, classes.class_3_channels_min),
        (IdentityClass::II, classes.class_2_channels_min),
        (IdentityClass::I, classes.class_1_channels_min),
    ];
    needs.into_iter().find(|(_, min)| count >= *min).map(|(class, _)| class).max(demo)
}

#[cfg(test)]
mod tests {
    use base::time::Timestamp;

    use super::*;
    use crate::rules::RuleBook;

    #[test]
    fn channels_make_classes() {
        let book = RuleBook::parse(include_str!("../../../../rules/cn.toml")).expect("sound");
        let rules = book.in_force(Timestamp::from_millis(1_795_000_000_000)).expect("in force");
        for (channels, class) in [
            (&[][..], None),
            (&["police"], Some(IdentityClass::I)),
            (&["police", "police", "police"], Some(IdentityClass::I)),
            (&["police", "bank_card"], Some(IdentityClass::I)),
            (&["police", "bank_card", "phone"], Some(IdentityClass::II)),
            (&["police", "bank_card", "phone", "tax"], Some(IdentityClass::II)),
            (&["police", "bank_card", "phone", "tax", "social_security"], Some(IdentityClass::III)),
            (&["face_to_face"], Some(IdentityClass::III)),
            (&["demo"], Some(IdentityClass::II)),
            (&["demo", "police", "bank_card", "phone", "tax"], Some(IdentityClass::II)),
        ] {
            assert_eq!(class_of(channels.iter().copied(), rules), class, "{channels:?}");
        }
    }

    #[test]
    fn what_can_name_a_channel() {
        for (channel, fits) in
            [("bank_card", true), ("face_to_face", true), ("demo", false), ("", false), ("Bank", false), ("bank card", false)]
        {
            assert_eq!(check_channel(channel).is_ok(), fits, "{channel}");
        }
        assert!(check_channel(&"x".repeat(CHANNEL_CHARS_MAX)).is_ok());
        assert!(check_channel(&"x".repeat(CHANNEL_CHARS_MAX + 1)).is_err());
    }
}
