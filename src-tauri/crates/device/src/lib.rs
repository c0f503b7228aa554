//! Microphone, speaker, camera and screen on real hardware.
//!
//! [`Hardware`] is media's [`Devices`](sidetone_media::Devices) over cpal: PulseAudio (or PipeWire's server of
//! that protocol) and ALSA on Linux, WASAPI on Windows, CoreAudio on macOS.
//!
//! ```text
//!  audio thread ── Source::read / Sink::write ──┐            one 10 ms beat, monotonic clock
//!                       ring (rtrb) + DriftResampler          steered by the ring's low-water mark
//!  device callback ─────────────────────────────┘            moves samples, nothing else
//!  "sidetone-devices" thread: lists once a second, watches the callbacks, opens, closes, re-opens, tells events
//! ```
//!
//! A device that goes away never ends a call: its source gives silence, its sink swallows, and the thread opens
//! what is there instead and comes back to the chosen device when that returns. Every such step is a
//! [`DeviceEvent`].
//!
//! Pictures come from cameras (nokhwa) and from screens and windows (xcap), each on a thread of its own that may hang in
//! its driver without anybody waiting for it. Whoever opens them watches them with
//! [`Watched`](sidetone_media::video::Watched).
#![forbid(unsafe_code)]

#[cfg(feature = "camera")]
mod camera;
mod control;
mod event;
mod hardware;
#[cfg(any(feature = "camera", feature = "screen"))]
mod names;
mod pictures;
mod platform;
mod ring;
#[cfg(feature = "screen")]
mod screen;
mod stream;

pub use event::{DeviceEvent, EndpointId};
pub use hardware::Hardware;
