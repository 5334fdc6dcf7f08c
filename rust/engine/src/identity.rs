//! What makes two requests the same: canonical JSON (RFC 8785) and its digest.

use serde_json::Value;
use sha2::{Digest, Sha256};

/// The same text for the same value, however its source was laid out: keys sorted by UTF-16, numbers in the shortest form, no spaces.
///
/// RFC 8785 knows only the numbers of ECMAScript. Integers beyond those are kept digit by digit, so that two of them never become one.
pub fn canonical(value: &Value) -> String {
    let mut out = String::new();
    write(value, &mut out);
    out
}

/// The identity of a request under the `strict` strategy.
pub fn strict(namespace: &str, name: &str, version: &str, context: &Value) -> [u8; 32] {
    let mut digest = Sha256::new();
    for part in [namespace, name, version] {
        digest.update((part.len() as u64).to_be_bytes());
        digest.update(part.as_bytes());
    }
    digest.update(canonical(context).as_bytes());
    digest.finalize().into()
}

/// The identity of a request that brings an idempotency key: a key belongs to its template, whatever the version.
pub fn keyed(namespace: &str, name: &str, key: &str) -> [u8; 32] {
    let mut digest = Sha256::new();
    // What `strict` begins with is eight bytes of a length.
    digest.update(b"key\0");
    for part in [namespace, name, key] {
        digest.update((part.len() as u64).to_be_bytes());
        digest.update(part.as_bytes());
    }
    digest.finalize().into()
}

fn write(value: &Value, out: &mut String) {
    match value {
        Value::Null => out.push_str("null"),
        Value::Bool(flag) => out.push_str(if *flag { "true" } else { "false" }),
        Value::Number(number) => out.push_str(&canonical_number(&number.to_string())),
        Value::String(text) => write_text(text, out),
        Value::Array(items) => {
            out.push('[');
            for (index, item) in items.iter().enumerate() {
                if index > 0 {
                    out.push(',');
                }
                write(item, out);
            }
            out.push(']');
        }
        Value::Object(entries) => {
            let mut sorted: Vec<_> = entries.iter().collect();
            sorted.sort_by(|(a, _), (b, _)| a.encode_utf16().cmp(b.encode_utf16()));
            out.push('{');
            for (index, (key, item)) in sorted.into_iter().enumerate() {
                if index > 0 {
                    out.push(',');
                }
                write_text(key, out);
                out.push(':');
                write(item, out);
            }
            out.push('}');
        }
    }
}

fn write_text(text: &str, out: &mut String) {
    out.push_str(&serde_json::to_string(text).expect("text is always JSON"));
}

fn canonical_number(text: &str) -> String {
    if !text.contains(['.', 'e', 'E']) {
        return if text == "-0" { "0".into() } else { text.into() };
    }
    match text.parse::<f64>() {
        Ok(number) if number.is_finite() => ecmascript(number),
        _ => text.into(),
    }
}

/// A float as ECMAScript's `Number::toString` lays out its shortest digits.
fn ecmascript(number: f64) -> String {
    if number == 0.0 {
        return "0".into();
    }
    let sign = if number < 0.0 { "-" } else { "" };
    let scientific = format!("{:e}", number.abs());
    let (mantissa, exponent) = scientific.split_once('e').expect("the format has an exponent");
    let exponent: i32 = exponent.parse().expect("the exponent is a number");
    let digits = mantissa.replace('.', "");
    let count = digits.len() as i32;
    let point = exponent + 1;
    let layout = if count <= point && point <= 21 {
        format!("{digits}{}", "0".repeat((point - count) as usize))
    } else if 0 < point && point <= 21 {
        format!("{}.{}", &digits[..point as usize], &digits[point as usize..])
    } else if -6 < point && point <= 0 {
        format!("0.{}{digits}", "0".repeat(-point as usize))
    } else {
        let sign = if exponent < 0 { '-' } else { '+' };
        let fraction = if count == 1 { String::new() } else { format!(".{}", &digits[1..]) };
        format!("{}{fraction}e{sign}{}", &digits[..1], exponent.abs())
    };
    format!("{sign}{layout}")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn canon(text: &str) -> String {
        canonical(&serde_json::from_str(text).unwrap())
    }

    #[test]
    fn keys_are_sorted_and_space_is_dropped() {
        assert_eq!(
            canon(r#"{ "b" : [1, {"z":null,"a":true}], "a" : "x" }"#),
            r#"{"a":"x","b":[1,{"a":true,"z":null}]}"#
        );
    }

    #[test]
    fn keys_sort_by_utf16() {
        // U+1F600 is a surrogate pair, below U+FB33 in UTF-16 and above it in UTF-8
        assert_eq!(canon("{\"\u{fb33}\":1,\"\u{1f600}\":2}"), "{\"\u{1f600}\":2,\"\u{fb33}\":1}");
    }

    #[test]
    fn numbers_take_their_shortest_form() {
        let source =
            "[1.0,1e3,0.000001,1e-7,1e21,123e20,-0.0,-0,4.50,333333333.33333329,123456789012345678901234567890]";
        assert_eq!(
            canon(source),
            "[1,1000,0.000001,1e-7,1e+21,1.23e+22,0,0,4.5,333333333.3333333,123456789012345678901234567890]"
        );
    }

    #[test]
    fn identity_depends_on_all_its_parts() {
        let context = serde_json::json!({"a": 1});
        let base = strict("n", "t", "1.0.0", &context);
        assert_eq!(base, strict("n", "t", "1.0.0", &serde_json::json!({"a": 1})));
        assert_ne!(base, strict("nt", "", "1.0.0", &context));
        assert_ne!(base, strict("n", "t", "1.0.1", &context));
        assert_ne!(base, strict("n", "t", "1.0.0", &serde_json::json!({"a": 2})));
    }
}
