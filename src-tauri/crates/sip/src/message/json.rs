use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Map, Value, json};

use super::{Contacts, Headers, Message, NameAddr, Params, Uri, Via};

/// The message as JSON: `kind` ("request" with `method` and `uri`, "response" with `status` and `reason`), `headers`
/// in order as `{name, value}`, the parsed `via`, `from`, `to`, `callId`, `cseq`, `contact` (a list, or `"*"`),
/// `route`, `recordRoute`, `maxForwards`, `expires` and `contentType` where they are there and sound, and `body`:
/// null, `{"text": …}` if it is UTF-8, or `{"base64": …}`.
pub fn to_json(message: &Message) -> Value {
    let mut object = Map::new();
    let mut put = |key: &str, value: Value| object.insert(key.to_owned(), value);
    match message {
        Message::Request(request) => {
            put("kind", json!("request"));
            put("method", json!(request.method.as_str()));
            put("uri", uri(&request.uri));
        }
        Message::Response(response) => {
            put("kind", json!("response"));
            put("status", json!(response.status));
            put("reason", json!(response.reason));
        }
    }
    let headers = message.headers();
    let fields = headers.iter().map(|(name, value)| json!({"name": name.as_str(), "value": value}));
    put("headers", fields.collect());
    for (key, value) in parsed(headers) {
        put(key, value);
    }
    put("body", body(message.body()));
    Value::Object(object)
}

fn parsed(headers: &Headers) -> Vec<(&'static str, Value)> {
    let list =
        |addresses: Vec<NameAddr>| Some(addresses).filter(|list| !list.is_empty()).map(addresses_value);
    let contacts = headers.contacts().ok().and_then(|contacts| match contacts {
        Contacts::Star => Some(json!("*")),
        Contacts::List(addresses) => list(addresses),
    });
    let cseq = headers.cseq().ok();
    let fields = [
        ("via", headers.via().ok().map(|list| list.iter().map(via).collect())),
        ("from", headers.from().ok().as_ref().map(address)),
        ("to", headers.to().ok().as_ref().map(address)),
        ("callId", headers.call_id().ok().map(Value::from)),
        ("cseq", cseq.map(|cseq| json!({"number": cseq.number, "method": cseq.method.as_str()}))),
        ("contact", contacts),
        ("route", headers.routes().ok().and_then(list)),
        ("recordRoute", headers.record_routes().ok().and_then(list)),
        ("maxForwards", headers.max_forwards().ok().flatten().map(Value::from)),
        ("expires", headers.expires().ok().flatten().map(Value::from)),
        ("contentType", headers.content_type().ok().flatten().map(Value::from)),
    ];
    fields.into_iter().filter_map(|(key, value)| Some((key, value?))).collect()
}

fn addresses_value(addresses: Vec<NameAddr>) -> Value {
    addresses.iter().map(address).collect()
}

fn address(address: &NameAddr) -> Value {
    json!({
        "display": address.display,
        "uri": uri(&address.uri),
        "tag": address.tag(),
        "params": params(&address.params),
    })
}

fn uri(uri: &Uri) -> Value {
    let mut value = json!({ "text": uri.to_string(), "scheme": uri.scheme.to_string() });
    if let Some(user) = uri.user_text() {
        value["user"] = json!(user);
    }
    if uri.is_sip() {
        value["host"] = json!(uri.host.bare());
        value["port"] = json!(uri.port);
        value["headers"] =
            uri.headers.iter().map(|(name, value)| json!({"name": name, "value": value})).collect();
    }
    value["params"] = params(&uri.params);
    value
}

fn via(via: &Via) -> Value {
    json!({
        "protocol": via.protocol,
        "transport": via.transport.as_str(),
        "host": via.host.bare(),
        "port": via.port,
        "branch": via.branch(),
        "params": params(&via.params),
    })
}

/// A parameter without a value is null.
fn params(params: &Params) -> Value {
    params.iter().map(|(name, value)| (name.to_owned(), json!(value))).collect::<Map<_, _>>().into()
}

fn body(body: &[u8]) -> Value {
    match std::str::from_utf8(body) {
        Ok("") => Value::Null,
        Ok(text) => json!({ "text": text }),
        Err(_) => json!({ "base64": STANDARD.encode(body) }),
    }
}
