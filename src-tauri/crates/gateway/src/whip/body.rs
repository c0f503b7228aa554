use super::answer::{Refused, refusal};
use axum::{
    body::to_bytes,
    extract::Request,
    http::{HeaderMap, HeaderName, StatusCode, header},
    response::IntoResponse,
};
use sidetone_engine::whip::MAX_BODY;
use std::time::Duration;

/// A body must be here within this after its head.
const PATIENCE: Duration = Duration::from_secs(10);

/// The text of a request that is of type `wanted`; `accepts` is the header that tells it.
pub(super) async fn read(
    request: Request,
    wanted: &'static str,
    accepts: HeaderName,
) -> Result<String, Refused> {
    let (head, body) = request.into_parts();
    if !is(&head.headers, wanted) {
        let words = format!("Content-Type is {wanted} here, without encoding");
        let refused = refusal(StatusCode::UNSUPPORTED_MEDIA_TYPE, words);
        return Err(([(accepts, wanted)], refused).into_response().into());
    }
    let long = || -> Refused {
        let words = format!("the body has {} kB at most", MAX_BODY / 1024);
        // What is left of it is not read.
        ([(header::CONNECTION, "close")], refusal(StatusCode::PAYLOAD_TOO_LARGE, words))
            .into_response()
            .into()
    };
    let announced = head.headers.get(header::CONTENT_LENGTH).and_then(|value| value.to_str().ok());
    if announced.and_then(|length| length.parse().ok()).is_some_and(|length: u64| length > MAX_BODY as u64) {
        return Err(long());
    }
    // One byte more than is taken tells "too long" from "broken off".
    let bytes = match tokio::time::timeout(PATIENCE, to_bytes(body, MAX_BODY + 1)).await {
        Ok(Ok(bytes)) if bytes.len() <= MAX_BODY => bytes,
        Ok(Ok(_)) => return Err(long()),
        Ok(Err(error)) if is_limit(&error) => return Err(long()),
        Ok(Err(_)) => return Err(refusal(StatusCode::BAD_REQUEST, "the body broke off").into()),
        Err(_) => return Err(refusal(StatusCode::REQUEST_TIMEOUT, "the body did not come in time").into()),
    };
    let text = String::from_utf8(bytes.into());
    text.map_err(|_| refusal(StatusCode::BAD_REQUEST, "the body is not UTF-8").into())
}

fn is_limit(error: &axum::Error) -> bool {
    std::error::Error::source(error).is_some_and(|source| source.to_string().contains("length limit"))
}

fn is(headers: &HeaderMap, wanted: &str) -> bool {
    let mut given = headers.get_all(header::CONTENT_TYPE).iter();
    let (Some(kind), None) = (given.next(), given.next()) else { return false };
    let kind = kind.to_str().unwrap_or_default().split(';').next().unwrap_or_default();
    let plain = headers
        .get(header::CONTENT_ENCODING)
        .is_none_or(|encoding| encoding.as_bytes().eq_ignore_ascii_case(b"identity"));
    plain && kind.trim().eq_ignore_ascii_case(wanted)
}
