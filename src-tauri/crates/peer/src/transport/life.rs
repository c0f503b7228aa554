use std::collections::VecDeque;
use std::net::SocketAddr;
use std::time::{Duration, Instant};

use bytes::Bytes;
use rtc::ice::attributes::control::{AttrControlled, AttrControlling};
use rtc::ice::attributes::priority::PriorityAttr;
use rtc::stun::attributes::ATTR_USERNAME;
use rtc::stun::fingerprint::FINGERPRINT;
use rtc::stun::integrity::MessageIntegrity;
use rtc::stun::message::{BINDING_REQUEST, Message, Setter, TransactionId};
use rtc::stun::textattrs::TextAttribute;

use super::Provider;
use crate::sdp::RemoteTransport;

/// Silence after which a sign of life is asked for, and between two of the requests.
const SILENCE: Duration = Duration::from_millis(400);
const AGAIN: Duration = Duration::from_millis(200);
/// Between two requests that only measure the way.
const MEASURE: Duration = Duration::from_secs(2);

/// Whether the far end still lives. An ICE-lite agent sends no consent checks of its own, and a far end that only
/// listens sends little: so silence is followed by a binding request, which every agent answers (RFC 8445 section 7.3).
pub(super) struct Life {
    provider: Provider,
    patience: Duration,
    username: String,
    password: String,
    controlling: bool,
    heard: Option<Instant>,
    asked: Option<Instant>,
    /// The last requests, with their times.
    pending: VecDeque<([u8; 12], Instant)>,
    due: bool,
    round_trip: Option<Duration>,
    priority: u32,
}

impl Life {
    pub(super) fn new(provider: Provider, patience: Duration) -> Self {
        Self {
            provider,
            patience,
            username: String::new(),
            password: String::new(),
            controlling: false,
            heard: None,
            asked: None,
            pending: VecDeque::new(),
            due: false,
            round_trip: None,
            priority: 110 << 24 | 65_535 << 8 | 255,
        }
    }

    /// The far end's credentials are known now.
    pub(super) fn expect(&mut self, now: Instant, ufrag: &str, remote: &RemoteTransport, controlling: bool) {
        self.username = format!("{}:{ufrag}", remote.ufrag);
        self.password.clone_from(&remote.pwd);
        self.controlling = controlling;
        self.pending.clear();
        self.heard = Some(now);
    }

    pub(super) fn set_patience(&mut self, patience: Duration) {
        self.patience = patience;
    }

    pub(super) fn last_received(&self) -> Option<Instant> {
        self.heard
    }

    pub(super) fn round_trip(&self) -> Option<Duration> {
        self.round_trip
    }

    /// Something authentic came.
    pub(super) fn heard(&mut self, now: Instant) {
        self.heard = Some(now);
    }

    /// Whether the datagram answers one of our requests.
    pub(super) fn handle(&mut self, now: Instant, _remote: SocketAddr, datagram: &[u8]) -> bool {
        let Some((header, _)) = datagram.split_at_checked(20) else { return false };
        if !matches!(header, [1, 1 | 0x11, ..]) {
            return false;
        }
        let Some(place) = self.pending.iter().position(|(id, _)| header.get(8..20) == Some(&id[..])) else {
            return false;
        };
        let mut message = Message { raw: datagram.to_vec(), ..Message::new() };
        // The key of short-term credentials is the password itself (RFC 8489 section 9.1.1).
        let (key, crypto) = (self.password.as_bytes(), self.provider.crypto());
        let is_authentic =
            message.decode().is_ok() && MessageIntegrity::check(&mut message, key, crypto).is_ok();
        if is_authentic && let Some((_, sent)) = self.pending.get(place) {
            self.round_trip = Some(now.saturating_duration_since(*sent));
            self.heard = Some(now);
            self.pending.clear();
        }
        true
    }

    /// Whether the patience is at its end.
    pub(super) fn handle_timeout(&mut self, now: Instant) -> bool {
        let Some(heard) = self.heard else { return false };
        let silence = now.saturating_duration_since(heard);
        if silence >= self.patience {
            return true;
        }
        if self.next(heard) <= now {
            self.asked = Some(now);
            self.due = true;
        }
        false
    }

    fn next(&self, heard: Instant) -> Instant {
        let silent = (heard + SILENCE).max(self.asked.map_or(heard, |asked| asked + AGAIN));
        // The way is measured first as soon as there is one.
        let measured = self.asked.map_or(heard, |asked| asked + MEASURE);
        silent.min(measured)
    }

    pub(super) fn poll_timeout(&self) -> Option<Instant> {
        let heard = self.heard?;
        Some(self.next(heard).min(heard + self.patience))
    }

    pub(super) fn poll_transmit(&mut self, now: Instant) -> Option<Bytes> {
        if !std::mem::take(&mut self.due) || self.password.is_empty() {
            return None;
        }
        let id = TransactionId::new();
        let role: Box<dyn Setter> = if self.controlling {
            Box::new(AttrControlling(u64::from(self.priority)))
        } else {
            Box::new(AttrControlled(u64::from(self.priority)))
        };
        let mut message = Message::new();
        let built = message.build(&[
            Box::new(BINDING_REQUEST),
            Box::new(id),
            Box::new(TextAttribute::new(ATTR_USERNAME, self.username.clone())),
            role,
            Box::new(PriorityAttr(self.priority)),
            Box::new(MessageIntegrity::new_short_term_integrity_with_provider(
                self.password.clone(),
                self.provider.crypto(),
            )),
            Box::new(FINGERPRINT),
        ]);
        built.ok()?;
        self.pending.push_back((id.0, now));
        if self.pending.len() > 16 {
            self.pending.pop_front();
        }
        Some(Bytes::from(message.raw))
    }
}
