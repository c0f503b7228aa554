//! One publisher and many players, all of them WebRTC peers in this process.

use std::io::ErrorKind;
use std::net::{IpAddr, SocketAddr, UdpSocket};
use std::thread;
use std::time::{Duration, Instant};

use bytes::Bytes;
use sidetone_peer::{
    Certificate, Codec, Config, Direction, Event, Extensions, IceTransport, Kind, Media, Peer, PeerError,
    RtpPacket, Wanted,
};
use sidetone_testkit::{Result, RigError, measure};

use crate::server::Server;
use crate::table::Cost;

const ADDRESS: &str = "10.77.0.1";
/// Between two packets: 100 a second of 1100 bytes are 880 kbit/s.
const PACE: Duration = Duration::from_millis(10);
const PACKETS_A_PICTURE: u16 = 4;
const PICTURES_A_KEY_FRAME: u32 = 25;
const PAYLOAD: usize = 1_100;
/// Between two looks at all sockets.
const LOOK: Duration = Duration::from_millis(2);
const PATIENCE: Duration = Duration::from_secs(60);
const SETTLE: Duration = Duration::from_secs(2);

pub(crate) struct Crowd {
    publisher: Member,
    players: Vec<Member>,
    sent: u32,
    next: Instant,
}

/// A peer with a socket of its own.
pub(crate) struct Member {
    pub(crate) peer: Peer,
    socket: UdpSocket,
    local: SocketAddr,
    connected: bool,
    ended: Option<String>,
    received: u64,
    /// When its time has come though nothing arrives.
    due: Option<Instant>,
}

fn failed(error: PeerError) -> RigError {
    RigError::new(error.to_string())
}

/// VP8 alone, in this direction.
pub(crate) fn wanted(direction: Direction) -> Wanted {
    let media = Media { codecs: vec![Codec::Vp8], ..Media::new(Kind::Video, direction) };
    Wanted { media: vec![media], stream: String::new() }
}

impl Member {
    fn new(certificate: &Certificate, number: u64) -> Result<Self> {
        let ip: IpAddr = ADDRESS.parse().map_err(|_| RigError::new("an address"))?;
        let open = || {
            let socket = UdpSocket::bind((ip, 0))?;
            socket.set_nonblocking(true)?;
            Ok((socket.local_addr()?, socket))
        };
        let (local, socket) = open().map_err(|e: std::io::Error| RigError::while_doing("a socket", e))?;
        let config = Config::client(certificate.clone(), vec![local], number);
        let peer = Peer::new(Instant::now(), config).map_err(failed)?;
        Ok(Self {
            peer,
            socket,
            local,
            connected: false,
            ended: None,
            received: 0,
            due: Some(Instant::now()),
        })
    }

    /// What came, and what is due: a member to whom nothing happens costs one look at its socket.
    fn turn(&mut self, now: Instant) {
        let mut datagram = [0; 2_048];
        let mut is_touched = false;
        loop {
            match self.socket.recv_from(&mut datagram) {
                Ok((length, from)) => self.peer.handle_input(now, self.local, from, &datagram[..length]),
                Err(error) if error.kind() == ErrorKind::WouldBlock => break,
                // An ICMP message about what was sent before.
                Err(_) => {}
            }
            is_touched = true;
        }
        if self.due.is_some_and(|due| due <= now) {
            self.peer.handle_timeout(now);
            is_touched = true;
        }
        if is_touched {
            self.drain();
        }
    }

    fn drain(&mut self) {
        while let Some(event) = self.peer.poll_event() {
            match event {
                Event::Connected => self.connected = true,
                Event::Disconnected(reason) => self.ended = Some(reason.to_string()),
                Event::Rtp(_) => self.received += 1,
                _ => {}
            }
        }
        while let Some(transmit) = self.peer.poll_transmit() {
            if transmit.transport == IceTransport::Udp {
                let _ = self.socket.send_to(&transmit.data, transmit.remote);
            }
        }
        self.due = self.peer.poll_timeout();
    }
}

