//! The open microphone and speaker, and what is played on the speaker besides voices.

use super::News;
use sidetone_api::Level;
use sidetone_media::tone::{CallProgress, CallProgressTone, TestTone};
use sidetone_media::{Flow, Frame, Meter, Mixer, SILENCE, Sink, Source};
use std::{
    sync::mpsc as std_mpsc,
    time::{Duration, Instant},
};
use tokio::sync::mpsc;

/// Ten levels a second.
const BEATS_PER_LEVEL: u32 = 10;
/// How long devices may take to close at the end.
const CLOSING: Duration = Duration::from_secs(1);

#[derive(Default)]
pub(super) struct Desk {
    microphone: Option<Box<dyn Source>>,
    speaker: Option<Box<dyn Sink>>,
    ringer: Option<Box<dyn Sink>>,
    captured: Captured,
    mixer: Mixer,
    progress: Option<CallProgressTone>,
    /// What `progress` plays is an incoming call.
    rings: bool,
    test_tone: Option<(TestTone, u32)>,
    measuring: Option<Measure>,
    /// The file microphone's end has been told.
    ended: bool,
    /// Devices that are being closed, and the way by which they say that they are.
    closing: usize,
    closed: Closed,
}

struct Closed(std_mpsc::Sender<()>, std_mpsc::Receiver<()>);

impl Default for Closed {
    fn default() -> Self {
        let (sender, receiver) = std_mpsc::channel();
        Self(sender, receiver)
    }
}

struct Captured(Box<Frame>);

impl Default for Captured {
    fn default() -> Self {
        Self(Box::new(SILENCE))
    }
}

#[derive(Default)]
struct Measure {
    meter: Meter,
    beats: u32,
}

impl Desk {
    pub(super) fn set_microphone(&mut self, source: Option<Box<dyn Source>>) {
        self.ended = false;
        *self.captured.0 = SILENCE;
        if let Some(old) = std::mem::replace(&mut self.microphone, source) {
            self.dispose(move || drop(old));
        }
    }

    pub(super) fn set_speaker(&mut self, sink: Option<Box<dyn Sink>>) {
        let old = std::mem::replace(&mut self.speaker, sink);
        self.finish(old);
    }

    pub(super) fn set_ringer(&mut self, sink: Option<Box<dyn Sink>>) {
        let old = std::mem::replace(&mut self.ringer, sink);
        self.finish(old);
    }

    fn finish(&mut self, sink: Option<Box<dyn Sink>>) {
        let Some(mut old) = sink else { return };
        self.dispose(move || {
            if let Err(error) = old.finish() {
                tracing::warn!("the speaker's last samples were lost: {error}");
            }
        });
    }

    pub(super) fn measure_microphone(&mut self, on: bool) {
        self.measuring = on.then(Measure::default);
    }

    pub(super) fn set_progress(&mut self, tone: Option<CallProgress>) {
        self.rings = tone == Some(CallProgress::Ring);
        self.progress = tone.map(CallProgressTone::new);
    }

    pub(super) fn start_test_tone(&mut self, beats: u32) {
        self.test_tone = (beats > 0).then(|| (TestTone::new(440.0), beats));
    }

    pub(super) fn needs_beat(&self) -> bool {
        self.speaker.is_some()
            || self.ringer.is_some()
            || (self.measuring.is_some() && self.microphone.is_some())
    }

    /// Reads the microphone where anybody listens to it.
    pub(super) fn capture(&mut self, speaks: bool, news: &mpsc::Sender<News>) {
        let Some(microphone) = self.microphone.as_mut().filter(|_| speaks || self.measuring.is_some()) else {
            return *self.captured.0 = SILENCE;
        };
        let flow = microphone.read(&mut self.captured.0);
        if let Some(fault) = microphone.fault() {
            let _ = news.try_send(News::Microphone(fault));
        }
        if flow == Flow::Ended && !std::mem::replace(&mut self.ended, true) {
            let _ = news.try_send(News::MicrophoneEnded);
        }
        if let Some(measure) = &mut self.measuring {
            measure.meter.measure(&self.captured.0);
            measure.beats += 1;
            if measure.beats == BEATS_PER_LEVEL {
                let reading = measure.meter.take();
                measure.beats = 0;
                let _ = news.try_send(News::MicrophoneLevel(Level { rms: reading.rms, peak: reading.peak }));
            }
        }
    }

    pub(super) fn captured(&self) -> &Frame {
        &self.captured.0
    }

    pub(super) fn mix(&mut self, frame: &Frame) {
        self.mixer.add(frame);
    }

    /// Hands the mix of this beat to the speaker.
    pub(super) fn play(&mut self, news: &mpsc::Sender<News>) {
        let mut frame = SILENCE;
        if let Some(tone) = &mut self.progress {
            tone.read(&mut frame);
        }
        if let Some(ringer) = &mut self.ringer {
            ringer.write(if self.rings { &frame } else { &SILENCE });
            if let Some(fault) = ringer.fault() {
                let _ = news.try_send(News::Speaker(fault));
            }
        }
        if self.progress.is_some() && (!self.rings || self.ringer.is_none()) {
            self.mixer.add(&frame);
        }
        if let Some((tone, beats)) = self.test_tone.as_mut().filter(|_| self.speaker.is_some()) {
            tone.read(&mut frame);
            self.mixer.add(&frame);
            *beats = beats.saturating_sub(1);
            if *beats == 0 {
                self.test_tone = None;
                let _ = news.try_send(News::TestToneEnded);
            }
        }
        self.mixer.take(&mut frame);
        if let Some(speaker) = &mut self.speaker {
            speaker.write(&frame);
            if let Some(fault) = speaker.fault() {
                let _ = news.try_send(News::Speaker(fault));
            }
        }
    }

    /// Ends what is open and waits for files to be whole, but not for a device that hangs.
    pub(super) fn close(mut self) {
        self.set_microphone(None);
        self.set_speaker(None);
        self.set_ringer(None);
        let deadline = Instant::now() + CLOSING;
        while self.closing > 0 {
            let patience = deadline.saturating_duration_since(Instant::now());
            if self.closed.1.recv_timeout(patience).is_err() {
                return tracing::warn!("a device does not close");
            }
            self.closing -= 1;
        }
    }

    /// Closing a device or a file may block, which this thread must not.
    fn dispose(&mut self, work: impl FnOnce() + Send + 'static) {
        self.closing -= self.closed.1.try_iter().count();
        let closed = self.closed.0.clone();
        let thread = std::thread::Builder::new().name("close device".into()).spawn(move || {
            work();
            let _ = closed.send(());
        });
        match thread {
            Ok(_) => self.closing += 1,
            Err(error) => tracing::error!("no thread to close a device: {error}"),
        }
    }
}
