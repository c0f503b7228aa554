//! One publisher: its players, its layers, and whether it is still there.

use super::{
    super::packet::{Clock, Kind, Packet, is_later, is_newer},
    Key, Tracks,
};
use std::{
    collections::VecDeque,
    sync::Arc,
    time::{Duration, Instant},
};

/// Between two requests for key frames of one layer: a key frame is worth ten others.
const BETWEEN_KEYS: Duration = Duration::from_millis(300);
/// A key frame that was asked for and did not come is asked for again.
const KEY_PATIENCE: Duration = Duration::from_secs(1);
/// A key frame not older than this is given to those who join, with what came after it.
const FRESH: Duration = Duration::from_millis(300);
/// Packets from a key frame on that are kept.
const KEPT: usize = 512;
/// A layer of which nothing came for so long is not there.
const LAYER_SILENCE: Duration = Duration::from_secs(1);
const RATE_WINDOW: Duration = Duration::from_secs(1);

#[derive(Debug)]
pub(super) struct Publisher {
    pub(super) name: String,
    pub(super) tracks: Tracks,
    pub(super) players: Vec<Key>,
    pub(super) layers: Vec<Layer>,
    pub(super) audio_muted: bool,
    pub(super) video_muted: bool,
    /// Nothing of its sound goes on.
    pub(super) silenced: bool,
    pub(super) began: Instant,
    /// Anything at all: packets, reports, checks of its path.
    pub(super) heard: Instant,
    pub(super) state: State,
    pub(super) probed: bool,
    audio_clock: Option<Clock>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum State {
    /// Its name is taken, its media has not come yet.
    Connecting,
    Flowing,
    /// Was silent for too long; its players are gone and its name is free.
    Lost,
}

#[derive(Debug, Default)]
pub(super) struct Layer {
    pub(super) last: Option<Instant>,
    kbit: u32,
    window: Option<(Instant, u64)>,
    /// From its last key frame on, in order; empty where that was too long ago to be kept.
    recent: VecDeque<Arc<Packet>>,
    key_at: Option<Instant>,
    key_timestamp: Option<u32>,
    asked: Option<Instant>,
    due: Option<Instant>,
    clock: Option<Clock>,
}

impl Publisher {
    pub(super) fn new(now: Instant, name: String, tracks: Tracks) -> Self {
        let layers = tracks.video.as_ref().map_or(0, |video| usize::from(video.layers));
        Self {
            name,
            tracks,
            players: Vec::new(),
            layers: (0..layers).map(|_| Layer::default()).collect(),
            audio_muted: false,
            video_muted: false,
            silenced: false,
            began: now,
            heard: now,
            state: State::Connecting,
            probed: false,
            audio_clock: None,
        }
    }

    pub(super) fn take(&mut self, now: Instant, packet: &Arc<Packet>) -> bool {
        if packet.kind == Kind::Audio {
            return self.tracks.audio.is_some();
        }
        match self.layers.get_mut(usize::from(packet.layer)) {
            Some(layer) => {
                layer.take(now, packet);
                true
            }
            None => false,
        }
    }

    pub(super) fn set_clock(&mut self, kind: Kind, layer: u8, clock: Clock) {
        match kind {
            Kind::Audio => self.audio_clock = Some(clock),
            Kind::Video => {
                if let Some(layer) = self.layers.get_mut(usize::from(layer)) {
                    layer.clock = Some(clock);
                }
            }
        }
    }

    pub(super) fn clock(&self, kind: Kind, layer: u8) -> Option<Clock> {
        match kind {
            Kind::Audio => self.audio_clock,
            Kind::Video => self.layers.get(usize::from(layer))?.clock,
        }
    }

