//! One connection of a headless peer: what it publishes, or one stream that it plays.

use std::io::ErrorKind;
use std::net::{Ipv4Addr, SocketAddr, UdpSocket};
use std::time::{Duration, Instant};

use bytes::Bytes;
use sidetone_peer::{
    Certificate, Codec, Config, Direction, Event, Extensions, IceTransport, Kind, Media, Peer, PeerError,
    RtpPacket, TrackId, Wanted,
};
use sidetone_testkit::{Result, RigError};

use crate::frames::Frames;
use crate::media;

/// Of IP and UDP.
pub(crate) const HEADERS: usize = 28;

pub(crate) struct Leg {
    pub(crate) id: String,
    pub(crate) name: String,
    peer: Peer,
    socket: UdpSocket,
    local: SocketAddr,
    due: Option<Instant>,
    video: Option<TrackId>,
    pub(crate) connected: bool,
    pub(crate) ended: Option<String>,
    /// Octets on the wire, up.
    pub(crate) up: u64,
    pub(crate) frames: Frames,
    sequences: [u16; 2],
    sent: [u32; 2],
    /// Place in the loop of pictures.
    place: usize,
    next: [Instant; 2],
    wants_key: bool,
}

pub(crate) fn failed(error: PeerError) -> RigError {
    RigError::new(error.to_string())
}

impl Leg {
    /// With its offer.
    pub(crate) fn new(
        certificate: &Certificate,
        id: String,
        name: String,
        publishes: bool,
        seed: u64,
    ) -> Result<(Self, String)> {
        let open = || {
            let socket = UdpSocket::bind((Ipv4Addr::LOCALHOST, 0))?;
            socket.set_nonblocking(true)?;
            Ok((socket.local_addr()?, socket))
        };
        let (local, socket) = open().map_err(|e: std::io::Error| RigError::while_doing("a socket", e))?;
        let now = Instant::now();
        let mut peer =
            Peer::new(now, Config::client(certificate.clone(), vec![local], seed)).map_err(failed)?;
        let direction = if publishes { Direction::Send } else { Direction::Receive };
        let of = |kind, codec| Media { codecs: vec![codec], ..Media::new(kind, direction) };
        let media = vec![of(Kind::Audio, Codec::Opus), of(Kind::Video, Codec::H264)];
        let offer = peer.create_offer(now, &Wanted { media, stream: String::new() }).map_err(failed)?;
        let leg = Self {
            id,
            name,
            peer,
            socket,
            local,
            due: Some(now),
            video: None,
            connected: false,
            ended: None,
            up: 0,
            frames: Frames::default(),
            sequences: [0; 2],
            sent: [0; 2],
            place: 0,
            next: [now; 2],
            wants_key: true,
        };
        Ok((leg, offer))
    }

    pub(crate) fn accept(&mut self, answer: &str) -> Result<()> {
        self.peer.accept_answer(Instant::now(), answer).map_err(failed)
    }

    /// What waits at its socket.
    pub(crate) fn receive(&mut self, mut taken: impl FnMut(SocketAddr, Vec<u8>)) {
        let mut datagram = [0; 2_048];
        loop {
            match self.socket.recv_from(&mut datagram) {
                Ok((length, from)) => taken(from, datagram[..length].to_vec()),
                Err(error) if error.kind() == ErrorKind::WouldBlock => return,
                // An ICMP message about what was sent before.
                Err(_) => {}
            }
        }
    }

    pub(crate) fn handle(&mut self, now: Instant, from: SocketAddr, datagram: &[u8]) {
        self.peer.handle_input(now, self.local, from, datagram);
    }

    pub(crate) fn turn(&mut self, now: Instant) {
        if self.due.is_some_and(|due| due <= now) {
            self.peer.handle_timeout(now);
        }
        while let Some(event) = self.peer.poll_event() {
            match event {
                Event::Connected => {
                    self.connected = true;
                    self.next = [now; 2];
                }
                Event::Disconnected(reason) => self.ended = Some(reason.to_string()),
                Event::KeyFrameRequested { .. } => self.wants_key = true,
                Event::Track(track) if track.kind == Kind::Video => self.video = Some(track.id),
                Event::Rtp(received) if Some(received.track) == self.video => {
                    self.frames.take(now, received.packet)
                }
                Event::Rtp(_) => self.frames.sounds += 1,
                _ => {}
            }
        }
        if let Some(track) = self.video.filter(|_| self.frames.look(now)) {
            let _ = self.peer.request_key_frame(now, track);
        }
        while let Some(transmit) = self.peer.poll_transmit() {
            if transmit.transport == IceTransport::Udp {
                self.up += (transmit.data.len() + HEADERS) as u64;
                let _ = self.socket.send_to(&transmit.data, transmit.remote);
            }
        }
        self.due = self.peer.poll_timeout();
    }

    /// Sends what is due of a loop.
    pub(crate) fn send(&mut self, now: Instant, media: &media::Media) {
        if !self.connected {
            return;
        }
        while self.next[0] <= now {
            self.next[0] += Duration::from_millis(20);
            let payload = media.sounds[self.sent[0] as usize % media.sounds.len()].clone();
            let timestamp = self.sent[0].wrapping_mul(960);
            self.sent[0] += 1;
            self.write(now, Kind::Audio, timestamp, true, payload);
        }
        while self.next[1] <= now {
            self.next[1] += Duration::from_secs(1) / media::FPS;
            if std::mem::take(&mut self.wants_key) {
                self.place = 0;
            }
            let timestamp = self.sent[1].wrapping_mul(90_000 / media::FPS);
            self.sent[1] += 1;
            let picture = &media.pictures[self.place];
            self.place = (self.place + 1) % media.pictures.len();
            for (part, payload) in picture.iter().enumerate() {
                self.write(now, Kind::Video, timestamp, part + 1 == picture.len(), payload.clone());
            }
        }
    }

    fn write(&mut self, now: Instant, kind: Kind, timestamp: u32, marker: bool, payload: Bytes) {
        let Some(track) = self.peer.sending().iter().find(|track| track.kind == kind) else { return };
        let Some(payload_type) = track.codecs.first().map(|codec| codec.payload_type) else { return };
        let id = track.id;
        let sequence = &mut self.sequences[usize::from(kind == Kind::Video)];
        let packet = RtpPacket {
            payload_type,
            sequence: *sequence,
            timestamp,
            marker,
            extensions: Extensions::default(),
            payload,
        };
        *sequence = sequence.wrapping_add(1);
        let _ = self.peer.write_rtp(now, id, &packet);
    }
}
