//! Media from peers and to them.

use super::NO_ACTIVITY;
use crate::io::streams::{
    News,
    packet::{Clock, Kind, Packet},
    peers::{Role, begins_key_frame},
    receive::Arrived,
    router::{Event as RouterEvent, Forwarded, Key, PUBLISHER_STOPPED},
    worker::Worker,
};
use sidetone_peer::{Received, RtpPacket, SenderClock};
use std::time::Instant;

impl Worker {
    pub(super) fn on_rtp(&mut self, now: Instant, key: Key, received: Received) {
        let Some(session) = self.peers.sessions.get_mut(&key) else { return };
        let Some(incoming) = session.incoming.get_mut(&received.track) else { return };
        incoming.codec = received.codec;
        session.media = Some(now);
        let (kind, layer) = (incoming.kind, incoming.layer);
        let packet = received.packet;
        if kind == Kind::Video {
            session.video_octets += packet.payload.len() as u64;
        }
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
    pub(in super::super) fn send_to_peer(&mut self, now: Instant, key: Key, packet: &Packet) -> bool {
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
    pub(in super::super) fn tell_peer_clock(
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
    pub(in super::super) fn forward_to_peer(&mut self, now: Instant, player: Key, forwarded: &Forwarded) {
        let Some(session) = self.peers.sessions.get_mut(&player) else { return };
        let packet = &forwarded.packet;
        let Role::Player { name } = &session.role else { return };
        let codec = self.router.tracks(name).and_then(|tracks| tracks.codec(packet.kind));
        if let Some((track, payload_type)) = session.outgoing(packet.kind, 0, codec) {
            let (is_video, octets) = (packet.kind == Kind::Video, packet.payload.len() as u64);
            let packet = rtp(payload_type, packet, forwarded.sequence, forwarded.timestamp);
            let sent = session.peer.write_rtp(now, track, &packet);
            if is_video {
                session.video_octets += octets;
            }
            let is_first = sent.is_ok() && !std::mem::replace(&mut session.flows, true);
            self.peers.touch(player);
            if is_first {
                self.tell(News::Flowing { stream: player });
            }
        }
    }

    /// What the router wants of a peer. False where it is none of ours.
    pub(in super::super) fn on_router_event_of_peer(&mut self, now: Instant, event: &RouterEvent) -> bool {
        let key = match event {
            RouterEvent::WantKeyFrame { publisher, .. }
            | RouterEvent::NeverFlowed { publisher }
            | RouterEvent::Flowing { publisher } => *publisher,
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
            RouterEvent::Flowing { .. } if session.is_own() => return false,
            RouterEvent::Flowing { .. } => {
                session.flows = true;
                self.tell(News::Flowing { stream: key });
            }
            RouterEvent::Clock { kind, clock, .. } => {
                if let Some((track, _)) = session.outgoing(*kind, 0, None) {
                    let clock = SenderClock { ntp: clock.ntp, timestamp: clock.timestamp };
                    let _ = session.peer.set_sender_clock(now, track, clock);
                }
            }
            RouterEvent::NeverFlowed { .. } => self.end_peer(now, key, NO_ACTIVITY, true),
            _ => self.end_peer(now, key, PUBLISHER_STOPPED, false),
        }
        true
    }

    /// A key frame of what we play from elsewhere. False where it comes from the gateway.
    pub(in super::super) fn ask_peer_for_key(&mut self, now: Instant, key: Key) -> bool {
        let Some(session) = self.peers.sessions.get_mut(&key) else { return false };
        if let Some(track) = session.incoming_video(0) {
            let _ = session.peer.request_key_frame(now, track);
            self.peers.touch(key);
        }
        true
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
