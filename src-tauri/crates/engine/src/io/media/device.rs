//! The open microphone and speaker, and what is played on the speaker besides voices.

use super::News;
use sidetone_api::Level;
use sidetone_media::tone::{CallProgress, CallProgressTone, DtmfPlayer, TestTone};
use sidetone_media::{
    Flow, Frame, Meter, MicrophoneWatch, Mixer, Processing, ProcessingOptions, SILENCE, Sink, Source,
};
use std::{
    sync::mpsc as std_mpsc,
    time::{Duration, Instant},
};
use tokio::sync::mpsc;

/// Ten levels a second.
const BEATS_PER_LEVEL: u32 = 10;
/// A key of our own pad.
const PAD_MS: u32 = 100;
/// How long devices may take to close at the end.
const CLOSING: Duration = Duration::from_secs(1);

pub(super) struct Desk {
    microphone: Option<Box<dyn Source>>,
    speaker: Option<Box<dyn Sink>>,
    ringer: Option<Box<dyn Sink>>,
    captured: Captured,
    processing: Processing,
    /// What is asked of it; it is at work where there is a real microphone.
    wanted: ProcessingOptions,
    watch: MicrophoneWatch,
    /// The microphone was read in this beat, or the last.
    listening: bool,
    pad: DtmfPlayer,
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

impl Default for Desk {
    fn default() -> Self {
        Self {
            microphone: None,
            speaker: None,
            ringer: None,
            captured: Captured::default(),
            processing: Processing::default(),
            wanted: ProcessingOptions::ALL,
            watch: MicrophoneWatch::default(),
            listening: false,
            pad: DtmfPlayer::new(),
            mixer: Mixer::default(),
            progress: None,
            rings: false,
            test_tone: None,
            measuring: None,
            ended: false,
            closing: 0,
            closed: Closed::default(),
        }
    }
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
        self.watch = MicrophoneWatch::default();
        // Another microphone hears another room.
        self.processing.set(ProcessingOptions::NONE);
        if source.as_ref().is_some_and(|source| source.is_microphone()) {
            self.processing.set(self.wanted);
        }
        if let Some(old) = std::mem::replace(&mut self.microphone, source) {
            self.dispose(move || drop(old));
        }
    }

    pub(super) fn set_speaker(&mut self, sink: Option<Box<dyn Sink>>) {
        let old = std::mem::replace(&mut self.speaker, sink);
        self.finish(old);
        self.processing.reset();
    }

    /// Other parts of the processing are to work from now on.
    pub(super) fn set_processing(&mut self, options: ProcessingOptions) {
        self.wanted = options;
        if self.microphone.as_ref().is_some_and(|source| source.is_microphone()) {
            self.processing.set(options);
        }
    }

    /// Sounds keys of our own pad.
    pub(super) fn press(&mut self, digits: &str) {
        for digit in digits.chars() {
            self.pad.press(digit, PAD_MS);
        }
    }

    /// Whether the microphone is silent, and whether somebody speaks into it; `None` where there is none that could be
    /// judged.
    pub(super) fn microphone_state(&self) -> Option<(bool, bool)> {
        let real = self.microphone.as_ref().is_some_and(|source| source.is_microphone());
        (real && self.listening).then(|| (self.watch.is_silent(), self.watch.is_speaking()))
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
        let wanted = speaks || self.measuring.is_some();
        self.listening = wanted;
        let Some(microphone) = self.microphone.as_mut().filter(|_| wanted) else {
            return *self.captured.0 = SILENCE;
        };
        let flow = microphone.read(&mut self.captured.0);
        if microphone.is_microphone() {
            let raw = *self.captured.0;
            self.processing.capture(&mut self.captured.0);
            self.watch.observe(flow, &raw, &self.captured.0);
        }
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
        frame.fill(0.0);
        if self.pad.add(&mut frame) {
            self.mixer.add(&frame);
        }
        self.mixer.take(&mut frame);
        if self.listening {
            self.processing.render(&frame);
        }
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
    pub(super) fn dispose(&mut self, work: impl FnOnce() + Send + 'static) {
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
