//! `/frames`: the pictures of streams for the UI, over a WebSocket on loopback.
//!
//! A browser comes with its login and the `Origin` of our own pages; the app's window, whose pages are not served from here, comes
//! with a ticket ([`FrameDoor`]). One socket carries every picture that a page shows, each on a channel that the page numbers.
//!
//! A window whose webview opens no socket to this machine has the same over a [`FrameLink`].
//!
//! The page sends JSON, one [`request::Request`] a text frame. It says how large it shows a stream and how many pictures it can
//! take; a picture costs a credit. Without credit, and while the socket is full, pictures are left out: none ever waits, and what
//! is sent next is the newest. The server sends pictures as binary frames ([`header`]), and one text frame where a channel ends:
//! `{"channel": 1, "ended": true}` or `{"channel": 1, "failure": Failure}`.
//!
//! A page that decodes by itself says so first (`decoders`) and then gets the encoded pictures of played streams as they come. They
//! begin with a key frame; until there is one, decoded pictures come. Here too the newest wins: a page that is slow loses all until
//! the next key frame, which is asked for, as it is where the page's decoder has lost its way (`key`).
//!
//! What is published is measured too: `{"channel": 1, "levels": [Level]}`, one for each of its sounds, at most ten times a second.
//! A channel can also be for sources before they are published. Then `{"channel": 1, "problem": "…"}` says what is wrong with them,
//! empty when all is well again, and `ended` comes after `close` too, when the devices are closed.

mod channel;
pub(crate) mod header;
mod link;
mod passed;
pub(crate) mod request;
mod session;
mod shrink;
mod ticket;
mod window;

pub use link::FrameLink;
pub use window::FrameDoor;
#[cfg(test)]
pub(crate) use window::open as window_of;

use crate::{
    app::App,
    door::Door,
    listener::Site,
    upgrade::{admit, check},
};
use axum::{
    Extension,
    extract::{State, WebSocketUpgrade, ws::rejection::WebSocketUpgradeRejection},
    http::{HeaderMap, Uri},
    response::Response,
};
use std::sync::Arc;
use tokio::sync::{Semaphore, watch};

/// Sockets of one listener.
pub(crate) const MAX_SOCKETS: usize = 16;

/// What a socket needs of its listener.
pub(crate) struct Frames {
    pub(crate) door: Arc<dyn Door>,
    pub(crate) sockets: Arc<Semaphore>,
    /// Turns true when the listener stops.
    pub(crate) stop: watch::Receiver<bool>,
}

impl Frames {
    pub(crate) fn new(door: Arc<dyn Door>, stop: watch::Receiver<bool>) -> Self {
        Self { door, sockets: Arc::new(Semaphore::new(MAX_SOCKETS)), stop }
    }
}

/// `GET /frames` of a browser that is logged in.
pub(crate) async fn upgrade(
    State(app): State<Arc<App>>,
    Extension(site): Extension<Site>,
    headers: HeaderMap,
    uri: Uri,
    upgrade: Result<WebSocketUpgrade, WebSocketUpgradeRejection>,
) -> Response {
    match check(&app, &site, &headers, &uri) {
        Ok(()) => accept(&app.frames, upgrade),
        Err(refusal) => *refusal,
    }
}

/// Whoever asks has shown that they may.
fn accept(frames: &Frames, upgrade: Result<WebSocketUpgrade, WebSocketUpgradeRejection>) -> Response {
    let (upgrade, permit) = match admit(&frames.sockets, MAX_SOCKETS, upgrade) {
        Ok(admitted) => admitted,
        Err(refusal) => return *refusal,
    };
    let (door, stop) = (Arc::clone(&frames.door), frames.stop.clone());
    upgrade
        .max_message_size(request::LONGEST)
        .max_frame_size(request::LONGEST)
        .write_buffer_size(0)
        .on_upgrade(async move |socket| {
            session::run(socket, door, stop).await;
            drop(permit);
        })
}
