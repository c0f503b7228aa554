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
pub(crate) mod origin;

use crate::app::App;
use answer::{Refused, refusal};
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
    whip::{FRAGMENT, Fragment, FragmentError, IfMatch, Kind, SDP, Token},
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

async fn offer(
    kind: Kind,
    State(app): Shared,
    Path(name): Path<String>,
    request: Request,
) -> Result<Response, Refused> {
    check_stream_name(&name).map_err(|words| refusal(StatusCode::BAD_REQUEST, words))?;
    let token = token(request.headers())?;
    let busy = |_| StreamDeclined::Limit("too many offers at once".into());
    let _permit = app.offers.try_acquire().map_err(busy)?;
    let sdp = body::read(request, SDP, answer::ACCEPT_POST).await?;
    if !sdp.trim_start().starts_with("v=0") {
        let words = "this is no session description: it begins with v=0";
        return Err(refusal(StatusCode::BAD_REQUEST, words).into());
    }
    let offer = StreamOffer { kind, name: name.clone(), sdp, token };
    let accepted = timely(app.door.offer_stream(offer)).await?;
    Ok(answer::created(kind, &name, accepted))
}

async fn news(
    State(app): Shared,
    Path((_, session)): Path<(String, String)>,
    request: Request,
) -> Result<Response, Refused> {
    let resource = resource(&session)?;
    let token = token(request.headers())?;
    let if_match = if_match(request.headers())?;
    let body = body::read(request, FRAGMENT, answer::ACCEPT_PATCH).await?;
    let broken = |error: FragmentError| refusal(StatusCode::BAD_REQUEST, error.to_string());
    let fragment = Fragment::parse(&body).map_err(broken)?;
    let patch = StreamPatch { resource, if_match, fragment, token };
    Ok(match timely(app.door.patch_stream(patch)).await? {
        StreamPatched::Trickled => StatusCode::NO_CONTENT.into_response(),
        StreamPatched::Restarted { fragment, tag } => {
            let headers = [(header::CONTENT_TYPE, FRAGMENT), (header::ETAG, tag.as_str())];
            (StatusCode::OK, headers, fragment.to_string()).into_response()
        }
    })
}

async fn end(
    State(app): Shared,
    Path((_, session)): Path<(String, String)>,
    headers: HeaderMap,
) -> Result<StatusCode, Refused> {
    let (resource, token) = (resource(&session)?, token(&headers)?);
    timely(app.door.end_stream(resource, token)).await?;
    Ok(StatusCode::OK)
}

async fn timely<T>(asked: impl Future<Output = Result<T, StreamDeclined>>) -> Result<T, StreamDeclined> {
    let late = |_| Err(StreamDeclined::Limit("the engine has too much to do".into()));
    tokio::time::timeout(PATIENCE, asked).await.unwrap_or_else(late)
}

/// An id that the engine cannot have given names nothing.
fn resource(session: &str) -> Result<String, StreamDeclined> {
    let fits = session.len() <= LONGEST_SESSION && session.bytes().all(|byte| byte.is_ascii_alphanumeric());
    if fits { Ok(session.to_owned()) } else { Err(StreamDeclined::SessionNotFound) }
}

/// The bearer token, if any. Another scheme is none.
fn token(headers: &HeaderMap) -> Result<Option<Secret>, Refused> {
    let mut given = headers.get_all(header::AUTHORIZATION).iter();
    let read = match (given.next(), given.next()) {
        (None, _) => return Ok(None),
        (Some(value), None) => value.to_str().ok().and_then(Token::of_authorization),
        _ => None,
    };
    let refused = || refusal(StatusCode::BAD_REQUEST, "Authorization is not one bearer token").into();
    read.map(|token| Some(Secret::new(token.expose()))).ok_or_else(refused)
}

fn if_match(headers: &HeaderMap) -> Result<Option<IfMatch>, Refused> {
    let given: Vec<_> = headers.get_all(header::IF_MATCH).iter().map(|value| value.to_str()).collect();
    if given.is_empty() {
        return Ok(None);
    }
    let text: Result<Vec<_>, _> = given.into_iter().collect();
    let read = text.ok().and_then(|values| IfMatch::parse(&values.join(",")));
    let refused = || refusal(StatusCode::BAD_REQUEST, "If-Match is no list of entity tags").into();
    read.map(Some).ok_or_else(refused)
}
