//! Players whose path has no room for pictures get sound alone, until it has.

use super::{Key, Router, player::Player, publisher::State};
use std::time::{Duration, Instant};

/// Of sound beside the pictures, kbit/s.
const SOUND: u32 = 40;
/// Of headers.
const AROUND: f32 = 1.06;
/// Pictures that did not come for so long take nothing.
const SILENCE: Duration = Duration::from_secs(2);

/// What a player's pictures take of its path.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Pictures {
    /// With the sound of the same publisher, kbit/s.
    pub(crate) need: u32,
    /// What the path carries; `None`: that is not known.
    pub(crate) carries: Option<u32>,
    /// Packets that were left out, of all times, as there was no room.
    pub(crate) dropped: u64,
}

impl Router {
    /// `None` where there are no pictures for the player, or it wants none.
    pub(crate) fn pictures(&self, now: Instant, player: Key) -> Option<Pictures> {
        let player = self.players.get(&player).filter(|player| !player.paused && !player.blind)?;
        let publisher = self.publishers.get(&player.publisher).filter(|it| it.state == State::Flowing)?;
        let layer = publisher.layers.get(usize::from(player.target))?;
        layer.last.filter(|last| now.saturating_duration_since(*last) < SILENCE)?;
        let sound = publisher.tracks.audio.as_ref().map_or(0, |_| SOUND);
        let need = (layer.rate(now) as f32 * AROUND) as u32 + sound;
        Some(Pictures { need, carries: player.allowed_kbit, dropped: player.dropped })
    }

    /// Whether its path has no room for pictures. Where it has again, they go on with a key frame.
    pub(crate) fn starve(&mut self, now: Instant, key: Key, starved: bool) {
        let Some(player) = self.players.get_mut(&key) else { return };
        if std::mem::replace(&mut player.starved, starved) == starved {
            return;
        }
        player.cut_video();
        if !starved {
            self.begin_video(now, key);
        }
    }

    /// Whether its publisher, if it follows what players can take, follows this one: no other can take more.
    pub(crate) fn is_best_player(&self, key: Key) -> bool {
        let Some(player) = self.players.get(&key) else { return false };
        player.allowed_kbit.is_some() && self.best_bandwidth(player.publisher) == player.allowed_kbit
    }

    /// Its publisher has players, and none of them looks. Who has no room for pictures at present waits for them: what they take
    /// is known only while they come.
    pub(crate) fn is_unseen(&self, publisher: Key) -> bool {
        let players = self.publishers.get(&publisher).map(|publisher| publisher.players.as_slice());
        players.is_some_and(|players| {
            let mut known = players.iter().filter_map(|key| self.players.get(key));
            !players.is_empty() && known.all(Player::looks_away)
        })
    }
}
