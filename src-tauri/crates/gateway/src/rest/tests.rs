//! Requests over real connections, with a fake of the engine behind them.

use super::{
    body::{Field, Kind, LONGEST},
    table::{Endpoint, TABLE},
};
use crate::{
    Access, Limits, Network, RestUser, Running,
    tests::{
        fake::Fake,
        gateway_with,
        http::{Answer, get, with_body},
    },
};
use serde_json::{Map, Value, json};
use sidetone_api::{Failure, FailureCode, Secret};
use sidetone_engine::{RestAsk, RestReply};
use std::{collections::BTreeSet, net::SocketAddr, sync::Arc};

const DESCRIPTION: &str = super::DESCRIPTION;
/// `backend:open sesame`.
const SHOWN: &str = "Authorization: Basic YmFja2VuZDpvcGVuIHNlc2FtZQ==";

async fn gateway() -> (Running, Arc<Fake>) {
    gateway_with(Network::default()).await
}

fn protected() -> Network {
    let rest = Some(RestUser { user: "backend".into(), password: Secret::new("open sesame") });
    Network { access: Access { rest, ..Access::default() }, ..Network::default() }
}

async fn post(address: SocketAddr, path: &str, body: &str, more: &[&str]) -> Answer {
    let host = format!("Host: {address}");
    let length = format!("Content-Length: {}", body.len());
    let headers = [&[host.as_str(), &length, "Content-Type: application/json"], more].concat();
    with_body(address, &format!("POST /rest-api{path} HTTP/1.1"), &headers, body).await
}

fn refusal(answer: &Answer) -> (u16, Value) {
    let body: Value = serde_json::from_str(&answer.body).unwrap_or_else(|_| panic!("{answer:?}"));
    assert_eq!(body["status"], answer.status, "{answer:?}");
    assert!(body["error"].is_string() && body["message"].is_string() && body["timestamp"].is_u64(), "{body}");
    assert!(body["path"].as_str().unwrap().starts_with("/rest-api"), "{body}");
    (answer.status, body["field"].clone())
}

fn good(field: &Field) -> Value {
    match field.kind {
        Kind::Text if field.name == "type" => json!("INFO"),
        Kind::Text if field.name == "logLevel" => json!("debug"),
        Kind::Text if ["rtmpUrl", "rtmpStream"].contains(&field.name) => json!(""),
        Kind::Text if field.name == "fileName" => json!("Cargo.toml"),
        Kind::Text | Kind::Anything => json!("x1"),
        Kind::Flag => json!("false"),
        Kind::Port => json!("5070"),
        Kind::Texts => json!(["x2", 3]),
        Kind::Fields => json!({ "a": 1 }),
    }
}

fn whole(endpoint: &Endpoint) -> Map<String, Value> {
    endpoint.fields.iter().map(|field| (field.name.to_owned(), good(field))).collect()
}

#[tokio::test]
async fn each_path_answers_success_and_what_the_engine_refuses_and_nothing_without_the_password() {
    let mut network = protected();
    network.access.sounds = Some(env!("CARGO_MANIFEST_DIR").into());
    let (running, fake) = gateway_with(network).await;
    for endpoint in TABLE {
        let body = Value::Object(whole(endpoint)).to_string();
        let ask = async |more: &[&str]| post(running.address(), endpoint.path, &body, more).await;
        let wrong = "Authorization: Basic YmFja2VuZDpvcGVuIHNlc2FtZT8=";
        for shown in [&[][..], &[wrong], &["Authorization: Bearer x"], &[SHOWN, SHOWN]] {
            let answer = ask(shown).await;
            assert_eq!(refusal(&answer), (401, Value::Null), "{} {shown:?}", endpoint.path);
            assert!(answer.header("www-authenticate").unwrap().starts_with("Basic realm="), "{answer:?}");
        }
        assert!(fake.rest_asks.lock().unwrap().is_empty(), "{}", endpoint.path);
        for (reply, status) in [
            (Ok(RestReply::Done), 200),
            (Err(Failure::not_found("thing", "x1")), 404),
            (Err(Failure::new(FailureCode::WrongState, "it is in use")), 409),
            (Err(Failure::new(FailureCode::Limit, "too many")), 503),
            (Err(Failure::new(FailureCode::Stopped, "it stops")), 503),
        ] {
            *fake.rest_reply.lock().unwrap() = reply;
            let answer = ask(&[SHOWN]).await;
            assert_eq!(answer.status, status, "{} {answer:?}", endpoint.path);
            if status == 200 {
                assert_eq!(answer.body, "", "{}", endpoint.path);
            } else {
                refusal(&answer);
            }
            assert!(!fake.rest_asks.lock().unwrap().is_empty(), "{}", endpoint.path);
            fake.rest_asks.lock().unwrap().clear();
        }
    }
}

