//! What the stream thread does with WebRTC peers.

use super::{Clock, Kind, Path, Peers, Worker};
use crate::io::streams::{
    News,
    packet::Packet,
    peers::{Adopted, Role, Side, begins_key_frame, expected},
    receive::Arrived,
    router::{Event as RouterEvent, Forwarded, Key, Refused, Tracks},
};
use sidetone_peer::{Event, IceServer, PeerError, Received, RtpPacket, SenderClock};
use std::time::{Duration, Instant};
use tokio::sync::oneshot;

/// Of what we play from elsewhere: so long nothing may come of it.
const NO_MEDIA: Duration = Duration::from_secs(10);

/// Why something about a peer was not done.
pub(crate) type Done<T> = oneshot::Sender<Result<T, PeerError>>;

impl Worker {
    pub(super) fn adopt(&mut self, now: Instant, mut adopted: Adopted) {
        let key = adopted.key;
        let taken = match &adopted.role {
            Role::Publisher { name, tracks, .. } => self.router.publish(now, key, name, tracks.clone()),
            Role::Player { name } => self.router.tracks(name).map(drop).ok_or(Refused::NotFound),
            Role::Sender { .. } | Role::Receiver { .. } => Ok(()),
        };
        let told = match adopted.taken.take() {
            Some(tell) => tell.send(taken).is_ok(),
            None => true,
        };
        if taken.is_ok() && told {
            if matches!(adopted.role, Role::Receiver { .. }) && adopted.tracks != Tracks::default() {
                self.tell(News::Playing { stream: key, tracks: adopted.tracks.clone() });
            }
            // Of an attempt before.
            self.peers.remove(now, key);
            if let Role::Receiver { sink, .. } = &adopted.role {
                sink.cut();
            }
            self.peers.adopt(adopted);
        } else if taken.is_ok() {
            // Whoever asked has gone.
            self.router.unpublish(key);
        }
    }

    /// The far end's answer to an offer of ours.
    pub(super) fn answered(&mut self, now: Instant, key: Key, sdp: &str, done: Done<Tracks>) {
        let Some(session) = self.peers.sessions.get_mut(&key) else { return };
        let side = match session.role {
            Role::Receiver { .. } => Side::Answerer,
            Role::Publisher { .. } | Role::Player { .. } | Role::Sender { .. } => Side::Offerer,
        };
        let tracks = session.peer.accept_answer(now, sdp).map(|()| expected(sdp, side).0);
        if let Ok(tracks) = &tracks {
            session.tracks = tracks.clone();
            if matches!(session.role, Role::Receiver { .. }) {
                self.tell(News::Playing { stream: key, tracks: tracks.clone() });
            }
        }
        let _ = done.send(tracks);
        self.peers.touch(key);
    }

    /// The far end's next offer, such as an ICE restart.
    pub(super) fn offered(&mut self, now: Instant, key: Key, sdp: &str, done: Done<String>) {
        let Some(session) = self.peers.sessions.get_mut(&key) else { return };
        let wanted = session.wanted();
        let _ = done.send(session.peer.accept_offer(now, sdp, &wanted));
        self.peers.renew(key);
    }

    pub(super) fn restart(
        &mut self,
        now: Instant,
        key: Key,
        hosts: Vec<std::net::SocketAddr>,
        done: Done<String>,
    ) {
        let Some(session) = self.peers.sessions.get_mut(&key) else { return };
        let _ = done.send(session.peer.restart_ice(now, hosts));
        self.peers.renew(key);
    }

    /// Servers that came with the far end's answer.
    pub(super) fn add_servers(&mut self, now: Instant, key: Key, servers: Vec<IceServer>) {
        if let Some(session) = self.peers.sessions.get_mut(&key) {
            session.peer.add_ice_servers(now, servers);
            self.peers.touch(key);
        }
    }

    /// Candidates of the far end; those that cannot be used are passed over.
    pub(super) fn trickle(&mut self, now: Instant, key: Key, candidates: &[String]) {
        let Some(session) = self.peers.sessions.get_mut(&key) else { return };
        for candidate in candidates {
            if let Err(error) = session.peer.add_remote_candidate(now, candidate) {
                tracing::debug!("a candidate is passed over: {error}");
            }
        }
        self.peers.touch(key);
    }

