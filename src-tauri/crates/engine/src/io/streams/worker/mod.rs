//! The stream thread's loop.

mod asks;
mod fits;
mod inward;
mod limits;
mod own;
mod peers;
#[cfg(test)]
mod tests;
mod tick;
mod wall;

pub(super) use limits::Measured;
pub(crate) use peers::Done;

use super::{
    Ask, News,
    peers::Peers,
    router::{Event, Key, PUBLISHER_STOPPED, Router, Start},
};
use crate::{
    MediaLimits,
    io::{
        clock,
        door::{Inbox, WAKE},
    },
};
use mio::Events;
use own::{OwnStream, Role};
use std::{
    collections::BTreeMap,
    sync::Arc,
    time::{Duration, Instant},
};
use tick::BETWEEN_LISTS;
use tokio::sync::mpsc;
use wall::Wall;

const TICK: Duration = Duration::from_secs(1);
/// A stream of which nothing could be shown or heard in this time, longer than a publisher may take to connect, has failed.
const UNSEEN: Duration = Duration::from_secs(25);

pub(super) struct Worker {
    inbox: Inbox<Ask>,
    news: mpsc::Sender<News>,
    router: Router,
    peers: Peers,
    own: BTreeMap<Key, OwnStream>,
    limits: MediaLimits,
    wall: Wall,
    next_tick: Instant,
    list_due: Option<Instant>,
    listed: Instant,
    /// Packets of our own streams still wait.
    is_behind: bool,
}

impl Worker {
    pub(super) fn new(inbox: Inbox<Ask>, news: mpsc::Sender<News>) -> Self {
        let now = Instant::now();
        Self {
            peers: Peers::new(Arc::clone(inbox.registry())),
            inbox,
            news,
            router: Router::default(),
            own: BTreeMap::new(),
            limits: MediaLimits::default(),
            wall: Wall::new(),
            next_tick: now + TICK,
            list_due: None,
            listed: now,
            is_behind: false,
        }
    }

    pub(super) fn run(mut self) {
        let mut events = Events::with_capacity(256);
        loop {
            let patience = self.patience(Instant::now());
            if !self.inbox.wait(&mut events, patience) {
                break;
            }
            for event in &events {
                if event.token() != WAKE {
                    self.peers.is_readable(event.token());
                }
            }
            self.take_asks();
            self.take_inward();
            let now = Instant::now();
            self.peers.receive(now);
            self.peers.handle_timeouts(now);
            if self.router.poll_timeout().is_some_and(|due| due <= now) {
                self.router.handle_timeout(now);
            }
            self.drain(now);
            self.tick(now);
            self.peers.flush();
        }
        let now = Instant::now();
        for key in self.peers.sessions.keys().copied().collect::<Vec<_>>() {
            self.peers.remove(now, key);
        }
        for stream in self.own.values() {
            stream.own.close();
        }
    }

    fn patience(&self, now: Instant) -> Option<Duration> {
        if self.is_behind || self.peers.has_unread() {
            return Some(Duration::ZERO);
        }
        let ticks =
            !self.own.is_empty() || self.peers.are_watched() || self.is_limited() || self.has_players();
        let tick = ticks.then_some(self.next_tick);
        let due = self.router.poll_timeout().into_iter().chain(self.peers.poll_timeout());
        let due = due.chain(tick).chain(self.list_due).min()?;
        Some(due.saturating_duration_since(now))
    }

    /// Carries out what the router decided, until nothing is left to do.
    fn drain(&mut self, now: Instant) {
        loop {
            let mut idle = !self.drain_peers(now);
            while let Some(event) = self.router.poll() {
                idle = false;
                self.on_event(now, event);
            }
            while let Some(player) = self.router.poll_player() {
                idle = false;
                while let Some(forwarded) = self.router.next(player) {
                    self.forward(now, player, forwarded);
                }
            }
            if idle {
                return;
            }
        }
    }

    fn on_event(&mut self, now: Instant, event: Event) {
        if self.on_router_event_of_peer(now, &event) {
            return;
        }
        match event {
            Event::WantKeyFrame { publisher, layer } => {
                if let Some(OwnStream { own, role: Role::Published { control }, .. }) =
                    self.own.get(&publisher)
                {
                    own.counters.key_requests.add(1);
                    control.want_key_frame(layer);
                }
            }
            Event::Flowing { publisher } => self.on_flowing(publisher),
            Event::Lost { publisher } => tracing::debug!(?publisher, "nothing comes of a publisher any more"),
            Event::NeverFlowed { publisher } => self.end(publisher, "Failed by RTP activity", true),
            Event::Stopped { player } => self.end(player, PUBLISHER_STOPPED, false),
            Event::Muted { player, audio, video } => self.tell(News::Muted { stream: player, audio, video }),
            Event::Clock { player, kind, clock } => {
                if let Some(OwnStream { own, role: Role::Played { sink, tracks, .. }, .. }) =
                    self.own.get(&player)
                {
                    own.set_clock(now, kind, clock, tracks.audio.as_ref());
                    sink.clock(kind, clock);
                }
            }
            Event::Changed => {
                self.list_due.get_or_insert(now.max(self.listed + BETWEEN_LISTS));
            }
        }
    }

    fn tell_end(&self, stream: Key, info: &str, failed: bool) {
        self.tell(News::Ended { stream, info: info.to_owned(), failed });
    }

    fn tell(&self, news: News) {
        if self.news.try_send(news).is_err() {
            tracing::error!("the owner does not listen to the streams");
        }
    }
}

fn random_start() -> Start {
    let random: [u8; 12] = clock::random().unwrap_or_default();
    let [a, b, c, d, e, f, g, h, i, j, k, l] = random;
    Start {
        audio: (u16::from_be_bytes([a, b]), u32::from_be_bytes([c, d, e, f])),
        video: (u16::from_be_bytes([g, h]), u32::from_be_bytes([i, j, k, l])),
    }
}