    /// The best layer that comes and that fits, the smallest that comes where none fits, by the bits they take: nobody says
    /// in which order they are named. With `below` the best ones are left to those who show them larger.
    pub(super) fn best_layer(&self, now: Instant, allowed_kbit: Option<u32>, below: u8) -> u8 {
        let comes = |layer: &Layer| {
            layer.last.is_some_and(|last| now.saturating_duration_since(last) < LAYER_SILENCE)
        };
        let coming = self.layers.iter().enumerate().filter(|(_, layer)| comes(layer));
        let mut rated: Vec<_> = coming.map(|(index, layer)| (layer.rate(now), index)).collect();
        rated.sort_unstable();
        rated.truncate(rated.len().saturating_sub(usize::from(below)).max(1));
        let fits = |(kbit, _): &&(u32, usize)| allowed_kbit.is_none_or(|allowed| *kbit <= allowed);
        let index = rated.iter().rfind(fits).or_else(|| rated.first()).map_or(0, |(_, index)| *index);
        u8::try_from(index).unwrap_or(0)
    }
}

impl Layer {
    fn take(&mut self, now: Instant, packet: &Arc<Packet>) {
        self.last = Some(now);
        let (since, octets) = self.window.get_or_insert((now, 0));
        *octets += packet.payload.len() as u64;
        let passed = now.saturating_duration_since(*since);
        if passed >= RATE_WINDOW {
            self.kbit = (*octets as f64 * 8.0 / 1000.0 / passed.as_secs_f64()) as u32;
            self.window = None;
        }
        self.keep(now, packet);
    }

    /// kbit/s; of the window that runs where there was none before.
    pub(super) fn rate(&self, now: Instant) -> u32 {
        let running = self.window.filter(|_| self.kbit == 0).map(|(since, octets)| {
            let passed = now.saturating_duration_since(since).max(Duration::from_millis(100));
            (octets as f64 * 8.0 / 1000.0 / passed.as_secs_f64()) as u32
        });
        running.unwrap_or(self.kbit)
    }

    fn keep(&mut self, now: Instant, packet: &Arc<Packet>) {
        let begins = packet.key && self.key_timestamp.is_none_or(|key| is_later(packet.timestamp, key));
        if begins {
            self.key_at = Some(now);
            self.key_timestamp = Some(packet.timestamp);
            self.due = None;
            self.asked = None;
            // A key frame's first packet that was repaired comes after others of it.
            self.recent.retain(|kept| is_newer(kept.sequence, packet.sequence));
        } else if self.key_at.is_none() {
            return;
        }
        if self.recent.len() >= KEPT {
            self.recent.clear();
            self.key_at = None;
            return;
        }
        let place = self.recent.partition_point(|kept| is_newer(packet.sequence, kept.sequence));
        self.recent.insert(place, Arc::clone(packet));
    }

    /// What somebody who joins now is given at once; nothing where the last key frame is too old.
    pub(super) fn fresh(&self, now: Instant) -> impl Iterator<Item = &Arc<Packet>> {
        let is_fresh = self.key_at.is_some_and(|at| now.saturating_duration_since(at) <= FRESH)
            && self.recent.front().is_some_and(|first| first.key);
        self.recent.iter().filter(move |_| is_fresh)
    }

    /// True where a key frame is to be asked for now; a little later otherwise.
    pub(super) fn want_key(&mut self, now: Instant) -> bool {
        let last = self.asked.into_iter().chain(self.key_at).max();
        match last.map(|last| last + BETWEEN_KEYS).filter(|next| *next > now) {
            Some(next) => {
                self.due.get_or_insert(next);
                false
            }
            None => {
                self.asked = Some(now);
                self.due = None;
                true
            }
        }
    }

    /// A key frame is to be asked for at that time, unless one comes before.
    pub(super) fn want_key_at(&mut self, at: Instant) {
        self.due = Some(self.due.map_or(at, |due| due.min(at)));
    }

    pub(super) fn next_key(&self, is_awaited: bool) -> Option<Instant> {
        let again = self.asked.filter(|_| is_awaited).map(|asked| asked + KEY_PATIENCE);
        self.due.into_iter().chain(again).min()
    }
}
