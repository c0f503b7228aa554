//! A message as JSON: the start line, the headers in order, the ones that every message has in parts, the body.

use base64::{Engine, prelude::BASE64_STANDARD};
use serde_json::{Map, Value, json};
use sidetone_sip::message::{Contacts, HeaderError, HeaderName, Message, NameAddr, Params, Uri, Via};

/// # Errors
/// A header that every message must have is missing or malformed; it is named.
pub(super) fn of(message: &Message) -> Result<String, HeaderError> {
    let mut object = Map::new();
    let mut set = |key: &str, value: Value| {
        object.insert(key.to_owned(), value);
    };
    match message {
        Message::Request(request) => {
            set("kind", "request".into());
            set("method", request.method.as_str().into());
            set("uri", uri(&request.uri));
        }
        Message::Response(response) => {
            set("kind", "response".into());
            set("status", response.status.into());
            set("reason", response.reason.as_str().into());
        }
    }
    let headers = message.headers();
    let cseq = headers.cseq()?;
    set("via", headers.via()?.iter().map(via).collect());
    set("from", address(&headers.from()?));
    set("to", address(&headers.to()?));
    set("callId", headers.call_id()?.into());
    set("cseq", json!({ "number": cseq.number, "method": cseq.method.as_str() }));
    if headers.has(&HeaderName::CONTACT) {
        let contacts = match headers.contacts()? {
            Contacts::Star => "*".into(),
            Contacts::List(list) => list.iter().map(address).collect(),
        };
        set("contact", contacts);
    }
    let all = headers.iter().map(|(name, value)| json!({ "name": name.as_str(), "value": value }));
    set("headers", all.collect());
    match std::str::from_utf8(message.body()) {
        Ok(text) => set("body", text.into()),
        Err(_) => set("bodyBase64", BASE64_STANDARD.encode(message.body()).into()),
    }
    Ok(format!("{:#}", Value::Object(object)))
}

fn uri(uri: &Uri) -> Value {
    json!({
        "text": uri.to_string(),
        "scheme": uri.scheme.to_string(),
        "user": uri.user_text(),
        "host": uri.host.to_string(),
        "port": uri.port,
        "params": params(&uri.params),
    })
}

fn address(address: &NameAddr) -> Value {
    json!({
        "display": address.display,
        "uri": uri(&address.uri),
        "tag": address.tag(),
        "params": params(&address.params),
    })
}

fn via(via: &Via) -> Value {
    json!({
        "transport": via.transport.as_str(),
        "host": via.host.to_string(),
        "port": via.port,
        "branch": via.branch(),
        "params": params(&via.params),
    })
}

/// Parameters by name; `null` for one without a value.
fn params(params: &Params) -> Value {
    params
        .iter()
        .map(|(name, value)| (name.to_owned(), value.map_or(Value::Null, Value::from)))
        .collect::<Map<_, _>>()
        .into()
}
