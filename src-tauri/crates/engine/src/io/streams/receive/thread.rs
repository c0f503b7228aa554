//! The thread's loop.

use super::super::{Inlet, Own, packet::Kind};
use super::{Arrived, Received, decode::Decoding, recent::Recent};
use crate::io::streams::{Sounding, Unit, UnitMedia};
use sidetone_media::video::{
    AvSync, Encoded, Playout, Size, VideoPacket, VideoReceiver, VideoReceiverOptions,
};
use std::{
    sync::mpsc::{Receiver, RecvTimeoutError},
    time::{Duration, Instant},
};

/// Between two looks at whether the stream is over, and at the figures.
const LOOK: Duration = Duration::from_millis(100);
/// Sound of which nothing was heard for so long is not waited for.
const SILENCE: Duration = Duration::from_millis(500);

pub(super) struct Thread {
    arrived: Receiver<Arrived>,
    inlet: Inlet,
    own: Own,
    sound_clock: Option<u32>,
    receiver: VideoReceiver,
    decoding: Decoding,
    playout: Playout,
    recent: Recent,
    sync: AvSync,
    /// How much later everything is shown than by the pictures' own buffer.
    delay: Duration,
    heard: Option<Instant>,
    shown: bool,
}

impl Thread {
    pub(super) fn new(received: Received, arrived: Receiver<Arrived>, inlet: Inlet, own: Own) -> Self {
        let Received { codec, sound_clock, repair, parameter_sets } = received;
        let options = VideoReceiverOptions { repair, ..VideoReceiverOptions::new(codec) };
        Self {
            arrived,
            inlet,
            own,
            sound_clock,
            receiver: VideoReceiver::new(options),
            decoding: Decoding::new(codec, &parameter_sets),
            playout: Playout::default(),
            recent: Recent::default(),
            sync: AvSync::default(),
            delay: Duration::ZERO,
            heard: None,
            shown: false,
        }
    }

    /// Until the stream thread has nothing more for it, or the owner wants no more.
    pub(super) fn run(mut self) {
        let mut looked = Instant::now();
        while !self.own.is_closed() {
            let now = Instant::now();
            let due = self.receiver.poll_timeout().into_iter().chain(self.playout.poll_timeout()).min();
            let wait = due.map_or(LOOK, |due| due.saturating_duration_since(now).min(LOOK));
            match self.arrived.recv_timeout(wait) {
                Ok(arrived) => {
                    self.take(arrived);
                    while let Ok(arrived) = self.arrived.try_recv() {
                        self.take(arrived);
                    }
                }
                Err(RecvTimeoutError::Timeout) => {}
                Err(RecvTimeoutError::Disconnected) => return,
            }
            let now = Instant::now();
            self.follow_sound(now);
            self.decode_due(now);
            self.wake(now);
            self.show_due();
            let is_asked = self.own.taps.take_wants_key() | self.own.displays.take_wants_key();
            if self.receiver.poll_key_request(now) || is_asked {
                self.inlet.want_key_frame();
            }
            if now.saturating_duration_since(looked) >= LOOK {
                looked = now;
                self.own.displays.forget_gone();
                self.count(now);
            }
        }
    }

    fn take(&mut self, arrived: Arrived) {
        match arrived {
            Arrived::Packet { at, sequence, timestamp, marker, payload } => {
                let packet = VideoPacket { sequence, timestamp, marker, payload };
                self.receiver.handle_packet(at, packet);
            }
            Arrived::Clock { kind: Kind::Video, clock } => {
                self.sync.handle_video_report(clock.ntp, clock.timestamp);
            }
            Arrived::Clock { kind: Kind::Audio, clock } => {
                if let Some(rate) = self.sound_clock {
                    self.sync.handle_audio_report(clock.ntp, clock.timestamp, rate);
                }
            }
            Arrived::RoundTrip(time) => self.receiver.handle_round_trip(time),
            Arrived::Cut => {
                self.receiver.restart();
                self.playout.clear();
                self.shown = false;
            }
        }
    }

    fn follow_sound(&mut self, now: Instant) {
        if let Some(Sounding { timestamp, at, waited }) = self.own.counters.heard.take() {
            self.heard = Some(now);
            self.sync.handle_heard(timestamp, at, waited);
        } else if self.heard.is_some_and(|heard| now.saturating_duration_since(heard) >= SILENCE) {
            self.heard = None;
            self.sync.handle_silence();
        }
    }

