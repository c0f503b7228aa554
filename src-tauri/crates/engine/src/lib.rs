//! The engine: the one owner of sessions, calls, devices and settings.
//!
//! One loop ([`owner`]) owns all state and never waits: commands are answered at once, the network's and the media thread's
//! news come in as messages, effects go out as messages. Packets, samples and pictures never pass through it; they live on the
//! media thread (`io::media`) and the stream thread with its encoders and decoders (`io::streams`).
//!
//! ```text
//!  Handle ──commands──▶ owner ──▶ sip::UserAgent (phone)    ─┐
//!    ▲                    │   ──▶ sip::UserAgent (gateway)  ─┤── io::sip (UDP, TCP, names)
//!    ├────── events ──────┘   ──▶ io::media (RTP sockets, codecs, devices; 10 ms beat)
//!    │                        ──▶ io::streams (router, WebRTC peers, encoder and decoder threads)
//!    └─ pictures, encoded media ───────┘      io::http (WHIP and WHEP endpoints; the hooks' backend)
//! ```
#![forbid(unsafe_code)]

mod capture;
mod clients;
mod directories;
mod handle;
mod hooks;
mod ingest;
mod io;
mod journal;
mod metrics;
mod options;
mod owner;
mod preview;
mod redact;
mod report;
mod rest;
mod rooms;
pub mod secrets;
mod store;
mod vcard;
pub mod wcs;

pub use capture::capture_of;
pub use clients::{
    ClientAsk, ClientCall, ClientCallView, ClientNews, ClientNewsReader, ClientOpened, ClientOpening,
    ClientRefused, ClientStream, ClientStreamView, Json, LONGEST_CLIENT_ID, Muted,
};
pub use directories::Directories;
pub use handle::{Events, Handle, Next};
pub use ingest::{
    LONGEST_NAME, StreamAccepted, StreamDeclined, StreamOffer, StreamPatch, StreamPatched, check_stream_name,
};
pub use io::streams::{EncodedPictures, Pictures, Unit, UnitMedia, Units};
pub use metrics::{Counted, Metrics};
pub use options::{ExchangePlace, LEAST_KBIT, MediaLimits, MediaPlace, Options, check_advertised};
pub use owner::{addresses, check_sharing, check_video};
pub use preview::SourcePreview;
pub use report::read_report;
pub use rest::{RestAsk, RestCall, RestFilter, RestReply};
pub use sidetone_peer::whip;

use sidetone_api::Failure;

/// Whether hooks can be sent below this URL.
///
/// # Errors
/// In words.
pub fn check_hooks_url(text: &str) -> Result<(), String> {
    io::http::read_url(text).map(|_| ())
}

/// Starts engines.
#[derive(Debug, Clone, Copy)]
pub struct Engine;

impl Engine {
    /// Reads the settings, opens the sockets and the embedded gateway, and connects the enabled accounts.
    ///
    /// # Errors
    /// [`Failure`] with `code` `storage` where the settings cannot be read (an unknown key is named), `network` where no
    /// socket can be opened.
    pub async fn start(options: Options) -> Result<Handle, Failure> {
        owner::start(options).await
    }
}
