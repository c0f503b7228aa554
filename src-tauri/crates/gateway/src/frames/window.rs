//! The app's own window, whether or not the gateway's pages are served.

use super::{Frames, accept, ticket::Tickets};
use crate::{
    GatewayError,
    door::Door,
    guard::{Hosts, Refusal},
    listener,
};
use axum::{
    Router,
    extract::{Path, Request, State, WebSocketUpgrade, ws::rejection::WebSocketUpgradeRejection},
    http::{HeaderMap, StatusCode, header},
    middleware::{self, Next},
    response::{IntoResponse, Response},
    routing::get,
};
use sidetone_engine::Handle;
use std::{
    fmt,
    net::{Ipv4Addr, SocketAddr},
    sync::{Arc, Mutex, PoisonError},
    time::Instant,
};
use tokio::sync::watch;

/// What the shell's pages say where they are from: Linux and macOS, Windows, and Windows with HTTPS.
const WINDOWS: [&str; 3] = ["tauri://localhost", "http://tauri.localhost", "https://tauri.localhost"];

/// A listener on loopback that gives pictures to this program's own window. It closes when it is dropped.
pub struct FrameDoor {
    shared: Arc<Shared>,
    stop: watch::Sender<bool>,
}

struct Shared {
    frames: Frames,
    address: SocketAddr,
    hosts: Hosts,
    tickets: Mutex<Tickets>,
}

impl FrameDoor {
    /// Opens a port that is free. Runs on the tokio runtime that calls it.
    ///
    /// # Errors
    /// [`GatewayError::Listen`].
    pub async fn open(handle: Handle) -> Result<Self, GatewayError> {
        open(Arc::new(handle)).await
    }

    /// Where one socket can be opened, once, within half a minute. Only for our own window: nobody else may see it.
    ///
    /// # Errors
    /// [`GatewayError::Randomness`].
    pub fn ticket(&self) -> Result<String, GatewayError> {
        let mut tickets = self.shared.tickets.lock().unwrap_or_else(PoisonError::into_inner);
        Ok(format!("ws://{}/frames/{}", self.shared.address, tickets.issue(Instant::now())?))
    }
}

impl fmt::Debug for FrameDoor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("FrameDoor").field("address", &self.shared.address).finish_non_exhaustive()
    }
}

impl Drop for FrameDoor {
    fn drop(&mut self) {
        self.stop.send_replace(true);
    }
}

pub(crate) async fn open(door: Arc<dyn Door>) -> Result<FrameDoor, GatewayError> {
    let ip = Ipv4Addr::LOCALHOST.into();
    let listener = listener::listen(ip, 0).await?;
    let address = listener.local_addr().map_err(|source| GatewayError::Listen { ip, source })?;
    let (stop, mut stopped) = watch::channel(false);
    let frames = Frames::new(door, stopped.clone());
    let shared = Arc::new(Shared { frames, address, hosts: Hosts::of(address), tickets: Mutex::default() });
    let routes = Router::new()
        .route("/frames/{ticket}", get(upgrade))
        .layer(middleware::from_fn_with_state(Arc::clone(&shared), guarded))
        .with_state(Arc::clone(&shared));
    tokio::spawn(async move {
        tokio::select! {
            () = listener::serve(listener, routes, None) => {}
            _ = stopped.wait_for(|stop| *stop) => {}
        }
    });
    Ok(FrameDoor { shared, stop })
}

/// `Host` and `Origin` of every request, whatever it is for.
async fn guarded(State(shared): State<Arc<Shared>>, request: Request, next: Next) -> Response {
    if let Err(refusal) = shared.hosts.check(request.headers(), request.uri()) {
        return refusal.into_response();
    }
    if !is_own_window(request.headers()) {
        let message = "only this program's own window may do this";
        return Refusal::new(StatusCode::FORBIDDEN, "Origin", message).into_response();
    }
    next.run(request).await
}

fn is_own_window(headers: &HeaderMap) -> bool {
    let mut given = headers.get_all(header::ORIGIN).iter();
    match (given.next(), given.next()) {
        (Some(origin), None) => WINDOWS.iter().any(|own| origin.as_bytes() == own.as_bytes()),
        _ => false,
    }
}

async fn upgrade(
    State(shared): State<Arc<Shared>>,
    Path(ticket): Path<String>,
    upgrade: Result<WebSocketUpgrade, WebSocketUpgradeRejection>,
) -> Response {
    let admitted = {
        let mut tickets = shared.tickets.lock().unwrap_or_else(PoisonError::into_inner);
        tickets.redeem(&ticket, Instant::now())
    };
    if !admitted {
        let message = "this ticket is not known, or was used";
        return Refusal::new(StatusCode::UNAUTHORIZED, "ticket", message).into_response();
    }
    accept(&shared.frames, upgrade)
}
