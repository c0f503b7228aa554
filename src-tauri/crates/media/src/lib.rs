//! Frames, codecs, jitter buffer, mixer, meters, synthetic sources and sinks.
//!
//! Everything inside runs at 48 kHz mono `f32` in frames of 10 ms on one audio thread. Nothing here allocates,
//! locks or logs per frame in steady state, and nothing reads a clock: time is passed in.
#![deny(unsafe_code)]

pub mod codec;
pub mod comfort_noise;
pub mod conceal;
pub mod device;
pub mod error;
pub mod fader;
pub mod frame;
pub mod jitter;
pub mod meter;
pub mod mixer;
pub mod process;
pub mod receiver;
pub mod record;
pub mod resample;
pub mod sender;
pub mod stretch;
pub mod synthetic;
#[cfg(test)]
mod test_signal;
pub mod tone;
pub mod video;
pub mod watch;

pub use codec::{Codec, CodecError, Decoder, Encoder, OpusOptions};
pub use device::{
    DeviceInfo, DeviceNews, Devices, Direction, Flow, OpenedSink, OpenedSource, OpenedVideo, Selection,
    SelectionError, Sink, Source, VideoInfo, VideoKind, VideoSelection, VideoWish,
};
pub use error::{DeviceError, DeviceFault, MediaError};
pub use fader::{Fader, FaderInput, Faders, Ramp};
pub use frame::{FRAME_DURATION, FRAME_LEN, Frame, SAMPLE_RATE, SILENCE};
pub use jitter::{JitterOptions, PayloadKind, Played, ReceivedPacket};
pub use meter::{Meter, MeterCell, MeterReading, SharedMeter};
pub use mixer::{Limiter, Mixer};
pub use process::{Processing, ProcessingOptions};
pub use receiver::{AudioReceiver, ReceiverOptions, ReceiverStats};
pub use record::{Recorded, Recorder, RecorderStatus};
pub use resample::{DriftResampler, Processed, Resampler};
pub use sender::{AudioSender, EncodedPacket, SenderOptions};
pub use synthetic::Synthetic;
pub use watch::{CallWatch, MicrophoneWatch, Observation, SoundProblem};
