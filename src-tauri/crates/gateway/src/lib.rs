//! The embedded server's HTTP and WebSocket listeners: they serve the UI to a browser on this machine, and streams by WHIP and WHEP.
//!
//! ```text
//!  browser ──GET /?token=…──▶ login   one-time token ⇒ session cookie
//!          ──GET /…─────────▶ pages   the built UI: ETag, CSP, no path but the assets'
//!          ══/ui/socket═════▶ socket  commands in, snapshot and events out
//!          ══/frames════════▶ frames  the pictures of streams, the newest of each
//!  OBS, …  ──POST /whip/…───▶ whip    streams are published and played
//!  Web SDK ══any path═══════▶ wcs     sessions, streams, calls and data of pages made for Web Call Server
//!  backend ──POST /rest-api/▶ rest    looks at calls, streams and sessions, and takes part in them
//!  cli     ──GET /healthz───▶         is this the instance of gateway.json?
//!          ──POST /login-link▶        a fresh link, for the key of gateway.json
//! ```
//!
//! Every request passes [`guard`] first: a `Host` that is not this listener is refused (DNS rebinding), and whatever
//! changes state wants the `Origin` of our own pages. By default all of it has one port on loopback; [`Network`] gives its parts
//! others. The SIP side of the gateway is the engine's.
//!
//! # The UI socket
//! Text frames of JSON. The server sends `{"snapshot": Snapshot}` once and then every event as an `Envelope`. The client
//! sends `{"id": 1, "command": {"command": "call", "callee": "echo"}}` and gets `{"id": 1, "reply": Reply}` or
//! `{"id": 1, "failure": Failure}`. A command that is wrong gives a failure, never a closed socket; see [`close_code`] for
//! what does close it.
#![forbid(unsafe_code)]

mod app;
mod door;
mod error;
mod frames;
mod guard;
mod listener;
mod login;
mod network;
mod pages;
mod private_file;
mod rest;
mod running;
mod runtime_file;
mod sharing;
mod socket;
#[cfg(test)]
mod tests;
mod tls;
mod upgrade;
pub mod wcs;
mod whip;
pub mod wire;

pub use error::GatewayError;
pub use frames::{FrameDoor, FrameLink};
pub use network::{Access, Limits, Network, Purpose, RestUser, TlsIdentity};
pub use pages::ui::{Asset, Find, Ui, mime_of};
pub use running::{Gateway, Options, Running};
pub use runtime_file::{Found, find_running};
pub use socket::close_code;
