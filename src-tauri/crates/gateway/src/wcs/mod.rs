//! Pages made for Flashphoner's Web Call Server: the WebSocket that the Web SDK opens, at any path.
//!
//! ```text
//!  SDK ──connection──▶ session   the first message; getUserData answers, or fail and the end
//!      ──publishStream, playStream, …──▶ the engine; what comes of it comes back as statuses and events
//!      ◀──ping, every 5 s──          a client that answers none of ten has gone
//! ```
//!
//! Here the form is checked and the words are found; sessions, streams and data are the engine's. Which pages may connect: as with
//! WHIP, those of this machine.

mod logs;
mod opening;
mod session;
#[cfg(test)]
mod tests;

/// Shared with the client of other servers, which is in the engine.
pub use sidetone_engine::wcs as message;

use crate::{
    app::App,
    guard::{Refusal, check_origin},
    listener::{Remote, Site},
    upgrade::admit,
    whip::origin,
};
use axum::{
    Extension,
    extract::{FromRequestParts as _, Request, State, WebSocketUpgrade},
    http::{HeaderMap, StatusCode, header},
    middleware::Next,
    response::{IntoResponse as _, Response},
};
use message::{LONGEST_MESSAGE, is_mostly_text};
use std::{net::SocketAddr, sync::Arc};

/// A longer message must be mostly text: much else would take many times its size in memory.
const LONGEST_OF_VALUES: usize = 64 * 1024;
/// Bytes. Each connection has so many for as long as it stands, used or not.
const READ_AT_ONCE: usize = 4 * 1024;
/// Connections at a time, at most; the limits may say less.
pub(crate) const MOST_CLIENTS: usize = 2_000;
/// Sockets of ours, which are others.
const OURS: [&str; 2] = ["/ui/socket", "/frames"];

/// Any WebSocket that is not one of our own pages' is the Web SDK's: it knows no path.
pub(crate) async fn upgraded(
    State(app): State<Arc<App>>,
    Extension(site): Extension<Site>,
    request: Request,
    next: Next,
) -> Response {
    if OURS.contains(&request.uri().path()) || !wants_socket(request.headers()) {
        return next.run(request).await;
    }
    let origin = match origin::check(request.headers(), &app.access.origins) {
        Ok(origin) => origin.and_then(|origin| origin.to_str().map(str::to_owned).ok()),
        Err(words) => return Refusal::new(StatusCode::FORBIDDEN, "Origin", words).into_response(),
    };
    take(app, request, Coming { local: site.address, origin, is_guest: false }).await
}

/// Where guests come in: their page is ours, and there is no other socket.
pub(crate) async fn upgraded_for_guests(
    State(app): State<Arc<App>>,
    Extension(site): Extension<Site>,
    request: Request,
    next: Next,
) -> Response {
    if !wants_socket(request.headers()) {
        return next.run(request).await;
    }
    let host = request.headers().get(header::HOST).and_then(|host| host.to_str().ok()).unwrap_or_default();
    if let Err(refusal) = check_origin(request.headers(), host, site.is_secure) {
        return refusal.into_response();
    }
    let origin = Some(format!("https://{host}"));
    take(app, request, Coming { local: site.address, origin, is_guest: true }).await
}

/// Who wants a socket.
struct Coming {
    local: SocketAddr,
    origin: Option<String>,
    is_guest: bool,
}

async fn take(app: Arc<App>, request: Request, coming: Coming) -> Response {
    let Coming { local, origin, is_guest } = coming;
    let (mut parts, _) = request.into_parts();
    let remote = parts.extensions.get::<Remote>().map_or(local, |remote| remote.0);
    let upgrade = WebSocketUpgrade::from_request_parts(&mut parts, &()).await;
    let (upgrade, permit) = match admit(&app.clients, app.limits.sessions, upgrade) {
        Ok(admitted) => admitted,
        Err(refusal) => return *refusal,
    };
    upgrade
        .max_message_size(LONGEST_MESSAGE)
        .max_frame_size(LONGEST_MESSAGE)
        .read_buffer_size(READ_AT_ONCE)
        .write_buffer_size(0)
        .on_upgrade(async move |socket| {
            session::run(socket, &app, opening::Caller { remote, local, origin, is_guest }).await;
            drop(permit);
        })
}

/// # Errors
/// Where the message would take many times its size in memory.
fn check_shape(text: &str) -> Result<(), String> {
    if text.len() > LONGEST_OF_VALUES && !is_mostly_text(text) {
        return Err(format!("a message of up to {LONGEST_MESSAGE} bytes is mostly text"));
    }
    Ok(())
}

/// Where nothing but such sockets is served.
pub(crate) async fn only_sockets() -> Response {
    let words = "only WebSockets of the Web SDK are served here";
    let refusal = Refusal::new(StatusCode::UPGRADE_REQUIRED, "Upgrade", words);
    ([(header::UPGRADE, "websocket")], refusal).into_response()
}

fn wants_socket(headers: &HeaderMap) -> bool {
    let upgrade = headers.get(header::UPGRADE).and_then(|value| value.to_str().ok());
    upgrade.is_some_and(|upgrade| upgrade.eq_ignore_ascii_case("websocket"))
}
