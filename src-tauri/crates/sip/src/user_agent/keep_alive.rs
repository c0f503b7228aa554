//! Keep-alives of the flows that registrations came over: RFC 5626 sections 3.5 and 4.4.
//!
//! Over connections two line ends are sent, and over UDP a STUN request where the registrar speaks outbound, else two line ends that
//! nobody answers. An answer is demanded where the registrar promised one (outbound, Flow-Timer) or gave one before.

use std::collections::HashMap;
use std::net::SocketAddr;
use std::time::{Duration, Instant};

use crate::framing::PING;
use crate::stun;

use super::hop::{Flow, Hop, Transport};
use super::{Due, Output, UserAgent};

/// RFC 5626 section 4.4.1.
const ANSWER_LIMIT: Duration = Duration::from_secs(10);
/// A STUN request that was not answered goes out again.
const REPEAT: Duration = Duration::from_secs(2);
/// Between two keep-alives, where the registrar names no time.
const STREAM: (Duration, Duration) = (Duration::from_secs(95), Duration::from_secs(120));
const DATAGRAM: (Duration, Duration) = (Duration::from_secs(24), Duration::from_secs(29));
/// However short a time the registrar names, and however long.
const BOUNDS: (Duration, Duration) = (Duration::from_secs(10), Duration::from_secs(3600));

#[derive(Debug)]
pub(super) struct KeepAlive {
    hop: Hop,
    /// the registrar's, or the one of the transport
    interval: (Duration, Duration),
    /// an answer is promised
    promised: bool,
    /// the next one to send
    due: Instant,
    waiting: Option<Waiting>,
    /// a ping went out over a connection, and no pong has come since
    pinged: bool,
    /// our address as STUN showed it
    mapped: Option<SocketAddr>,
}

#[derive(Debug)]
struct Waiting {
    until: Instant,
    /// of the STUN request, which is repeated
    stun: Option<(stun::TransactionId, Instant)>,
}

impl KeepAlive {
    fn next_deadline(&self) -> Instant {
        match &self.waiting {
            Some(Waiting { until, stun: Some((_, repeat)) }) => (*until).min(*repeat),
            Some(Waiting { until, stun: None }) => *until,
            None => self.due,
        }
    }
}

impl UserAgent {
    /// Takes over which flows are in use, after a registration has changed.
    pub(super) fn update_flows(&mut self, now: Instant) {
        let mut wanted: HashMap<Flow, (Hop, Option<Duration>, bool)> = HashMap::new();
        for registration in
            self.registrations.values().filter(|registration| registration.settings().keep_alive)
        {
            let Some(hop) = registration.bound_over().filter(|_| registration.is_bound(now)) else {
                continue;
            };
            let entry = wanted.entry(hop.flow()).or_insert((hop, None, false));
            let timer = registration.flow_timer();
            entry.1 = [entry.1, timer].into_iter().flatten().min();
            entry.2 |= timer.is_some() || registration.has_outbound();
        }
        let gone: Vec<Flow> = self.flows.keys().filter(|flow| !wanted.contains_key(*flow)).copied().collect();
        gone.into_iter().for_each(|flow| self.forget_flow(&flow));
        for (flow, (hop, timer, promised)) in wanted {
            let interval = match timer {
                Some(timer) => {
                    let timer = timer.clamp(BOUNDS.0, BOUNDS.1);
                    (timer.mul_f64(0.8), timer)
                }
                None if flow.0 == Transport::Udp => DATAGRAM,
                None => STREAM,
            };
            let first = now + self.random.between(interval.0, interval.1);
            let known = self.flows.entry(flow).or_insert(KeepAlive {
                hop,
                interval,
                promised,
                due: first,
                waiting: None,
                pinged: false,
                mapped: None,
            });
            known.promised |= promised;
            if known.interval != interval {
                known.interval = interval;
                known.due = known.due.min(first);
            }
            self.deadlines.set(Due::KeepAlive(flow), Some(known.next_deadline()));
        }
    }

