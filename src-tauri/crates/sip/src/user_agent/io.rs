//! What goes into a user agent and what comes out of it, besides events.

use crate::message::Uri;

use super::event::Event;
use super::hop::{Authority, Hop, Transport};

/// Ties an [`Input::Resolved`] to its [`Output::Resolve`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct QueryId(pub u64);

#[derive(Debug)]
pub enum Input<'a> {
    /// One whole message: a UDP datagram or a WebSocket message.
    Datagram { hop: Hop, bytes: &'a [u8] },
    /// Bytes of a TCP or TLS connection, cut anywhere.
    Stream { hop: Hop, bytes: &'a [u8] },
    /// The connection `(hop.transport, hop.remote, hop.authority)` is gone.
    StreamClosed { hop: Hop, reason: String },
    /// The answer to an [`Output::Resolve`]: where to try, best first.
    Resolved { query: QueryId, result: Result<Vec<Hop>, String> },
    /// A [`Output::Transmit`] could not be sent (ICMP error, refused connection, TLS failure).
    SendFailed { hop: Hop, reason: String },
}

#[derive(Debug)]
pub enum Output {
    /// Send these bytes. A stream connection to `hop.remote` is opened if there is none.
    Transmit {
        hop: Hop,
        bytes: Vec<u8>,
    },
    /// Find the servers of this URI (RFC 3263), also for an IP address: only the IO layer knows our address towards it.
    /// `transport` is what the caller insists on; otherwise the URI and DNS decide.
    Resolve {
        query: QueryId,
        uri: Uri,
        transport: Option<Transport>,
        /// Of the request; the hops of the answer carry their own.
        authority: Authority,
    },
    /// Close the stream connection `(hop.transport, hop.remote, hop.authority)`: its framing is broken.
    Close {
        hop: Hop,
    },
    Event(Event),
}
