//! A gateway's socket with its peers, on a path that loses and narrows as the test wants.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::net::{SocketAddr, UdpSocket};
use std::time::{Duration, Instant};

use sidetone_peer::*;
use sidetone_testkit::link::{EvenLoss, Link, LinkSettings};

use super::support::certificate;

/// Where something comes from the far end all the time, longer silence is the machine's: nobody ran.
const SILENCE: Duration = Duration::from_millis(40);

pub(super) struct Gateway {
    socket: UdpSocket,
    pub(super) peers: Vec<Peer>,
    pub(super) demux: Demux<usize>,
    /// To us and from us.
    pub(super) loss: [EvenLoss; 2],
    pub(super) links: [Link<(SocketAddr, Vec<u8>)>; 2],
    pub(super) packets: Vec<(Instant, usize, Received)>,
    pub(super) tracks: Vec<ReceivingTrack>,
    pub(super) failures: Vec<DisconnectReason>,
    pub(super) connected: HashMap<usize, Instant>,
    /// When the pictures of each timestamp were passed on, all of them.
    pub(super) forwarded: HashMap<u32, Instant>,
    /// When anything came, whether it was lost afterwards or not.
    heard: Vec<Instant>,
}

impl Gateway {
    /// One of so many packets is lost to us and from us; 0: none.
    pub(super) fn new(one_in: [u32; 2]) -> Self {
        let socket = UdpSocket::bind("127.0.0.1:0").unwrap();
        Self {
            socket,
            peers: Vec::new(),
            demux: Demux::default(),
            loss: [EvenLoss::new(one_in[0], 4_711), EvenLoss::new(one_in[1], 4_712)],
            links: [Link::new(LinkSettings::default(), 1), Link::new(LinkSettings::default(), 2)],
            packets: Vec::new(),
            tracks: Vec::new(),
            failures: Vec::new(),
            connected: HashMap::new(),
            forwarded: HashMap::new(),
            heard: Vec::new(),
        }
    }

    pub(super) fn answer(&mut self, offer: &str, wanted: &Wanted) -> String {
        let host = self.socket.local_addr().unwrap();
        let config = Config::gateway(certificate(), vec![host], self.peers.len() as u64);
        let mut peer = Peer::new(Instant::now(), config).unwrap();
        let answer = peer.accept_offer(Instant::now(), offer, wanted).unwrap();
        self.demux.insert(peer.local_ufrag(), self.peers.len());
        self.peers.push(peer);
        answer
    }

    /// As a client that asks a server.
    pub(super) fn offer(&mut self, wanted: &Wanted) -> String {
        let host = self.socket.local_addr().unwrap();
        let config = Config::client(certificate(), vec![host], 77);
        let mut peer = Peer::new(Instant::now(), config).unwrap();
        let offer = peer.create_offer(Instant::now(), wanted).unwrap();
        self.demux.insert(peer.local_ufrag(), self.peers.len());
        self.peers.push(peer);
        offer
    }

    /// Carries datagrams for a time.
    pub(super) fn run(&mut self, time: Duration) {
        let end = Instant::now() + time;
        let mut buffer = [0; 2_048];
        while Instant::now() < end {
            let timeouts = self.peers.iter_mut().filter_map(Peer::poll_timeout);
            let arrivals = self.links.iter().filter_map(Link::poll_timeout);
            let next = timeouts.chain(arrivals).min();
            let wait = next.map_or(time, |at| at.saturating_duration_since(Instant::now()));
            let wait = wait.clamp(Duration::from_micros(200), Duration::from_millis(5));
            self.socket.set_nonblocking(false).unwrap();
            self.socket.set_read_timeout(Some(wait)).unwrap();
            // A batch, then everything else once.
            for _ in 0..64 {
                let Ok((length, remote)) = self.socket.recv_from(&mut buffer) else { break };
                self.socket.set_nonblocking(true).unwrap();
                let (now, datagram) = (Instant::now(), &buffer[..length]);
                self.heard.push(now);
                // Only media is lost: what is measured is its repair.
                if !self.loss[0].takes(datagram) {
                    self.links[0].send(now, length + 28, (remote, datagram.to_vec()));
                }
            }
            let now = Instant::now();
            while let Some((remote, datagram)) = self.links[0].receive(now) {
                if let Some(peer) = self.demux.route(remote, &datagram) {
                    let local = self.socket.local_addr().unwrap();
                    self.peers[peer].handle_input(now, local, remote, &datagram);
                }
            }
            for index in 0..self.peers.len() {
                if self.peers[index].poll_timeout().is_some_and(|at| at <= now) {
                    self.peers[index].handle_timeout(now);
                }
            }
            for index in 0..self.peers.len() {
                self.drain(now, index);
            }
            while let Some((remote, datagram)) = self.links[1].receive(now) {
                self.socket.send_to(&datagram, remote).unwrap();
            }
        }
    }

