//! One cpal stream: its format, its callback, its end of the ring.

use std::sync::Arc;
use std::time::Duration;

use cpal::traits::{DeviceTrait, StreamTrait};
use cpal::{BufferSize, FromSample, SampleFormat, SizedSample, StreamConfig};
use sidetone_media::{Direction, SAMPLE_RATE};

use crate::platform::for_playback;
use crate::ring::{
    CaptureReader, CaptureWriter, Health, PlaybackReader, PlaybackWriter, RateConverter, capture_ring,
    playback_ring,
};

mod format;

/// How long the sound system may take to set a stream up.
const BUILD_TIMEOUT: Duration = Duration::from_secs(3);
/// Frames handled in one go inside of a callback.
const PIECE: usize = 256;

/// A running stream with the audio thread's end of its ring.
pub(crate) struct Running {
    pub(crate) stream: cpal::Stream,
    pub(crate) port: Port,
}

/// The audio thread's end.
pub(crate) enum Port {
    Capture(CaptureReader),
    Playback(PlaybackWriter),
}

/// What is to be opened.
#[derive(Clone)]
pub(crate) struct Request {
    pub(crate) device: cpal::Device,
    pub(crate) direction: Direction,
    /// The direction whose formats the device tells: what a speaker plays is taken in the speaker's format.
    pub(crate) formats: Direction,
    /// Frames in each callback, in units of 48 kHz.
    pub(crate) block: u32,
    pub(crate) health: Arc<Health>,
}

/// Opens and starts a stream. May block for seconds, and for ever on a sound server that hangs.
///
/// `on_failure` is called from a thread of the sound system when the stream has ended by itself.
pub(crate) fn open(
    request: &Request,
    on_failure: impl Fn() + Send + 'static,
) -> Result<Running, cpal::Error> {
    let choice = format::choose(&request.device, request.formats)?;
    let config = StreamConfig {
        channels: choice.channels,
        sample_rate: choice.rate,
        buffer_size: BufferSize::Fixed(scale(request.block, choice.rate)),
    };
    let (stream, port) = match (request.direction, choice.format) {
        (Direction::Input, SampleFormat::I16) => input::<i16>(request, config, on_failure)?,
        (Direction::Input, SampleFormat::I32) => input::<i32>(request, config, on_failure)?,
        (Direction::Input, SampleFormat::U8) => input::<u8>(request, config, on_failure)?,
        (Direction::Input, _) => input::<f32>(request, config, on_failure)?,
        (Direction::Output, SampleFormat::I16) => output::<i16>(request, config, on_failure)?,
        (Direction::Output, SampleFormat::I32) => output::<i32>(request, config, on_failure)?,
        (Direction::Output, SampleFormat::U8) => output::<u8>(request, config, on_failure)?,
        (Direction::Output, _) => output::<f32>(request, config, on_failure)?,
    };
    stream.play()?;
    Ok(Running { stream, port })
}

fn input<T>(
    request: &Request,
    config: StreamConfig,
    on_failure: impl Fn() + Send + 'static,
) -> Result<(cpal::Stream, Port), cpal::Error>
where
    T: SizedSample,
    f32: FromSample<T>,
{
    let (writer, reader) = capture_ring(Arc::clone(&request.health));
    let mut capture = Capture {
        writer,
        converter: RateConverter::new(config.sample_rate, SAMPLE_RATE),
        channels: usize::from(config.channels).max(1),
    };
    let health = Arc::clone(&request.health);
    let stream = request.device.build_input_stream::<T, _, _>(
        config,
        move |samples, _| {
            health.on_callback(samples.len() / capture.channels);
            capture.take(samples);
        },
        error_callback(&request.health, on_failure),
        Some(BUILD_TIMEOUT),
    )?;
    Ok((stream, Port::Capture(reader)))
}

fn output<T>(
    request: &Request,
    config: StreamConfig,
    on_failure: impl Fn() + Send + 'static,
) -> Result<(cpal::Stream, Port), cpal::Error>
where
    T: SizedSample + FromSample<f32>,
{
    let (writer, reader) = playback_ring(Arc::clone(&request.health));
    let mut playback = Playback {
        reader,
        converter: RateConverter::new(SAMPLE_RATE, config.sample_rate),
        channels: usize::from(config.channels).max(1),
        rate: config.sample_rate,
    };
    let health = Arc::clone(&request.health);
    let stream = for_playback(&request.device)?.build_output_stream::<T, _, _>(
        config,
        move |samples, _| {
            health.on_callback(samples.len() / playback.channels);
            playback.give(samples);
        },
        error_callback(&request.health, on_failure),
        Some(BUILD_TIMEOUT),
    )?;
    Ok((stream, Port::Playback(writer)))
}

/// Only what ends a stream counts; an xrun or a refused real-time priority does not.
fn error_callback(
    health: &Arc<Health>,
    on_failure: impl Fn() + Send + 'static,
) -> impl FnMut(cpal::Error) + Send + 'static {
    let health = Arc::clone(health);
    move |error| {
        use cpal::ErrorKind::{DeviceBusy, DeviceChanged, RealtimeDenied, Xrun};
        if matches!(error.kind(), Xrun | RealtimeDenied | DeviceChanged | DeviceBusy) {
            return;
        }
        health.on_failure();
        on_failure();
    }
}

/// Any number of channels at the device's rate to mono at 48 kHz.
struct Capture {
    writer: CaptureWriter,
    converter: Option<RateConverter>,
    channels: usize,
}