#[tokio::test]
async fn a_field_that_is_missing_or_wrong_is_named() {
    let (running, fake) = gateway().await;
    for endpoint in TABLE {
        for field in endpoint.fields {
            let wrong = match field.kind {
                Kind::Text => json!({}),
                Kind::Flag => json!(1),
                Kind::Port => json!(70_000),
                Kind::Texts => json!([{}]),
                Kind::Fields => json!([]),
                Kind::Anything => continue,
            };
            let mut body = whole(endpoint);
            body.insert(field.name.into(), wrong);
            let answer = post(running.address(), endpoint.path, &Value::Object(body).to_string(), &[]).await;
            assert_eq!(refusal(&answer), (400, json!(field.name)), "{}", endpoint.path);
        }
        for field in endpoint.fields.iter().filter(|field| field.needed) {
            for absent in [None, Some(Value::Null)] {
                let mut body = whole(endpoint);
                body.remove(field.name);
                body.extend(absent.map(|absent| (field.name.to_owned(), absent)));
                let answer =
                    post(running.address(), endpoint.path, &Value::Object(body).to_string(), &[]).await;
                assert_eq!(refusal(&answer), (400, json!(field.name)), "{}", endpoint.path);
            }
        }
    }
    for (path, body, field) in [
        ("/call/send_dtmf", r#"{"callId":"a","dtmf":"1","type":"SMELL"}"#, "type"),
        ("/call/inject_sound", r#"{"callId":"a","fileName":"../secret.wav"}"#, "fileName"),
        ("/call/inject_sound", r#"{"callId":"a","fileName":"/etc/passwd"}"#, "fileName"),
        ("/call/inject_sound", r#"{"callId":"a","fileName":""}"#, "fileName"),
        ("/stream/terminate", "{}", "mediaSessionId"),
        ("/data/send", r#"{"payload":1}"#, "sessionId"),
        ("/connection/set_log_level", r#"{"sessionId":"a","logLevel":"loud"}"#, "logLevel"),
        ("/call/terminate", "{\"callId\":\"a\\u0000\"}", "callId"),
    ] {
        let answer = post(running.address(), path, body, &[]).await;
        assert_eq!(refusal(&answer), (400, json!(field)), "{path} {body}");
    }
    assert!(fake.rest_asks.lock().unwrap().is_empty());
}

#[tokio::test]
async fn what_is_no_request_has_a_clear_answer() {
    let (running, fake) = gateway().await;
    let address = running.address();
    let host = format!("Host: {address}");
    let long = format!("{{\"callId\":\"{}\"}}", "a".repeat(LONGEST));
    let many = format!("{{\"callId\":[{}1]}}", "1,".repeat(40_000));
    for (body, status) in [
        ("{", 400),
        ("[]", 400),
        ("\"x\"", 400),
        ("{\"callId\":1,\"callId\":", 400),
        (&"[".repeat(10_000), 400),
        (&many, 400),
        (&long, 413),
        ("", 400),
    ] {
        let answer = post(address, "/call/terminate", body, &[]).await;
        assert_eq!(refusal(&answer).0, status, "{:.40}", body);
    }
    let line = "POST /rest-api/call/terminate HTTP/1.1";
    let chunked = format!("{:x}\r\n{long}\r\n0\r\n\r\n", long.len());
    let headers = [host.as_str(), "Transfer-Encoding: chunked", "Content-Type: application/json"];
    assert_eq!(refusal(&with_body(address, line, &headers, &chunked).await).0, 413);
    for (kind, status) in [
        ("Content-Type: text/html", 415),
        ("Content-Type: application/json\r\nContent-Encoding: gzip", 415),
        ("Content-Type: text/plain; charset=utf-8", 200),
        ("X-Nothing: of that kind", 200),
    ] {
        let body = "{\"callId\":\"a\"}";
        let headers = [host.as_str(), kind, "Content-Length: 14"];
        assert_eq!(with_body(address, line, &headers, body).await.status, status, "{kind}");
    }
    for (line, status) in [
        ("GET /rest-api/call/terminate HTTP/1.1", 405),
        ("DELETE /rest-api/call/find HTTP/1.1", 405),
        ("BREW /rest-api/call/find HTTP/1.1", 405),
        ("POST /rest-api/call/find_every HTTP/1.1", 404),
        ("GET /rest-api/ HTTP/1.1", 401),
        ("GET /rest-api HTTP/1.1", 404),
        ("GET /rest-api/v3/call/find HTTP/1.1", 404),
        ("POST /rest-api/openapi.json HTTP/1.1", 405),
    ] {
        let answer = with_body(address, line, &[&host], "").await;
        assert_eq!(answer.status, status, "{line} {answer:?}");
    }
    assert_eq!(fake.rest_asks.lock().unwrap().len(), 2);
    let page =
        post(address, "/call/terminate", "{\"callId\":\"a\"}", &["Origin: https://evil.example"]).await;
    assert_eq!(refusal(&page).0, 403);
    let own =
        post(address, "/call/terminate", "{\"callId\":\"a\"}", &["Origin: http://localhost:3000"]).await;
    assert_eq!((own.status, own.header("access-control-allow-origin")), (200, Some("http://localhost:3000")));
}

#[tokio::test]
async fn what_is_asked_of_the_engine_is_what_was_said() {
    let (running, fake) = gateway().await;
    let asked = async |path: &str, body: &str| {
        let answer = post(running.address(), path, body, &[]).await;
        assert_eq!(answer.status, 200, "{path} {answer:?}");
        fake.rest_asks.lock().unwrap().pop().unwrap()
    };
    let call = r#"{"callId":"k1","callee":"1002","sipLogin":1001,"sipDomain":"pbx.example","sipPassword":"s3cret",
        "sipPort":"5070","sipRegisterRequired":"true","visibleName":"Ada","toStream":"hotline","hasAudio":"true","nonsense":[1]}"#;
    let RestAsk::StartCall(call) = asked("/call/startup", call).await else { panic!("no call") };
    assert_eq!((call.id.as_str(), call.callee.as_str(), call.visible_name.as_str()), ("k1", "1002", "Ada"));
    assert_eq!(call.to_stream.as_deref(), Some("hotline"));
    let wanted = json!({ "sipLogin": "1001", "sipDomain": "pbx.example", "sipPassword": "s3cret", "sipPort": 5070,
        "sipRegisterRequired": true, "sipVisibleName": "Ada" });
    assert_eq!(
        (Value::Object(call.opening.fields.clone()), call.opening.app_key.as_str()),
        (wanted, "defaultApp")
    );
    assert!(!format!("{call:?}").contains("s3cret"));
    let RestAsk::FindStreams(filter) =
        asked("/stream/find", r#"{"published":"true","display":["metrics"]}"#).await
    else {
        panic!("no streams")
    };
    assert_eq!(Value::Object(filter), json!({ "published": true }));
    let RestAsk::SendData { sessions, operation_id, payload } =
        asked("/data/send", r#"{"sessionIds":["a","b"],"sessionId":"c","payload":{"x":[1]}}"#).await
    else {
        panic!("no data")
    };
    assert_eq!(
        (sessions, operation_id, payload),
        (vec!["a".into(), "b".into(), "c".into()], None, json!({ "x": [1] }))
    );
    *fake.rest_reply.lock().unwrap() = Ok(RestReply::Picture(b"png".to_vec()));
    let picture = post(running.address(), "/stream/snapshot", r#"{"streamName":"cam"}"#, &[]).await;
    assert_eq!(picture.body, r#"{"data":"cG5n"}"#);
    *fake.rest_reply.lock().unwrap() = Ok(RestReply::Found(vec![json!({ "callId": "k1" })]));
    let found = get(running.address(), "/rest-api/call/find_all", &[]).await;
    assert_eq!((found.status, found.body.as_str()), (200, r#"[{"callId":"k1"}]"#));
    let several = asked("/stream/terminate", r#"{"mediaSessionIds":["a","b"]}"#).await;
    // In one question: each costs the engine a look at all streams.
    assert!(matches!(several, RestAsk::EndStreams { filter, ids } if filter.is_empty() && ids == ["a", "b"]));
    assert_eq!(fake.rest_asks.lock().unwrap().len(), 2);
}

#[tokio::test]
async fn too_many_requests_are_told_when_to_come_again() {
    let limits = Limits { rest_per_second: 1, ..Limits::default() };
    let (running, _) = gateway_with(Network { limits, ..Network::default() }).await;
    let mut answers = Vec::new();
    for _ in 0..4 {
        answers.push(get(running.address(), "/rest-api/call/find_all", &[]).await);
    }
    let late = answers.iter().find(|answer| answer.status == 429).expect("one is too many");
    assert_eq!((refusal(late).0, late.header("retry-after")), (429, Some("1")));
    assert_eq!(answers[0].status, 200);
}

#[tokio::test]
async fn who_guesses_passwords_is_slowed_down_and_who_knows_it_is_not() {
    let (running, _) = gateway_with(protected()).await;
    let ask = async |more: &[&str]| get(running.address(), "/rest-api/call/find_all", more).await;
    let mut statuses = BTreeSet::new();
    for _ in 0..super::WRONG_BURST + 50 {
        statuses.insert(ask(&["Authorization: Basic YTpi"]).await.status);
        if statuses.contains(&429) {
            break;
        }
    }
    assert_eq!(statuses, BTreeSet::from([401, 429]));
    assert_eq!(ask(&[SHOWN]).await.status, 200);
}

/// Which way the description and the table differ, if any.
#[test]
fn the_description_is_of_the_paths_that_are_served() {
    let described: Value = serde_json::from_str(DESCRIPTION).unwrap();
    let paths = described["paths"].as_object().unwrap();
    let served: BTreeSet<_> = TABLE.iter().map(|endpoint| format!("/rest-api{}", endpoint.path)).collect();
    let told: BTreeSet<_> = paths.keys().filter(|path| !path.ends_with("openapi.json")).cloned().collect();
    assert_eq!(served, told);
    for endpoint in TABLE {
        let path = &paths[&format!("/rest-api{}", endpoint.path)];
        let methods: Vec<_> = path.as_object().unwrap().keys().map(String::as_str).collect();
        let wanted = if endpoint.looks { vec!["get", "post"] } else { vec!["post"] };
        assert_eq!(methods, wanted, "{}", endpoint.path);
        let schema = &path["post"]["requestBody"]["content"]["application/json"]["schema"];
        let none = Map::new();
        let properties = schema["properties"].as_object().unwrap_or(&none);
        let names: BTreeSet<_> = endpoint.fields.iter().map(|field| field.name.to_owned()).collect();
        assert_eq!(names, properties.keys().cloned().collect(), "{}", endpoint.path);
        let needed = endpoint.fields.iter().filter(|field| field.needed).map(|field| json!(field.name));
        let required = schema["required"].as_array().cloned().unwrap_or_default();
        assert_eq!(needed.collect::<Vec<_>>(), required, "{}", endpoint.path);
        for field in endpoint.fields {
            let told = &properties[field.name];
            let first = told["oneOf"][0]["type"].as_str().or(told["type"].as_str());
            let wanted = match field.kind {
                Kind::Text => Some("string"),
                Kind::Flag => Some("boolean"),
                Kind::Port => Some("integer"),
                Kind::Texts => Some("array"),
                Kind::Fields => Some("object"),
                Kind::Anything => None,
            };
            assert_eq!(first, wanted, "{} {}", endpoint.path, field.name);
        }
        let answers = path["post"]["responses"].as_object().unwrap();
        assert!(["200", "400", "401", "403", "429"].iter().all(|status| answers.contains_key(*status)));
    }
}

#[test]
fn the_description_is_openapi() {
    let spec = oas3::from_json(DESCRIPTION).unwrap();
    assert_eq!(spec.validate_version().unwrap().to_string(), "3.1.0");
    let operations: Vec<_> = spec.operations().collect();
    assert!(operations.len() > TABLE.len(), "{}", operations.len());
    let mut ids = BTreeSet::new();
    for (path, method, operation) in operations {
        assert!(ids.insert(operation.operation_id.clone().unwrap()), "{path} {method}");
        // Each reference leads somewhere.
        assert!(!operation.responses(&spec).is_empty(), "{path} {method}");
        if let Some(body) = &operation.request_body {
            body.resolve(&spec).unwrap();
        }
    }
    let components = spec.components.as_ref().unwrap();
    for response in components.responses.values() {
        for media in response.resolve(&spec).unwrap().content.values() {
            media.schema(&spec).unwrap();
        }
    }
}

#[tokio::test]
async fn what_is_counted_is_told_to_programs_and_people_who_may_ask() {
    let (running, fake) = gateway_with(protected()).await;
    let metrics = sidetone_engine::Metrics { version: "1.2.3", calls: 7, ..Default::default() };
    *fake.rest_reply.lock().unwrap() = Ok(RestReply::Measured(Box::new(metrics)));
    for path in ["/metrics", "/status"] {
        assert_eq!(get(running.address(), path, &[]).await.status, 401, "{path}");
    }
    let programs = get(running.address(), "/metrics", &[SHOWN]).await;
    assert!(programs.header("content-type").unwrap().starts_with("application/openmetrics-text"));
    assert!(programs.body.contains("\nsidetone_calls 7\n"), "{}", programs.body);
    let older = get(running.address(), "/metrics", &[SHOWN, "Accept: text/plain"]).await;
    assert!(older.header("content-type").unwrap().starts_with("text/plain; version=0.0.4"));
    let people = get(running.address(), "/status", &[SHOWN]).await;
    assert!(people.body.contains("<td>7</td>"), "{}", people.body);
    let host = format!("Host: {}", running.address());
    let post =
        with_body(running.address(), "POST /metrics HTTP/1.1", &[&host, SHOWN, "Content-Length: 0"], "")
            .await;
    assert_eq!(post.status, 405);
}
