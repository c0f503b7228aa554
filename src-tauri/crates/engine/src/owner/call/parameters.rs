//! What the backend puts behind the address that is called: `inviteParameters`.

use serde_json::Value;
use sidetone_api::Failure;
use sidetone_sip::message::Uri;

const FIELD: &str = "inviteParameters";
const MOST: usize = 16;
const LONGEST: usize = 256;
/// They say where a request goes, which `callee` does.
const RESERVED: [&str; 5] = ["transport", "maddr", "method", "ttl", "lr"];

/// Parameters of the Request-URI.
pub(super) type Parameters = Vec<(String, String)>;

/// # Errors
/// Where it is no object of short texts and numbers, or changes the way of the call.
pub(super) fn read(value: &Value) -> Result<Parameters, Failure> {
    let invalid = |words: &str| Failure::invalid(FIELD, format!("{FIELD}: {words}"));
    let Value::Object(given) = value else { return Err(invalid("an object of texts is expected")) };
    if given.len() > MOST {
        return Err(invalid(&format!("{MOST} are the most")));
    }
    let read_one = |(name, value): (&String, &Value)| {
        let text = match value {
            Value::String(text) => text.clone(),
            Value::Number(_) | Value::Bool(_) => value.to_string(),
            _ => return Err(invalid("texts and numbers are expected")),
        };
        let is_word = |text: &str| {
            let fits = |byte: u8| byte.is_ascii_alphanumeric() || b"-_.!~*'()[]/:&+$".contains(&byte);
            !text.is_empty() && text.len() <= LONGEST && text.bytes().all(fits)
        };
        match () {
            () if RESERVED.iter().any(|reserved| name.eq_ignore_ascii_case(reserved)) => {
                Err(invalid(&format!("{name} is not the backend's to say")))
            }
            () if !is_word(name) || !is_word(&text) => Err(invalid("a name or value cannot stand in a URI")),
            () => Ok((name.clone(), text)),
        }
    };
    given.iter().map(read_one).collect()
}

pub(super) fn put(parameters: &Parameters, uri: &mut Uri) {
    for (name, value) in parameters {
        uri.params.set(name, value.as_str());
    }
}

#[cfg(test)]
mod tests {
    use super::{put, read};
    use serde_json::json;
    use sidetone_sip::message::Uri;

    #[test]
    fn they_are_put_behind_the_address() {
        let mut uri = Uri::parse("sip:bob@example.com").unwrap();
        put(&read(&json!({"campaign": "spring", "line": 4})).unwrap(), &mut uri);
        assert_eq!(uri.to_string(), "sip:bob@example.com;campaign=spring;line=4");
    }

    #[test]
    fn what_would_change_the_way_or_the_request_is_refused() {
        for bad in [
            json!("x"),
            json!({"transport": "tcp"}),
            json!({"Maddr": "10.0.0.1"}),
            json!({"a b": "1"}),
            json!({"a": "1\r\nX: y"}),
            json!({"a": "1;b=2"}),
            json!({"a": {}}),
            json!({"": "1"}),
            json!({"a": "x".repeat(300)}),
        ] {
            assert_eq!(read(&bad).unwrap_err().field.as_deref(), Some("inviteParameters"), "{bad}");
        }
    }
}
