//! The players' side.

use super::{
    Event, Forwarded, Key, MOST_PLAYERS, MOST_PLAYERS_OF_ONE, Refused, Router, Start, Tracks, player::Player,
};
use std::time::Instant;

impl Router {
    /// Joins a player to the name's publisher and says what it will get.
    pub(crate) fn play(
        &mut self,
        now: Instant,
        key: Key,
        name: &str,
        start: Start,
    ) -> Result<Tracks, Refused> {
        let publisher_key = *self.names.get(name).ok_or(Refused::NotFound)?;
        let publisher = self.publishers.get_mut(&publisher_key).ok_or(Refused::NotFound)?;
        if publisher.players.len() >= MOST_PLAYERS_OF_ONE || self.players.len() >= MOST_PLAYERS {
            return Err(Refused::TooManyPlayers);
        }
        let audio_clock = publisher.tracks.audio.as_ref().map_or(48_000, |audio| audio.clock_rate);
        let layer = publisher.best_layer(now, None, 0);
        publisher.players.push(key);
        // From now on the layers are looked at.
        self.looked.get_or_insert(now);
        self.players.insert(key, Player::new(publisher_key, audio_clock, start, layer));
        let tracks = publisher.tracks.clone();
        if publisher.audio_muted || publisher.video_muted {
            let (audio, video) = (publisher.audio_muted, publisher.video_muted);
            self.events.push_back(Event::Muted { player: key, audio, video });
        }
        self.begin_video(now, key);
        self.events.push_back(Event::Changed);
        Ok(tracks)
    }

    pub(crate) fn tracks(&self, name: &str) -> Option<&Tracks> {
        self.publishers.get(self.names.get(name)?).map(|publisher| &publisher.tracks)
    }

    /// The player ends.
    pub(crate) fn stop(&mut self, key: Key) {
        let Some(player) = self.players.remove(&key) else { return };
        if let Some(publisher) = self.publishers.get_mut(&player.publisher) {
            publisher.players.retain(|other| *other != key);
        }
        self.events.push_back(Event::Changed);
    }

    /// Nothing goes to a paused player; resumed, it goes on with the next key frame.
    pub(crate) fn pause(&mut self, now: Instant, key: Key, paused: bool) {
        let Some(player) = self.players.get_mut(&key) else { return };
        if std::mem::replace(&mut player.paused, paused) == paused {
            return;
        }
        player.start_over();
        if !paused {
            self.begin_video(now, key);
        }
    }

    /// Which picture a player wants: so many layers below the best, or none at all. Its sound goes on.
    pub(crate) fn watch(&mut self, now: Instant, key: Key, picture: Option<u8>) {
        let Some(player) = self.players.get_mut(&key) else { return };
        player.below = picture.unwrap_or(player.below);
        if std::mem::replace(&mut player.blind, picture.is_none()) != picture.is_none() {
            player.cut_video();
            if picture.is_some() {
                self.begin_video(now, key);
            }
        }
        self.choose_layer(now, key);
    }

    /// Nothing of a publisher's sound goes on, or it does again.
    pub(crate) fn silence(&mut self, key: Key, on: bool) {
        let Some(publisher) = self.publishers.get_mut(&key) else { return };
        if std::mem::replace(&mut publisher.silenced, on) == on {
            return;
        }
        for player in &publisher.players {
            if let Some(player) = self.players.get_mut(player) {
                player.cut_audio();
            }
        }
    }

    /// What the best of the publisher's players can take, kbit/s; `None` where that is not known of all of them.
    pub(crate) fn best_bandwidth(&self, publisher: Key) -> Option<u32> {
        let players = self.publishers.get(&publisher)?.players.iter();
        let allowed = players.filter_map(|key| self.players.get(key)).map(|player| player.allowed_kbit);
        allowed.reduce(|best, next| Some(best?.max(next?))).flatten()
    }

    /// Whose stream it plays.
    pub(crate) fn publisher_of(&self, player: Key) -> Option<Key> {
        self.players.get(&player).map(|player| player.publisher)
    }

