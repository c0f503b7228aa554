//! The REST API, by which an integrator's programs look at calls, streams and sessions and take part in them: paths, fields and
//! answers of Web Call Server. `src-tauri/docs/openapi.json` describes it, and is served at `/rest-api/openapi.json`.
//!
//! Each path is a row of [`table`]; here its requests are let in, read and answered. Who may ask: on loopback every program of this
//! machine, unless a user and a password are set; beyond loopback nobody without them, nor without TLS unless that is allowed.
//! Pages may where they may use streams.

mod answer;
mod body;
mod metrics;
mod table;
#[cfg(test)]
mod tests;

use crate::{
    app::App,
    listener::{Remote, Site},
    login::same,
    socket::rate::Rate,
    whip::origin,
};
use answer::Refused;
use axum::{
    Extension, Router,
    extract::{Request, State},
    http::{HeaderMap, HeaderValue, Method, StatusCode, header},
    middleware::{self, Next},
    response::{IntoResponse as _, Response},
    routing::{any, get},
};
use base64::{Engine as _, prelude::BASE64_STANDARD};
use body::Body;
use std::{
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};
use table::{Asker, Endpoint, TABLE};
use tokio::time::{Instant, timeout};

pub(crate) use answer::no_path;

const PREFIX: &str = "/rest-api";
const DESCRIPTION: &str = include_str!("../../../../docs/openapi.json");
/// A call waits for the backend of its session, a snapshot for a picture.
const PATIENCE: Duration = Duration::from_secs(25);

/// Wrong passwords a second, and at once; a program that knows the right one is not kept waiting by them.
const WRONG_PER_SECOND: u32 = 20;
const WRONG_BURST: u32 = 200;

/// What all requests share.
pub(crate) struct Rest {
    rate: Mutex<Rate>,
    wrong: Mutex<Rate>,
}

impl Rest {
    pub(crate) fn new(per_second: u32) -> Self {
        let now = Instant::now();
        let rate = Rate::new(now, per_second, per_second.saturating_mul(2));
        let wrong = Rate::new(now, WRONG_PER_SECOND, WRONG_BURST);
        Self { rate: Mutex::new(rate), wrong: Mutex::new(wrong) }
    }
}

fn within(rate: &Mutex<Rate>) -> Result<(), Refused> {
    if rate.lock().unwrap_or_else(PoisonError::into_inner).admits(Instant::now()) {
        return Ok(());
    }
    let words = "too many requests";
    Err(Refused::new(StatusCode::TOO_MANY_REQUESTS, words).with(header::RETRY_AFTER, "1"))
}

pub(crate) fn routes(app: &Arc<App>) -> Router<Arc<App>> {
    let described = async || ([(header::CONTENT_TYPE, "application/json")], DESCRIPTION);
    let routes = Router::new().route("/rest-api/openapi.json", get(described).fallback(answer::only_get));
    let routes = routes
        .route("/metrics", get(metrics::metrics).fallback(answer::only_get))
        .route("/status", get(metrics::status).fallback(answer::only_get));
    let routes = TABLE.iter().fold(routes, |routes, endpoint| {
        let ask = move |app, site, remote, request| ask(endpoint, app, site, remote, request);
        routes.route(&format!("{PREFIX}{}", endpoint.path), any(ask))
    });
    // What begins so is of no page.
    let routes = routes.route("/rest-api", any(no_path)).route("/rest-api/{*rest}", any(no_path));
    routes.layer(middleware::from_fn_with_state(Arc::clone(app), guarded))
}

/// Who may ask, before anything of it is read.
async fn guarded(
    State(app): State<Arc<App>>,
    Extension(site): Extension<Site>,
    request: Request,
    next: Next,
) -> Response {
    let origin = match origin::check(request.headers(), &app.access.origins) {
        Ok(origin) => origin,
        Err(words) => return Refused::new(StatusCode::FORBIDDEN, words).of(&request),
    };
    // It shows no password, and nothing is done for it.
    let is_preflight = request.method() == Method::OPTIONS && origin.is_some();
    let mut response = match admitted(&app, &site, &request) {
        _ if is_preflight => preflight(),
        Ok(()) => next.run(request).await,
        Err(refused) => refused.of(&request),
    };
    let headers = response.headers_mut();
    headers.insert(header::VARY, HeaderValue::from_static("Origin"));
    if let Some(origin) = origin {
        headers.insert(header::ACCESS_CONTROL_ALLOW_ORIGIN, origin);
    }
    response
}

fn preflight() -> Response {
    let headers = [
        (header::ACCESS_CONTROL_ALLOW_METHODS, "GET, POST, OPTIONS"),
        (header::ACCESS_CONTROL_ALLOW_HEADERS, "Authorization, Content-Type"),
        (header::ACCESS_CONTROL_MAX_AGE, "600"),
    ];
    (StatusCode::NO_CONTENT, headers).into_response()
}

fn admitted(app: &App, site: &Site, request: &Request) -> Result<(), Refused> {
    let is_near = site.address.ip().is_loopback();
    let Some(user) = &app.access.rest else {
        if is_near {
            return within(&app.rest.rate);
        }
        let words = "beyond loopback the REST API needs a user and a password, and none are set here";
        return Err(Refused::new(StatusCode::FORBIDDEN, words));
    };
    if !(is_near || site.is_secure || app.access.rest_in_the_open) {
        let words = "beyond loopback the REST API is had by https alone";
        return Err(Refused::new(StatusCode::FORBIDDEN, words));
    }
    let wanted = format!("{}:{}", user.user, user.password.expose());
    if shown(request.headers()).is_some_and(|shown| same(&shown, wanted.as_bytes())) {
        return within(&app.rest.rate);
    }
    within(&app.rest.wrong)?;
    let refused = Refused::new(StatusCode::UNAUTHORIZED, "user and password are needed");
    Err(refused.with(header::WWW_AUTHENTICATE, "Basic realm=\"rest-api\", charset=\"UTF-8\""))
}

/// User and password of HTTP Basic, where there is exactly one header.
fn shown(headers: &HeaderMap) -> Option<Vec<u8>> {
    let mut given = headers.get_all(header::AUTHORIZATION).iter();
    let (Some(value), None) = (given.next(), given.next()) else { return None };
    let (scheme, text) = value.to_str().ok()?.split_once(' ')?;
    if !scheme.eq_ignore_ascii_case("Basic") {
        return None;
    }
    BASE64_STANDARD.decode(text.trim()).ok()
}

async fn ask(
    endpoint: &'static Endpoint,
    State(app): State<Arc<App>>,
    Extension(site): Extension<Site>,
    Extension(remote): Extension<Remote>,
    request: Request,
) -> Response {
    let path = request.uri().path().to_owned();
    let answered = async {
        endpoint.check_method(request.method())?;
        let body = Body::read(request, endpoint.fields).await?;
        let asker = Asker { remote: remote.0, local: site.address, sounds: app.access.sounds.as_deref() };
        let wanted = (endpoint.ask)(&body, &asker)?;
        let asked = timeout(PATIENCE, app.door.rest(wanted)).await;
        match asked {
            Ok(reply) => Ok(reply?),
            Err(_) => {
                let refused = Refused::new(StatusCode::GATEWAY_TIMEOUT, "this took too long");
                Err(refused.with(header::RETRY_AFTER, "5"))
            }
        }
    };
    match answered.await {
        Ok(reply) => answer::say(reply),
        Err(refused) => refused.at(&path),
    }
}
