//! What a browser of a guest gets.

use super::identity::Identity;
use crate::{
    app::App,
    guard::Refusal,
    pages::{file, ui},
};
use axum::{
    Extension,
    extract::State,
    http::{HeaderMap, StatusCode, Uri, header},
    response::{Html, IntoResponse, Redirect, Response},
};
use std::sync::Arc;

const GUEST: &str = "guest.html";
const PAGE: &str = include_str!("page.html");
const TRUST: &str = include_str!("trust.html");
const STYLE: &str = include_str!("../pages/sign_in.css");

/// What a device is to trust; `None` where it does already.
#[derive(Debug, Clone)]
pub(super) struct Trust(Option<Arc<Authority>>);

#[derive(Debug)]
struct Authority {
    pem: String,
    fingerprint: String,
}

impl Trust {
    pub(super) fn of(identity: &Identity) -> Self {
        let of = |authority: &super::authority::Authority| {
            Arc::new(Authority {
                pem: authority.pem().to_owned(),
                fingerprint: authority.fingerprint().to_owned(),
            })
        };
        Self(identity.authority().map(of))
    }
}

pub(super) async fn root() -> Html<String> {
    page("Open the link of your invitation, as it was sent to you.")
}

/// The page asks for its files beside it. What is behind `#` goes along.
pub(super) async fn to_guest() -> Redirect {
    Redirect::permanent("/guest/")
}

pub(super) async fn guest(State(app): State<Arc<App>>, headers: HeaderMap) -> Response {
    match app.ui.load(GUEST).await {
        Some(asset) => file(GUEST, asset, &headers),
        None => {
            let words =
                "This program was built without its pages; who invited you needs another build of it.";
            (StatusCode::NOT_FOUND, page(words)).into_response()
        }
    }
}

/// Program text and pictures, which are no secret: every copy of this program has the same.
pub(super) async fn asset(State(app): State<Arc<App>>, headers: HeaderMap, uri: Uri) -> Response {
    let path = match ui::asset_path(uri.path()) {
        Ok(path) => path.trim_start_matches("guest/").to_owned(),
        Err(refusal) => return refusal.into_response(),
    };
    match app.ui.load(&path).await {
        Some(asset) => file(&path, asset, &headers),
        None => no_page(),
    }
}

pub(super) async fn trust(Extension(trust): Extension<Trust>) -> Response {
    match &trust.0 {
        Some(authority) => Html(TRUST.replace("{fingerprint}", &authority.fingerprint)).into_response(),
        None => page("Nothing is to be done: devices trust this server already.").into_response(),
    }
}

pub(super) async fn authority(Extension(trust): Extension<Trust>) -> Response {
    let Some(authority) = trust.0 else { return no_page() };
    let facts = [
        (header::CONTENT_TYPE, "application/x-x509-ca-cert"),
        (header::CONTENT_DISPOSITION, "attachment; filename=\"sidetone.crt\""),
    ];
    (facts, authority.pem.clone()).into_response()
}

pub(super) async fn style() -> Response {
    ([(header::CONTENT_TYPE, "text/css; charset=utf-8")], STYLE).into_response()
}

pub(super) async fn nothing() -> Response {
    no_page()
}

fn no_page() -> Response {
    Refusal::new(StatusCode::NOT_FOUND, "path", "there is no such page for guests").into_response()
}

fn page(words: &str) -> Html<String> {
    Html(PAGE.replace("{words}", words))
}
