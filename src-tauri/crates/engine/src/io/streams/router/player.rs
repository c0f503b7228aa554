//! One player: what waits for it, and what it may get.

use super::{
    super::packet::{Kind, Packet},
    Forwarded, Key, Start,
    complaints::Complaints,
    lane::Lane,
};
use std::{collections::VecDeque, sync::Arc, time::Instant};

/// Packets that wait for one player. One that is slower loses all of them and goes on at the next key frame, instead of making
/// others wait or falling behind for ever.
pub(super) const QUEUE: usize = 1_024;
/// RTP's clock of video (RFC 3551 section 5).
const VIDEO_CLOCK: u32 = 90_000;

#[derive(Debug)]
pub(super) struct Player {
    pub(super) publisher: Key,
    queue: VecDeque<Queued>,
    audio: Lane,
    video: Lane,
    /// The next packet of the kind comes after something that was left out.
    audio_cut: bool,
    video_cut: bool,
    /// Nothing of video can be decoded before a key frame.
    pub(super) waits_for_key: bool,
    pub(super) paused: bool,
    /// It wants no picture.
    pub(super) blind: bool,
    /// Its path has no room for pictures.
    pub(super) starved: bool,
    pub(super) complaints: Complaints,
    /// It wants a picture that is so many layers below the best one.
    pub(super) below: u8,
    /// The layer that it gets, and the one it is to get from its next key frame on.
    pub(super) layer: u8,
    pub(super) target: u8,
    /// What its path carries; `None` until that is known.
    pub(super) allowed_kbit: Option<u32>,
    pub(super) is_dirty: bool,
    pub(super) forwarded: u64,
    pub(super) dropped: u64,
}

#[derive(Debug)]
struct Queued {
    packet: Arc<Packet>,
    cut: bool,
    at: Instant,
}

impl Player {
    pub(super) fn new(publisher: Key, audio_clock: u32, start: Start, layer: u8) -> Self {
        Self {
            publisher,
            queue: VecDeque::new(),
            audio: Lane::new(audio_clock, start.audio.0, start.audio.1),
            video: Lane::new(VIDEO_CLOCK, start.video.0, start.video.1),
            audio_cut: true,
            video_cut: true,
            waits_for_key: true,
            paused: false,
            blind: false,
            starved: false,
            complaints: Complaints::default(),
            below: 0,
            layer,
            target: layer,
            allowed_kbit: None,
            is_dirty: false,
            forwarded: 0,
            dropped: 0,
        }
    }

    /// Takes a packet of its publisher. True where it has to wait for a key frame from now on.
    pub(super) fn offer(&mut self, now: Instant, packet: &Arc<Packet>) -> bool {
        if self.paused || !self.wants(packet) {
            return false;
        }
        if self.queue.len() >= QUEUE {
            self.dropped += self.queue.len() as u64 + 1;
            self.start_over();
            return true;
        }
        let cut = match packet.kind {
            Kind::Audio => std::mem::take(&mut self.audio_cut),
            Kind::Video => std::mem::take(&mut self.video_cut),
        };
        self.queue.push_back(Queued { packet: Arc::clone(packet), cut, at: now });
        false
    }

    fn wants(&mut self, packet: &Packet) -> bool {
        if packet.kind == Kind::Audio {
            return true;
        }
        if self.blind || self.starved {
            return false;
        }
        if packet.key && packet.layer == self.target && (self.waits_for_key || self.layer != self.target) {
            self.layer = self.target;
            self.waits_for_key = false;
            self.video_cut = true;
        }
        packet.layer == self.layer && !self.waits_for_key
    }

    /// Leaves out what waits and all until the next key frame.
    pub(super) fn start_over(&mut self) {
        self.queue.clear();
        (self.audio_cut, self.video_cut, self.waits_for_key) = (true, true, true);
    }

    /// The next picture is a key frame, and comes after others that were left out.
    pub(super) fn cut_video(&mut self) {
        (self.video_cut, self.waits_for_key) = (true, true);
    }

    /// The next sound comes after some that was left out.
    pub(super) fn cut_audio(&mut self) {
        self.audio_cut = true;
    }

    pub(super) fn wants_pictures(&self) -> bool {
        !self.looks_away() && !self.starved
    }

    /// By its own will.
    pub(super) fn looks_away(&self) -> bool {
        self.paused || self.blind
    }

    pub(super) fn has_packets(&self) -> bool {
        !self.queue.is_empty()
    }

    pub(super) fn lane(&mut self, kind: Kind) -> &mut Lane {
        match kind {
            Kind::Audio => &mut self.audio,
            Kind::Video => &mut self.video,
        }
    }

    pub(super) fn next(&mut self) -> Option<Forwarded> {
        while let Some(Queued { packet, cut, at }) = self.queue.pop_front() {
            if let Some((sequence, timestamp)) = self.lane(packet.kind).rewrite(at, &packet, cut) {
                self.forwarded += 1;
                return Some(Forwarded { packet, sequence, timestamp });
            }
        }
        None
    }
}
