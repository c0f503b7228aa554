//! From packets to frames.
//!
//! ```text
//! push ─▶ JitterBuffer (decodes, conceals, stretches at the codec's rate) ─▶ Resampler ─▶ pull, 10 ms at 48 kHz
//! ```

use std::time::{Duration, Instant};

use crate::codec::{Codec, Decoder};
use crate::error::MediaError;
use crate::frame::{FRAME_LEN, Frame, SAMPLE_RATE};
use crate::jitter::{JitterBuffer, JitterOptions, JitterStats, Played, ReceivedPacket};
use crate::resample::Resampler;

/// How to receive.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct ReceiverOptions {
    pub jitter: JitterOptions,
}

/// What a receiver knows of its stream.
pub type ReceiverStats = JitterStats;

/// Decodes one stream. Memory is bounded, and once warm nothing is allocated.
pub struct AudioReceiver {
    codec: Codec,
    buffer: JitterBuffer<Box<dyn Decoder>>,
    resampler: Resampler,
    block: Vec<f32>,
    resampled: Vec<f32>,
}

impl AudioReceiver {
    /// A receiver that has heard nothing yet.
    pub fn new(codec: Codec, options: ReceiverOptions) -> Result<Self, MediaError> {
        let decoder = codec.decoder()?;
        let rate = decoder.sample_rate();
        let resampler = Resampler::new(rate, SAMPLE_RATE)?;
        let block = vec![0.0; rate as usize / 100];
        Ok(Self {
            codec,
            buffer: JitterBuffer::new(decoder, codec.clock_rate(), options.jitter)?,
            resampled: Vec::with_capacity(resampler.max_output(block.len())),
            resampler,
            block,
        })
    }

    /// What is received.
    pub fn codec(&self) -> Codec {
        self.codec
    }

    /// Takes a packet of this stream that arrived at `now`. Whatever it holds, it does no harm.
    pub fn push(&mut self, now: Instant, packet: ReceivedPacket<'_>) {
        self.buffer.push(now, packet);
    }

    /// Gives the 10 ms that are to be played at `now`. To be called every 10 ms, also while nothing comes.
    pub fn pull(&mut self, now: Instant, frame: &mut Frame) -> Played {
        let played = self.buffer.pull(now, &mut self.block);
        self.resampled.clear();
        self.resampler.process(&self.block, &mut self.resampled);
        let n = self.resampled.len().min(FRAME_LEN);
        frame[..n].copy_from_slice(&self.resampled[..n]);
        frame[n..].fill(0.0);
        played
    }

    /// Begins anew, as for a new SSRC; the counters stay.
    pub fn reset(&mut self) {
        self.buffer.reset();
    }

    /// The RTP timestamp of what the next pull begins with; `None` while nothing is played.
    pub fn playing(&self) -> Option<u32> {
        self.buffer.playing()
    }

    /// See [`JitterBuffer::set_extra_delay`].
    pub fn set_extra_delay(&mut self, extra: Duration) {
        self.buffer.set_extra_delay(extra);
    }

    /// How much later it plays now than the network asks for; `None` while nothing is played.
    pub fn waiting(&self) -> Option<Duration> {
        self.buffer.waiting()
    }

    /// Counters and state.
    pub fn stats(&self) -> ReceiverStats {
        self.buffer.stats()
    }
}
