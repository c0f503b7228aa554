//! Ways found with the help of servers, in real time over real sockets.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::print_stdout)]
#![cfg(unix)]

mod support;

use std::collections::HashMap;
use std::io::{Read as _, Write as _};
use std::net::{SocketAddr, TcpStream, UdpSocket};
use std::time::{Duration, Instant};

use bytes::Bytes;
use sidetone_peer::*;
use sidetone_testkit::{Coturn, CoturnOptions, StunServer, require};
use support::{address, certificate};

/// A peer with its socket and its connections to servers.
struct End {
    peer: Peer,
    socket: UdpSocket,
    streams: HashMap<SocketAddr, TcpStream>,
    events: Vec<Event>,
    packets: usize,
    candidates: Vec<String>,
}

impl End {
    fn step(&mut self, now: Instant) {
        let local = self.socket.local_addr().unwrap();
        let mut buffer = [0; 4_096];
        while let Ok((length, remote)) = self.socket.recv_from(&mut buffer) {
            self.peer.handle_input(now, local, remote, &buffer[..length]);
        }
        for (remote, stream) in &mut self.streams {
            while let Ok(length @ 1..) = stream.read(&mut buffer) {
                // Cut anywhere.
                for piece in buffer[..length].chunks(7) {
                    self.peer.handle_stream(now, local, *remote, IceTransport::Tcp, piece);
                }
            }
        }
        if self.peer.poll_timeout().is_some_and(|at| at <= now) {
            self.peer.handle_timeout(now);
        }
        while let Some(event) = self.peer.poll_event() {
            match event {
                Event::Rtp(_) => self.packets += 1,
                Event::LocalCandidate { candidate, .. } => self.candidates.push(candidate),
                event => self.events.push(event),
            }
        }
        while let Some(sent) = self.peer.poll_transmit() {
            if sent.transport == IceTransport::Udp {
                let _ = self.socket.send_to(&sent.data, sent.remote);
                continue;
            }
            let stream =
                self.streams.entry(sent.remote).or_insert_with(|| TcpStream::connect(sent.remote).unwrap());
            stream.set_nonblocking(false).unwrap();
            stream.write_all(&sent.data).unwrap();
            stream.set_nonblocking(true).unwrap();
        }
    }
}

fn end(make: impl FnOnce(SocketAddr) -> Config) -> End {
    let socket = UdpSocket::bind("127.0.0.1:0").unwrap();
    socket.set_nonblocking(true).unwrap();
    let peer = Peer::new(Instant::now(), make(socket.local_addr().unwrap())).unwrap();
    End { peer, socket, streams: HashMap::new(), events: Vec::new(), packets: 0, candidates: Vec::new() }
}

fn run(ends: &mut [End], time: Duration, done: impl Fn(&[End]) -> bool) -> bool {
    let until = Instant::now() + time;
    while Instant::now() < until {
        for end in ends.iter_mut() {
            end.step(Instant::now());
        }
        if done(ends) {
            return true;
        }
        std::thread::yield_now();
    }
    false
}

fn turn(coturn: &Coturn, transport: IceTransport, username: &str, credential: &str) -> IceServer {
    IceServer {
        url: coturn.url(if transport == IceTransport::Udp { "udp" } else { "tcp" }),
        host: coturn.address().ip().to_string(),
        kind: IceServerKind::Turn,
        transport,
        address: coturn.address(),
        local: None,
        username: username.to_owned(),
        credential: credential.to_owned(),
    }
}

