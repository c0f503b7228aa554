//! Two peers in memory, in virtual time.
#![allow(dead_code, unreachable_pub)]

use std::collections::HashMap;
use std::net::SocketAddr;
use std::sync::OnceLock;
use std::time::{Duration, Instant};

use bytes::Bytes;
use sidetone_peer::*;
use sidetone_testkit::link::{Link, LinkSettings};

pub fn certificate() -> Certificate {
    static ONE: OnceLock<Certificate> = OnceLock::new();
    ONE.get_or_init(|| Certificate::generate().unwrap()).clone()
}

pub fn address(text: &str) -> SocketAddr {
    text.parse().unwrap()
}

pub struct End {
    pub peer: Peer,
    pub events: Vec<(Instant, Event)>,
    /// Packets in the order in which they were handed on.
    pub packets: Vec<(Instant, Received)>,
    pub estimates: Vec<(Instant, u64)>,
    pub key_frames_asked: u32,
}

impl End {
    pub fn new(peer: Peer) -> Self {
        Self { peer, events: Vec::new(), packets: Vec::new(), estimates: Vec::new(), key_frames_asked: 0 }
    }

    pub fn tracks(&self) -> Vec<ReceivingTrack> {
        let tracks = self.events.iter().filter_map(|(_, event)| match event {
            Event::Track(track) => Some(track.clone()),
            _ => None,
        });
        tracks.collect()
    }

    pub fn is_connected(&self) -> bool {
        self.events.iter().any(|(_, event)| *event == Event::Connected)
    }

    pub fn reason(&self) -> Option<(Instant, DisconnectReason)> {
        self.events.iter().find_map(|(at, event)| match event {
            Event::Disconnected(reason) => Some((*at, *reason)),
            _ => None,
        })
    }
}

pub struct Pair {
    pub now: Instant,
    pub begun: Instant,
    /// A client at 10.0.0.1, and whoever answers it at 10.0.0.2.
    pub ends: [End; 2],
    pub links: [Link<Transmit>; 2],
    /// What is dropped on its way from an end: by its own word.
    pub filter: Option<fn(usize, &[u8]) -> bool>,
    /// Addresses that an end is moved to: datagrams of the first go out as the second.
    pub seen_as: HashMap<SocketAddr, SocketAddr>,
    pub silent: [bool; 2],
    /// Damaged copies of every datagram come before it, from its own address or from a stranger's.
    pub noise: Option<Noise>,
    pub random: u64,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Noise {
    OnThePath,
    Stranger,
}

impl Pair {
    pub fn new(a: Config, b: Config, settings: LinkSettings) -> Self {
        let now = Instant::now();
        let ends = [a, b].map(|config| End::new(Peer::new(now, config).unwrap()));
        let links = [Link::new(settings, 11), Link::new(settings, 12)];
        Self {
            now,
            begun: now,
            ends,
            links,
            filter: None,
            seen_as: HashMap::new(),
            silent: [false; 2],
            noise: None,
            random: 99,
        }
    }

    /// A client that offers `offered`, and a gateway that answers with `answered`.
    pub fn client_and_gateway(offered: &Wanted, answered: &Wanted, settings: LinkSettings) -> Self {
        let client = Config::client(certificate(), vec![address("10.0.0.1:4000")], 1);
        let gateway = Config::gateway(certificate(), vec![address("10.0.0.2:5000")], 2);
        let mut pair = Self::new(client, gateway, settings);
        pair.negotiate(offered, answered);
        pair
    }

    pub fn negotiate(&mut self, offered: &Wanted, answered: &Wanted) -> (String, String) {
        let now = self.now;
        let [client, gateway] = &mut self.ends;
        let offer = client.peer.create_offer(now, offered).unwrap();
        let answer = gateway.peer.accept_offer(now, &offer, answered).unwrap();
        client.peer.accept_answer(now, &answer).unwrap();
        (offer, answer)
    }

    pub fn connect(&mut self) {
        self.run_until(Duration::from_secs(20), |pair| pair.ends.iter().all(End::is_connected));
        let connected = self.ends.each_ref().map(End::is_connected);
        assert!(connected == [true; 2], "{connected:?} {:?} {:?}", self.ends[0].events, self.ends[1].events);
    }

    fn drain(&mut self) {
        for from in 0..2 {
            let now = self.now;
            let end = &mut self.ends[from];
            while let Some(event) = end.peer.poll_event() {
                match event {
                    Event::Rtp(received) => end.packets.push((now, received)),
                    Event::Estimate { bps } => end.estimates.push((now, bps)),
                    Event::KeyFrameRequested { .. } => end.key_frames_asked += 1,
                    event => end.events.push((now, event)),
                }
            }
            while let Some(transmit) = end.peer.poll_transmit() {
                let dropped = self.filter.is_some_and(|filter| filter(from, &transmit.data));
                if !self.silent[from] && !dropped {
                    self.links[from].send(now, transmit.data.len() + 28, transmit);
                }
            }
        }
    }