    fn decode_due(&mut self, now: Instant) {
        while let Some(frame) = self.receiver.poll_frame(now) {
            let encoded = frame.encoded;
            if self.own.taps.has_readers() {
                let at = self.own.timeline.at(Kind::Video, encoded.timestamp).unwrap_or(encoded.captured);
                self.own.taps.offer(&Unit { at, media: UnitMedia::Video(encoded.clone()) });
            }
            let own_time = frame.show_at.checked_sub(self.delay).unwrap_or(frame.show_at);
            self.delay = self.sync.handle_picture(encoded.timestamp, own_time, now);
            self.receiver.set_sync_delay(self.delay);
            let sound_delay = self.sync.wanted_audio_delay();
            self.own.counters.sound_delay.set(sound_delay.as_secs_f32() * 1_000.0);
            self.own.counters.key_frames.add(u64::from(encoded.key));
            self.pass(now, frame.show_at, self.decoding.complete(encoded));
        }
    }

    /// To those who decode by themselves, and to our own decoder where anybody wants its pictures.
    fn pass(&mut self, now: Instant, show_at: Instant, encoded: Encoded) {
        let is_wanted = self.wants_pictures();
        if !is_wanted && !self.decoding.rests() {
            self.decoding.rest();
            self.playout.clear();
            self.own.forget_shown();
        }
        if self.own.displays.has_readers() || self.decoding.rests() {
            if !self.recent.keep(now, &encoded) {
                self.inlet.want_key_frame();
            }
            // It comes as early before its time as decoding takes.
            self.own.displays.offer(&encoded);
        }
        if !is_wanted {
            self.playout.handle_shown(now);
            return self.on_shown(encoded.size);
        }
        match self.decoding.decode(&encoded) {
            Ok(Some(picture)) => self.playout.push(show_at, picture),
            Ok(None) => {}
            Err(error) => {
                tracing::debug!("a picture cannot be decoded: {error}");
                self.own.counters.undecoded.add(1);
                self.receiver.handle_decode_error(now);
            }
        }
    }

    /// Decoding goes on while all look away: whoever decodes by themselves makes it rest.
    fn wants_pictures(&self) -> bool {
        self.own.is_looked_at() || !(self.decoding.rests() || self.own.displays.has_readers())
    }

    /// Somebody wants pictures again.
    fn wake(&mut self, now: Instant) {
        if !self.decoding.rests() || !self.own.is_looked_at() {
            return;
        }
        if self.decoding.wants_key(now) {
            self.inlet.want_key_frame();
        }
        match self.decoding.catch_up(now, &mut self.recent) {
            Ok(Some(picture)) => self.playout.push(now, picture),
            Ok(None) => {}
            Err(error) => tracing::debug!("what was kept cannot be decoded: {error}"),
        }
    }

    fn show_due(&mut self) {
        let Some(picture) = self.playout.poll(Instant::now()) else { return };
        let size = picture.size();
        self.own.show(picture);
        self.on_shown(size);
    }

    fn on_shown(&mut self, size: Size) {
        self.own.counters.set_size(size.width(), size.height());
        self.own.counters.frames.add(1);
        if !std::mem::replace(&mut self.shown, true) {
            self.inlet.shown();
        }
    }

    fn count(&self, now: Instant) {
        let (received, shown) = (self.receiver.statistics(), self.playout.statistics(now));
        let counters = &self.own.counters;
        counters.lost.set(received.packets_lost);
        counters
            .dropped
            .set(received.frames_dropped + shown.dropped + counters.undecoded.get() + counters.behind.get());
        counters.key_requests.set(received.key_frame_requests);
        counters.freezes.set(shown.freezes);
        counters.frozen_ms.set(u64::try_from(shown.frozen.as_millis()).unwrap_or(u64::MAX));
        counters.buffer_ms.set(received.delay.as_secs_f32() * 1_000.0);
        counters.jitter_ms.set(received.jitter.as_secs_f32() * 1_000.0);
        counters.skew_ms.set(self.sync.skew_ms());
    }
}
