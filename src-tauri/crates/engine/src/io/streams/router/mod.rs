//! Named streams: one publisher each, any number of players. Packets go on as they came, with the numbers of each player's own
//! sequence; nothing is decoded. No socket, clock or thread is in here: `(now, input)` goes in, [`Router::poll`] and
//! [`Router::next`] are drained, [`Router::poll_timeout`] says when to come back.

mod complaints;
mod fits;
mod lane;
mod life;
mod play;
mod player;
mod publisher;
#[cfg(test)]
mod tests;

use super::packet::{Clock, Kind, Packet};
pub(crate) use fits::Pictures;
use player::Player;
use publisher::{Publisher, State};
use std::{
    collections::{BTreeMap, HashMap, VecDeque},
    sync::Arc,
    time::Instant,
};

pub(crate) const MOST_STREAMS: usize = 1_000;
pub(crate) const MOST_PLAYERS_OF_ONE: usize = 1_000;
pub(crate) const MOST_PLAYERS: usize = 4_000;

pub(crate) const IN_USE: &str = "Stream name is already in use";
pub(crate) const NOT_FOUND: &str = "Stream not found";
pub(crate) const PUBLISHER_STOPPED: &str = "Stopped by publisher stop";

/// A publisher or a player, as its transport calls it. Never given again.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct Key(pub(crate) u64);

/// What a publisher sends.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(crate) struct Tracks {
    pub(crate) video: Option<VideoTrack>,
    pub(crate) audio: Option<AudioTrack>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct VideoTrack {
    /// As in SDP.
    pub(crate) codec: String,
    /// Of simulcast; 1 without.
    pub(crate) layers: u8,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct AudioTrack {
    pub(crate) codec: String,
    pub(crate) clock_rate: u32,
}

/// The sequence number and timestamp before a player's first ones.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Start {
    pub(crate) audio: (u16, u32),
    pub(crate) video: (u16, u32),
}

/// A packet with a player's numbers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Forwarded {
    pub(crate) packet: Arc<Packet>,
    pub(crate) sequence: u16,
    pub(crate) timestamp: u32,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Event {
    /// Ask the publisher for a key frame.
    WantKeyFrame { publisher: Key, layer: u8 },
    /// Its first media has come, or media again after it was lost.
    Flowing { publisher: Key },
    /// It has been silent for too long. Its players have been stopped, its name is free.
    Lost { publisher: Key },
    /// It had a name and never sent anything.
    NeverFlowed { publisher: Key },
    /// There is nothing more for this player; it is forgotten.
    Stopped { player: Key },
    /// What the publisher has muted.
    Muted { player: Key, audio: bool, video: bool },
    /// How the player's timestamps of a kind go with the wall clock.
    Clock { player: Key, kind: Kind, clock: Clock },
    /// Streams or their players came or went.
    Changed,
}

/// Why a name cannot be published or played, in the contract's words where it has some.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Refused {
    InUse,
    NotFound,
    TooManyStreams,
    TooManyPlayers,
    /// It would leave the others too little.
    NoBandwidth,
}

impl Refused {
    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Self::InUse => IN_USE,
            Self::NotFound => NOT_FOUND,
            Self::TooManyStreams => "1000 streams are published, which is the most",
            Self::NoBandwidth => "Not enough bandwidth: the streams that there are take all that may be",
            Self::TooManyPlayers => "this stream has as many players as it can have",
        }
    }
}

/// A published name, for the view.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Listed {
    pub(crate) publisher: Key,
    pub(crate) name: String,
    pub(crate) tracks: Tracks,
    pub(crate) players: u32,
}

#[derive(Debug, Default)]
pub(crate) struct Router {
    names: HashMap<String, Key>,
    publishers: BTreeMap<Key, Publisher>,
    players: HashMap<Key, Player>,
    events: VecDeque<Event>,
    /// Players with packets to be taken.
    dirty: Vec<Key>,
    looked: Option<Instant>,
}

impl Router {
    /// Gives `name` to a publisher. One that was lost before gives it up.
    pub(crate) fn publish(
        &mut self,
        now: Instant,
        key: Key,
        name: &str,
        tracks: Tracks,
    ) -> Result<(), Refused> {
        if self.names.contains_key(name) {
            return Err(Refused::InUse);
        }
        if self.publishers.len() >= MOST_STREAMS {
            return Err(Refused::TooManyStreams);
        }
        self.names.insert(name.to_owned(), key);
        self.publishers.insert(key, Publisher::new(now, name.to_owned(), tracks));
        self.events.push_back(Event::Changed);
        Ok(())
    }

    /// What it sends is known better now, as after negotiation.
    pub(crate) fn set_tracks(&mut self, now: Instant, key: Key, tracks: Tracks) {
        let Some(publisher) = self.publishers.get_mut(&key).filter(|it| it.tracks != tracks) else { return };
        let renewed = Publisher::new(now, publisher.name.clone(), tracks);
        (publisher.tracks, publisher.layers) = (renewed.tracks, renewed.layers);
        self.events.push_back(Event::Changed);
    }

