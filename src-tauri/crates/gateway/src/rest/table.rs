//! Every path, its fields, and what it asks the engine for.

use super::{
    answer::Refused,
    body::{Body, Field, Kind},
};
use axum::http::{Method, StatusCode, header};
use serde_json::{Map, Value, json};
use sidetone_engine::{ClientOpening, RestAsk, RestCall};
use std::{
    net::SocketAddr,
    path::{Component, Path, PathBuf},
};

/// One path below `/rest-api`.
#[derive(Debug)]
pub(super) struct Endpoint {
    pub(super) path: &'static str,
    /// Nothing is changed by it: a GET without a body finds everything.
    pub(super) looks: bool,
    pub(super) fields: &'static [Field],
    pub(super) ask: fn(&Body, &Asker<'_>) -> Result<RestAsk, Refused>,
}

/// Who asks, and what is here for that.
pub(super) struct Asker<'a> {
    pub(super) remote: SocketAddr,
    pub(super) local: SocketAddr,
    /// Folder of the files that calls can hear.
    pub(super) sounds: Option<&'a Path>,
}

impl Endpoint {
    pub(super) fn check_method(&self, method: &Method) -> Result<(), Refused> {
        if *method == Method::POST || (self.looks && *method == Method::GET) {
            return Ok(());
        }
        let allowed = if self.looks { "GET, POST" } else { "POST" };
        let refused = Refused::new(StatusCode::METHOD_NOT_ALLOWED, format!("only {allowed} are served here"));
        Err(refused.with(header::ALLOW, allowed))
    }
}

const fn needed(name: &'static str, kind: Kind) -> Field {
    Field { name, kind, needed: true }
}

const fn field(name: &'static str, kind: Kind) -> Field {
    Field { name, kind, needed: false }
}

