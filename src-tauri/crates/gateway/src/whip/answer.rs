//! What is said to the engine's answers.

use axum::{
    http::{HeaderName, HeaderValue, StatusCode, header},
    response::{IntoResponse, Response},
};
use sidetone_engine::{
    StreamAccepted, StreamDeclined,
    whip::{Kind, NotMet, SDP},
};
use std::fmt::Write;

pub(super) const ACCEPT_POST: HeaderName = HeaderName::from_static("accept-post");
pub(super) const ACCEPT_PATCH: HeaderName = HeaderName::from_static("accept-patch");
/// Seconds, to those who are asked to come again.
const AGAIN: &str = "2";

pub(super) fn created(kind: Kind, name: &str, accepted: StreamAccepted) -> Response {
    let folder = match kind {
        Kind::Whip => "whip",
        Kind::Whep => "whep",
    };
    // Relative to the server, whatever name it has for the client.
    let location = format!("/{folder}/{}/{}", encoded(name), accepted.resource);
    let headers = [
        (header::CONTENT_TYPE, SDP),
        (header::LOCATION, &location),
        (header::ETAG, accepted.tag.as_str()),
        (ACCEPT_PATCH, sidetone_engine::whip::FRAGMENT),
    ];
    let mut response = (StatusCode::CREATED, headers, accepted.answer).into_response();
    for link in accepted.links {
        if let Ok(link) = HeaderValue::from_str(&link.to_string()) {
            response.headers_mut().append(header::LINK, link);
        }
    }
    response
}

/// What is answered instead. In a box, as it is large and seldom.
pub(super) struct Refused(Box<Response>);

impl From<Response> for Refused {
    fn from(response: Response) -> Self {
        Self(Box::new(response))
    }
}

impl From<StreamDeclined> for Refused {
    fn from(reason: StreamDeclined) -> Self {
        declined(&reason).into()
    }
}

impl IntoResponse for Refused {
    fn into_response(self) -> Response {
        *self.0
    }
}

fn declined(reason: &StreamDeclined) -> Response {
    use StreamDeclined as D;
    let status = match reason {
        D::Forbidden(_) => StatusCode::FORBIDDEN,
        D::NameInUse => StatusCode::CONFLICT,
        D::StreamNotFound | D::SessionNotFound => StatusCode::NOT_FOUND,
        D::TokenNeeded | D::TokenRefused => StatusCode::UNAUTHORIZED,
        D::BadOffer(_) | D::NotMet(NotMet::NoCredentials) => StatusCode::BAD_REQUEST,
        D::Unacceptable(_) | D::NoCommonCodecs => StatusCode::UNPROCESSABLE_ENTITY,
        D::NotMet(NotMet::Required) => StatusCode::PRECONDITION_REQUIRED,
        D::NotMet(NotMet::Failed) => StatusCode::PRECONDITION_FAILED,
        D::Limit(_) | D::Stopped => StatusCode::SERVICE_UNAVAILABLE,
    };
    let mut response = refusal(status, reason.to_string());
    let more = match reason {
        // RFC 6750 section 3: the error is told only to those who have shown a token.
        D::TokenNeeded => Some((header::WWW_AUTHENTICATE, "Bearer")),
        D::TokenRefused => Some((header::WWW_AUTHENTICATE, "Bearer error=\"invalid_token\"")),
        D::Limit(_) => Some((header::RETRY_AFTER, AGAIN)),
        _ => None,
    };
    if let Some((name, value)) = more {
        response.headers_mut().insert(name, HeaderValue::from_static(value));
    }
    response
}

/// Plain words: clients print them.
pub(super) fn refusal(status: StatusCode, words: impl Into<String>) -> Response {
    (status, [(header::CONTENT_TYPE, "text/plain; charset=utf-8")], words.into()).into_response()
}

/// As a segment of a path (RFC 3986 section 3.3).
fn encoded(name: &str) -> String {
    name.bytes().fold(String::new(), |mut text, byte| {
        if byte.is_ascii_alphanumeric() || b"-_.~".contains(&byte) {
            text.push(char::from(byte));
        } else {
            let _ = write!(text, "%{byte:02X}");
        }
        text
    })
}

#[cfg(test)]
mod tests {
    use super::encoded;

    #[test]
    fn a_name_becomes_one_segment_of_a_path() {
        assert_eq!(encoded("a-b_c.~9"), "a-b_c.~9");
        assert_eq!(encoded("ü/ ?"), "%C3%BC%2F%20%3F");
    }
}
