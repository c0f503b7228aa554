//! The gate: a real browser on a path that loses five per cent.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::print_stdout)]
#![cfg(unix)]

mod support;

use std::collections::{HashMap, HashSet};
use std::net::UdpSocket;
use std::time::{Duration, Instant};

use serde_json::{Value, json};
use sidetone_peer::*;
use sidetone_testkit::browser::Driver;
use sidetone_testkit::{Needs, Room, room};
use support::certificate;

const PAGE: &str = include_str!("support/page.js");

/// A gateway's socket with its peers, one of which may feed the other.
struct Gateway {
    socket: UdpSocket,
    peers: Vec<Peer>,
    demux: Demux<usize>,
    random: u64,
    /// Losses to us and from us.
    loss: (f64, f64),
    packets: Vec<(Instant, usize, Received)>,
    tracks: Vec<ReceivingTrack>,
    failures: Vec<DisconnectReason>,
    connected: HashMap<usize, Instant>,
    /// How late we were at the worst: the machine's part in what is measured.
    late: Duration,
}

impl Gateway {
    fn new(loss: (f64, f64)) -> Self {
        let socket = UdpSocket::bind("127.0.0.1:0").unwrap();
        Self {
            socket,
            peers: Vec::new(),
            demux: Demux::default(),
            random: 4711,
            loss,
            packets: Vec::new(),
            tracks: Vec::new(),
            failures: Vec::new(),
            connected: HashMap::new(),
            late: Duration::ZERO,
        }
    }

    fn answer(&mut self, offer: &str, wanted: &Wanted) -> String {
        let host = self.socket.local_addr().unwrap();
        let config = Config::gateway(certificate(), vec![host], self.peers.len() as u64);
        let mut peer = Peer::new(Instant::now(), config).unwrap();
        let answer = peer.accept_offer(Instant::now(), offer, wanted).unwrap();
        self.demux.insert(peer.local_ufrag(), self.peers.len());
        self.peers.push(peer);
        answer
    }

    /// As a client that asks a server.
    fn offer(&mut self, wanted: &Wanted) -> String {
        let host = self.socket.local_addr().unwrap();
        let config = Config::client(certificate(), vec![host], 77);
        let mut peer = Peer::new(Instant::now(), config).unwrap();
        let offer = peer.create_offer(Instant::now(), wanted).unwrap();
        self.demux.insert(peer.local_ufrag(), self.peers.len());
        self.peers.push(peer);
        offer
    }

    fn loses(&mut self, share: f64) -> bool {
        self.random ^= self.random << 13;
        self.random ^= self.random >> 7;
        self.random ^= self.random << 17;
        (self.random >> 11) as f64 / (1_u64 << 53) as f64 <= share
    }

