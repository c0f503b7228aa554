//! Our address as a STUN server sees it (RFC 8445 section 5.1.1.2).

use std::net::SocketAddr;
use std::time::{Duration, Instant};

use crate::transport::random::Random;
use crate::transport::stun::{self, Binding, Class, Id};

use super::Transmit;

/// First repetition, doubled each time.
const REPEAT: Duration = Duration::from_millis(100);
const TRIES: u32 = 4;
/// The answer is asked for again so often, to keep the mapping open until there is a path.
const REFRESH: Duration = Duration::from_secs(15);

pub(in crate::transport) struct Gathering {
    server: SocketAddr,
    id: Id,
    tries: u32,
    next: Option<Instant>,
    found: Option<SocketAddr>,
}

/// None: the server gave no answer.
pub(in crate::transport) type Gathered = Option<SocketAddr>;

impl Gathering {
    pub(in crate::transport) fn new(now: Instant, server: SocketAddr, random: &mut Random) -> Self {
        Self { server, id: random.transaction(), tries: 0, next: Some(now), found: None }
    }

    pub(in crate::transport) fn poll_timeout(&self) -> Option<Instant> {
        self.next
    }

    /// A request to send, or the end of the search.
    pub(in crate::transport) fn handle_timeout(
        &mut self,
        now: Instant,
    ) -> (Option<Transmit>, Option<Gathered>) {
        if self.next.is_none_or(|next| next > now) {
            return (None, None);
        }
        if self.found.is_none() && self.tries >= TRIES {
            self.next = None;
            return (None, Some(None));
        }
        let wait = if self.found.is_some() { REFRESH } else { REPEAT * (1 << self.tries.min(4)) };
        self.tries += 1;
        self.next = Some(now + wait);
        (Some(Transmit { to: self.server, data: stun::ask(self.id) }), None)
    }

    /// Whether the datagram is the server's answer, and what it says for the first time.
    pub(in crate::transport) fn handle_datagram(
        &mut self,
        now: Instant,
        from: SocketAddr,
        datagram: &[u8],
    ) -> (bool, Option<Gathered>) {
        if from != self.server {
            return (false, None);
        }
        let Some(binding) = Binding::parse(datagram).filter(|binding| binding.id == self.id) else {
            return (false, None);
        };
        let mapped = binding.mapped().filter(|_| binding.class == Class::Success);
        if self.found.is_none() && mapped.is_some() {
            self.found = mapped;
            self.next = Some(now + REFRESH);
            return (true, Some(mapped));
        }
        (true, None)
    }
}