    /// Carries out what the peers have to say. True where there was anything.
    pub(super) fn drain_peers(&mut self, now: Instant) -> bool {
        let mut any = false;
        while let Some(key) = self.peers.poll_dirty() {
            any = true;
            self.hear(now, key);
            while let Some(event) =
                self.peers.sessions.get_mut(&key).and_then(|session| session.peer.poll_event())
            {
                self.on_peer_event(now, key, event);
            }
        }
        any
    }

    /// A publisher that gives any sign of life is there.
    fn hear(&mut self, now: Instant, key: Key) {
        let Some(session) = self.peers.sessions.get_mut(&key) else { return };
        let heard = session.peer.last_received();
        if heard != session.heard {
            session.heard = heard;
            self.router.heard(now, key);
        }
    }

    fn on_peer_event(&mut self, now: Instant, key: Key, event: Event) {
        let Some(session) = self.peers.sessions.get_mut(&key) else { return };
        match event {
            Event::Connected => {
                let is_first = !std::mem::replace(&mut session.connected, true);
                session.connected_at.get_or_insert(now);
                if let Role::Player { name } = &session.role
                    && is_first
                {
                    let name = name.clone();
                    if self.router.play(now, key, &name, super::random_start()).is_err() {
                        self.end_peer(now, key);
                    }
                }
            }
            Event::Path { remote, .. } => self.peers.bind_remote(key, remote),
            Event::Track(track) => {
                let tracks = session.begin(&track);
                match session.role {
                    Role::Publisher { .. } => self.router.set_tracks(now, key, tracks),
                    Role::Player { .. } | Role::Sender { .. } | Role::Receiver { .. } => {}
                }
            }
            Event::Rtp(received) => self.on_rtp(now, key, received),
            Event::SenderClock { track, clock } => {
                let Some(incoming) = session.incoming.get(&track).copied() else { return };
                let clock = Clock { ntp: clock.ntp, timestamp: clock.timestamp };
                match &session.role {
                    Role::Publisher { .. } => {
                        self.router.set_clock(key, incoming.kind, incoming.layer, clock);
                    }
                    Role::Receiver { own, sink } => {
                        own.set_clock(now, incoming.kind, clock, session.tracks.audio.as_ref());
                        sink.clock(incoming.kind, clock);
                    }
                    Role::Player { .. } | Role::Sender { .. } => {}
                }
            }
            Event::KeyFrameRequested { track } => match &session.role {
                Role::Player { .. } => self.router.key_frame_wanted(now, key),
                Role::Sender { own, control } => {
                    own.counters.key_requests.add(1);
                    control.want_key_frame(session.layer_of(track));
                }
                Role::Publisher { .. } | Role::Receiver { .. } => {}
            },
            Event::Estimate { bps } => {
                let kbit = u32::try_from(bps / 1_000).unwrap_or(u32::MAX);
                match &session.role {
                    Role::Player { .. } => self.router.set_bandwidth(now, key, kbit),
                    Role::Sender { control, .. } => control.allow(kbit),
                    Role::Publisher { .. } | Role::Receiver { .. } => {}
                }
            }
            Event::LocalCandidate { mid, candidate } if session.is_own() => {
                self.tell(News::Candidate { stream: key, mid, candidate });
            }
            Event::GatheringDone if session.is_own() => self.tell(News::GatheringDone { stream: key }),
            Event::ServerFailed { url, reason } if session.is_own() => {
                self.tell(News::ServerFailed { stream: key, url, reason });
            }
            Event::Ended { track } => {
                session.incoming.remove(&track);
                if session.incoming.is_empty() {
                    self.disconnected(now, key, "Stopped by session disconnect");
                }
            }
            Event::Disconnected(reason) => self.disconnected(now, key, &reason.to_string()),
            // What was lost for good shows in the numbers; the key frame has been asked for.
            _ => {}
        }
    }