    /// Carries datagrams for a time.
    fn run(&mut self, time: Duration) {
        let end = Instant::now() + time;
        let mut buffer = [0; 2_048];
        while Instant::now() < end {
            let begun = Instant::now();
            let timeout = self.peers.iter_mut().filter_map(Peer::poll_timeout).min();
            let wait = timeout.map_or(time, |at| at.saturating_duration_since(Instant::now()));
            let wait = wait.clamp(Duration::from_micros(200), Duration::from_millis(5));
            self.socket.set_nonblocking(false).unwrap();
            self.socket.set_read_timeout(Some(wait)).unwrap();
            // A batch, then everything else once.
            for _ in 0..64 {
                let Ok((length, remote)) = self.socket.recv_from(&mut buffer) else { break };
                self.socket.set_nonblocking(true).unwrap();
                let datagram = &buffer[..length];
                // Only media is lost: what is measured is its repair.
                let lost = datagram[0] >= 128 && self.loses(self.loss.0);
                if let Some(peer) = self.demux.route(remote, datagram).filter(|_| !lost) {
                    let local = self.socket.local_addr().unwrap();
                    self.peers[peer].handle_input(Instant::now(), local, remote, datagram);
                }
            }
            let now = Instant::now();
            self.late = self.late.max(now - begun);
            for index in 0..self.peers.len() {
                if self.peers[index].poll_timeout().is_some_and(|at| at <= now) {
                    self.peers[index].handle_timeout(now);
                }
            }
            for index in 0..self.peers.len() {
                self.drain(now, index);
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
            let lost = sent.data[0] >= 128 && self.loses(self.loss.1);
            if !lost {
                self.socket.send_to(&sent.data, sent.remote).unwrap();
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
    }

    /// Handed on more than once.
    fn duplicates(&self) -> usize {
        let mut seen = HashSet::new();
        let new = self.packets.iter().filter(|(_, peer, received)| {
            seen.insert((*peer, received.track, received.packet.sequence, received.packet.timestamp))
        });
        self.packets.len() - new.count()
    }

    /// The longest time for which packets of a track waited for one before them: what a player would stand still for.
    /// Pauses of the source are none of it.
    fn longest_freeze(&self, track: TrackId, since: Instant) -> Duration {
        let (mut waiting, mut next) = (HashSet::new(), None);
        let (mut blocked, mut longest) = (None, Duration::ZERO);
        for (at, _, received) in self.packets.iter().filter(|(_, _, received)| received.track == track) {
            let expected = next.get_or_insert(received.packet.sequence);
            waiting.insert(received.packet.sequence);
            while waiting.remove(expected) {
                *expected = expected.wrapping_add(1);
                if let Some(begun) = blocked.take().filter(|_| *at > since) {
                    longest = longest.max(*at - begun);
                }
            }
            if !waiting.is_empty() && blocked.is_none() {
                blocked = Some(*at);
            }
        }
        let last = self.packets.last().map(|(at, ..)| *at);
        longest.max(last.zip(blocked).map_or(longest, |(last, begun)| last - begun))
    }
}

/// The longest pause between two arrivals, whatever its cause.
fn longest_pause(gateway: &Gateway, track: TrackId, since: Instant) -> Duration {
    let of_track = gateway.packets.iter().filter(|(at, _, received)| received.track == track && *at > since);
    let times: Vec<Instant> = of_track.map(|(at, ..)| *at).collect();
    times.windows(2).map(|two| two[1] - two[0]).max().unwrap_or_default()
}

fn browser(room: &Room) -> Driver {
    let more = ["--autoplay-policy=no-user-gesture-required", "--allow-loopback-in-peer-connection"];
    let driver = Driver::of_chromium(room.dir(), &more.map(str::to_owned)).unwrap();
    driver.go_to("about:blank");
    driver.script(PAGE, &[]);
    driver
}

fn needs() -> Needs {
    Needs::tools(&["chromium", "chromedriver"]).network().within(Duration::from_secs(120))
}

fn publish(driver: &Driver, gateway: &mut Gateway, codec: &str, layers: &[&str]) {
    let offer = driver.script("return publish(arguments[0], arguments[1])", &[json!(codec), json!(layers)]);
    let answer = gateway.answer(offer.as_str().unwrap(), &Wanted::both(Direction::Receive));
    driver.script("return answer(publisher, arguments[0])", &[json!(answer)]);
}

fn stats(driver: &Driver, which: &str, kind: &str) -> Vec<Value> {
    let all = driver.script(&format!("return stats({which})"), &[]);
    let all = all.as_array().cloned().unwrap_or_default();
    all.into_iter().filter(|stat| stat["type"] == kind && stat["kind"] == "video").collect()
}

fn is_repaired(room: &Room, codec: &str, layers: &[&str]) {
    let driver = browser(room);
    let mut gateway = Gateway::new((0.05, 0.0));
    publish(&driver, &mut gateway, codec, layers);
    gateway.run(Duration::from_secs(5));
    assert!(gateway.connected.contains_key(&0), "{:?}", gateway.failures);
    // A slow machine sends its best layer late.
    for _ in 0..30 {
        if gateway.tracks.len() <= layers.len() {
            gateway.run(Duration::from_secs(1));
        }
    }
    gateway.late = Duration::ZERO;
    let resent = |stat: &Value| stat["retransmittedPacketsSent"].as_u64().unwrap_or_default();
    let sent_before = stats(&driver, "publisher", "outbound-rtp");
    let since = Instant::now();
    let before = gateway.peers[0].statistics(since);
    gateway.run(Duration::from_secs(15));
    let after = gateway.peers[0].statistics(Instant::now());
    let sent = stats(&driver, "publisher", "outbound-rtp");
    assert_eq!(gateway.duplicates(), 0);
    assert!(gateway.failures.is_empty(), "{:?}", gateway.failures);

    let video: HashSet<TrackId> =
        gateway.tracks.iter().filter(|track| track.kind == Kind::Video).map(|track| track.id).collect();
    assert_eq!(video.len(), layers.len().max(1), "{:?}", gateway.tracks);
    let sound = gateway.tracks.iter().find(|track| track.kind == Kind::Audio).unwrap().id;
    // Where sound pauses as well, or we are late ourselves, the machine did it.
    let stall = longest_pause(&gateway, sound, since).max(gateway.late);
    for track in after.receiving.iter().filter(|track| video.contains(&track.track)) {
        let is = |stat: &&Value| track.rid.as_deref().is_none_or(|rid| stat["rid"] == rid);
        let again: u64 = sent.iter().filter(is).map(resent).sum::<u64>()
            - sent_before.iter().filter(is).map(resent).sum::<u64>();
        let earlier = before.receiving.iter().find(|earlier| earlier.track == track.track);
        let nacked = track.nacked - earlier.map_or(0, |earlier| earlier.nacked);
        let freeze = gateway.longest_freeze(track.track, since);
        let pause = longest_pause(&gateway, track.track, since);
        println!(
            "{codec} {:?}: {again} resent for {nacked} asked for {} times, freeze {freeze:?}, pause {pause:?}, stall {stall:?}",
            track.rid,
            track.nacks - earlier.map_or(0, |earlier| earlier.nacks)
        );
        // Its probes count as well: some ten of what went before in this time, whether asked for or not.
        assert!(nacked > 0 && again < 3 * nacked + 15, "{again} resent for {nacked} asked for");
        assert!(freeze.max(pause) < Duration::from_millis(300) + stall, "{freeze:?} {pause:?} {stall:?}");
        assert_eq!(track.lost - earlier.map_or(0, |earlier| earlier.lost), 0, "{track:?}");
    }
}

#[test]
fn chromium_resends_once_what_five_per_cent_of_loss_took_of_vp8() {
    let Some(room) = room!(needs()) else { return };
    is_repaired(&room, "VP8", &[]);
}

#[test]
fn chromium_resends_once_what_five_per_cent_of_loss_took_of_each_layer() {
    let Some(room) = room!(needs()) else { return };
    is_repaired(&room, "VP8", &["q", "h", "f"]);
}

#[test]
fn chromium_plays_on_where_five_per_cent_to_it_are_lost() {
    let Some(room) = room!(needs()) else { return };
    let driver = browser(&room);
    let mut gateway = Gateway::new((0.0, 0.05));
    publish(&driver, &mut gateway, "VP8", &[]);
    gateway.run(Duration::from_secs(2));
    let offer = driver.script("return play()", &[]);
    let answer = gateway.answer(offer.as_str().unwrap(), &Wanted::both(Direction::Send));
    driver.script("return answer(player, arguments[0])", &[json!(answer)]);
    gateway.run(Duration::from_secs(5));
    let before = stats(&driver, "player", "inbound-rtp");
    let sending = gateway.peers[1].statistics(Instant::now()).sending;
    driver.script("watch()", &[]);
    gateway.late = Duration::ZERO;
    gateway.run(Duration::from_secs(12));
    let longest = driver.script("return longest", &[]).as_f64().unwrap();
    let after = stats(&driver, "player", "inbound-rtp");
    let count =
        |stats: &[Value], name: &str| stats.iter().filter_map(|stat| stat[name].as_f64()).sum::<f64>();
    let grown = |name: &str| count(&after, name) - count(&before, name);
    let resent: Vec<_> = gateway.peers[1].statistics(Instant::now()).sending;
    println!("{} pictures, {longest} ms the longest, {} nacks", grown("framesDecoded"), grown("nackCount"));
    println!("{resent:?}");
    assert!(grown("framesDecoded") > 12.0 * 20.0, "{after:?}");
    assert!(longest < 300.0 + gateway.late.as_secs_f64() * 1_000.0, "{longest} {after:?}");
    assert_eq!(gateway.duplicates(), 0);
    for (before, after) in sending.iter().zip(&resent) {
        let (again, asked) = (after.resent - before.resent, after.nacked - before.nacked);
        assert!(again <= asked.max(60), "{again} for {asked}");
    }
}

#[test]
fn chromium_restarts_ice_and_its_media_goes_on() {
    let Some(room) = room!(needs()) else { return };
    let driver = browser(&room);
    let mut gateway = Gateway::new((0.0, 0.0));
    publish(&driver, &mut gateway, "VP8", &[]);
    gateway.run(Duration::from_secs(4));
    assert!(gateway.connected.contains_key(&0), "{:?}", gateway.failures);
    let (before, ufrag) = (gateway.packets.len(), gateway.peers[0].local_ufrag().to_owned());
    let offer = driver.script("return restart(publisher)", &[]);
    let now = Instant::now();
    let answer = gateway.peers[0]
        .accept_offer(now, offer.as_str().unwrap(), &Wanted::both(Direction::Receive))
        .unwrap();
    assert_ne!(gateway.peers[0].local_ufrag(), ufrag);
    gateway.demux.insert(gateway.peers[0].local_ufrag(), 0);
    driver.script("return answer(publisher, arguments[0])", &[json!(answer)]);
    gateway.run(Duration::from_secs(4));
    assert!(gateway.failures.is_empty(), "{:?}", gateway.failures);
    let after = gateway.packets.iter().filter(|(at, ..)| *at > now + Duration::from_secs(2)).count();
    assert!(after > 60, "{after} packets after it, {before} before");
    let state = driver.script("return [publisher.connectionState, publisher.iceConnectionState]", &[]);
    assert_eq!(state[0], "connected", "{state}");
    assert_eq!(gateway.tracks.len(), 2, "{:?}", gateway.tracks);
}

#[test]
fn chromium_answers_what_we_offer_and_is_received() {
    let Some(room) = room!(needs()) else { return };
    let driver = browser(&room);
    let mut gateway = Gateway::new((0.0, 0.0));
    let offer = gateway.offer(&Wanted::both(Direction::Receive));
    let answer = driver.script("return serve(arguments[0])", &[json!(offer)]);
    gateway.peers[0].accept_answer(Instant::now(), answer.as_str().unwrap()).unwrap();
    gateway.run(Duration::from_secs(6));
    assert!(gateway.connected.contains_key(&0), "{:?} {answer}", gateway.failures);
    assert_eq!(gateway.tracks.len(), 2, "{:?}", gateway.tracks);
    let of = |kind: Kind| gateway.packets.iter().filter(|(_, _, r)| r.codec.kind() == kind).count();
    assert!(of(Kind::Video) > 100 && of(Kind::Audio) > 100, "{} {}", of(Kind::Video), of(Kind::Audio));
    assert!(gateway.peers[0].statistics(Instant::now()).round_trip.is_some());
}
