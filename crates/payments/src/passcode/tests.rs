//! Tables of weak passcodes and of the ladder; the hash.

use super::*;

fn secret(text: &str) -> Secret<String> {
    Secret::new(text.to_owned())
}

#[test]
fn which_passcodes_may_be_chosen() {
    for (passcode, code) in [
        ("493817", None),
        ("705284", None),
        ("860597", None),
        ("111111", Some(Code::PasscodeWeak)),
        ("121212", Some(Code::PasscodeWeak)),
        ("507507", Some(Code::PasscodeWeak)),
        ("123321", Some(Code::PasscodeWeak)),
        ("677676", Some(Code::PasscodeWeak)),
        ("123456", Some(Code::PasscodeWeak)),
        ("654321", Some(Code::PasscodeWeak)),
        ("890123", Some(Code::PasscodeWeak)),
        ("135791", Some(Code::PasscodeWeak)),
        ("112233", Some(Code::PasscodeWeak)),
        ("900214", Some(Code::PasscodeWeak)), // 1990-02-14
        ("310588", Some(Code::PasscodeWeak)), // 31 May 1988
        ("053188", Some(Code::PasscodeWeak)), // May 31 1988
        ("198512", Some(Code::PasscodeWeak)), // December 1985
        ("122003", Some(Code::PasscodeWeak)), // 12/2003
        ("493870", None),
        ("49381", Some(Code::InvalidRequest)),
        ("4938177", Some(Code::InvalidRequest)),
        ("49381a", Some(Code::InvalidRequest)),
        ("４９３８１７", Some(Code::InvalidRequest)),
        ("", Some(Code::InvalidRequest)),
    ] {
        assert_eq!(check_new(&secret(passcode)).err().map(|refusal| refusal.code), code, "{passcode}");
    }
}

#[test]
fn not_too_many_passcodes_are_lost_to_the_rules() {
    let weak =
        (0..1_000_000_u32).filter(|number| weak::is_weak(std::array::from_fn(|at| (number / 10_u32.pow(at as u32) % 10) as u8))).count();
    assert!((50_000..150_000).contains(&weak), "{weak}");
}

#[test]
fn five_wrong_tries_lock_for_longer_and_longer() {
    let rules = PasscodeRules { wrong_max: 5, lock_minutes: vec![15, 60, 1440] };
    let minute = 60_000;
    let mut ladder = Ladder::default();
    let mut now = Timestamp::from_millis(1_000);
    for lock_minutes in [15, 60, 1440, 1440] {
        for left in (0..5).rev() {
            assert!(!ladder.is_locked(now));
            assert_eq!(ladder.attempts_left(&rules, now), left + 1);
            ladder = ladder.after_try(false, &rules, now);
        }
        assert!(ladder.is_locked(now));
        assert_eq!(ladder.attempts_left(&rules, now), 0);
        assert!(ladder.is_locked(now.plus_millis(lock_minutes * minute - 1)));
        now = now.plus_millis(lock_minutes * minute);
    }
    assert_eq!(ladder.after_try(false, &rules, now).after_try(true, &rules, now), Ladder::default());
}

#[test]
fn the_hash_fits_its_passcode_and_pepper_only() {
    let hasher = PasscodeHasher::new(Secret::new([7; 32]));
    let hash = hasher.hash(&secret("493817"), &[1; 16]);
    assert!(hash.expose().starts_with("$argon2id$v=19$m=19456,t=2,p=1$"), "the parameters are part of it");
    assert!(!hash.expose().contains("493817"));
    assert_ne!(hash.expose(), hasher.hash(&secret("493817"), &[2; 16]).expose());
    assert!(hasher.verify(&secret("493817"), Some(&hash)));
    assert!(!hasher.verify(&secret("493818"), Some(&hash)));
    assert!(!hasher.verify(&secret("493817"), None));
    assert!(!PasscodeHasher::new(Secret::new([8; 32])).verify(&secret("493817"), Some(&hash)));
}