    /// One step of time; false: nothing is ever going to happen.
    pub fn step(&mut self, latest: Instant) {
        self.drain();
        let [a, b] = &mut self.ends;
        let timeouts = [a.peer.poll_timeout(), b.peer.poll_timeout()];
        let arrivals = [self.links[0].poll_timeout(), self.links[1].poll_timeout()];
        let next = timeouts.into_iter().chain(arrivals).flatten().min().unwrap_or(latest).min(latest);
        self.now = self.now.max(next);
        for from in 0..2 {
            while let Some(transmit) = self.links[from].receive(self.now) {
                let as_seen = self.seen_as.get(&transmit.local).copied().unwrap_or(transmit.local);
                let back = self.seen_as.iter().find(|(_, seen)| **seen == transmit.remote);
                let to = back.map_or(transmit.remote, |(own, _)| *own);
                if let Some(noise) = self.noise {
                    let stranger = address("198.51.100.66:666");
                    let source = if noise == Noise::Stranger { stranger } else { as_seen };
                    for _ in 0..2 {
                        let damaged = self.damaged(&transmit.data);
                        self.ends[1 - from].peer.handle_input(self.now, to, source, &damaged);
                    }
                }
                self.ends[1 - from].peer.handle_input(self.now, to, as_seen, &transmit.data);
            }
        }
        for (end, timeout) in self.ends.iter_mut().zip(timeouts) {
            if timeout.is_some_and(|timeout| timeout <= self.now) {
                end.peer.handle_timeout(self.now);
            }
        }
        self.drain();
    }

    fn damaged(&mut self, datagram: &[u8]) -> Vec<u8> {
        let mut bytes = datagram.to_vec();
        for _ in 0..3 {
            let step = self.random.wrapping_mul(6_364_136_223_846_793_005);
            self.random = step.wrapping_add(1_442_695_040_888_963_407);
            let (at, what) = ((self.random >> 33) as usize % bytes.len(), (self.random >> 24) as u8);
            match what % 8 {
                0 => bytes.truncate(at.max(1)),
                1 => bytes.insert(at, what),
                _ => bytes[at] = what,
            }
        }
        bytes
    }

    pub fn run_until(&mut self, time: Duration, done: impl Fn(&Self) -> bool) {
        let latest = self.now + time;
        let mut steps = 0_u64;
        while self.now < latest && !done(self) {
            let before = self.now;
            self.step(latest);
            steps = if before == self.now { steps + 1 } else { 0 };
            assert!(steps < 10_000, "time stands still at {:?}", self.now - self.begun);
        }
    }

    pub fn run(&mut self, time: Duration) {
        self.run_until(time, |_| false);
    }
}

/// Sends pictures of packets at a rate: 30 pictures a second of `bps`.
pub struct Source {
    pub track: TrackId,
    pub payload_type: u8,
    pub sequence: u16,
    pub timestamp: u32,
    pub next: Instant,
    pub bps: u64,
    /// Pictures are left out while one has waited for longer at the peer.
    pub patience: Duration,
}

impl Source {
    pub fn of(pair: &Pair, end: usize, kind: Kind, bps: u64) -> Self {
        let track = pair.ends[end].peer.sending().iter().find(|track| track.kind == kind).unwrap();
        Self {
            track: track.id,
            payload_type: track.codecs[0].payload_type,
            sequence: 65_000,
            timestamp: 0,
            next: pair.now,
            bps,
            patience: Duration::from_millis(150),
        }
    }

    /// Runs the pair, sending from `end`; `before` is called at each picture.
    pub fn run(
        &mut self,
        pair: &mut Pair,
        end: usize,
        time: Duration,
        mut before: impl FnMut(&mut Self, &Pair),
    ) {
        let latest = pair.now + time;
        while pair.now < latest {
            if pair.now >= self.next {
                before(self, pair);
                if pair.ends[end].peer.backlog(pair.now) > self.patience {
                    self.skip();
                } else {
                    self.picture(pair, end);
                }
            }
            pair.step(self.next.min(latest));
        }
    }

    /// Leaves a picture out.
    fn skip(&mut self) {
        self.next += Duration::from_micros(33_333);
        self.timestamp = self.timestamp.wrapping_add(3_000);
    }

    fn picture(&mut self, pair: &mut Pair, end: usize) {
        let mut bytes = (self.bps / 8 / 30) as usize;
        self.skip();
        while bytes > 0 {
            let size = bytes.min(1_150);
            bytes -= size;
            let packet = RtpPacket {
                payload_type: self.payload_type,
                sequence: self.sequence,
                timestamp: self.timestamp,
                marker: bytes == 0,
                extensions: Extensions::default(),
                payload: Bytes::from(vec![self.sequence as u8; size]),
            };
            self.sequence = self.sequence.wrapping_add(1);
            pair.ends[end].peer.write_rtp(pair.now, self.track, &packet).unwrap();
        }
    }
}