/// So many packets go by the relay, one each `pace`. Gives coturn's log.
fn goes_by_relay(
    transport: IceTransport,
    options: &CoturnOptions<'_>,
    packets: u16,
    pace: Duration,
) -> String {
    if !require(&[Coturn::TOOL]) {
        return String::new();
    }
    let dir = tempfile::tempdir().unwrap();
    let coturn = Coturn::start(dir.path(), options).unwrap();
    let server = turn(&coturn, transport, options.user, options.password);
    let client = end(|host| Config {
        ice_servers: vec![server],
        relay_only: true,
        ..Config::client(certificate(), vec![host], 1)
    });
    let gateway = end(|host| Config::gateway(certificate(), vec![host], 2));
    let mut ends = [client, gateway];
    let offer = ends[0].peer.create_offer(Instant::now(), &Wanted::both(Direction::Send)).unwrap();
    assert!(!offer.contains("127.0.0.1 "), "our address is told: {offer}");
    let answer =
        ends[1].peer.accept_offer(Instant::now(), &offer, &Wanted::both(Direction::Receive)).unwrap();
    ends[0].peer.accept_answer(Instant::now(), &answer).unwrap();
    let connected = run(&mut ends, Duration::from_secs(15), |ends| {
        ends.iter().all(|end| end.events.contains(&Event::Connected))
    });
    assert!(connected, "{:?}\n{:?}\n{:?}", ends[0].events, ends[0].candidates, ends[1].events);
    assert!(ends[0].candidates.iter().all(|candidate| candidate.contains("typ relay")));

    let track = ends[0].peer.sending()[1].clone();
    for sequence in 0..packets {
        let packet = RtpPacket {
            payload_type: track.codecs[0].payload_type,
            sequence,
            timestamp: 0,
            marker: true,
            extensions: Extensions::default(),
            payload: Bytes::from(vec![1; 999]),
        };
        ends[0].peer.write_rtp(Instant::now(), track.id, &packet).unwrap();
        run(&mut ends, pace, |_| false);
    }
    let all = run(&mut ends, Duration::from_secs(3), |ends| ends[1].packets == usize::from(packets));
    assert!(all, "{} of {packets}", ends[1].packets);
    coturn.log()
}

const FAST: Duration = Duration::from_millis(3);

#[test]
fn media_goes_by_a_turn_server_over_udp() {
    goes_by_relay(IceTransport::Udp, &CoturnOptions::default(), 100, FAST);
}

#[test]
fn media_goes_by_a_turn_server_over_tcp() {
    goes_by_relay(IceTransport::Tcp, &CoturnOptions::default(), 100, FAST);
}

#[test]
fn media_goes_on_when_the_servers_nonces_go_stale_and_its_relays_are_short_lived() {
    let more = ["--stale-nonce=1", "--max-allocate-lifetime=4", "--channel-lifetime=600"];
    let options = CoturnOptions { more: &more, ..CoturnOptions::default() };
    // Refreshed each two seconds, and each with a nonce that is stale by then.
    goes_by_relay(IceTransport::Udp, &options, 400, Duration::from_millis(25));
}

/// What a server is refused for.
fn failure(server: IceServer) -> String {
    let url = server.url.clone();
    let mut ends =
        [end(|host| Config { ice_servers: vec![server], ..Config::client(certificate(), vec![host], 1) })];
    ends[0].peer.create_offer(Instant::now(), &Wanted::both(Direction::Send)).unwrap();
    run(&mut ends, Duration::from_secs(7), |ends| ends[0].events.contains(&Event::GatheringDone));
    let told = ends[0].events.iter().find_map(|event| match event {
        Event::ServerFailed { url: of, reason } if *of == url => Some(reason.clone()),
        _ => None,
    });
    told.unwrap_or_else(|| panic!("{:?}", ends[0].events))
}

#[test]
fn a_wrong_password_a_used_up_quota_and_a_silent_server_are_told_in_words() {
    if !require(&[Coturn::TOOL]) {
        return;
    }
    let dir = tempfile::tempdir().unwrap();
    let options = CoturnOptions { more: &["--user-quota=1"], ..CoturnOptions::default() };
    let coturn = Coturn::start(dir.path(), &options).unwrap();
    for transport in [IceTransport::Udp, IceTransport::Tcp] {
        let wrong = failure(turn(&coturn, transport, "mara", "hunter2"));
        assert!(wrong.contains("user name and password"), "{wrong}");
    }
    let mut first = [end(|host| Config {
        ice_servers: vec![turn(&coturn, IceTransport::Udp, "mara", "secret")],
        relay_only: true,
        ..Config::client(certificate(), vec![host], 1)
    })];
    first[0].peer.create_offer(Instant::now(), &Wanted::both(Direction::Send)).unwrap();
    assert!(run(&mut first, Duration::from_secs(5), |ends| !ends[0].candidates.is_empty()));
    let second = failure(turn(&coturn, IceTransport::Udp, "mara", "secret"));
    assert!(second.contains("as many relays as he may have (486)"), "{second}");
    let silent = UdpSocket::bind("127.0.0.1:0").unwrap();
    let address = silent.local_addr().unwrap();
    let silent = failure(IceServer { address, ..turn(&coturn, IceTransport::Udp, "mara", "secret") });
    assert_eq!(silent, "it does not answer");
}

