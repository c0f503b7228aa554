//! What is looked at now and then.

use super::{TICK, UNSEEN, Worker, own::Role, peers};
use crate::io::streams::{Listed, News};
use std::time::{Duration, Instant};

/// Between two tellings of what is published: who comes and goes a thousand times must not make as many lists.
pub(super) const BETWEEN_LISTS: Duration = Duration::from_millis(100);

impl Worker {
    pub(super) fn tick(&mut self, now: Instant) {
        if self.list_due.is_some_and(|due| due <= now) {
            (self.list_due, self.listed) = (None, now);
            let list: Vec<Listed> = self.router.list();
            self.tell(News::Listed(list));
        }
        if now < self.next_tick {
            return;
        }
        self.next_tick = now + TICK;
        let (mut heard, mut unseen) = (Vec::new(), Vec::new());
        self.look_at_media(now);
        self.look_at_bandwidth(now);
        self.look_at_fits(now);
        if self.peers.are_watched() {
            let _ = self.news.try_send(News::VideoRates(self.peers.take_rates()));
        }
        for (key, stream) in &mut self.own {
            let published = matches!(stream.role, Role::Published { .. });
            // Players have come and gone.
            stream.follow_players(*key, &self.router, &self.peers);
            if let Some((_, dropped)) = self.router.counts(*key) {
                stream.own.counters.behind.set(dropped);
            }
            let path = peers::path(&mut self.peers, now, *key);
            let statistics = stream.rates.take(now, &stream.own.counters, path, published);
            if !stream.flows {
                let waited = now.saturating_duration_since(stream.since);
                match &stream.role {
                    // The picture does not come, the sound does: that is heard.
                    Role::Played { sound: true, .. } if waited >= TICK => heard.push(*key),
                    Role::Played { .. } if waited >= UNSEEN && self.router.gives(*key) => unseen.push(*key),
                    _ => {}
                }
                continue;
            }
            let news = News::Measured {
                stream: *key,
                statistics: Box::new(statistics),
                size: stream.own.counters.size(),
                players: self.router.players_of(*key),
            };
            let _ = self.news.try_send(news);
        }
        for key in heard {
            self.on_flowing(key);
        }
        for key in unseen {
            self.router.stop(key);
            self.end(key, "Failed by RTP activity", true);
        }
    }
}
