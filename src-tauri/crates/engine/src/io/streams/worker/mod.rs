//! The stream thread's loop.

mod peers;
#[cfg(test)]
mod tests;

pub(crate) use peers::Done;

use super::{
    Ask, Listed, News, Own,
    inlet::Inward,
    measure::{Path, Rates},
    packet::{Clock, Kind},
    peers::{Peers, Use},
    receive::{Arrived, Sink},
    router::{Event, Forwarded, Key, PUBLISHER_STOPPED, Router, Start, Tracks},
    send::Control,
};
use crate::io::{
    clock,
    door::{Inbox, WAKE},
};
use mio::Events;
use std::{
    collections::BTreeMap,
    sync::Arc,
    time::{Duration, Instant, SystemTime, UNIX_EPOCH},
};
use tokio::sync::mpsc;

const TICK: Duration = Duration::from_secs(1);
/// Between two tellings of what is published: who comes and goes a thousand times must not make as many lists.
const BETWEEN_LISTS: Duration = Duration::from_millis(100);
/// A stream of which nothing could be shown or heard in this time, longer than a publisher may take to connect, has failed.
const UNSEEN: Duration = Duration::from_secs(25);
/// Messages taken before packets go out again.
const AT_ONCE: usize = 1_024;
/// From the Unix epoch back to NTP's, in seconds.
const NTP_OFFSET: u64 = 2_208_988_800;

pub(super) struct Worker {
    inbox: Inbox<Ask>,
    news: mpsc::Sender<News>,
    router: Router,
    peers: Peers,
    own: BTreeMap<Key, OwnStream>,
    wall: Wall,
    next_tick: Instant,
    list_due: Option<Instant>,
    listed: Instant,
    /// Packets of our own streams still wait.
    is_behind: bool,
}

/// A stream that is published or played here.
struct OwnStream {
    own: Own,
    rates: Rates,
    role: Role,
    flows: bool,
    since: Instant,
}

impl OwnStream {
    /// What came before, sound too, is no sign of what comes.
    fn begin_again(&mut self, now: Instant) {
        (self.flows, self.since) = (false, now);
        if let Role::Played { sound, .. } = &mut self.role {
            *sound = false;
        }
    }
}

enum Role {
    Published { control: Control },
    Played { sink: Sink, tracks: Tracks, sound: bool },
}

/// The wall clock, read once: what reports tell must not jump.
struct Wall(Instant, u64);

impl Wall {
    fn new() -> Self {
        let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        Self(Instant::now(), fixed(since + Duration::from_secs(NTP_OFFSET)))
    }

    fn ntp(&self, at: Instant) -> u64 {
        match at.checked_duration_since(self.0) {
            Some(after) => self.1.wrapping_add(fixed(after)),
            None => self.1.wrapping_sub(fixed(self.0.saturating_duration_since(at))),
        }
    }
}