    fn forget_flow(&mut self, flow: &Flow) {
        self.flows.remove(flow);
        self.deadlines.set(Due::KeepAlive(*flow), None);
    }

    pub(super) fn on_keep_alive_timer(&mut self, now: Instant, flow: Flow) {
        let Some(kept) = self.flows.get_mut(&flow) else { return };
        let hop = kept.hop;
        match &mut kept.waiting {
            Some(waiting) if waiting.until <= now => {
                return self.on_flow_dead(now, hop, "no answer to keep-alives");
            }
            Some(Waiting { stun: Some((id, repeat)), .. }) => {
                *repeat = now + REPEAT;
                let bytes = stun::binding_request(*id);
                self.outputs.push_back(Output::Transmit { hop, bytes });
            }
            Some(_) => {}
            None => self.ping(now, flow),
        }
        let deadline = self.flows.get(&flow).map(KeepAlive::next_deadline);
        self.deadlines.set(Due::KeepAlive(flow), deadline);
    }

    fn ping(&mut self, now: Instant, flow: Flow) {
        let id: stun::TransactionId = self.random.bytes();
        let Some(kept) = self.flows.get_mut(&flow) else { return };
        let hop = kept.hop;
        let is_datagram = hop.transport == Transport::Udp;
        let with_stun = is_datagram && kept.promised;
        kept.due = now + self.random.between(kept.interval.0, kept.interval.1);
        // a WebSocket has pings of its own, and nobody answers line ends in one
        let is_answered = match hop.transport {
            Transport::Udp => with_stun,
            Transport::Tcp | Transport::Tls => kept.promised,
            Transport::Ws | Transport::Wss => false,
        };
        if is_answered {
            let stun = with_stun.then_some((id, now + REPEAT));
            kept.waiting = Some(Waiting { until: now + ANSWER_LIMIT, stun });
        }
        kept.pinged = !is_datagram;
        let bytes = if with_stun { stun::binding_request(id) } else { PING.to_vec() };
        self.transmit(hop, bytes);
    }

    /// Line ends came over a connection; `alone`: one, which is a pong if we have sent a ping.
    pub(super) fn on_line_ends(&mut self, hop: &Hop, alone: bool) {
        let flow = hop.flow();
        let Some(kept) = self.flows.get_mut(&flow) else { return };
        if alone && std::mem::take(&mut kept.pinged) {
            kept.promised = true;
            if let Some(decoder) = self.streams.get_mut(&flow) {
                decoder.take_pong();
            }
        }
        kept.waiting = None;
        self.deadlines.set(Due::KeepAlive(flow), Some(kept.next_deadline()));
    }

    /// A STUN message came instead of SIP.
    pub(super) fn on_stun(&mut self, now: Instant, hop: &Hop, bytes: &[u8]) {
        let flow = hop.flow();
        let Some((id, mapped)) = stun::binding_response(bytes) else { return };
        let Some(kept) = self.flows.get_mut(&flow) else { return };
        if !matches!(&kept.waiting, Some(Waiting { stun: Some((ours, _)), .. }) if *ours == id) {
            return;
        }
        kept.waiting = None;
        self.deadlines.set(Due::KeepAlive(flow), Some(kept.next_deadline()));
        let before = std::mem::replace(&mut kept.mapped, mapped);
        if before.is_some() && mapped.is_some() && before != mapped {
            let hop = kept.hop;
            self.on_flow_dead(now, hop, "the address behind the NAT has changed");
        }
    }

    /// Nothing comes through any more: the registrar reaches us by another flow only.
    pub(super) fn on_flow_dead(&mut self, now: Instant, hop: Hop, reason: &str) {
        self.forget_flow(&hop.flow());
        if hop.transport.is_reliable() {
            self.outputs.push_back(Output::Close { hop });
            return self.on_stream_closed(now, &hop, reason);
        }
        self.on_registration_flow_closed(now, &hop);
        self.on_subscription_flow_closed(now, &hop);
    }
}
