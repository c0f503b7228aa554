//! Commands and answers as lines of JSON: the same on the UI socket and on the command line's `phone`.
//!
//! A request is `{"id": 1, "command": {"command": "answer", "callId": "c1"}}`, or flat,
//! `{"id": 1, "command": "answer", "callId": "c1"}`. `id` is a number or a short text and comes back as it was; it may be
//! absent.

use serde::Serialize;
use serde_json::{Map, Value};
use sidetone_api::{Command, Failure, Reply, Snapshot};

/// Longest text of an `id`.
const MAX_ID: usize = 128;

/// A request, or what was wrong with it, and the id to answer with.
#[derive(Debug)]
pub struct Request {
    pub id: Option<Value>,
    pub command: Result<Command, Failure>,
}

impl Request {
    /// Reads one line. A failure names the key that is wrong.
    pub fn parse(text: &str) -> Self {
        match serde_json::from_str(text) {
            Ok(Value::Object(mut object)) => {
                let (id, valid) = take_id(&mut object);
                Self { id, command: valid.and_then(|()| command(object)) }
            }
            Ok(_) => Self::refused("a request is a JSON object"),
            Err(error) => Self::refused(format!("this is not JSON: {error}")),
        }
    }

    fn refused(message: impl Into<String>) -> Self {
        Self { id: None, command: Err(Failure::invalid("request", message)) }
    }
}

/// What goes back for a request, one line.
pub fn answer(id: Option<&Value>, outcome: &Result<Reply, Failure>) -> String {
    #[derive(Serialize)]
    struct Answer<'a> {
        #[serde(skip_serializing_if = "Option::is_none")]
        id: Option<&'a Value>,
        #[serde(skip_serializing_if = "Option::is_none")]
        reply: Option<&'a Reply>,
        #[serde(skip_serializing_if = "Option::is_none")]
        failure: Option<&'a Failure>,
    }
    line(&Answer { id, reply: outcome.as_ref().ok(), failure: outcome.as_ref().err() })
}

/// The first line of the UI socket.
pub fn snapshot(snapshot: &Snapshot) -> String {
    #[derive(Serialize)]
    struct First<'a> {
        snapshot: &'a Snapshot,
    }
    line(&First { snapshot })
}

/// A value of the vocabulary as one line of JSON.
pub fn line(value: &impl Serialize) -> String {
    // The vocabulary has text keys only; should that change, the line still says what happened.
    serde_json::to_string(value)
        .unwrap_or_else(|error| format!(r#"{{"failure":{{"code":"invalid","message":"{error:?}"}}}}"#))
}

fn take_id(object: &mut Map<String, Value>) -> (Option<Value>, Result<(), Failure>) {
    match object.remove("id") {
        None | Some(Value::Null) => (None, Ok(())),
        Some(id @ Value::Number(_)) => (Some(id), Ok(())),
        Some(Value::String(id)) if id.len() <= MAX_ID => (Some(Value::String(id)), Ok(())),
        Some(_) => {
            (None, Err(Failure::invalid("id", format!("id is a number or a text of up to {MAX_ID} bytes"))))
        }
    }
}

fn command(mut object: Map<String, Value>) -> Result<Command, Failure> {
    let flat = match object.get("command") {
        None => return Err(Failure::invalid("command", "missing key `command`")),
        Some(Value::Object(_)) => {
            let nested = object.remove("command").unwrap_or_default();
            if let Some(key) = object.keys().next() {
                return Err(Failure::invalid(
                    key,
                    format!("unknown key `{key}`, expected `id` and `command`"),
                ));
            }
            nested
        }
        Some(_) => Value::Object(object),
    };
    serde_json::from_value(flat).map_err(|error| {
        let message = error.to_string();
        Failure::invalid(wrong_key(&message).unwrap_or("command"), message.clone())
    })
}

/// The key that serde's message names.
fn wrong_key(message: &str) -> Option<&str> {
    let rest = message.strip_prefix("unknown field `").or_else(|| message.strip_prefix("missing field `"))?;
    rest.split_once('`').map(|(key, _)| key)
}

#[cfg(test)]
mod tests {
    use super::{Request, answer};
    use serde_json::json;
    use sidetone_api::{CallId, Command, FailureCode, Reply};

    #[test]
    fn a_request_is_read_nested_and_flat() {
        let wanted = Command::Answer { call_id: CallId::new("c1"), video: false };
        for text in [
            r#"{"id":7,"command":{"command":"answer","callId":"c1"}}"#,
            r#"{"id":7,"command":"answer","callId":"c1"}"#,
        ] {
            let request = Request::parse(text);
            assert_eq!((request.id, request.command), (Some(json!(7)), Ok(wanted.clone())));
        }
    }

    #[test]
    fn what_is_wrong_is_named_and_the_id_is_kept() {
        for (text, id, field, word) in [
            ("{", None, "request", "not JSON"),
            ("[1]", None, "request", "object"),
            (r#"{"id":1}"#, Some(json!(1)), "command", "command"),
            (r#"{"id":1,"command":{"command":"cal"}}"#, Some(json!(1)), "command", "cal"),
            (r#"{"id":1,"command":"call","calee":"x"}"#, Some(json!(1)), "calee", "calee"),
            (r#"{"id":"x","command":"call"}"#, Some(json!("x")), "callee", "callee"),
            (r#"{"id":[],"command":"call","callee":"x"}"#, None, "id", "id"),
            (r#"{"id":1,"command":{"command":"testSpeaker"},"extra":1}"#, Some(json!(1)), "extra", "extra"),
            (r#"{"id":1,"command":7}"#, Some(json!(1)), "command", "7"),
        ] {
            let request = Request::parse(text);
            let failure = request.command.unwrap_err();
            assert_eq!(request.id, id, "{text}");
            assert_eq!(
                (failure.code, failure.field.as_deref()),
                (FailureCode::Invalid, Some(field)),
                "{text}: {failure}"
            );
            assert!(failure.message.contains(word), "{text}: {failure}");
        }
    }

    #[test]
    fn deep_nesting_is_an_error_and_not_a_stack_overflow() {
        assert!(Request::parse(&"[".repeat(60_000)).command.is_err());
    }

    #[test]
    fn an_answer_carries_the_id_as_it_came() {
        assert_eq!(answer(Some(&json!("a")), &Ok(Reply::Done)), r#"{"id":"a","reply":{"reply":"done"}}"#);
        let failed = Request::parse("{}").command.map(|_| Reply::Done);
        assert_eq!(
            answer(None, &failed),
            r#"{"failure":{"code":"invalid","message":"missing key `command`","field":"command"}}"#
        );
    }
}
