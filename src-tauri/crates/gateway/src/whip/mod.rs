//! WHIP (RFC 9725) and WHEP (draft-ietf-wish-whep): streams of this machine are published and played over HTTP.
//!
//! ```text
//!  POST   /whip/NAME, /whep/NAME            an offer ⇒ 201, answer, Location, ETag, Link
//!  PATCH  /whip/NAME/SESSION, …             candidates ⇒ 204; new credentials ⇒ 200 and ours
//!  DELETE /whip/NAME/SESSION, …             ⇒ 200
//!  OPTIONS anywhere                         what is taken; for pages, whether they may
//! ```
//!
//! Here the form is checked and the words are found; streams are the engine's. Who may ask: see [`origin`].

mod answer;
mod body;
mod origin;

use crate::app::App;
use answer::{declined, refusal};
use axum::{
    Router,
    extract::{Path, Request, State},
    http::{HeaderMap, StatusCode, header},
    middleware,
    response::{IntoResponse, Response},
    routing::{MethodRouter, patch, post},
};
use sidetone_api::Secret;
use sidetone_engine::{
    StreamDeclined, StreamOffer, StreamPatch, StreamPatched, check_stream_name,
    whip::{FRAGMENT, Fragment, IfMatch, Kind, SDP, Token},
};
use std::{sync::Arc, time::Duration};

/// Offers that are being answered at once; more wait outside.
pub(crate) const MOST_OFFERS: usize = 32;
/// The engine answers within this, or the client is asked to come again.
const PATIENCE: Duration = Duration::from_secs(10);
/// Characters of a session's id.
const LONGEST_SESSION: usize = 128;

type Shared = State<Arc<App>>;

pub(crate) fn routes(app: &Arc<App>) -> Router<Arc<App>> {
    let endpoint = |kind| {
        let offer = move |app: Shared, name: Path<String>, request: Request| offer(kind, app, name, request);
        at(post(offer).options(endpoint_options), "POST, OPTIONS")
    };
    let session = || at(patch(news).delete(end).options(session_options), "PATCH, DELETE, OPTIONS");
    Router::new()
        .route("/whip/{name}", endpoint(Kind::Whip))
        .route("/whep/{name}", endpoint(Kind::Whep))
        .route("/whip/{name}/{session}", session())
        .route("/whep/{name}/{session}", session())
        .layer(middleware::from_fn_with_state(Arc::clone(app), origin::guarded))
}

/// Any other method is refused with those that are not (RFC 9725 section 4.2).
fn at(methods: MethodRouter<Arc<App>>, allowed: &'static str) -> MethodRouter<Arc<App>> {
    methods.fallback(move || async move {
        let words = format!("only {allowed} are served here");
        ([(header::ALLOW, allowed)], refusal(StatusCode::METHOD_NOT_ALLOWED, words)).into_response()
    })
}

async fn endpoint_options() -> Response {
    let headers = [(header::ALLOW, "POST, OPTIONS"), (answer::ACCEPT_POST, SDP)];
    (StatusCode::NO_CONTENT, headers).into_response()
}

async fn session_options() -> Response {
    let headers = [(header::ALLOW, "PATCH, DELETE, OPTIONS"), (answer::ACCEPT_PATCH, FRAGMENT)];
    (StatusCode::NO_CONTENT, headers).into_response()
}

async fn offer(kind: Kind, State(app): Shared, Path(name): Path<String>, request: Request) -> Response {
    if let Err(words) = check_stream_name(&name) {
        return refusal(StatusCode::BAD_REQUEST, words);
    }
    let token = match token(request.headers()) {
        Ok(token) => token,
        Err(refused) => return refused,
    };
    let Ok(_permit) = app.offers.try_acquire() else {
        return declined(&StreamDeclined::Limit("too many offers at once".into()));
    };
    let sdp = match body::read(request, SDP, answer::ACCEPT_POST).await {
        Ok(sdp) => sdp,
        Err(refused) => return refused,
    };
    if !sdp.trim_start().starts_with("v=0") {
        return refusal(StatusCode::BAD_REQUEST, "this is no session description: it begins with v=0");
    }
    let offer = StreamOffer { kind, name: name.clone(), sdp, token };
    match timely(app.door.offer_stream(offer)).await {
        Ok(accepted) => answer::created(kind, &name, accepted),
        Err(reason) => declined(&reason),
    }
}

