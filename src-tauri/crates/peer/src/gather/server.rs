use std::net::SocketAddr;
use std::time::Instant;

use bytes::{Bytes, BytesMut};

use super::client::{Client, Found};
use crate::transport::Provider;
use crate::{IceServer, IceServerKind, IceTransport};

/// Of one stream: the longest message and what waits of the next.
const BUFFER: usize = 128 * 1024;

/// One server as one of our addresses sees it.
pub(super) struct Server {
    pub(super) client: Client,
    pub(super) server: IceServer,
    pub(super) host: SocketAddr,
    pub(super) rank: u16,
    pub(super) answered: bool,
    /// Where its relay is, or was.
    pub(super) relay: Option<SocketAddr>,
    stream: BytesMut,
}

impl Server {
    pub(super) fn new(
        now: Instant,
        provider: Provider,
        server: &IceServer,
        host: SocketAddr,
        rank: u16,
    ) -> Self {
        let client = Client::new(now, provider, server.clone());
        Self {
            client,
            server: server.clone(),
            host,
            rank,
            answered: false,
            relay: None,
            stream: BytesMut::new(),
        }
    }

    pub(super) fn is_at(&self, host: SocketAddr, remote: SocketAddr, transport: IceTransport) -> bool {
        self.host == host && self.server.address == remote && self.server.transport == transport
    }

    /// Checks of a far end at the server's own address are requests, or carry user names; the server's are neither.
    pub(super) fn is_for(&self, datagram: &[u8]) -> bool {
        match datagram {
            [0x40..=0x7f, ..] => self.server.kind == IceServerKind::Turn,
            // Data indications.
            [0, 0x17, ..] => self.server.kind == IceServerKind::Turn,
            [1, ..] => datagram
                .get(8..20)
                .and_then(|id| id.try_into().ok())
                .is_some_and(|id| self.client.has_asked(&id)),
            _ => false,
        }
    }

    /// Cuts messages out of the stream (RFC 8656 section 12.5, RFC 8489 section 6.2.2).
    pub(super) fn handle_stream(&mut self, now: Instant, bytes: &[u8]) {
        self.stream.extend_from_slice(bytes);
        while let [kind, _, high, low, ..] = self.stream[..] {
            let length = usize::from(u16::from_be_bytes([high, low]));
            let (used, padded) = match kind {
                0..=0x3f => (length + 20, length + 20),
                0x40..=0x7f => (length + 4, (length + 4).next_multiple_of(4)),
                _ => {
                    // It cannot be found again where the next one begins.
                    self.stream.clear();
                    return self.client.fail("it sends what is no STUN message".into());
                }
            };
            if self.stream.len() < padded {
                break;
            }
            let message = self.stream.split_to(padded);
            self.client.handle(now, message.get(..used).unwrap_or_default());
        }
        if self.stream.len() > BUFFER {
            self.stream.clear();
        }
    }

    pub(super) fn poll_found(&mut self) -> Option<Found> {
        let found = self.client.poll_found()?;
        if let Found::Relayed(relay) = found {
            self.relay = Some(relay);
        }
        self.answered |=
            !matches!(found, Found::Data(..) | Found::Mapped(_)) || self.server.kind == IceServerKind::Stun;
        Some(found)
    }

    pub(super) fn poll_transmit(&mut self) -> Option<Bytes> {
        self.client.poll_transmit()
    }
}
