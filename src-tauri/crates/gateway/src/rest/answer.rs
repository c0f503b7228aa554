use crate::wire;
use axum::{
    extract::Request,
    http::{HeaderName, HeaderValue, StatusCode, header},
    response::{IntoResponse, Response},
};
use base64::{Engine as _, prelude::BASE64_STANDARD};
use serde_json::json;
use sidetone_api::{Failure, FailureCode};
use sidetone_engine::RestReply;
use std::time::{SystemTime, UNIX_EPOCH};

/// Why something is not done: `{"status":404,"error":"Not Found","message":"…","path":"…","timestamp":…}`, and the `field` that is
/// wrong.
#[derive(Debug)]
pub(super) struct Refused {
    status: StatusCode,
    message: String,
    field: Option<String>,
    header: Option<(HeaderName, &'static str)>,
}

impl Refused {
    pub(super) fn new(status: StatusCode, message: impl Into<String>) -> Self {
        Self { status, message: message.into(), field: None, header: None }
    }

    pub(super) fn wrong(field: &str, words: impl std::fmt::Display) -> Self {
        let message = format!("{field}: {words}");
        Self { field: Some(field.into()), ..Self::new(StatusCode::BAD_REQUEST, message) }
    }

    pub(super) fn with(mut self, name: HeaderName, value: &'static str) -> Self {
        self.header = Some((name, value));
        self
    }

    pub(super) fn of(self, request: &Request) -> Response {
        self.at(request.uri().path())
    }

    pub(super) fn at(self, path: &str) -> Response {
        let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        let mut body = json!({
            "status": self.status.as_u16(),
            "error": self.status.canonical_reason().unwrap_or_default(),
            "message": self.message,
            "path": path,
            "timestamp": u64::try_from(now.as_millis()).unwrap_or(u64::MAX),
        });
        if let (Some(field), Some(body)) = (self.field, body.as_object_mut()) {
            body.insert("field".into(), field.into());
        }
        let mut response =
            (self.status, [(header::CONTENT_TYPE, "application/json")], wire::line(&body)).into_response();
        if let Some((name, value)) = self.header {
            response.headers_mut().insert(name, HeaderValue::from_static(value));
        }
        response
    }
}

impl From<Failure> for Refused {
    fn from(failure: Failure) -> Self {
        let status = match failure.code {
            FailureCode::Invalid => StatusCode::BAD_REQUEST,
            FailureCode::NotFound => StatusCode::NOT_FOUND,
            FailureCode::WrongState => StatusCode::CONFLICT,
            FailureCode::Limit | FailureCode::Stopped => StatusCode::SERVICE_UNAVAILABLE,
            FailureCode::Network
            | FailureCode::Device
            | FailureCode::Storage
            | FailureCode::PasswordNeeded => StatusCode::INTERNAL_SERVER_ERROR,
        };
        let refused = Self { field: failure.field, ..Self::new(status, failure.message) };
        if status == StatusCode::SERVICE_UNAVAILABLE {
            refused.with(header::RETRY_AFTER, "2")
        } else {
            refused
        }
    }
}

pub(super) fn say(reply: RestReply) -> Response {
    let body = match reply {
        RestReply::Done | RestReply::Measured(_) => return StatusCode::OK.into_response(),
        RestReply::Found(found) => json!(found),
        RestReply::Picture(png) => json!({ "data": BASE64_STANDARD.encode(png) }),
    };
    ([(header::CONTENT_TYPE, "application/json")], wire::line(&body)).into_response()
}

pub(super) async fn only_get(request: Request) -> Response {
    let refused = Refused::new(StatusCode::METHOD_NOT_ALLOWED, "only GET is served here");
    refused.with(header::ALLOW, "GET").of(&request)
}

/// Where nothing is served.
pub(crate) async fn no_path(request: Request) -> Response {
    Refused::new(StatusCode::NOT_FOUND, "there is no such path").of(&request)
}