async fn news(State(app): Shared, Path((_, session)): Path<(String, String)>, request: Request) -> Response {
    let resource = match resource(&session) {
        Ok(resource) => resource,
        Err(refused) => return refused,
    };
    let token = match token(request.headers()) {
        Ok(token) => token,
        Err(refused) => return refused,
    };
    let if_match = match if_match(request.headers()) {
        Ok(if_match) => if_match,
        Err(refused) => return refused,
    };
    let body = match body::read(request, FRAGMENT, answer::ACCEPT_PATCH).await {
        Ok(body) => body,
        Err(refused) => return refused,
    };
    let fragment = match Fragment::parse(&body) {
        Ok(fragment) => fragment,
        Err(error) => return refusal(StatusCode::BAD_REQUEST, error.to_string()),
    };
    match timely(app.door.patch_stream(StreamPatch { resource, if_match, fragment, token })).await {
        Ok(StreamPatched::Trickled) => StatusCode::NO_CONTENT.into_response(),
        Ok(StreamPatched::Restarted { fragment, tag }) => {
            let headers = [(header::CONTENT_TYPE, FRAGMENT), (header::ETAG, tag.as_str())];
            (StatusCode::OK, headers, fragment.to_string()).into_response()
        }
        Err(reason) => declined(&reason),
    }
}

async fn end(State(app): Shared, Path((_, session)): Path<(String, String)>, headers: HeaderMap) -> Response {
    let resource = match resource(&session) {
        Ok(resource) => resource,
        Err(refused) => return refused,
    };
    let token = match token(&headers) {
        Ok(token) => token,
        Err(refused) => return refused,
    };
    match timely(app.door.end_stream(resource, token)).await {
        Ok(()) => StatusCode::OK.into_response(),
        Err(reason) => declined(&reason),
    }
}

async fn timely<T>(asked: impl Future<Output = Result<T, StreamDeclined>>) -> Result<T, StreamDeclined> {
    let late = |_| Err(StreamDeclined::Limit("the engine has too much to do".into()));
    tokio::time::timeout(PATIENCE, asked).await.unwrap_or_else(late)
}

/// An id that the engine cannot have given names nothing.
fn resource(session: &str) -> Result<String, Response> {
    let fits = session.len() <= LONGEST_SESSION && session.bytes().all(|byte| byte.is_ascii_alphanumeric());
    if fits { Ok(session.to_owned()) } else { Err(declined(&StreamDeclined::SessionNotFound)) }
}

/// The bearer token, if any. Another scheme is none.
fn token(headers: &HeaderMap) -> Result<Option<Secret>, Response> {
    let mut given = headers.get_all(header::AUTHORIZATION).iter();
    let read = match (given.next(), given.next()) {
        (None, _) => return Ok(None),
        (Some(value), None) => value.to_str().ok().and_then(Token::of_authorization),
        _ => None,
    };
    let refused = || refusal(StatusCode::BAD_REQUEST, "Authorization is not one bearer token");
    read.map(|token| Some(Secret::new(token.expose()))).ok_or_else(refused)
}

fn if_match(headers: &HeaderMap) -> Result<Option<IfMatch>, Response> {
    let given: Vec<_> = headers.get_all(header::IF_MATCH).iter().map(|value| value.to_str()).collect();
    if given.is_empty() {
        return Ok(None);
    }
    let text: Result<Vec<_>, _> = given.into_iter().collect();
    let read = text.ok().and_then(|values| IfMatch::parse(&values.join(",")));
    read.map(Some).ok_or_else(|| refusal(StatusCode::BAD_REQUEST, "If-Match is no list of entity tags"))
}