const fn post(
    path: &'static str,
    fields: &'static [Field],
    ask: fn(&Body, &Asker<'_>) -> Result<RestAsk, Refused>,
) -> Endpoint {
    Endpoint { path, looks: false, fields, ask }
}

const fn look(
    path: &'static str,
    fields: &'static [Field],
    ask: fn(&Body, &Asker<'_>) -> Result<RestAsk, Refused>,
) -> Endpoint {
    Endpoint { path, looks: true, fields, ask }
}

const CALL: &[Field] = &[needed("callId", Kind::Text)];
const STREAM: &[Field] = &[needed("mediaSessionId", Kind::Text)];
const SESSION: &[Field] = &[needed("sessionId", Kind::Text)];

pub(super) const TABLE: &[Endpoint] = &[
    post(
        "/call/startup",
        &[
            needed("callId", Kind::Text),
            needed("callee", Kind::Text),
            needed("sipLogin", Kind::Text),
            needed("sipDomain", Kind::Text),
            field("sipAuthenticationName", Kind::Text),
            field("sipPassword", Kind::Text),
            field("sipOutboundProxy", Kind::Text),
            field("sipProxy", Kind::Text),
            field("sipPort", Kind::Port),
            field("sipRegisterRequired", Kind::Flag),
            field("appKey", Kind::Text),
            field("visibleName", Kind::Text),
            field("hasAudio", Kind::Flag),
            field("hasVideo", Kind::Flag),
            field("toStream", Kind::Text),
            field("rtmpUrl", Kind::Text),
            field("rtmpStream", Kind::Text),
            field("custom", Kind::Fields),
        ],
        start_call,
    ),
    look("/call/find_all", &[], |_, _| Ok(RestAsk::FindCalls(Map::new()))),
    look(
        "/call/find",
        &[
            field("callId", Kind::Text),
            field("caller", Kind::Text),
            field("callee", Kind::Text),
            field("rtmpUrl", Kind::Text),
            field("status", Kind::Text),
            field("sessionId", Kind::Text),
        ],
        |body, _| Ok(RestAsk::FindCalls(body.filter())),
    ),
    post("/call/terminate", CALL, |body, _| Ok(RestAsk::EndCall { id: body.text("callId") })),
    post(
        "/call/send_dtmf",
        &[needed("callId", Kind::Text), needed("dtmf", Kind::Text), field("type", Kind::Text)],
        send_dtmf,
    ),
    post("/call/inject_sound", &[needed("callId", Kind::Text), needed("fileName", Kind::Text)], inject_sound),
    post(
        "/call/inject_stream/startup",
        &[needed("callId", Kind::Text), needed("streamName", Kind::Text)],
        |body, _| Ok(RestAsk::InjectStream { id: body.text("callId"), name: body.text("streamName") }),
    ),
    post("/call/inject_stream/terminate", CALL, |body, _| {
        Ok(RestAsk::StopInjectedStream { id: body.text("callId") })
    }),
    look("/stream/find_all", &[], |_, _| Ok(RestAsk::FindStreams(Map::new()))),
    look(
        "/stream/find",
        &[
            field("name", Kind::Text),
            field("mediaSessionId", Kind::Text),
            field("published", Kind::Flag),
            field("status", Kind::Text),
            field("sessionId", Kind::Text),
            field("display", Kind::Texts),
        ],
        |body, _| {
            let mut filter = body.filter();
            filter.remove("display");
            Ok(RestAsk::FindStreams(filter))
        },
    ),
    post(
        "/stream/terminate",
        &[
            field("mediaSessionId", Kind::Text),
            field("mediaSessionIds", Kind::Texts),
            field("name", Kind::Text),
            field("status", Kind::Text),
            field("published", Kind::Flag),
        ],
        end_streams,
    ),
    post("/stream/snapshot", &[needed("streamName", Kind::Text)], |body, _| {
        Ok(RestAsk::Snapshot { name: body.text("streamName") })
    }),
    post("/stream/startRecording", STREAM, |body, _| {
        Ok(RestAsk::Record { id: body.text("mediaSessionId"), on: true })
    }),
    post("/stream/stopRecording", STREAM, |body, _| {
        Ok(RestAsk::Record { id: body.text("mediaSessionId"), on: false })
    }),
    post(
        "/stream/event/send",
        &[needed("streamName", Kind::Text), needed("payload", Kind::Anything)],
        |body, _| {
            let payload = body.value("payload").unwrap_or_default();
            Ok(RestAsk::StreamEvent { name: body.text("streamName"), payload })
        },
    ),
    post(
        "/data/send",
        &[
            field("nodeId", Kind::Text),
            field("operationId", Kind::Text),
            field("sessionId", Kind::Text),
            field("sessionIds", Kind::Texts),
            needed("payload", Kind::Anything),
        ],
        send_data,
    ),
    look("/connection/find_all", &[], |_, _| Ok(RestAsk::FindSessions(Map::new()))),
    look(
        "/connection/find",
        &[
            field("appKey", Kind::Text),
            field("sessionId", Kind::Text),
            field("clientVersion", Kind::Text),
            field("sipLogin", Kind::Text),
        ],
        |body, _| Ok(RestAsk::FindSessions(body.filter())),
    ),
    post("/connection/terminate", SESSION, |body, _| Ok(RestAsk::EndSession { id: body.text("sessionId") })),
    post(
        "/connection/set_log_level",
        &[needed("sessionId", Kind::Text), needed("logLevel", Kind::Text)],
        set_log_level,
    ),
];

fn not_here(words: &str) -> Refused {
    Refused::new(StatusCode::NOT_IMPLEMENTED, words)
}

fn start_call(body: &Body, asker: &Asker<'_>) -> Result<RestAsk, Refused> {
    for name in ["rtmpUrl", "rtmpStream"] {
        if body.given(name).is_some_and(|text| !text.is_empty()) {
            let words = format!("{name}: there is no RTMP here");
            return Err(not_here(&words));
        }
    }
    if body.value("hasVideo") == Some(Value::Bool(true)) {
        return Err(not_here("hasVideo: calls of programs have no picture"));
    }
    let mut fields = body.filter();
    fields.retain(|name, _| name.starts_with("sip") || name == "custom");
    fields.insert("sipVisibleName".into(), json!(body.text("visibleName")));
    let app_key = body.given("appKey").filter(|key| !key.is_empty());
    let opening = ClientOpening {
        fields,
        app_key: app_key.unwrap_or_else(|| "defaultApp".into()),
        auth_token: None,
        keep_alive: false,
        remote: asker.remote,
        local: asker.local,
        origin: None,
        trusted: true,
        is_guest: false,
    };
    Ok(RestAsk::StartCall(Box::new(RestCall {
        id: body.text("callId"),
        callee: body.text("callee"),
        visible_name: body.text("visibleName"),
        custom: body.value("custom"),
        to_stream: body.given("toStream").filter(|name| !name.is_empty()),
        opening,
    })))
}

fn send_dtmf(body: &Body, _: &Asker<'_>) -> Result<RestAsk, Refused> {
    let kind = body.given("type").unwrap_or_else(|| "RFC2833".into());
    if !["RFC2833", "INFO", "INFO_RELAY"].contains(&kind.as_str()) {
        return Err(Refused::wrong("type", "RFC2833, INFO or INFO_RELAY is expected"));
    }
    Ok(RestAsk::SendDtmf { id: body.text("callId"), kind, dtmf: body.text("dtmf") })
}

/// A plain name in the folder of sounds, or in one below it.
fn inject_sound(body: &Body, asker: &Asker<'_>) -> Result<RestAsk, Refused> {
    let name = PathBuf::from(body.text("fileName"));
    let is_plain = name.components().all(|part| matches!(part, Component::Normal(_)));
    if name.as_os_str().is_empty() || !is_plain {
        return Err(Refused::wrong("fileName", "a name in the folder of sounds is expected"));
    }
    let Some(folder) = asker.sounds else {
        return Err(not_here("no folder of sounds is set: rest.sounds"));
    };
    let file = folder.join(name);
    if !file.is_file() {
        return Err(Refused::new(StatusCode::NOT_FOUND, "fileName: there is no such file"));
    }
    Ok(RestAsk::InjectSound { id: body.text("callId"), file })
}

fn end_streams(body: &Body, _: &Asker<'_>) -> Result<RestAsk, Refused> {
    let mut filter = body.filter();
    filter.remove("mediaSessionIds");
    let ids = body.texts("mediaSessionIds");
    if ids.is_empty() && filter.is_empty() {
        let words = "mediaSessionId, mediaSessionIds, name, status or published says which";
        return Err(Refused::wrong("mediaSessionId", words));
    }
    Ok(RestAsk::EndStreams { filter, ids })
}

fn send_data(body: &Body, _: &Asker<'_>) -> Result<RestAsk, Refused> {
    let mut sessions = body.texts("sessionIds");
    sessions.extend(body.given("sessionId"));
    if sessions.is_empty() {
        return Err(Refused::wrong("sessionId", "it is missing, and so is sessionIds"));
    }
    let payload = body.value("payload").unwrap_or_default();
    Ok(RestAsk::SendData { sessions, operation_id: body.given("operationId"), payload })
}

fn set_log_level(body: &Body, _: &Asker<'_>) -> Result<RestAsk, Refused> {
    let level = body.text("logLevel");
    let asks = match level.to_ascii_uppercase().as_str() {
        "DEBUG" | "TRACE" => true,
        "ERROR" | "WARN" | "INFO" | "OFF" => false,
        _ => return Err(Refused::wrong("logLevel", "ERROR, WARN, INFO, DEBUG or TRACE is expected")),
    };
    Ok(RestAsk::LogSession { id: body.text("sessionId"), asks })
}
