//! Streams that are published or played here.

use super::{TICK, Worker};
use crate::io::streams::{
    News, Own,
    measure::Rates,
    packet::Kind,
    peers::Peers,
    receive::{Arrived, Sink},
    router::{Forwarded, Key, Router, Tracks},
    send::Control,
};
use std::time::Instant;

/// A stream that is published or played here.
pub(super) struct OwnStream {
    pub(super) own: Own,
    pub(super) rates: Rates,
    pub(super) role: Role,
    pub(super) flows: bool,
    pub(super) since: Instant,
}

pub(super) enum Role {
    Published { control: Control },
    Played { sink: Sink, tracks: Tracks, sound: bool },
}

impl OwnStream {
    /// What came before, sound too, is no sign of what comes.
    pub(super) fn begin_again(&mut self, now: Instant) {
        (self.flows, self.since) = (false, now);
        if let Role::Played { sound, .. } = &mut self.role {
            *sound = false;
        }
    }

    /// Nobody needs more than the best player can take, and no pictures that wait on the way to every one of them.
    pub(super) fn follow_players(&self, key: Key, router: &Router, peers: &Peers) {
        if let Role::Published { control } = &self.role
            && let Some(players) = router.players(key)
        {
            let is_behind = |key: &Key| peers.sessions.get(key).is_some_and(|session| session.is_behind);
            control.allow(router.best_bandwidth(key).unwrap_or(0));
            control.hold(!players.is_empty() && players.iter().all(is_behind));
            self.own.set_unseen(router.is_unseen(key));
        }
    }
}

impl Worker {
    pub(super) fn insert(&mut self, now: Instant, stream: Key, own: Own, role: Role) {
        if self.own.is_empty() {
            self.next_tick = now + TICK;
        }
        self.own.insert(stream, OwnStream { own, rates: Rates::new(now), role, flows: false, since: now });
    }

    pub(super) fn forget(&mut self, stream: Key) {
        if let Some(stream) = self.own.remove(&stream) {
            stream.own.close();
        }
    }

    pub(super) fn on_flowing(&mut self, stream: Key) {
        let Some(found) = self.own.get_mut(&stream) else { return };
        found.flows = true;
        self.tell(News::Flowing { stream });
    }

    pub(super) fn forward(&mut self, now: Instant, player: Key, forwarded: Forwarded) {
        let Some(stream) = self.own.get_mut(&player) else {
            return self.forward_to_peer(now, player, &forwarded);
        };
        let Role::Played { sink, tracks, sound } = &mut stream.role else { return };
        let Forwarded { packet, sequence, timestamp } = forwarded;
        stream.own.count(packet.kind, packet.payload.len());
        if packet.kind == Kind::Audio {
            *sound = true;
            stream.own.tap_sound(tracks.audio.as_ref(), timestamp, &packet.payload, now);
        }
        let is_first_sound = *sound && tracks.video.is_none() && !stream.flows;
        let payload = packet.payload.clone();
        let arrived = Arrived::Packet { at: now, sequence, timestamp, marker: packet.marker, payload };
        if !sink.offer(packet.kind, arrived) {
            self.router.fell_behind(now, player);
        }
        if is_first_sound {
            self.on_flowing(player);
        }
    }

    /// A played stream's sound comes, whatever becomes of its pictures.
    pub(super) fn has_sound(&mut self, stream: Key) {
        if let Some(OwnStream { role: Role::Played { sound, .. }, .. }) = self.own.get_mut(&stream) {
            *sound = true;
        }
    }

    /// The stream is over without our doing.
    pub(super) fn end(&mut self, stream: Key, info: &str, failed: bool) {
        if self.own.contains_key(&stream) {
            self.forget(stream);
            self.tell_end(stream, info, failed);
        }
    }
}