    /// The player's transport had no room for what it was given: it goes on with the next key frame.
    pub(crate) fn fell_behind(&mut self, now: Instant, key: Key) {
        let Some(player) = self.players.get_mut(&key) else { return };
        player.dropped += 1;
        player.start_over();
        if player.wants_pictures() {
            let (publisher, layer) = (player.publisher, player.target);
            self.complain(now, key, publisher, layer);
        }
    }

    /// The player cannot decode without a new key frame.
    pub(crate) fn key_frame_wanted(&mut self, now: Instant, key: Key) {
        if let Some(player) = self.players.get(&key).filter(|player| player.wants_pictures()) {
            let (publisher, layer) = (player.publisher, player.layer);
            self.complain(now, key, publisher, layer);
        }
    }

    /// What the path to the player carries, kbit/s.
    pub(crate) fn set_bandwidth(&mut self, now: Instant, key: Key, kbit: u32) {
        if let Some(player) = self.players.get_mut(&key) {
            player.allowed_kbit = Some(kbit);
            self.choose_layer(now, key);
        }
    }

    pub(super) fn want_key(&mut self, now: Instant, publisher: Key, layer: u8) {
        let Some(found) = self.publishers.get_mut(&publisher) else { return };
        let Some(of_layer) = found.layers.get_mut(usize::from(layer)) else { return };
        if of_layer.want_key(now) {
            self.events.push_back(Event::WantKeyFrame { publisher, layer });
        }
    }

    /// From the last key frame if that is fresh, else from the next one.
    pub(super) fn begin_video(&mut self, now: Instant, key: Key) {
        let Some(player) = self.players.get_mut(&key) else { return };
        let publisher_key = player.publisher;
        let Some(publisher) = self.publishers.get(&publisher_key) else { return };
        if let Some(layer) = publisher.layers.get(usize::from(player.target)) {
            for packet in layer.fresh(now) {
                player.offer(now, packet);
            }
        }
        if player.has_packets() && !std::mem::replace(&mut player.is_dirty, true) {
            self.dirty.push(key);
        }
        if player.waits_for_key && player.wants_pictures() {
            let layer = player.target;
            self.want_key(now, publisher_key, layer);
        }
    }

    pub(super) fn choose_layer(&mut self, now: Instant, key: Key) {
        let Some(player) = self.players.get_mut(&key) else { return };
        let Some(publisher) = self.publishers.get(&player.publisher) else { return };
        if publisher.layers.len() < 2 {
            return;
        }
        let best = publisher.best_layer(now, player.allowed_kbit, player.below);
        if best == player.target {
            return;
        }
        player.target = best;
        if player.wants_pictures() && (player.target != player.layer || player.waits_for_key) {
            let publisher = player.publisher;
            self.want_key(now, publisher, best);
        }
    }

    /// The next player whose packets are to be taken, all of them, by [`Self::next`].
    pub(crate) fn poll_player(&mut self) -> Option<Key> {
        loop {
            let key = self.dirty.pop()?;
            if let Some(player) = self.players.get_mut(&key) {
                player.is_dirty = false;
                return Some(key);
            }
        }
    }

    /// The next packet for the player.
    pub(crate) fn next(&mut self, player: Key) -> Option<Forwarded> {
        let found = self.players.get_mut(&player)?;
        let forwarded = found.next()?;
        let (kind, layer) = (forwarded.packet.kind, forwarded.packet.layer);
        let lane = found.lane(kind);
        if let (true, Some(offset)) = (lane.take_news(), lane.offset(layer))
            && let Some(clock) = self.publishers.get(&found.publisher).and_then(|it| it.clock(kind, layer))
        {
            self.events.push_back(Event::Clock { player, kind, clock: clock.shifted(offset) });
        }
        Some(forwarded)
    }

    /// A player that is to get what its publisher sends.
    pub(crate) fn gives(&self, player: Key) -> bool {
        self.players.get(&player).is_some_and(Player::wants_pictures)
    }

    /// Packets that a player got, and that were dropped because it was slow.
    pub(crate) fn counts(&self, player: Key) -> Option<(u64, u64)> {
        self.players.get(&player).map(|player| (player.forwarded, player.dropped))
    }
}