    fn on_rtp(&mut self, now: Instant, key: Key, received: Received) {
        let Some(session) = self.peers.sessions.get_mut(&key) else { return };
        let Some(incoming) = session.incoming.get_mut(&received.track) else { return };
        incoming.codec = received.codec;
        session.media = Some(now);
        let (kind, layer) = (incoming.kind, incoming.layer);
        let packet = received.packet;
        match &mut session.role {
            Role::Publisher { .. } => {
                let packet = Packet {
                    kind,
                    layer,
                    sequence: packet.sequence,
                    timestamp: packet.timestamp,
                    marker: packet.marker,
                    key: kind == Kind::Video && begins_key_frame(received.codec, &packet.payload),
                    extensions: packet.extensions,
                    payload: packet.payload,
                };
                self.router.handle(now, key, packet);
            }
            Role::Receiver { own, sink } => {
                own.count(kind, packet.payload.len());
                if kind == Kind::Audio {
                    own.tap_sound(session.tracks.audio.as_ref(), packet.timestamp, &packet.payload, now);
                }
                let arrived = Arrived::Packet {
                    at: now,
                    sequence: packet.sequence,
                    timestamp: packet.timestamp,
                    marker: packet.marker,
                    payload: packet.payload,
                };
                let has_room = sink.offer(kind, arrived);
                let is_heard = kind == Kind::Audio && session.tracks.video.is_none();
                if !has_room {
                    sink.cut();
                }
                if is_heard {
                    self.heard_sound(key);
                } else if kind == Kind::Audio {
                    self.has_sound(key);
                }
            }
            Role::Player { .. } | Role::Sender { .. } => {}
        }
    }

    /// A packet of a stream of our own that goes to an endpoint. False where it does not.
    pub(super) fn send_to_peer(&mut self, now: Instant, key: Key, packet: &Packet) -> bool {
        let Some(session) = self.peers.sessions.get_mut(&key) else { return false };
        if !matches!(session.role, Role::Sender { .. }) {
            return false;
        }
        if session.connected {
            let codec = session.tracks.codec(packet.kind);
            if let Some((track, payload_type)) = session.outgoing(packet.kind, packet.layer, codec) {
                let packet = rtp(payload_type, packet, packet.sequence, packet.timestamp);
                let sent = session.peer.write_rtp(now, track, &packet);
                let is_first = sent.is_ok() && !std::mem::replace(&mut session.flows, true);
                self.peers.touch(key);
                if is_first {
                    self.on_flowing(key);
                }
            }
        }
        true
    }

    /// The clock of the same. False where it goes elsewhere.
    pub(super) fn tell_peer_clock(
        &mut self,
        now: Instant,
        key: Key,
        kind: Kind,
        layer: u8,
        clock: Clock,
    ) -> bool {
        let Some(session) = self.peers.sessions.get_mut(&key) else { return false };
        let codec = session.tracks.codec(kind);
        if let Some((track, _)) = session.outgoing(kind, layer, codec) {
            let clock = SenderClock { ntp: clock.ntp, timestamp: clock.timestamp };
            let _ = session.peer.set_sender_clock(now, track, clock);
        }
        true
    }

    /// A packet for a player at the gateway.
    pub(super) fn forward_to_peer(&mut self, now: Instant, player: Key, forwarded: &Forwarded) {
        let Some(session) = self.peers.sessions.get_mut(&player) else { return };
        let packet = &forwarded.packet;
        let Role::Player { name } = &session.role else { return };
        let codec = self.router.tracks(name).and_then(|tracks| tracks.codec(packet.kind));
        if let Some((track, payload_type)) = session.outgoing(packet.kind, 0, codec) {
            let packet = rtp(payload_type, packet, forwarded.sequence, forwarded.timestamp);
            let _ = session.peer.write_rtp(now, track, &packet);
            self.peers.touch(player);
        }
    }

    /// What the router wants of a peer. False where it is none of ours.
    pub(super) fn on_router_event_of_peer(&mut self, now: Instant, event: &RouterEvent) -> bool {
        let key = match event {
            RouterEvent::WantKeyFrame { publisher, .. } | RouterEvent::NeverFlowed { publisher } => {
                *publisher
            }
            RouterEvent::Stopped { player } | RouterEvent::Clock { player, .. } => *player,
            _ => return false,
        };
        let Some(session) = self.peers.sessions.get_mut(&key) else { return false };
        match event {
            RouterEvent::WantKeyFrame { layer, .. } => {
                if let Some(track) = session.incoming_video(*layer) {
                    let _ = session.peer.request_key_frame(now, track);
                }
                self.peers.touch(key);
            }
            RouterEvent::Clock { kind, clock, .. } => {
                if let Some((track, _)) = session.outgoing(*kind, 0, None) {
                    let clock = SenderClock { ntp: clock.ntp, timestamp: clock.timestamp };
                    let _ = session.peer.set_sender_clock(now, track, clock);
                }
            }
            _ => self.end_peer(now, key),
        }
        true
    }

