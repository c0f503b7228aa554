//! What a stream sends to be heard: several inputs, each with a gain, mixed.

#[cfg(test)]
mod tests;

use crate::device::{Flow, Source};
use crate::error::DeviceFault;
use crate::frame::{FRAME_LEN, Frame, SILENCE};
use crate::meter::{MeterCell, SharedMeter};
use crate::mixer::Mixer;
use std::sync::Arc;

/// Loudest gain.
pub const MAX_GAIN: f32 = 2.0;
/// Inputs that fade out at once; more of them are cut off.
const MOST_LEAVING: usize = 32;
/// Frames in a row after which a source's fault is over.
const WELL: u32 = 50;

/// Where an input's samples come from.
pub enum FaderInput {
    /// What the open microphone hears, which whoever reads the mix gives to each beat.
    Microphone,
    Source(Box<dyn Source>),
    /// The input of the same name that is in the mix already goes on; silence where there is none.
    Running,
}

/// One input.
pub struct Fader {
    /// Tells it from the others, such as the selection that opened it.
    pub name: String,
    pub input: FaderInput,
    /// 1.0 leaves it as it is; brought into 0.0 to [`MAX_GAIN`].
    pub gain: f32,
}

/// Mixes inputs on the audio thread's beat. Each change of a gain, of the inputs or of the mute is a ramp of one frame,
/// 10 ms, so that nothing clicks. [`Self::read`] allocates nothing.
#[derive(Default)]
pub struct Faders {
    strips: Vec<Strip>,
    /// Fading out.
    leaving: Vec<Strip>,
    gone: Vec<FaderInput>,
    mixer: Mixer,
    master: Ramp,
}

struct Strip {
    name: String,
    input: FaderInput,
    ramp: Ramp,
    /// After the fader.
    meter: SharedMeter,
    health: Health,
}

/// How a source is.
#[derive(Default)]
struct Health {
    fault: Option<DeviceFault>,
    /// Whole frames in a row.
    live: u32,
}

impl Health {
    fn note(&mut self, flow: Flow, fault: Option<DeviceFault>) {
        self.live = if flow == Flow::Live { self.live.saturating_add(1) } else { 0 };
        if fault.is_some() {
            (self.fault, self.live) = (fault, 0);
        } else if self.live >= WELL {
            self.fault = None;
        }
    }
}

/// A gain that changes within a frame, so that nothing clicks.
#[derive(Debug, Clone, Copy)]
pub struct Ramp {
    now: f32,
    target: f32,
}

impl Default for Ramp {
    fn default() -> Self {
        Self { now: 1.0, target: 1.0 }
    }
}

impl Ramp {
    /// From silence to `gain`, which is brought into 0.0 to [`MAX_GAIN`].
    pub fn to(gain: f32) -> Self {
        Self { now: 0.0, target: bounded(gain) }
    }

    /// To `gain` in the next frame.
    pub fn set(&mut self, gain: f32) {
        self.target = bounded(gain);
    }

    /// The way to the last gain that was set, and that gain from then on.
    pub fn apply(&mut self, frame: &mut Frame) {
        let (from, to) = (self.now, self.target);
        self.now = to;
        if from == to {
            if to != 1.0 {
                frame.iter_mut().for_each(|sample| *sample *= to);
            }
            return;
        }
        let step = (to - from) / FRAME_LEN as f32;
        for (n, sample) in (1u16..).zip(frame.iter_mut()) {
            *sample *= from + step * f32::from(n);
        }
    }

    fn is_silent(&self) -> bool {
        self.now == 0.0 && self.target == 0.0
    }
}

fn bounded(gain: f32) -> f32 {
    if gain.is_nan() { 0.0 } else { gain.clamp(0.0, MAX_GAIN) }
}

