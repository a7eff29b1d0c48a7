//! Whole numbers as JSON Schema understands them: `3650.0` and `3.65e3` are the integer 3650 (JSON Schema 2020-12, section
//! 6.1.1 of the validation part). Some languages write them so.

/// Up to here every whole number is a double of its own.
const EXACT_MAX: f64 = 9_007_199_254_740_991.0;

/// `json` with every whole number that is written with a fraction or an exponent written plainly; `None` if there is none.
pub fn whole(json: &[u8]) -> Option<Vec<u8>> {
    let mut plain = Vec::with_capacity(json.len());
    let mut changed = false;
    let mut at = 0;
    while at < json.len() {
        let len = match json[at] {
            b'"' => string_len(&json[at..]),
            b'-' | b'0'..=b'9' => number_len(&json[at..]),
            _ => 1,
        };
        let token = &json[at..at + len];
        match integer(token) {
            Some(number) => {
                plain.extend_from_slice(number.to_string().as_bytes());
                changed = true;
            }
            None => plain.extend_from_slice(token),
        }
        at += len;
    }
    changed.then_some(plain)
}

/// Bytes of the text that begins here, with both its quotes; all of them if it does not end.
fn string_len(json: &[u8]) -> usize {
    let mut escaped = false;
    for (at, byte) in json.iter().enumerate().skip(1) {
        match byte {
            b'"' if !escaped => return at + 1,
            b'\\' => escaped = !escaped,
            _ => escaped = false,
        }
    }
    json.len()
}

fn number_len(json: &[u8]) -> usize {
    json.iter().take_while(|byte| matches!(byte, b'0'..=b'9' | b'-' | b'+' | b'.' | b'e' | b'E')).count()
}

/// The integer that `token` is, if it is a number with a fraction or an exponent.
fn integer(token: &[u8]) -> Option<i64> {
    let is_plain = token[0] == b'"' || !token.iter().any(|byte| matches!(byte, b'.' | b'e' | b'E'));
    if is_plain {
        return None;
    }
    let number: f64 = serde_json::from_slice(token).ok()?;
    (number.fract() == 0.0 && number.abs() <= EXACT_MAX).then_some(number as i64)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn only_whole_numbers_outside_of_texts_change() {
        for (json, expected) in [
            (r#"{"a":3650.0}"#, Some(r#"{"a":3650}"#)),
            (r#"[1e3,-2.50E+2,-0.0]"#, Some("[1000,-250,0]")),
            (r#"{"a":1.5,"b":7}"#, None),
            (r#"{"1.0":"2.0 \" 3.0"}"#, None),
            (r#"{"a":9007199254740993.0}"#, None),
            (r#"{"a":1.0.0}"#, None),
            (r#"{"open"#, None),
        ] {
            let found = whole(json.as_bytes()).map(|plain| String::from_utf8(plain).expect("text"));
            assert_eq!(found.as_deref(), expected, "{json}");
        }
    }

    proptest! {
        #[test]
        fn any_bytes_are_read_without_a_panic(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
            whole(&bytes);
        }
    }
}
