//! The JSON of a request, and its fields. Programs write numbers and truths as texts, too, and leave out what they like; what is not
//! known is passed over.

use super::answer::Refused;
use axum::{
    body::to_bytes,
    extract::Request,
    http::{HeaderMap, StatusCode, header},
};
use serde_json::{Map, Value};
use sidetone_engine::wcs::is_mostly_text;
use std::{error::Error as _, time::Duration};

/// Bytes of a body.
pub(super) const LONGEST: usize = 256 * 1024;
/// A longer one must be mostly text: much else would take many times its size in memory.
const LONGEST_OF_VALUES: usize = 64 * 1024;
/// Bytes of a text that names something.
pub(super) const LONGEST_TEXT: usize = 1024;
/// Texts of a list.
pub(super) const MOST_TEXTS: usize = 1000;
/// A body must be here within this after its head.
const PATIENCE: Duration = Duration::from_secs(10);

/// A field that a path knows.
#[derive(Debug)]
pub(super) struct Field {
    pub(super) name: &'static str,
    pub(super) kind: Kind,
    /// Without it nothing can be done.
    pub(super) needed: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    Text,
    Flag,
    Port,
    Texts,
    /// An object.
    Fields,
    /// Whatever JSON there is.
    Anything,
}

/// A body whose fields are of the kinds that they should have.
#[derive(Debug)]
pub(super) struct Body(Map<String, Value>);

impl Body {
    pub(super) async fn read(request: Request, fields: &'static [Field]) -> Result<Self, Refused> {
        let (head, body) = request.into_parts();
        check_type(&head.headers)?;
        let long = || {
            let words = format!("the body has {} kB at most", LONGEST / 1024);
            // What is left of it is not read.
            Refused::new(StatusCode::PAYLOAD_TOO_LARGE, words).with(header::CONNECTION, "close")
        };
        let announced = head.headers.get(header::CONTENT_LENGTH).and_then(|value| value.to_str().ok());
        if announced.and_then(|length| length.parse().ok()).is_some_and(|length: u64| length > LONGEST as u64)
        {
            return Err(long());
        }
        let bytes = match timeout(to_bytes(body, LONGEST)).await {
            Some(Ok(bytes)) => bytes,
            Some(Err(error)) if is_limit(&error) => return Err(long()),
            Some(Err(_)) => return Err(Refused::new(StatusCode::BAD_REQUEST, "the body broke off")),
            None => {
                let words = "the body did not come in time";
                return Err(
                    Refused::new(StatusCode::REQUEST_TIMEOUT, words).with(header::CONNECTION, "close")
                );
            }
        };
        let text = std::str::from_utf8(&bytes);
        let text = text.map_err(|_| Refused::new(StatusCode::BAD_REQUEST, "the body is not UTF-8"))?;
        Self::parse(text, fields)
    }

    /// An empty one has no fields.
    pub(super) fn parse(text: &str, fields: &'static [Field]) -> Result<Self, Refused> {
        let bad = |words: String| Refused::new(StatusCode::BAD_REQUEST, words);
        if text.len() > LONGEST_OF_VALUES && !is_mostly_text(text) {
            return Err(bad(format!("a body of more than {} kB is mostly text", LONGEST_OF_VALUES / 1024)));
        }
        if text.trim().is_empty() {
            return Self::checked(Map::new(), fields);
        }
        match serde_json::from_str(text) {
            Ok(Value::Object(object)) => Self::checked(object, fields),
            Ok(_) => Err(bad("the body is a JSON object".into())),
            Err(error) => Err(bad(format!("this is not JSON: {error}"))),
        }
    }

    fn checked(mut given: Map<String, Value>, fields: &'static [Field]) -> Result<Self, Refused> {
        let mut checked = Map::new();
        for field in fields {
            let value = match given.remove(field.name) {
                None | Some(Value::Null) if field.needed => {
                    return Err(Refused::wrong(field.name, "it is missing"));
                }
                None | Some(Value::Null) => continue,
                Some(value) => field.kind.read(value).map_err(|words| Refused::wrong(field.name, words))?,
            };
            checked.insert(field.name.into(), value);
        }
        Ok(Self(checked))
    }

