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

#[test]
fn an_old_text_is_found_and_no_longer_enough() {
    let texts = Texts(&[
        text(ConsentPurpose::Payment, "1", "zh", "old words"),
        text(ConsentPurpose::Payment, "1", "en", "old words, translated"),
        text(ConsentPurpose::Marketing, "1", "zh", "other words"),
        text(ConsentPurpose::Payment, "2", "zh", "new words"),
    ]);
    let hash = |words: &str| HexArray(Sha256::digest(words.as_bytes()).into());
    let newest = texts.current(ConsentPurpose::Payment, "zh").expect("there is one");
    assert_eq!((newest.version, newest.words), ("2", "new words"));
    assert_eq!(texts.with(&hash("old words")).expect("it stays").version, "1");
    for (purpose, words, version) in [
        (ConsentPurpose::Payment, "old words", None),
        (ConsentPurpose::Payment, "new words", Some("2")),
        // Of this language there is no newer one yet.
        (ConsentPurpose::Payment, "old words, translated", Some("1")),
        (ConsentPurpose::Marketing, "new words", None),
        (ConsentPurpose::Marketing, "other words", Some("1")),
    ] {
        assert_eq!(texts.current_with(purpose, &hash(words)).map(|text| text.version), version, "{purpose:?}: {words}");
    }
}

#[test]
fn a_text_that_was_ever_shown_never_changes() {
    // Consents on record point to these hashes. A changed text is a new version with its own line.
    let hashes: Vec<String> = TEXTS.0.iter().map(|text| base::hash::hex(&text.sha256().0[..4])).collect();
    assert_eq!(hashes, ["4fcd21f1", "98f5eff0", "f002cd20", "d218d057", "026f76d1", "b6bd9e8c", "6f1115df", "3726d554"]);
    assert_eq!(text_with(&TEXTS.0[0].sha256()).expect("shown").text, TEXTS.0[0].words);
    assert!(text_with(&HexArray([9; 32])).is_err());
}