    fn drain(&mut self, now: Instant, index: usize) {
        while let Some(event) = self.peers[index].poll_event() {
            match event {
                Event::Path { remote, .. } => self.demux.bind(remote, index),
                Event::Connected => {
                    self.connected.insert(index, now);
                    self.key_frame(now);
                }
                Event::Track(track) => self.tracks.push(track),
                Event::Disconnected(reason) => self.failures.push(reason),
                Event::KeyFrameRequested { .. } => self.key_frame(now),
                Event::Rtp(received) => {
                    self.forward(now, index, &received);
                    self.packets.push((now, index, received));
                }
                _ => {}
            }
        }
        while let Some(sent) = self.peers[index].poll_transmit() {
            if !self.loss[1].takes(&sent.data) {
                self.links[1].send(now, sent.data.len() + 28, (sent.remote, sent.data.to_vec()));
            }
        }
    }

    fn key_frame(&mut self, now: Instant) {
        let video = self.tracks.iter().find(|track| track.kind == Kind::Video).map(|track| track.id);
        if let Some(track) = video {
            self.peers[0].request_key_frame(now, track).unwrap();
        }
    }

    fn forward(&mut self, now: Instant, from: usize, received: &Received) {
        if from != 0 || self.peers.len() < 2 {
            return;
        }
        let kind = received.codec.kind();
        let to = self.peers[1].sending().iter().find(|track| track.kind == kind).cloned();
        let Some(to) = to else { return };
        let codec = to.codecs.iter().find(|codec| codec.codec == received.codec);
        let Some(codec) = codec else { return };
        let packet = RtpPacket { payload_type: codec.payload_type, ..received.packet.clone() };
        self.peers[1].write_rtp(now, to.id, &packet).unwrap();
        if kind == Kind::Video {
            self.forwarded.insert(packet.timestamp, now);
        }
    }

    /// Handed on more than once.
    pub(super) fn duplicates(&self) -> usize {
        let mut seen = HashSet::new();
        let new = self.packets.iter().filter(|(_, peer, received)| {
            seen.insert((*peer, received.track, received.packet.sequence, received.packet.timestamp))
        });
        self.packets.len() - new.count()
    }

    /// The time from one moment to another in which the far end and we ran.
    fn running(&self, from: Instant, to: Instant) -> Duration {
        let first = self.heard.partition_point(|at| *at <= from);
        let heard = self.heard[first..].iter().copied().take_while(|at| *at < to).chain([to]);
        let gaps = heard.scan(from, |before, at| Some(at - std::mem::replace(before, at)));
        gaps.map(|gap| gap.min(SILENCE)).sum()
    }

    /// When each picture of a track could be shown: all of it had come, and all before it since a key frame. With its
    /// timestamp. After a packet that never came nothing is shown until the next key frame.
    pub(super) fn pictures(&self, track: TrackId) -> Vec<(Instant, u32)> {
        let of_track = self.packets.iter().filter(|(_, _, received)| received.track == track);
        let mut next: Option<i64> = None;
        let packets: BTreeMap<i64, (Instant, &Received)> = of_track
            .map(|(at, _, received)| {
                let sequence = received.packet.sequence;
                let number = next.map_or(i64::from(sequence), |next| {
                    next + i64::from(sequence.wrapping_sub(next as u16) as i16)
                });
                next = next.max(Some(number));
                (number, (*at, received))
            })
            .collect();
        let (mut pictures, mut before, mut whole) = (Vec::new(), None, None);
        for (number, (at, received)) in packets {
            // The first of all begins a stream, which is a key frame.
            match before.replace(number) {
                None => whole = Some(at),
                Some(before) if before + 1 != number => whole = None,
                Some(_) => {}
            }
            if begins_key_frame(&received.packet.payload) {
                whole = whole.or(Some(at));
            }
            whole = whole.map(|whole| whole.max(at));
            if let Some(whole) = whole.filter(|_| received.packet.marker) {
                pictures.push((whole, received.packet.timestamp));
            }
        }
        pictures
    }

    /// The longest time for which a picture stood still, beyond what its source paused for and what nobody ran for.
    pub(super) fn longest_freeze(&self, track: TrackId, since: Instant) -> Duration {
        let mut pictures = self.pictures(track);
        let last = self.packets.iter().rev().find(|(_, _, received)| received.track == track);
        // What still waits at the end waits until then.
        pictures.extend(last.map(|(at, _, received)| (*at, received.packet.timestamp)));
        let freezes = pictures.windows(2).filter(|pair| pair[1].0 > since).map(|pair| {
            let drawn = Duration::from_millis(u64::from(pair[1].1.wrapping_sub(pair[0].1)) / 90);
            let paused = drawn.min(Duration::from_secs(5)).saturating_sub(Duration::from_millis(34));
            self.running(pair[0].0, pair[1].0).saturating_sub(paused)
        });
        freezes.max().unwrap_or(Duration::MAX)
    }
}

/// Of VP8 (RFC 7741 sections 4.2 and 4.3).
fn begins_key_frame(payload: &[u8]) -> bool {
    let descriptor = || -> Option<usize> {
        let first = *payload.first()?;
        if first & 0x17 != 0x10 {
            return None;
        }
        if first & 0x80 == 0 {
            return Some(1);
        }
        let extension = *payload.get(1)?;
        let mut length = 2;
        if extension & 0x80 != 0 {
            length += if *payload.get(length)? & 0x80 == 0 { 1 } else { 2 };
        }
        length += usize::from(extension & 0x40 != 0) + usize::from(extension & 0x30 != 0);
        Some(length)
    };
    descriptor().and_then(|length| payload.get(length)).is_some_and(|first| first & 1 == 0)
}
