//! From a request to a WebSocket, of whatever kind: who may have one, and whether there is room.

use crate::{
    app::App,
    guard::{Refusal, check_origin},
    listener::Site,
    pages::{logged_in, not_logged_in},
};
use axum::{
    extract::{WebSocketUpgrade, ws::rejection::WebSocketUpgradeRejection},
    http::{HeaderMap, StatusCode, Uri, header},
    response::{IntoResponse as _, Response},
};
use std::sync::Arc;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

/// A page of ours, in a browser that is logged in. In a box, as what is answered instead is large and seldom.
pub(crate) fn check(app: &App, site: &Site, headers: &HeaderMap, uri: &Uri) -> Result<(), Box<Response>> {
    let host = headers.get(header::HOST).and_then(|host| host.to_str().ok()).unwrap_or_default();
    if let Err(refusal) = check_origin(headers, host, site.is_secure) {
        return Err(Box::new(refusal.into_response()));
    }
    if logged_in(app, headers) {
        return Ok(());
    }
    Err(Box::new(not_logged_in(headers, uri, "This socket needs a login link.")))
}

/// A place among the sockets of its kind, for as long as the permit lives.
pub(crate) fn admit(
    sockets: &Arc<Semaphore>,
    most: usize,
    upgrade: Result<WebSocketUpgrade, WebSocketUpgradeRejection>,
) -> Result<(WebSocketUpgrade, OwnedSemaphorePermit), Box<Response>> {
    let upgrade = upgrade.map_err(|rejection| {
        Box::new(Refusal::new(rejection.status(), "Upgrade", rejection.body_text()).into_response())
    })?;
    match Arc::clone(sockets).try_acquire_owned() {
        Ok(permit) => Ok((upgrade, permit)),
        Err(_) => {
            let message = format!("{most} sockets are open; close one");
            let refusal = Refusal::new(StatusCode::SERVICE_UNAVAILABLE, "sockets", message);
            Err(Box::new(refusal.into_response()))
        }
    }
}