impl Crowd {
    /// All of them connected, and the stream flowing to each.
    pub(crate) fn gather(server: &mut dyn Server, count: u32) -> Result<Self> {
        let certificate = Certificate::generate().map_err(failed)?;
        let mut publisher = Member::new(&certificate, 0)?;
        let now = Instant::now();
        let offer = publisher.peer.create_offer(now, &wanted(Direction::Send)).map_err(failed)?;
        let answer = server.publish(&offer)?;
        publisher.peer.accept_answer(now, &answer).map_err(failed)?;
        let mut crowd = Self { publisher, players: Vec::new(), sent: 0, next: now };
        crowd.until("the publisher's connection", |crowd| crowd.publisher.connected && crowd.sent > 25)?;
        for number in 1..=count {
            let mut player = Member::new(&certificate, u64::from(number))?;
            server.play(&mut player)?;
            crowd.players.push(player);
            // Those who are there already must not starve.
            crowd.turn();
        }
        crowd.until("packets at every player", |crowd| {
            crowd.players.iter().all(|player| player.received > 25)
        })?;
        Ok(crowd)
    }

    /// Runs it and counts what `process` takes meanwhile.
    pub(crate) fn measure(&mut self, process: u32, measured: Duration) -> Result<Cost> {
        self.run(SETTLE)?;
        let received: Vec<u64> = self.players.iter().map(|player| player.received).collect();
        let (sent, began, before) = (self.sent, Instant::now(), measure::cpu_time(process)?);
        self.run(measured)?;
        let (cpu, took) = (measure::cpu_time(process)?.saturating_sub(before), began.elapsed());
        let arrived = self.players.iter().zip(&received).map(|(player, before)| player.received - before);
        let sent = u64::from(self.sent - sent);
        Ok(Cost {
            cpu,
            took,
            forwarded: arrived.clone().sum(),
            due: sent * self.players.len() as u64,
            least: arrived.min().unwrap_or(0) as f64 / sent.max(1) as f64,
        })
    }

    fn run(&mut self, time: Duration) -> Result<()> {
        let end = Instant::now() + time;
        while Instant::now() < end {
            self.turn();
        }
        self.check()
    }

    fn until(&mut self, what: &str, done: impl Fn(&Self) -> bool) -> Result<()> {
        let end = Instant::now() + PATIENCE;
        while !done(self) {
            self.turn();
            self.check()?;
            if Instant::now() > end {
                return Err(RigError::new(format!("{what} did not come within {} s", PATIENCE.as_secs())));
            }
        }
        Ok(())
    }

    fn check(&self) -> Result<()> {
        let all = self.players.iter().chain([&self.publisher]);
        match all.filter_map(|member| member.ended.as_ref()).next() {
            Some(reason) => Err(RigError::new(format!("a connection ended: {reason}"))),
            None => Ok(()),
        }
    }

    fn turn(&mut self) {
        let now = Instant::now();
        self.send(now);
        self.publisher.turn(now);
        for player in &mut self.players {
            player.turn(now);
        }
        thread::sleep(LOOK.saturating_sub(now.elapsed()));
    }

    fn send(&mut self, now: Instant) {
        if !self.publisher.connected {
            self.next = now;
            return;
        }
        let Some(track) = self.publisher.peer.sending().first().cloned() else { return };
        let Some(payload_type) = track.codecs.first().map(|codec| codec.payload_type) else { return };
        while self.next <= now {
            let picture = self.sent / u32::from(PACKETS_A_PICTURE);
            let part = (self.sent % u32::from(PACKETS_A_PICTURE)) as u16;
            let key = picture.is_multiple_of(PICTURES_A_KEY_FRAME);
            let packet = RtpPacket {
                payload_type,
                sequence: self.sent as u16,
                timestamp: picture * 3_600,
                marker: part + 1 == PACKETS_A_PICTURE,
                extensions: Extensions::default(),
                payload: payload(part == 0, key),
            };
            let _ = self.publisher.peer.write_rtp(now, track.id, &packet);
            self.sent += 1;
            self.next += PACE;
        }
        self.publisher.drain();
    }
}

/// Nobody decodes it, but where a key frame begins can be seen (RFC 7741 section 4.2, RFC 6386 section 9.1).
fn payload(first: bool, key: bool) -> Bytes {
    let mut payload = vec![0xA5; PAYLOAD];
    payload[0] = if first { 0x10 } else { 0x00 };
    if first {
        payload[1] = if key { 0x10 } else { 0x11 };
        payload[4..11].copy_from_slice(&[0x9D, 0x01, 0x2A, 0x80, 0x02, 0x68, 0x01]);
    }
    payload.into()
}
