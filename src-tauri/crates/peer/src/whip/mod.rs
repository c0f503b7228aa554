//! WHIP (RFC 9725) and WHEP (draft-ietf-wish-whep) as values: what to ask, and what the answers say.
//!
//! Nothing here opens a socket or reads a clock. A client takes an [`Exchange`] from an [`Endpoint`] or a [`Resource`], sends
//! its request, hands the response back, and does so again while it is told to (redirects). What came of it is read by
//! [`Endpoint::read_opened`] and its siblings.
//!
//! ```text
//!  Endpoint ──offer──▶ POST ──201──▶ Opened { answer, Resource, ICE servers }
//!                        └───406 with an offer (WHEP)─▶ Opened::CounterOffer ──Resource::answer──▶ PATCH
//!  Resource ──trickle, restart──▶ PATCH (RFC 8840 fragment, If-Match)     ──delete──▶ DELETE
//! ```
//!
//! A server decides with [`Wanted::of`] what a PATCH is about.

mod conditions;
mod endpoint;
mod entity_tag;
mod exchange;
mod fragment;
mod ice_server;
mod link;
mod refusal;
mod resource;
#[cfg(test)]
mod tests;
mod text;
mod token;

pub use conditions::{Condition, NotMet, Wanted};
pub use endpoint::{Endpoint, EndpointError, Kind, Opened};
pub use entity_tag::{EntityTag, IfMatch};
pub use exchange::{Answered, Exchange, Request, Response, Step, is_loopback};
pub use fragment::{Credentials, Fragment, FragmentError, Section};
pub use ice_server::{IceServer, Scheme};
pub use link::{Link, read_links};
pub use refusal::{Cause, Refusal, retry_after};
pub use resource::{Patched, Resource};
pub use token::{Token, TokenError};

/// Longer bodies are neither sent nor read.
pub const MAX_BODY: usize = 64 * 1024;
/// Longer URLs are neither followed nor kept.
pub const MAX_URL: usize = 4096;
/// Media type of offers and answers.
pub const SDP: &str = "application/sdp";
/// Media type of ICE news (RFC 8840 section 9.1).
pub const FRAGMENT: &str = "application/trickle-ice-sdpfrag";
