//! Pictures that do not fit the path to a session of the gateway.

use super::Worker;
use crate::io::streams::{
    News,
    fit::{Look, change},
    peers::{Role, Session, Use},
    router::{Key, Pictures},
};
use std::{collections::BTreeMap, sync::Arc, time::Instant};

/// Who has one path: the streams of one session, or one that is a session by itself.
type Path = Result<Arc<str>, Key>;

impl Worker {
    pub(super) fn has_players(&self) -> bool {
        self.peers.sessions.values().any(plays)
    }

    pub(super) fn look_at_fits(&mut self, now: Instant) {
        let mut paths: BTreeMap<Path, Vec<(Key, Pictures)>> = BTreeMap::new();
        for (key, session) in self.peers.sessions.iter().filter(|(_, session)| plays(session)) {
            let path = session.client.clone().ok_or(*key);
            if self.is_followed(*key) && !session.fit.is_starved() {
                continue;
            }
            if let Some(pictures) = self.router.pictures(now, *key) {
                paths.entry(path).or_default().push((*key, pictures));
            }
        }
        for players in paths.into_values() {
            self.look_at_path(now, &players);
        }
    }

    /// What it plays is encoded here, and for nobody with a better path: the encoder gives way, not the picture.
    fn is_followed(&self, player: Key) -> bool {
        let publisher = self.router.publisher_of(player);
        publisher.is_some_and(|publisher| self.own.contains_key(&publisher))
            && self.router.is_best_player(player)
    }

    fn look_at_path(&mut self, now: Instant, players: &[(Key, Pictures)]) {
        let mut losses = Vec::with_capacity(players.len());
        for (key, pictures) in players {
            let is_short = pictures.carries.is_some_and(|carries| carries < pictures.need);
            let session = self.peers.sessions.get_mut(key).filter(|_| is_short);
            let statistics = session.map(|session| session.peer.statistics(now).sending);
            let loss = statistics.into_iter().flatten().map(|track| track.loss).fold(0.0, f32::max);
            losses.push(loss);
        }
        // Keys are in order in both.
        let sessions = self.peers.sessions.iter_mut();
        let sessions = sessions.filter(|(key, _)| players.iter().any(|(other, _)| other == *key));
        let mut looks: Vec<_> = sessions
            .zip(players.iter().zip(losses))
            .map(|((_, session), ((_, pictures), loss))| Look {
                pictures: *pictures,
                loss,
                fit: &mut session.fit,
            })
            .collect();
        for (place, starved) in change(now, &mut looks) {
            let Some((key, pictures)) = players.get(place) else { continue };
            self.router.starve(now, *key, starved);
            self.tell_publisher(*key);
            let most = pictures.carries.unwrap_or_default();
            tracing::debug!(?key, need = pictures.need, carries = most, starved, "pictures for a player");
            self.tell(News::Fits { session: *key, fits: !starved, kbit: pictures.need, most });
        }
    }
}

fn plays(session: &Session) -> bool {
    session.of == Use::Gateway && session.connected && matches!(session.role, Role::Player { .. })
}
