use std::collections::{HashMap, HashSet, VecDeque};
use std::net::SocketAddr;
use std::time::Instant;

use bytes::{Bytes, BytesMut};
use rtc::sansio::Protocol as _;
use rtc::shared::{TaggedBytesMut, TransportContext, TransportProtocol};
use rtc::turn::client::{Client, ClientConfig, Event as TurnEvent};

use crate::sdp::{Candidate, CandidateKind};
use crate::{IceServer, IceServerKind, IceTransport};

/// Of one TCP connection: the longest message and what waits of the next.
const BUFFER: usize = 128 * 1024;
/// What waits for permission to go by a relay, for each far end.
const WAITING: usize = 32;
const FAR_ENDS: usize = 128;

/// One server as one of our addresses sees it.
pub(super) struct Server {
    pub(super) client: Client,
    pub(super) server: IceServer,
    pub(super) host: SocketAddr,
    rank: u16,
    pub(super) answered: bool,
    pub(super) relay: Option<SocketAddr>,
    permitted: HashSet<SocketAddr>,
    waiting: HashMap<SocketAddr, Vec<Bytes>>,
    stream: BytesMut,
}

/// Over a stream, channel data is padded to four bytes (RFC 8656 section 12.5).
pub(super) fn framed(transport: IceTransport, message: Bytes) -> Bytes {
    let padding = message.len().next_multiple_of(4) - message.len();
    if transport == IceTransport::Udp || padding == 0 {
        return message;
    }
    let mut padded = BytesMut::from(&message[..]);
    padded.resize(message.len() + padding, 0);
    padded.freeze()
}

impl Server {
    pub(super) fn new(now: Instant, server: &IceServer, host: SocketAddr, rank: u16) -> Option<Self> {
        let address = server.address.to_string();
        let is_turn = server.kind == IceServerKind::Turn;
        let config = ClientConfig {
            stun_serv_addr: address.clone(),
            turn_serv_addr: if is_turn { address } else { String::new() },
            local_addr: host,
            transport_protocol: match server.transport {
                IceTransport::Udp => TransportProtocol::UDP,
                IceTransport::Tcp => TransportProtocol::TCP,
            },
            username: server.username.clone(),
            password: server.credential.clone(),
            rto_in_ms: 250,
            ..Default::default()
        };
        let mut client = Client::new(config, rtc::crypto::default_provider().ok()?).ok()?;
        let asked = if is_turn { client.allocate(now) } else { client.send_binding_request(now) };
        asked.ok()?;
        Some(Self {
            client,
            server: server.clone(),
            host,
            rank,
            answered: false,
            relay: None,
            permitted: HashSet::new(),
            waiting: HashMap::new(),
            stream: BytesMut::new(),
        })
    }

    /// Checks of a far end at the server's own address are requests, or carry user names; the server's are neither.
    pub(super) fn is_for(&self, datagram: &[u8]) -> bool {
        match datagram {
            [0x40..=0x7f, ..] => self.server.kind == IceServerKind::Turn,
            // Data indications.
            [0, 0x17, ..] => self.server.kind == IceServerKind::Turn,
            [1, ..] => datagram.get(8..20).is_some_and(|id| {
                let mut transaction = rtc::stun::message::TransactionId::default();
                transaction.0.copy_from_slice(id);
                self.client.has_transaction(&transaction)
            }),
            _ => false,
        }
    }

    pub(super) fn handle(&mut self, now: Instant, message: &[u8]) {
        let transport = TransportContext {
            local_addr: self.host,
            peer_addr: self.server.address,
            transport_protocol: TransportProtocol::UDP,
            ecn: None,
        };
        // A malformed message is passed over.
        let _ = self.client.handle_read(TaggedBytesMut { now, transport, message: BytesMut::from(message) });
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
                    self.answered = true;
                    return;
                }
            };
            if self.stream.len() < padded {
                break;
            }
            let message = self.stream.split_to(padded);
            self.handle(now, message.get(..used).unwrap_or_default());
        }
        if self.stream.len() > BUFFER {
            self.stream.clear();
        }
    }

    pub(super) fn on_event(
        &mut self,
        now: Instant,
        event: TurnEvent,
        candidates: &mut VecDeque<Candidate>,
        relayed: &mut VecDeque<(SocketAddr, SocketAddr, Bytes)>,
    ) {
        match event {
            TurnEvent::BindingResponse(_, mapped) => {
                self.answered = true;
                if mapped != self.host && !mapped.ip().is_unspecified() && mapped.port() != 0 {
                    let kind = CandidateKind::ServerReflexive;
                    candidates.push_back(Candidate::local(kind, mapped, Some(self.host), self.rank));
                }
            }
            TurnEvent::AllocateResponse(_, address) => {
                self.answered = true;
                self.relay = Some(address);
                candidates.push_back(Candidate::local(
                    CandidateKind::Relay,
                    address,
                    Some(address),
                    self.rank,
                ));
            }
            TurnEvent::BindingError(..) | TurnEvent::AllocateError(..) => self.answered = true,
            TurnEvent::TransactionTimeout(_) => self.answered |= self.relay.is_none(),
            TurnEvent::CreatePermissionResponse(_, remote) => {
                self.permitted.insert(remote);
                for data in self.waiting.remove(&remote).unwrap_or_default() {
                    self.send(now, remote, &data);
                }
            }
            TurnEvent::CreatePermissionError(..) => {
                // A stale nonce has been replaced: ask again with what waits.
                let waiting: Vec<SocketAddr> = self.waiting.keys().copied().collect();
                for remote in waiting {
                    self.permit(now, remote);
                }
            }
            TurnEvent::DataIndicationOrChannelData(_, remote, data) => {
                if let Some(relay) = self.relay {
                    relayed.push_back((relay, remote, data.freeze()));
                }
            }
            _ => {}
        }
    }

    fn permit(&mut self, now: Instant, remote: SocketAddr) {
        let Some(relay) = self.relay else { return };
        if let Ok(mut relay) = self.client.relay(relay) {
            // Where it fails, the next packet asks again.
            let _ = relay.create_permission(now, remote);
        }
    }

    pub(super) fn send(&mut self, now: Instant, remote: SocketAddr, data: &Bytes) {
        let Some(relay) = self.relay else { return };
        if self.permitted.contains(&remote) {
            if let Ok(mut relay) = self.client.relay(relay)
                && relay.send_to(now, data, remote).is_err()
            {
                self.permitted.remove(&remote);
            }
            return;
        }
        if !self.waiting.contains_key(&remote) {
            if self.waiting.len() >= FAR_ENDS {
                return;
            }
            self.permit(now, remote);
        }
        let waiting = self.waiting.entry(remote).or_default();
        if waiting.len() < WAITING {
            waiting.push(data.clone());
        }
    }

    /// Gives the allocation back.
    pub(super) fn close(&mut self, now: Instant) {
        if let Some(relay) = self.relay.take()
            && let Ok(mut relay) = self.client.relay(relay)
        {
            // The server forgets it by itself otherwise.
            let _ = relay.close(now);
        }
    }
}
