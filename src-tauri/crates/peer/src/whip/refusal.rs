//! Answers that are no success, in words for people.

use super::{Answered, Kind, Response, text};
use http::{StatusCode, header};
use std::time::{Duration, SystemTime};

/// A server that names a later time is not believed.
const LONGEST_WAIT: Duration = Duration::from_secs(3600);

/// What a refusal means for what is done next.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Cause {
    /// The token is wrong or missing.
    Token,
    /// There is no such endpoint, or no such stream.
    NotFound,
    /// What was asked is not done there: wrong URL, or trickle and restart are not supported.
    NotSupported,
    /// Somebody publishes under this name.
    InUse,
    /// The server's state is not the one that we know (`ETag`).
    Outdated,
    /// The offer is not accepted.
    Offer,
    /// Too much to do there, now.
    Busy,
    /// The server has failed.
    Server,
    /// The answer makes no sense.
    Nonsense,
    /// A redirect that is not followed.
    Redirect,
}

impl Cause {
    /// Asking the same again can succeed without anybody's doing.
    pub fn may_pass(self) -> bool {
        match self {
            Self::NotFound | Self::InUse | Self::Outdated | Self::Busy | Self::Server => true,
            Self::Token | Self::NotSupported | Self::Offer | Self::Nonsense | Self::Redirect => false,
        }
    }
}

/// Why a server did not do what it was asked.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct Refusal {
    pub cause: Cause,
    /// `None` where the answer as such is not to be used.
    pub status: Option<u16>,
    /// One line, in the contract's words where it has some.
    pub message: String,
    /// How long to wait, by the server's own words; one hour at most.
    pub retry_after: Option<Duration>,
}

impl Refusal {
    pub(super) fn new(cause: Cause, message: impl Into<String>) -> Self {
        Self { cause, status: None, message: message.into(), retry_after: None }
    }

    /// Of the answer to an offer.
    pub(super) fn of_offer(kind: Kind, answered: &Answered, now: SystemTime) -> Self {
        let (cause, words) = match (answered.response.status.as_u16(), kind) {
            (409, Kind::Whip) => (Cause::InUse, "Stream name is already in use".to_owned()),
            (404 | 410, Kind::Whip) => {
                (Cause::NotFound, format!("There is no WHIP endpoint at {}", answered.place()))
            }
            (404 | 410 | 409, Kind::Whep) => (Cause::NotFound, "Stream not found".to_owned()),
            (405 | 501, _) => {
                (Cause::NotSupported, format!("{} takes no offers: is this a {kind} URL?", answered.place()))
            }
            (406, Kind::Whep) => {
                (Cause::Offer, "The server makes offers of its own, but sent none".to_owned())
            }
            (400 | 406 | 422, _) => (Cause::Offer, "The server does not accept the offer".to_owned()),
            (415, _) => {
                (Cause::NotSupported, format!("{} takes no SDP: is this a {kind} URL?", answered.place()))
            }
            _ => Self::common(answered),
        };
        Self::build(cause, &words, answered, now)
    }

    /// Of the answer to a PATCH or DELETE of a session.
    pub(super) fn of_session(answered: &Answered, now: SystemTime) -> Self {
        let (cause, words) = match answered.response.status.as_u16() {
            404 | 410 => (Cause::NotFound, "The server does not know the session any more".to_owned()),
            405 | 415 | 422 | 501 => {
                (Cause::NotSupported, "The server takes no news of addresses for this session".to_owned())
            }
            412 | 428 => (Cause::Outdated, "The server's session is in another state".to_owned()),
            400 | 406 => (Cause::Offer, "The server cannot read the news of addresses".to_owned()),
            _ => Self::common(answered),
        };
        Self::build(cause, &words, answered, now)
    }

    fn common(answered: &Answered) -> (Cause, String) {
        let place = answered.place();
        match answered.response.status {
            StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN if answered.token_withheld => {
                let words = format!(
                    "The server redirected to {place}, which wants a token; it is not sent on to another server: use that URL"
                );
                (Cause::Token, words)
            }
            StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN if answered.token_sent => {
                (Cause::Token, format!("{place} refused the token"))
            }
            StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN => {
                (Cause::Token, format!("{place} wants a token"))
            }
            StatusCode::REQUEST_TIMEOUT => (Cause::Busy, format!("{place} waited too long for the request")),
            StatusCode::PAYLOAD_TOO_LARGE => (Cause::Offer, "The offer is too large for the server".into()),
            StatusCode::TOO_MANY_REQUESTS => (Cause::Busy, format!("{place} had too many requests")),
            StatusCode::BAD_GATEWAY | StatusCode::SERVICE_UNAVAILABLE | StatusCode::GATEWAY_TIMEOUT => {
                (Cause::Busy, format!("{place} is not available now"))
            }
            status if status.is_server_error() => (Cause::Server, format!("{place} has failed")),
            status if status.is_success() => {
                (Cause::Nonsense, format!("{place} gave an answer of another kind"))
            }
            status if status.is_redirection() => (Cause::Redirect, format!("{place} redirects to nowhere")),
            _ => (Cause::Offer, format!("{place} refused")),
        }
    }

    fn build(cause: Cause, words: &str, answered: &Answered, now: SystemTime) -> Self {
        let status = answered.response.status;
        let said = text::of_body(&answered.response);
        let same = said.is_empty() || said.eq_ignore_ascii_case(words);
        let message = if same { words.to_owned() } else { format!("{words}: {said}") };
        // The texts of the contract are compared by programs.
        let plain = matches!(cause, Cause::InUse) || words == "Stream not found";
        let message = if plain { words.to_owned() } else { format!("{message} (HTTP {})", status.as_u16()) };
        Self {
            cause,
            status: Some(status.as_u16()),
            message,
            retry_after: retry_after(&answered.response, now),
        }
    }
}

/// The `Retry-After` of a response (RFC 9110 section 10.2.3), seconds or a date.
pub fn retry_after(response: &Response, now: SystemTime) -> Option<Duration> {
    let text = response.text(header::RETRY_AFTER)?.trim();
    let wait = if !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit()) {
        text.parse().map_or(LONGEST_WAIT, Duration::from_secs)
    } else {
        httpdate::parse_http_date(text).ok()?.duration_since(now).unwrap_or_default()
    };
    Some(wait.min(LONGEST_WAIT))
}
