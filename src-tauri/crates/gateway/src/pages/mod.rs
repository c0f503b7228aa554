//! The built UI as files.

pub(crate) mod ui;

use crate::{app::App, guard::Refusal, guard::cookie, listener::Site};
use axum::{
    Extension,
    body::Body,
    extract::{RawQuery, State},
    http::{HeaderMap, HeaderValue, Method, StatusCode, Uri, header},
    response::{IntoResponse, Response},
};
use std::{
    hash::{DefaultHasher, Hash, Hasher},
    sync::Arc,
    time::Instant,
};

/// What a browser without a session sees.
const SIGN_IN: &str = include_str!("sign_in.html");
const SIGN_IN_STYLE: &str = include_str!("sign_in.css");

/// `GET /`: the first page, and the login link.
pub(crate) async fn root(
    State(app): State<Arc<App>>,
    Extension(site): Extension<Site>,
    method: Method,
    RawQuery(query): RawQuery,
    headers: HeaderMap,
    uri: Uri,
) -> Response {
    let token =
        query.as_deref().and_then(|query| query.split('&').find_map(|pair| pair.strip_prefix("token=")));
    match token {
        // A HEAD (a link preview) must not burn the token.
        Some(token) if method == Method::GET => log_in(&app, &site, &headers, token),
        _ => asset(State(app), headers, uri).await,
    }
}

/// Any other `GET`: a file of the UI.
pub(crate) async fn asset(State(app): State<Arc<App>>, headers: HeaderMap, uri: Uri) -> Response {
    if !logged_in(&app, &headers) {
        return not_logged_in(&headers, &uri, "This page needs a login link.");
    }
    let path = match ui::asset_path(uri.path()) {
        Ok(path) => path,
        Err(refusal) => return refusal.into_response(),
    };
    match app.ui.load(&path).await {
        Some(asset) => file(&path, asset, &headers),
        None if path == "index.html" => {
            let message =
                "this build has no pages: build the UI (`cargo xtask run` does) and build the program again";
            Refusal::new(StatusCode::NOT_FOUND, "path", message).into_response()
        }
        None => {
            Refusal::new(StatusCode::NOT_FOUND, "path", format!("there is no page {path:?}")).into_response()
        }
    }
}

/// The style of the sign-in page; the only file that needs no session.
pub(crate) async fn sign_in_style() -> Response {
    ([(header::CONTENT_TYPE, "text/css; charset=utf-8")], SIGN_IN_STYLE).into_response()
}

pub(crate) fn logged_in(app: &App, headers: &HeaderMap) -> bool {
    cookie(headers, &app.cookie_name).is_some_and(|session| app.login().admits(session))
}

fn log_in(app: &App, site: &Site, headers: &HeaderMap, token: &str) -> Response {
    let opened = app.login().redeem(token, Instant::now());
    let session = match opened {
        Ok(Some(session)) => session,
        // An old link in a browser that is logged in anyway, such as a reloaded tab.
        Ok(None) if logged_in(app, headers) => return to_root(None),
        Ok(None) => {
            let why = "This login link has been used already, is too old, or belongs to an earlier run.";
            return sign_in(why);
        }
        Err(error) => {
            let refusal = Refusal::new(StatusCode::INTERNAL_SERVER_ERROR, "token", error.to_string());
            return refusal.into_response();
        }
    };
    // Cookies are shared between the ports of a host, so the name carries the port.
    let secure = if site.is_secure { "; Secure" } else { "" };
    to_root(Some(format!("{}={session}; Path=/; HttpOnly; SameSite=Strict{secure}", app.cookie_name)))
}

fn to_root(set_cookie: Option<String>) -> Response {
    let mut response = (StatusCode::SEE_OTHER, [(header::LOCATION, "/")]).into_response();
    if let Some(value) = set_cookie.and_then(|cookie| HeaderValue::from_str(&cookie).ok()) {
        response.headers_mut().insert(header::SET_COOKIE, value);
    }
    response
}

/// 401: in words for people, as a [`sidetone_api::Failure`] for scripts and files.
pub(crate) fn not_logged_in(headers: &HeaderMap, uri: &Uri, why: &str) -> Response {
    let accept = headers.get(header::ACCEPT).and_then(|accept| accept.to_str().ok()).unwrap_or_default();
    if uri.path() == "/" || accept.contains("text/html") {
        return sign_in(why);
    }
    Refusal::new(StatusCode::UNAUTHORIZED, "Cookie", "open the login link first").into_response()
}

fn sign_in(why: &str) -> Response {
    let page = SIGN_IN.replace("{why}", why);
    (StatusCode::UNAUTHORIZED, [(header::CONTENT_TYPE, "text/html; charset=utf-8")], page).into_response()
}

pub(crate) fn file(path: &str, asset: ui::Asset, headers: &HeaderMap) -> Response {
    let mut hasher = DefaultHasher::new();
    asset.bytes.hash(&mut hasher);
    let etag = format!("\"{:016x}-{:x}\"", hasher.finish(), asset.bytes.len());
    // The bundler writes a hash of the content into the names below assets/.
    let cache = if path.starts_with("assets/") {
        "private, max-age=31536000, immutable"
    } else {
        "private, no-cache"
    };
    let known = headers
        .get_all(header::IF_NONE_MATCH)
        .iter()
        .filter_map(|value| value.to_str().ok())
        .flat_map(|value| value.split(','))
        .any(|tag| tag.trim().trim_start_matches("W/") == etag || tag.trim() == "*");
    let facts = [(header::ETAG, etag), (header::CACHE_CONTROL, cache.to_owned())];
    if known {
        return (StatusCode::NOT_MODIFIED, facts).into_response();
    }
    (facts, [(header::CONTENT_TYPE, asset.mime.into_owned())], Body::from(ui::to_bytes(asset.bytes)))
        .into_response()
}
