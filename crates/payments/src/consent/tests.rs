//! The texts are complete, apart, and found by their hash.

use super::*;

#[test]
fn every_purpose_has_its_own_text_in_both_languages() {
    for locale in ["zh", "en"] {
        let texts = current_texts(locale).expect("a known locale");
        assert_eq!(texts.iter().map(|text| text.purpose).collect::<Vec<_>>(), PURPOSES);
        for text in &texts {
            assert!(text.text.len() > 200, "{:?} in {locale} says something", text.purpose);
            assert_eq!(version_of(text.purpose, &text.text_sha256), Ok("2026-11-01"));
            assert!(
                PURPOSES.iter().filter(|purpose| version_of(**purpose, &text.text_sha256).is_ok()).count() == 1,
                "one text, one purpose"
            );
        }
    }
    assert_eq!(current_texts("fr").map(|_| ()), Err(Refusal::of_field(Code::InvalidRequest, "locale")));
}

#[test]
fn what_stands() {
    let current = current_texts("zh").expect("known")[0].text_sha256;
    let old = HexArray([9; 32]);
    for (last, code) in [
        (None, Some(Code::ConsentMissing)),
        (Some((&current, false)), Some(Code::ConsentMissing)),
        (Some((&old, true)), Some(Code::ConsentOutdated)),
        (Some((&current, true)), None),
    ] {
        assert_eq!(check_standing(ConsentPurpose::Payment, last).err().map(|refusal| refusal.code), code);
    }
    assert!(check_standing(ConsentPurpose::Marketing, Some((&current, true))).is_err(), "payment's text allows no marketing");
}