    /// All of them, as they are told of what they are about.
    pub(super) fn filter(&self) -> Map<String, Value> {
        self.0.clone()
    }

    /// Empty where it is not there.
    pub(super) fn text(&self, name: &str) -> String {
        self.0.get(name).and_then(Value::as_str).unwrap_or_default().to_owned()
    }

    pub(super) fn given(&self, name: &str) -> Option<String> {
        self.0.get(name).and_then(Value::as_str).map(str::to_owned)
    }

    pub(super) fn texts(&self, name: &str) -> Vec<String> {
        let texts = self.0.get(name).and_then(Value::as_array).into_iter().flatten();
        texts.filter_map(|text| text.as_str().map(str::to_owned)).collect()
    }

    pub(super) fn value(&self, name: &str) -> Option<Value> {
        self.0.get(name).cloned()
    }
}

impl Kind {
    /// The value in the form that we have it in ourselves.
    fn read(self, value: Value) -> Result<Value, String> {
        match (self, value) {
            (Self::Text, Value::String(text)) => short(text).map(Value::String),
            (Self::Text, Value::Number(number)) => Ok(Value::String(number.to_string())),
            (Self::Text, _) => Err("a text is expected".into()),
            (Self::Flag, Value::Bool(flag)) => Ok(Value::Bool(flag)),
            (Self::Flag, Value::String(text)) if text == "true" || text == "false" => {
                Ok(Value::Bool(text == "true"))
            }
            (Self::Flag, _) => Err("true or false is expected".into()),
            (Self::Port, value) => {
                let number = match &value {
                    Value::Number(number) => number.as_u64(),
                    Value::String(text) => text.trim().parse().ok(),
                    _ => None,
                };
                match number {
                    Some(port @ 1..=65_535) => Ok(port.into()),
                    _ => Err("a port from 1 to 65535 is expected".into()),
                }
            }
            (Self::Texts, Value::Array(values)) if values.len() > MOST_TEXTS => {
                Err(format!("{MOST_TEXTS} texts are the most"))
            }
            (Self::Texts, Value::Array(values)) => {
                let texts = values.into_iter().map(|value| Self::Text.read(value));
                texts.collect::<Result<_, _>>().map(Value::Array)
            }
            (Self::Texts, _) => Err("a list of texts is expected".into()),
            (Self::Fields, value @ Value::Object(_)) => Ok(value),
            (Self::Fields, _) => Err("an object is expected".into()),
            (Self::Anything, value) => Ok(value),
        }
    }
}

fn short(text: String) -> Result<String, String> {
    if text.len() > LONGEST_TEXT || text.chars().any(char::is_control) {
        return Err(format!("a line of at most {LONGEST_TEXT} bytes is expected"));
    }
    Ok(text)
}

/// JSON, or nothing that says otherwise: Web Call Server asks for none.
fn check_type(headers: &HeaderMap) -> Result<(), Refused> {
    let encoding = headers.get(header::CONTENT_ENCODING);
    let plain = encoding.is_none_or(|encoding| encoding.as_bytes().eq_ignore_ascii_case(b"identity"));
    let mut given = headers.get_all(header::CONTENT_TYPE).iter();
    let kind = match (given.next(), given.next()) {
        (None, _) => "application/json",
        (Some(kind), None) => kind.to_str().unwrap_or_default().split(';').next().unwrap_or_default().trim(),
        _ => "",
    };
    if plain && ["application/json", "text/plain"].iter().any(|known| kind.eq_ignore_ascii_case(known)) {
        return Ok(());
    }
    let words = "Content-Type is application/json here, without encoding";
    Err(Refused::new(StatusCode::UNSUPPORTED_MEDIA_TYPE, words))
}

async fn timeout<T>(read: impl Future<Output = T>) -> Option<T> {
    tokio::time::timeout(PATIENCE, read).await.ok()
}

fn is_limit(error: &axum::Error) -> bool {
    error.source().is_some_and(|source| source.to_string().contains("length limit"))
}
