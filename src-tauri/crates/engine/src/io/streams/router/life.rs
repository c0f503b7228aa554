//! What happens by time alone: publishers that are gone, key frames that are due, layers that came or went.

use super::{
    Event, Router,
    publisher::{Publisher, State},
};
use std::time::{Duration, Instant};

/// A publisher that is silent for so long is asked for a sign of life (a key frame)...
const PROBE: Duration = Duration::from_millis(700);
/// ... and for so long is gone. Its players are told within 1.5 s.
const GONE: Duration = Duration::from_millis(1_350);
/// How long a publisher may take from its name to its first packet.
const CONNECTING: Duration = Duration::from_secs(15);
/// Between two looks at the layers of simulcast.
const LAYERS: Duration = Duration::from_millis(500);

impl Router {
    fn is_key_awaited(&self, publisher: &Publisher, layer: usize) -> bool {
        publisher.players.iter().filter_map(|player| self.players.get(player)).any(|player| {
            usize::from(player.target) == layer
                && player.wants_pictures()
                && (player.waits_for_key || player.layer != player.target)
        })
    }

    fn has_simulcast(&self) -> bool {
        self.publishers.values().any(|publisher| publisher.layers.len() > 1 && !publisher.players.is_empty())
    }

    pub(crate) fn poll_timeout(&self) -> Option<Instant> {
        let of_publisher = |publisher: &Publisher| {
            let life = match publisher.state {
                State::Connecting => Some(publisher.began + CONNECTING),
                State::Flowing if publisher.probed => Some(publisher.heard + GONE),
                State::Flowing => Some(publisher.heard + PROBE),
                State::Lost => None,
            };
            let keys = publisher.layers.iter().enumerate();
            let keys =
                keys.filter_map(|(index, layer)| layer.next_key(self.is_key_awaited(publisher, index)));
            life.into_iter().chain(keys).min()
        };
        let publishers = self.publishers.values().filter_map(of_publisher);
        let layers = self.looked.filter(|_| self.has_simulcast()).map(|looked| looked + LAYERS);
        publishers.chain(layers).min()
    }

    pub(crate) fn handle_timeout(&mut self, now: Instant) {
        self.look_at_life(now);
        self.ask_for_keys(now);
        if self.has_simulcast() && self.looked.is_none_or(|looked| looked + LAYERS <= now) {
            self.looked = Some(now);
            for player in self.players.keys().copied().collect::<Vec<_>>() {
                self.choose_layer(now, player);
            }
        }
    }

    fn look_at_life(&mut self, now: Instant) {
        let silent = |publisher: &Publisher| now.saturating_duration_since(publisher.heard);
        let keys: Vec<_> = self.publishers.keys().copied().collect();
        for key in keys {
            let Some(publisher) = self.publishers.get_mut(&key) else { continue };
            match publisher.state {
                State::Connecting if now >= publisher.began + CONNECTING => {
                    self.events.push_back(Event::NeverFlowed { publisher: key });
                    self.unpublish(key);
                }
                State::Flowing if silent(publisher) >= GONE => {
                    publisher.state = State::Lost;
                    let (players, name) = (std::mem::take(&mut publisher.players), publisher.name.clone());
                    self.free(key, &name);
                    self.stop_players(players);
                    self.events.extend([Event::Lost { publisher: key }, Event::Changed]);
                }
                State::Flowing if silent(publisher) >= PROBE && !publisher.probed => {
                    publisher.probed = true;
                    for layer in 0..publisher.layers.len() {
                        let layer = u8::try_from(layer).unwrap_or(0);
                        self.events.push_back(Event::WantKeyFrame { publisher: key, layer });
                    }
                }
                State::Connecting | State::Flowing | State::Lost => {}
            }
        }
    }

    fn ask_for_keys(&mut self, now: Instant) {
        let mut due = Vec::new();
        for (key, publisher) in &self.publishers {
            for (index, layer) in publisher.layers.iter().enumerate() {
                let is_awaited = self.is_key_awaited(publisher, index);
                if layer.next_key(is_awaited).is_some_and(|next| next <= now) {
                    due.push((*key, u8::try_from(index).unwrap_or(0)));
                }
            }
        }
        for (key, layer) in due {
            self.want_key(now, key, layer);
        }
    }
}
