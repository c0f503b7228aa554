//! Views and settings.

use super::{REDACTED, is_secret_name, text};
use serde_json::Value;

/// What people write to each other, keys that are pressed, descriptions of media with their keys: how long it was is left.
const PRIVATE: [&str; 7] = ["body", "payload", "dtmf", "digit", "digits", "note", "sdp"];
/// Beyond it a hostile document would take the stack.
const DEEPEST: usize = 32;

pub(crate) fn json(value: Value, secrets: &[String]) -> Value {
    walk(value, secrets, 0)
}

fn walk(value: Value, secrets: &[String], depth: usize) -> Value {
    match value {
        Value::String(string) => Value::String(text(&string, secrets)),
        Value::Array(_) | Value::Object(_) if depth >= DEEPEST => Value::String(REDACTED.into()),
        Value::Array(items) => items.into_iter().map(|item| walk(item, secrets, depth + 1)).collect(),
        Value::Object(fields) => {
            // A header that an account adds: its name is in one field and its value in the next.
            let names_secret = fields.get("name").and_then(Value::as_str).is_some_and(is_secret_header);
            let field = |(name, value): (String, Value)| {
                let is_value = names_secret && name == "value";
                let clean = match value {
                    Value::String(string) if string.is_empty() => Value::String(string),
                    Value::Bool(_) | Value::Null => value,
                    _ if is_value || is_secret_name(&name) => Value::String(REDACTED.into()),
                    Value::String(string) if PRIVATE.contains(&name.as_str()) => {
                        Value::String(format!("{} bytes, {REDACTED}", string.len()))
                    }
                    Value::Object(_) | Value::Array(_) if PRIVATE.contains(&name.as_str()) => {
                        Value::String(REDACTED.into())
                    }
                    value => walk(value, secrets, depth + 1),
                };
                (name, clean)
            };
            Value::Object(fields.into_iter().map(field).collect())
        }
        value => value,
    }
}

fn is_secret_header(name: &str) -> bool {
    is_secret_name(name) || name.to_ascii_lowercase().contains("auth")
}

#[cfg(test)]
mod tests {
    use super::json;
    use serde_json::json as value;

    #[test]
    fn fields_that_are_secret_or_private_lose_their_value() {
        let before = value!({
            "password": "hunter22", "passwordKept": true, "aor": "sip:ann@pbx.example", "authToken": "hunter22",
            "headers": [{"name": "X-Auth-Key", "value": "hunter22"}, {"name": "X-Queue", "value": "sales"}],
            "messages": [{"body": "hunter22"}], "dtmf": "1234", "info": "call with correct horse",
        });
        let after = json(before, &["correct horse".into()]);
        let expected = value!({
            "password": "redacted", "passwordKept": true, "aor": "sip:ann@pbx.example", "authToken": "redacted",
            "headers": [{"name": "X-Auth-Key", "value": "redacted"}, {"name": "X-Queue", "value": "sales"}],
            "messages": [{"body": "8 bytes, redacted"}], "dtmf": "4 bytes, redacted", "info": "call with redacted",
        });
        assert_eq!(after, expected);
    }

    #[test]
    fn a_deep_document_is_cut() {
        let deep = (0..200).fold(value!("x"), |inner, _| value!([inner]));
        assert!(json(deep, &[]).to_string().contains("redacted"));
    }
}
