//! What a microphone needs before others may hear it: its loudspeaker's echo taken out, noise taken down, speech
//! brought to a common level.

mod echo;
mod stage;

use crate::frame::Frame;
use echo::EchoCanceller;
use stage::Stage;

/// Which parts are at work.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ProcessingOptions {
    pub echo_cancellation: bool,
    pub noise_suppression: bool,
    pub gain_control: bool,
}

impl ProcessingOptions {
    /// Everything.
    pub const ALL: Self = Self { echo_cancellation: true, noise_suppression: true, gain_control: true };
    /// The microphone as it is.
    pub const NONE: Self = Self { echo_cancellation: false, noise_suppression: false, gain_control: false };
}

/// Processes one microphone against one loudspeaker.
///
/// In each beat give [`Self::render`] what the loudspeaker is handed, then [`Self::capture`] what the microphone gave, on
/// one thread: the delay between both is found by itself, up to about half a second, as long as it is never negative.
///
/// Each part is a pipeline of its own, so that switching one neither interrupts the others nor makes the echo
/// canceller forget the room.
#[derive(Debug, Default)]
pub struct Processing {
    echo: Option<EchoCanceller>,
    noise: Option<Stage>,
    gain: Option<Stage>,
}

impl Processing {
    /// Parts that are switched on allocate here, about a megabyte for all.
    pub fn new(options: ProcessingOptions) -> Self {
        let mut processing = Self::default();
        processing.set(options);
        processing
    }

    /// Switches parts on and off, also in the middle of a call. Allocates for a part that is switched on, frees one that is
    /// switched off, and leaves the others as they are.
    pub fn set(&mut self, options: ProcessingOptions) {
        switch(&mut self.echo, options.echo_cancellation, EchoCanceller::new);
        switch(&mut self.noise, options.noise_suppression, Stage::noise_suppressor);
        switch(&mut self.gain, options.gain_control, Stage::gain_controller);
    }

    /// What is at work.
    pub fn options(&self) -> ProcessingOptions {
        ProcessingOptions {
            echo_cancellation: self.echo.is_some(),
            noise_suppression: self.noise.is_some(),
            gain_control: self.gain.is_some(),
        }
    }

    /// Forgets the room and the speaker's voice: another microphone or loudspeaker is in use.
    pub fn reset(&mut self) {
        let options = self.options();
        self.set(ProcessingOptions::NONE);
        self.set(options);
    }

    /// What the loudspeaker plays in this beat.
    pub fn render(&mut self, frame: &Frame) {
        if let Some(echo) = &mut self.echo {
            echo.render(frame);
        }
    }

    /// Processes what the microphone gave in this beat, in place. Samples beyond ±1 and what is no number are tamed
    /// first.
    pub fn capture(&mut self, frame: &mut Frame) {
        if self.options() == ProcessingOptions::NONE {
            return;
        }
        tame(frame);
        if let Some(echo) = &mut self.echo {
            echo.capture(frame);
        }
        for stage in [&mut self.noise, &mut self.gain].into_iter().flatten() {
            stage.capture(frame);
        }
    }

    /// What the echo canceller thinks the delay from loudspeaker to microphone is, ms; `None` without it.
    pub fn delay_ms(&self) -> Option<i32> {
        self.echo.as_ref().map(EchoCanceller::delay_ms)
    }
}

fn switch<T>(stage: &mut Option<T>, on: bool, make: fn() -> T) {
    if on != stage.is_some() {
        *stage = on.then(make);
    }
}

/// One sample that is no number would stay in the filters for ever.
fn tame(frame: &mut Frame) {
    for sample in frame.iter_mut() {
        *sample = if sample.is_finite() { sample.clamp(-1.0, 1.0) } else { 0.0 };
    }
}
