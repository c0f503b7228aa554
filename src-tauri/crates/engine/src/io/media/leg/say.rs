//! What a leg hears and says at the devices, in the conference and on hold, and what is wrong with it.

use super::Leg;
use crate::io::media::{Join, News, record::Recordings};
use sidetone_media::tone::{DtmfDetector, DtmfPlayer};
use sidetone_media::watch::FarReport;
use sidetone_media::{CallWatch, Frame, Limiter, Mixer, Observation, SILENCE, SoundProblem, Source as _};
use sidetone_rtp::{PayloadClass, RtpPacket};
use std::time::{Duration, Instant};
use tokio::sync::mpsc;

/// A key sent in the sound.
const KEY_MS: u32 = 100;
/// A tone in the sound that comes with a telephone event, as some gateways send, is the same key.
const SAME_KEY: Duration = Duration::from_secs(1);
/// Between two looks at what is wrong.
const LOOK: Duration = Duration::from_millis(200);
/// Opus packets up to this size carry silence (RFC 6716 section 2.1.9).
const OPUS_SILENCE: usize = 2;
const OPUS_CLOCK: u32 = 48_000;

/// The part of a leg that only people hear.
pub(super) struct Sound {
    heard: Box<Frame>,
    is_heard: bool,
    said: Box<Frame>,
    is_said: bool,
    limiter: Limiter,
    detector: DtmfDetector,
    last_event: Option<Instant>,
    tones: DtmfPlayer,
    watch: CallWatch,
    announced_silence: bool,
    next_look: Instant,
}

impl Sound {
    pub(super) fn new(now: Instant) -> Self {
        Self {
            heard: Box::new(SILENCE),
            is_heard: false,
            said: Box::new(SILENCE),
            is_said: false,
            limiter: Limiter::default(),
            detector: DtmfDetector::default(),
            last_event: None,
            tones: DtmfPlayer::new(),
            watch: CallWatch::default(),
            announced_silence: false,
            next_look: now,
        }
    }

    /// Media was agreed on anew, or goes elsewhere.
    pub(super) fn restart(&mut self, now: Instant) {
        self.watch.restart(now);
        self.detector.reset();
    }

    pub(super) fn on_packet(&mut self, now: Instant, packet: &RtpPacket<'_>) {
        match packet.class {
            PayloadClass::Audio => {
                self.announced_silence =
                    packet.clock_rate == OPUS_CLOCK && packet.payload.len() <= OPUS_SILENCE;
            }
            PayloadClass::ComfortNoise => self.announced_silence = true,
            PayloadClass::TelephoneEvent => self.last_event = Some(now),
            PayloadClass::Video => {}
        }
    }
}

impl Leg {
    /// Begins a beat: decodes 10 ms where `listens`, and looks for keys in it.
    pub(in super::super) fn hear(&mut self, now: Instant, listens: bool, news: &mpsc::Sender<News>) {
        self.sound.is_said = false;
        let mut heard = SILENCE;
        self.sound.is_heard = listens && self.listen(now, &mut heard);
        *self.sound.heard = heard;
        if !self.sound.is_heard {
            return;
        }
        let recent = |event: Instant| now.saturating_duration_since(event) < SAME_KEY;
        if let Some(digit) = self.sound.detector.push(&self.sound.heard)
            && !self.sound.last_event.is_some_and(recent)
        {
            let _ = news.try_send(News::Digit { leg: self.id, digit });
        }
    }

    /// What the far end said in this beat.
    pub(in super::super) fn heard(&self) -> Option<&Frame> {
        self.sound.is_heard.then_some(&*self.sound.heard)
    }

    /// What was sent of ourselves in this beat.
    pub(in super::super) fn said(&self) -> Option<&Frame> {
        self.sound.is_said.then_some(&*self.sound.said)
    }

    /// Queues a key to be sent as tones; false where too many wait.
    pub(in super::super) fn sound(&mut self, digit: char) -> bool {
        !self.sends() || self.sound.tones.press(digit, KEY_MS)
    }

    /// Sends the microphone's frame, or the keys that take its place, with the tones of recordings and the others of the
    /// conference.
    pub(in super::super) fn say(
        &mut self,
        now: Instant,
        captured: &Frame,
        recordings: &Recordings,
        conference: Option<&Mixer>,
    ) {
        let mut frame = if self.muted { SILENCE } else { *captured };
        if self.sound.tones.is_sounding() {
            self.sound.tones.read(&mut frame);
        }
        recordings.add_tones(self.id, &mut frame);
        self.sound.is_said = self.sends();
        *self.sound.said = frame;
        if let Some(conference) = conference {
            conference.add_others(self.sound.is_heard.then_some(&*self.sound.heard), &mut frame);
        }
        self.sound.limiter.apply(&mut frame);
        self.speak(now, &frame);
    }

    /// Sends what the held hear.
    pub(in super::super) fn play_music(&mut self, now: Instant, music: &Frame) {
        let mut frame = *music;
        if self.sound.tones.is_sounding() {
            self.sound.tones.read(&mut frame);
        }
        self.speak(now, &frame);
    }

    /// Looks at what is wrong, when it is due; tells it when it changed.
    pub(in super::super) fn look(
        &mut self,
        now: Instant,
        microphone: Option<(bool, bool)>,
    ) -> Option<Option<SoundProblem>> {
        if now < self.sound.next_look || self.negotiated.is_none() {
            return None;
        }
        self.sound.next_look = now + LOOK;
        let speaks = matches!(self.join, Join::Devices | Join::Conference);
        // Of a far end that is passed on to another one, or has none, it is known whether it is there.
        let hears = speaks || matches!(self.join, Join::Leg(_) | Join::Room | Join::Injected);
        if !hears && self.sound.watch.problem().is_none() {
            return None;
        }
        let stats = self.session.stats();
        let observation = Observation {
            microphone: microphone.filter(|_| speaks),
            muted: self.muted,
            sends: speaks && self.sends(),
            receives: hears && self.receives(),
            packets_sent: stats.sent.packets,
            packets_received: stats.received.packets,
            announced_silence: self.sound.announced_silence,
            report: stats
                .remote_view
                .map(|view| FarReport { at: view.at, fraction_lost: view.fraction_lost }),
            far_sent: stats.received.remote_sent,
        };
        self.sound.watch.observe(now, &observation)
    }
}