    /// The publisher ends; its players are stopped.
    pub(crate) fn unpublish(&mut self, key: Key) {
        let Some(publisher) = self.publishers.remove(&key) else { return };
        self.free(key, &publisher.name);
        self.stop_players(publisher.players);
        self.events.push_back(Event::Changed);
    }

    fn free(&mut self, key: Key, name: &str) {
        if self.names.get(name) == Some(&key) {
            self.names.remove(name);
        }
    }

    /// Somebody plays a name by this key.
    pub(crate) fn plays(&self, key: Key) -> bool {
        self.players.contains_key(&key)
    }

    fn stop_players(&mut self, players: Vec<Key>) {
        for player in players {
            self.players.remove(&player);
            self.events.push_back(Event::Stopped { player });
        }
    }

    /// Its players are told what of it is muted.
    pub(crate) fn mute(&mut self, key: Key, audio: bool, video: bool) {
        let Some(publisher) = self.publishers.get_mut(&key) else { return };
        if (publisher.audio_muted, publisher.video_muted) == (audio, video) {
            return;
        }
        (publisher.audio_muted, publisher.video_muted) = (audio, video);
        let told = publisher.players.iter().map(|&player| Event::Muted { player, audio, video });
        self.events.extend(told);
    }

    /// Anything came from the publisher: packets, reports, checks of its path.
    pub(crate) fn heard(&mut self, now: Instant, key: Key) {
        if let Some(publisher) = self.publishers.get_mut(&key) {
            (publisher.heard, publisher.probed) = (now, false);
        }
    }

    /// What the publisher's reports say of its clock; players need it to put sound and picture together.
    pub(crate) fn set_clock(&mut self, key: Key, kind: Kind, layer: u8, clock: Clock) {
        let Some(publisher) = self.publishers.get_mut(&key) else { return };
        publisher.set_clock(kind, layer, clock);
        for player in &publisher.players {
            let Some(lane) = self.players.get_mut(player).map(|player| player.lane(kind)) else { continue };
            if let Some(offset) = lane.offset(layer) {
                let clock = clock.shifted(offset);
                self.events.push_back(Event::Clock { player: *player, kind, clock });
            }
        }
    }

    /// A packet of the publisher goes to all of its players.
    pub(crate) fn handle(&mut self, now: Instant, key: Key, packet: Packet) {
        self.heard(now, key);
        let Some(publisher) = self.publishers.get_mut(&key) else { return };
        if publisher.state != State::Flowing {
            if publisher.state == State::Lost && self.names.contains_key(&publisher.name) {
                return;
            }
            publisher.state = State::Flowing;
            self.names.insert(publisher.name.clone(), key);
            self.events.extend([Event::Flowing { publisher: key }, Event::Changed]);
        }
        if publisher.silenced && packet.kind == Kind::Audio {
            return;
        }
        let packet = Arc::new(packet);
        if !publisher.take(now, &packet) {
            return;
        }
        let mut wanted = None;
        for id in &publisher.players {
            let Some(player) = self.players.get_mut(id) else { continue };
            if player.offer(now, &packet) {
                wanted = Some(player.target);
            }
            if player.has_packets() && !std::mem::replace(&mut player.is_dirty, true) {
                self.dirty.push(*id);
            }
        }
        if let Some(layer) = wanted {
            self.want_key(now, key, layer);
        }
    }

    pub(crate) fn poll(&mut self) -> Option<Event> {
        self.events.pop_front()
    }

    /// `None` for what is no publisher.
    pub(crate) fn players_of(&self, publisher: Key) -> Option<u32> {
        let players = self.publishers.get(&publisher)?.players.len();
        Some(u32::try_from(players).unwrap_or(u32::MAX))
    }

    /// `None` for what is no publisher.
    pub(crate) fn players(&self, publisher: Key) -> Option<&[Key]> {
        Some(&self.publishers.get(&publisher)?.players)
    }

    /// What can be played, by name.
    pub(crate) fn list(&self) -> Vec<Listed> {
        let mut list: Vec<_> = self
            .publishers
            .iter()
            .filter(|(_, publisher)| publisher.state == State::Flowing)
            .map(|(key, publisher)| Listed {
                publisher: *key,
                name: publisher.name.clone(),
                tracks: publisher.tracks.clone(),
                players: u32::try_from(publisher.players.len()).unwrap_or(u32::MAX),
            })
            .collect();
        list.sort_by(|a, b| a.name.cmp(&b.name));
        list
    }
}

impl Tracks {
    pub(crate) fn codec(&self, kind: Kind) -> Option<&str> {
        match kind {
            Kind::Audio => self.audio.as_ref().map(|track| track.codec.as_str()),
            Kind::Video => self.video.as_ref().map(|track| track.codec.as_str()),
        }
    }
}