    /// The far end, or the path to it, is gone.
    fn disconnected(&mut self, now: Instant, key: Key, info: &str) {
        let Some(session) = self.peers.remove(now, key) else { return };
        self.router.unpublish(key);
        self.router.stop(key);
        if session.is_own() {
            if let Some(own) = self.own.get_mut(&key) {
                own.begin_again(now);
            }
            self.tell(News::Disconnected { stream: key, info: info.to_owned() });
        } else {
            tracing::debug!(?key, "a peer of the gateway has gone: {info}");
            self.tell(News::Left { session: key });
        }
    }

    /// There is nothing more for it.
    pub(super) fn end_peer(&mut self, now: Instant, key: Key) {
        if let Some(session) = self.peers.remove(now, key) {
            self.router.unpublish(key);
            self.router.stop(key);
            if !session.is_own() {
                self.tell(News::Left { session: key });
            }
        }
    }

    /// A key frame of what we play from elsewhere. False where it comes from the gateway.
    pub(super) fn ask_peer_for_key(&mut self, now: Instant, key: Key) -> bool {
        let Some(session) = self.peers.sessions.get_mut(&key) else { return false };
        if let Some(track) = session.incoming_video(0) {
            let _ = session.peer.request_key_frame(now, track);
            self.peers.touch(key);
        }
        true
    }

    /// An endpoint that is there and sends nothing is of no use.
    pub(super) fn look_at_media(&mut self, now: Instant) {
        let silent: Vec<_> = self
            .peers
            .sessions
            .iter()
            .filter(|(key, session)| {
                let passed = |since: Instant| now.saturating_duration_since(since);
                let is_silent =
                    session.media.or(session.connected_at).is_some_and(|at| passed(at) >= NO_MEDIA);
                let is_unseen = session.connected_at.is_some_and(|at| passed(at) >= super::UNSEEN)
                    && self.own.get(key).is_some_and(|own| !own.flows);
                matches!(session.role, Role::Receiver { .. }) && (is_silent || is_unseen)
            })
            .map(|(key, _)| *key)
            .collect();
        for key in silent {
            self.disconnected(now, key, "Failed by RTP activity");
        }
    }

    fn heard_sound(&mut self, key: Key) {
        if let Some(session) = self.peers.sessions.get_mut(&key)
            && !std::mem::replace(&mut session.flows, true)
        {
            self.on_flowing(key);
        }
    }
}

fn rtp(payload_type: u8, packet: &Packet, sequence: u16, timestamp: u32) -> RtpPacket {
    RtpPacket {
        payload_type,
        sequence,
        timestamp,
        marker: packet.marker,
        extensions: packet.extensions,
        payload: packet.payload.clone(),
    }
}

/// What a peer of a stream of our own knows of its path; its counters go among the stream's.
pub(super) fn path(peers: &mut Peers, now: Instant, key: Key) -> Path {
    let Some(session) = peers.sessions.get_mut(&key) else { return Path::default() };
    let statistics = session.peer.statistics(now);
    let round_trip = statistics.round_trip;
    let mut path =
        Path { round_trip_ms: round_trip.map(|time| time.as_secs_f32() * 1_000.0), ..Path::default() };
    match &session.role {
        Role::Sender { own, .. } => {
            let sending = &statistics.sending;
            path.available_kbit = Some(statistics.estimate as f32 / 1_000.0);
            let loss = sending.iter().map(|track| track.loss * 100.0).fold(0.0, f32::max);
            path.loss_percent = Some(loss);
            let lost = sending.iter().map(|track| u64::try_from(track.lost).unwrap_or(0)).sum();
            own.counters.lost.set(lost);
            own.counters.repaired.set(sending.iter().map(|track| track.resent).sum());
            let jitter = sending.iter().map(|track| track.jitter).max().unwrap_or_default();
            own.counters.jitter_ms.set(jitter.as_secs_f32() * 1_000.0);
        }
        Role::Receiver { own, sink } => {
            own.counters.repaired.set(statistics.receiving.iter().map(|track| track.repaired).sum());
            if let Some(time) = round_trip {
                sink.round_trip(time);
            }
        }
        Role::Publisher { .. } | Role::Player { .. } => {}
    }
    path
}