#[test]
fn servers_that_come_with_the_answer_are_asked_too() {
    if !require(&[Coturn::TOOL]) {
        return;
    }
    let dir = tempfile::tempdir().unwrap();
    let coturn = Coturn::start(dir.path(), &CoturnOptions::default()).unwrap();
    let client = end(|host| Config { relay_only: true, ..Config::client(certificate(), vec![host], 1) });
    let gateway = end(|host| Config::gateway(certificate(), vec![host], 2));
    let mut ends = [client, gateway];
    let offer = ends[0].peer.create_offer(Instant::now(), &Wanted::both(Direction::Send)).unwrap();
    let answer =
        ends[1].peer.accept_offer(Instant::now(), &offer, &Wanted::both(Direction::Receive)).unwrap();
    ends[0].peer.accept_answer(Instant::now(), &answer).unwrap();
    let server = turn(&coturn, IceTransport::Udp, "mara", "secret");
    ends[0].peer.add_ice_servers(Instant::now(), vec![server]);
    let connected = run(&mut ends, Duration::from_secs(15), |ends| {
        ends.iter().all(|end| end.events.contains(&Event::Connected))
    });
    assert!(connected, "{:?}\n{:?}\n{:?}", ends[0].events, ends[0].candidates, ends[1].events);
}

#[test]
fn a_stun_server_tells_the_address_that_others_see() {
    let stun = StunServer::start([127, 0, 0, 1].into(), [203, 0, 113, 7].into()).unwrap();
    let server = IceServer {
        url: format!("stun:{}", stun.address()),
        host: stun.address().ip().to_string(),
        kind: IceServerKind::Stun,
        transport: IceTransport::Udp,
        address: stun.address(),
        local: None,
        username: String::new(),
        credential: String::new(),
    };
    let mut ends =
        [end(|host| Config { ice_servers: vec![server], ..Config::client(certificate(), vec![host], 1) })];
    ends[0].peer.create_offer(Instant::now(), &Wanted::both(Direction::Send)).unwrap();
    let done = run(&mut ends, Duration::from_secs(5), |ends| ends[0].events.contains(&Event::GatheringDone));
    assert!(done, "{:?}", ends[0].events);
    let [found] = &ends[0].candidates[..] else { panic!("{:?}", ends[0].candidates) };
    assert!(found.contains(" 203.0.113.7 ") && found.contains("typ srflx"), "{found}");
}

#[test]
fn servers_that_do_not_answer_hold_nothing_up() {
    let silent = UdpSocket::bind("127.0.0.1:0").unwrap();
    let server = |kind| IceServer {
        url: "x".to_owned(),
        host: "x".to_owned(),
        kind,
        transport: IceTransport::Udp,
        address: silent.local_addr().unwrap(),
        local: None,
        username: "u".to_owned(),
        credential: "p".to_owned(),
    };
    let config = Config {
        ice_servers: vec![server(IceServerKind::Stun), server(IceServerKind::Turn)],
        ..Config::client(certificate(), vec![address("127.0.0.1:9")], 1)
    };
    let now = Instant::now();
    let mut peer = Peer::new(now, config).unwrap();
    peer.create_offer(now, &Wanted::both(Direction::Send)).unwrap();
    let mut at = now;
    while at < now + Duration::from_secs(6) {
        peer.handle_timeout(at);
        while peer.poll_transmit().is_some() {}
        at += Duration::from_millis(50);
    }
    let mut events = std::iter::from_fn(|| peer.poll_event());
    assert!(events.any(|event| event == Event::GatheringDone));
}