/// In units of 2^-32 s.
fn fixed(time: Duration) -> u64 {
    (time.as_secs() << 32) | ((u64::from(time.subsec_nanos()) << 32) / 1_000_000_000)
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
        let tick = (!self.own.is_empty()).then_some(self.next_tick);
        let due = self.router.poll_timeout().into_iter().chain(self.peers.poll_timeout());
        let due = due.chain(tick).chain(self.list_due).min()?;
        Some(due.saturating_duration_since(now))
    }

    fn take_asks(&mut self) {
        while let Some(ask) = self.inbox.ask() {
            self.on_ask(ask);
        }
    }

    fn on_ask(&mut self, ask: Ask) {
        let now = Instant::now();
        match ask {
            Ask::Publish { stream, name, tracks, own, control } => {
                match self.router.publish(now, stream, &name, tracks) {
                    Ok(()) => self.insert(now, stream, own, Role::Published { control }),
                    Err(refused) => self.tell_end(stream, refused.as_str(), true),
                }
            }
            Ask::Play { stream, name, own, sink } => {
                let start = random_start();
                match self.router.play(now, stream, &name, start) {
                    Ok(tracks) => {
                        self.tell(News::Playing { stream, tracks: tracks.clone() });
                        self.insert(now, stream, own, Role::Played { sink, tracks, sound: false });
                    }
                    Err(refused) => self.tell_end(stream, refused.as_str(), true),
                }
            }
            Ask::Own { stream, own, published, sink } => {
                let role = match (published, sink) {
                    (Some(control), _) => Role::Published { control },
                    (None, Some(sink)) => Role::Played { sink, tracks: Tracks::default(), sound: false },
                    (None, None) => return,
                };
                self.insert(now, stream, own, role);
            }
            Ask::Adopt(adopted) => self.adopt(now, *adopted),
            Ask::Connector(connector) => self.peers.relays.set_connector(connector),
            Ask::Connected { line, attempt, result } => {
                self.peers.connected(line, attempt, result);
            }
            Ask::Servers { peer, servers } => self.add_servers(now, peer, servers),
            // Its peer has gone meanwhile.
            Ask::Socket { of: Use::Own(key), .. } if !self.peers.sessions.contains_key(&key) => {}
            Ask::Socket { of, local, socket } => {
                if let Err(error) = self.peers.add_socket(of, local, socket) {
                    tracing::error!("a socket for streams cannot be watched: {error}");
                }
            }
            Ask::Look { name, done } => drop(done.send(self.router.tracks(&name).cloned())),
            Ask::Answered { peer, sdp, done } => self.answered(now, peer, &sdp, done),
            Ask::Offered { peer, sdp, done } => self.offered(now, peer, &sdp, done),
            Ask::Restart { peer, hosts, done } => self.restart(now, peer, hosts, done),
            Ask::Trickle { peer, candidates } => self.trickle(now, peer, &candidates),
            Ask::Disconnect { stream } => {
                self.peers.remove(now, stream);
                if let Some(own) = self.own.get_mut(&stream) {
                    own.begin_again(now);
                }
            }
            Ask::End { stream } => {
                self.peers.remove(now, stream);
                self.router.unpublish(stream);
                self.router.stop(stream);
                self.forget(stream);
            }
            Ask::Pause { stream, paused } => {
                self.router.pause(now, stream, paused);
                if let Some(found) = self.own.get_mut(&stream) {
                    found.begin_again(now);
                    if let Role::Played { sink, .. } = &found.role {
                        sink.cut();
                    }
                }
            }
            Ask::Mute { stream, audio, video } => self.router.mute(stream, audio, video),
        }
    }

    fn insert(&mut self, now: Instant, stream: Key, own: Own, role: Role) {
        if self.own.is_empty() {
            self.next_tick = now + TICK;
        }
        self.own.insert(stream, OwnStream { own, rates: Rates::new(now), role, flows: false, since: now });
    }

    fn forget(&mut self, stream: Key) {
        if let Some(stream) = self.own.remove(&stream) {
            stream.own.close();
        }
    }

    fn take_inward(&mut self) {
        self.is_behind = false;
        for _ in 0..AT_ONCE {
            let Some((key, inward)) = self.inbox.packet() else { return };
            let now = Instant::now();
            match inward {
                Inward::Packet(packet) => {
                    if !self.send_to_peer(now, key, &packet) {
                        self.router.handle(now, key, packet);
                    }
                }
                Inward::Clock { kind, layer, timestamp, at } => {
                    let clock = Clock { ntp: self.wall.ntp(at), timestamp };
                    if !self.tell_peer_clock(now, key, kind, layer, clock) {
                        self.router.set_clock(key, kind, layer, clock);
                    }
                }
                Inward::Alive => self.router.heard(now, key),
                // What was still on its way when the connection was lost is no sign of another one.
                Inward::Shown if self.is_reached(key) => self.on_flowing(key),
                Inward::Shown => {}
                Inward::WantKeyFrame => {
                    if !self.ask_peer_for_key(now, key) {
                        self.router.key_frame_wanted(now, key);
                    }
                }
            }
        }
        // Not drained: come back at once, after packets have gone out.
        self.is_behind = true;
    }

    /// It comes from the router, or has a connection.
    fn is_reached(&self, key: Key) -> bool {
        self.peers.sessions.contains_key(&key) || self.router.plays(key)
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

    fn on_flowing(&mut self, stream: Key) {
        let Some(found) = self.own.get_mut(&stream) else { return };
        found.flows = true;
        self.tell(News::Flowing { stream });
    }

    fn forward(&mut self, now: Instant, player: Key, forwarded: Forwarded) {
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
    fn has_sound(&mut self, stream: Key) {
        if let Some(OwnStream { role: Role::Played { sound, .. }, .. }) = self.own.get_mut(&stream) {
            *sound = true;
        }
    }

    /// The stream is over without our doing.
    fn end(&mut self, stream: Key, info: &str, failed: bool) {
        if self.own.contains_key(&stream) {
            self.forget(stream);
            self.tell_end(stream, info, failed);
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

    fn tick(&mut self, now: Instant) {
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
        for (key, stream) in &mut self.own {
            let published = matches!(stream.role, Role::Published { .. });
            if let Role::Published { control } = &stream.role
                && self.router.players_of(*key).is_some()
            {
                // Nobody needs more than the best player can take.
                control.allow(self.router.best_bandwidth(*key).unwrap_or(0));
            }
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

fn random_start() -> Start {
    let random: [u8; 12] = clock::random().unwrap_or_default();
    let [a, b, c, d, e, f, g, h, i, j, k, l] = random;
    Start {
        audio: (u16::from_be_bytes([a, b]), u32::from_be_bytes([c, d, e, f])),
        video: (u16::from_be_bytes([g, h]), u32::from_be_bytes([i, j, k, l])),
    }
}