impl Capture {
    fn take<T: Copy>(&mut self, samples: &[T])
    where
        f32: FromSample<T>,
    {
        let mut mono = [0.0f32; PIECE];
        let gain = 1.0 / self.channels as f32;
        for piece in samples.chunks(PIECE * self.channels) {
            let mut frames = 0;
            for (out, frame) in mono.iter_mut().zip(piece.chunks_exact(self.channels)) {
                *out = frame.iter().map(|sample| f32::from_sample_(*sample)).sum::<f32>() * gain;
                frames += 1;
            }
            self.push(&mono[..frames]);
        }
    }

    fn push(&mut self, mono: &[f32]) {
        let Some(converter) = &mut self.converter else {
            self.writer.write(mono);
            return;
        };
        let mut rest = mono;
        while !rest.is_empty() {
            let mut out = [0.0; PIECE];
            let (consumed, produced) = converter.process(rest, &mut out);
            self.writer.write(&out[..produced]);
            rest = &rest[consumed..];
        }
    }
}

/// Mono at 48 kHz to any number of channels at the device's rate: left and right get the same, others nothing.
struct Playback {
    reader: PlaybackReader,
    converter: Option<RateConverter>,
    channels: usize,
    rate: u32,
}

impl Playback {
    fn give<T>(&mut self, samples: &mut [T])
    where
        T: Copy + FromSample<f32>,
    {
        let mut mono = [0.0f32; PIECE];
        let mut left = samples.len() / self.channels;
        for piece in samples.chunks_mut(PIECE * self.channels) {
            let frames = piece.len() / self.channels;
            left -= frames;
            self.pull(&mut mono[..frames], left);
            for (frame, sample) in piece.chunks_mut(self.channels).zip(mono) {
                let value = T::from_sample_(sample.clamp(-1.0, 1.0));
                for (channel, out) in frame.iter_mut().enumerate() {
                    *out = if channel < 2 { value } else { T::from_sample_(0.0) };
                }
            }
        }
    }

    fn pull(&mut self, mono: &mut [f32], still_to_come: usize) {
        let Some(converter) = &mut self.converter else {
            self.reader.read(mono, still_to_come);
            return;
        };
        let scale = f64::from(SAMPLE_RATE) / f64::from(self.rate);
        let mut still_to_come = still_to_come + mono.len();
        for part in mono.chunks_mut(16) {
            // A device at 4 kHz, the slowest that is chosen, takes twelve samples of ours for each of its own.
            let mut input = [0.0; PIECE];
            let needed = converter.input_for(part.len()).min(PIECE);
            still_to_come -= part.len();
            self.reader.read(&mut input[..needed], (still_to_come as f64 * scale) as usize);
            let (_, produced) = converter.process(&input[..needed], part);
            part[produced..].fill(0.0);
        }
    }
}

/// A count of frames at 48 kHz as one at `rate`.
fn scale(frames: u32, rate: u32) -> u32 {
    (u64::from(frames) * u64::from(rate) / u64::from(SAMPLE_RATE)).max(1) as u32
}

#[cfg(test)]
mod tests {
    use std::time::Instant;

    use sidetone_media::FRAME_LEN;

    use super::*;

    #[test]
    fn stereo_i16_becomes_the_mean_in_mono() {
        let health = Arc::new(Health::default());
        let (writer, mut reader) = capture_ring(health);
        let mut capture = Capture { writer, converter: None, channels: 2 };
        capture.take(&[16_384i16, 0].repeat(960));
        let mut frame = [0.0; FRAME_LEN];
        reader.read(Instant::now(), &mut frame);
        assert!((frame[300] - 0.25).abs() < 1e-3, "{}", frame[300]);
    }

    #[test]
    fn mono_goes_to_left_and_right_only() {
        let health = Arc::new(Health::default());
        let (mut writer, reader) = playback_ring(health);
        let mut playback = Playback { reader, converter: None, channels: 4, rate: SAMPLE_RATE };
        for _ in 0..6 {
            writer.write(Instant::now(), &[0.5; FRAME_LEN]);
        }
        let mut block = [9i16; 4 * 600];
        playback.give(&mut block);
        let frame = &block[4 * 500..4 * 501];
        assert!((i32::from(frame[0]) - 16_384).abs() < 40 && frame[0] == frame[1], "{frame:?}");
        assert_eq!(frame[2..], [0, 0]);
    }

    #[test]
    fn other_rates_pass_through_both_ways() {
        for rate in [8_000, 16_000, 44_100, 96_000] {
            let (writer, mut reader) = capture_ring(Arc::default());
            let mut capture =
                Capture { writer, converter: RateConverter::new(rate, SAMPLE_RATE), channels: 1 };
            let (mut out_writer, out_reader) = playback_ring(Arc::default());
            let mut playback = Playback {
                reader: out_reader,
                converter: RateConverter::new(SAMPLE_RATE, rate),
                channels: 1,
                rate,
            };
            let mut frame = [0.0; FRAME_LEN];
            let mut block = vec![0.0f32; rate as usize / 100];
            let mut now = Instant::now();
            for _ in 0..100 {
                now += Duration::from_millis(10);
                capture.take(&vec![0.5f32; rate as usize / 100]);
                reader.read(now, &mut frame);
                out_writer.write(now, &[0.5; FRAME_LEN]);
                playback.give(&mut block);
            }
            assert!((frame[479] - 0.5).abs() < 1e-2, "capture at {rate}: {}", frame[479]);
            assert!((block[40] - 0.5).abs() < 1e-2, "playback at {rate}: {}", block[40]);
        }
    }
}