impl Faders {
    /// Mixes these from now on. What was there and is not asked to go on fades out; see [`Self::take_gone`].
    pub fn set(&mut self, faders: Vec<Fader>) {
        let mut before = std::mem::take(&mut self.strips);
        for Fader { name, input, gain } in faders {
            let running = match input {
                FaderInput::Running => before.iter().position(|strip| strip.name == name),
                // It is the same for whoever listens, so it goes on.
                FaderInput::Microphone => {
                    before.iter().position(|strip| matches!(strip.input, FaderInput::Microphone))
                }
                FaderInput::Source(_) => None,
            };
            self.strips.push(match running {
                Some(at) => {
                    let strip = before.swap_remove(at);
                    Strip { name, ramp: Ramp { target: bounded(gain), ..strip.ramp }, ..strip }
                }
                None => Strip {
                    name,
                    input,
                    ramp: Ramp::to(gain),
                    meter: SharedMeter::default(),
                    health: Health::default(),
                },
            });
        }
        for mut strip in before {
            strip.ramp.target = 0.0;
            if self.leaving.len() < MOST_LEAVING {
                self.leaving.push(strip);
            } else {
                self.gone.push(strip.input);
            }
        }
        // What leaves in a beat finds room without an allocation there.
        self.gone.reserve(self.leaving.len());
    }

    /// Gains of all inputs in their order; those that are not told stay.
    pub fn set_gains(&mut self, gains: &[f32]) {
        for (strip, gain) in self.strips.iter_mut().zip(gains) {
            strip.ramp.set(*gain);
        }
    }

    /// Silence from the next frame on, or sound again. The inputs go on meanwhile.
    pub fn set_muted(&mut self, muted: bool) {
        self.master.target = if muted { 0.0 } else { 1.0 };
        if self.strips.is_empty() && self.leaving.is_empty() {
            // Nothing of it has been heard, and nothing is to be.
            self.master.now = self.master.target;
        }
    }

    /// Names of the inputs, in their order: what [`FaderInput::Running`] can go on with.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.strips.iter().map(|strip| strip.name.as_str())
    }

    /// How loud each input is after its fader, in their order.
    pub fn meters(&self) -> impl Iterator<Item = Arc<MeterCell>> {
        self.strips.iter().map(|strip| strip.meter.cell())
    }

    /// It is to be given what the microphone hears.
    pub fn listens(&self) -> bool {
        let all = self.strips.iter().chain(&self.leaving);
        !self.master.is_silent() && all.into_iter().any(|strip| matches!(strip.input, FaderInput::Microphone))
    }

    /// Mixes one frame into `out`.
    pub fn read(&mut self, microphone: &Frame, out: &mut Frame) {
        let mut frame = SILENCE;
        for strip in self.strips.iter_mut().chain(&mut self.leaving) {
            match &mut strip.input {
                FaderInput::Microphone => frame = *microphone,
                FaderInput::Source(source) => {
                    let flow = source.read(&mut frame);
                    strip.health.note(flow, source.fault());
                }
                FaderInput::Running => frame = SILENCE,
            }
            strip.ramp.apply(&mut frame);
            strip.meter.measure(&frame);
            self.mixer.add(&frame);
        }
        self.mixer.take(out);
        self.master.apply(out);
        self.gone.extend(self.leaving.drain(..).map(|strip| strip.input));
    }

    /// Inputs that have faded out, to be dropped where that may take its time.
    pub fn take_gone(&mut self) -> Option<FaderInput> {
        self.gone.pop()
    }

    /// What is wrong with inputs now, by their names. A fault is over when its source has given sound for half a second.
    pub fn faults(&self) -> impl Iterator<Item = (&str, &DeviceFault)> {
        self.strips.iter().filter_map(|strip| Some((strip.name.as_str(), strip.health.fault.as_ref()?)))
    }
}

impl std::fmt::Debug for Faders {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_list().entries(self.names()).finish()
    }
}

impl std::fmt::Debug for FaderInput {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Microphone => "Microphone",
            Self::Source(_) => "Source",
            Self::Running => "Running",
        })
    }
}
