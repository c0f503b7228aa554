//! The adaptive jitter buffer.
//!
//! ```text
//! push ─▶ Timeline ─▶ DelayEstimator (which delay covers 99 % of the packets?)
//!             └─────▶ PacketStore ─▶ Decoder ─▶ SampleFifo ─▶ pull, 10 ms each
//!                        gap: FEC, concealment, comfort noise ┘  └ time stretching towards the target
//! ```
//!
//! A packet's transit is its arrival less its timestamp, both counted from the first packet; only differences of
//! transits mean anything. The playout point is the same for what is being played: the time of the pull less the
//! timestamp. A packet is in time if its transit is below the playout point, so the buffer steers the playout point
//! to a high quantile of the transits: it shortens or repeats pitch periods while there is speech, and waits longer or
//! shorter where there is none. The buffer itself reads no clock; `now` is given with each call.

mod buffer;
mod estimator;
mod fifo;
mod store;
mod timeline;

pub use buffer::{JitterBuffer, MOST_EXTRA};
pub use estimator::DelayEstimator;

use crate::error::MediaError;

/// Bounds of the delay that the buffer adds, in milliseconds over the fastest recent packet.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct JitterOptions {
    /// Never less than this. Default 10.
    pub min_ms: u32,
    /// Never aim at more than this; later packets are concealed. Default 400.
    pub max_ms: u32,
    /// Before enough packets were seen to know better. Default 40.
    pub initial_ms: u32,
}

impl Default for JitterOptions {
    fn default() -> Self {
        Self { min_ms: 10, max_ms: 400, initial_ms: 40 }
    }
}

impl JitterOptions {
    /// Checks the bounds: 0 <= min <= initial <= max <= 500.
    pub fn validate(&self) -> Result<(), MediaError> {
        let bad = |option, problem: String| Err(MediaError::Option { option, problem });
        if self.max_ms > 500 {
            return bad("max_ms", format!("{} is above 500", self.max_ms));
        }
        if self.min_ms > self.max_ms {
            return bad("min_ms", format!("{} is above max_ms, {}", self.min_ms, self.max_ms));
        }
        if !(self.min_ms..=self.max_ms).contains(&self.initial_ms) {
            let range = format!("{} to {}", self.min_ms, self.max_ms);
            return bad("initial_ms", format!("{} is not within {range}", self.initial_ms));
        }
        Ok(())
    }
}

/// What a packet carries.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum PayloadKind {
    /// Of the negotiated codec.
    Media,
    /// Comfort noise, RFC 3389.
    ComfortNoise,
}

/// A packet as it came from the network.
#[derive(Debug, Clone, Copy)]
pub struct ReceivedPacket<'a> {
    pub sequence: u16,
    /// RTP units.
    pub timestamp: u32,
    pub marker: bool,
    pub kind: PayloadKind,
    pub payload: &'a [u8],
}

/// Where the samples of a pull came from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Played {
    /// Decoded packets, also from FEC.
    Normal,
    /// Made up, at least in part.
    Concealed,
    /// Noise in a pause that the sender announced.
    Comfort,
    /// Nothing: before the first packet, or in a gap too long to conceal.
    Silence,
}

/// Counters since the start, and the state now. Times are in milliseconds.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct JitterStats {
    /// Packets pushed.
    pub packets: u64,
    /// Came after their time was over.
    pub late: u64,
    pub duplicates: u64,
    /// Not a payload of this codec, or longer than 200 ms.
    pub malformed: u64,
    /// Thrown away: no room, part of a jump of the timestamps, or skipped to catch up.
    pub discarded: u64,
    /// Missing when those after them were played, and not replaced by FEC.
    pub lost: u64,
    /// Replaced by FEC.
    pub fec_recovered: u64,
    /// Starts over because of a jump in sequence numbers, timestamps or delay.
    pub resyncs: u64,
    /// Pulled in all.
    pub played_ms: f64,
    /// Made up and audible.
    pub concealed_ms: f64,
    /// Gaps that were concealed.
    pub concealments: u64,
    /// Silence in gaps too long to conceal.
    pub silent_ms: f64,
    /// Comfort noise.
    pub comfort_ms: f64,
    /// Taken out by time stretching.
    pub shortened_ms: f64,
    /// Put in by time stretching.
    pub lengthened_ms: f64,
    /// How long the fastest packets wait now.
    pub depth_ms: f32,
    /// What the estimator asks for.
    pub target_ms: f32,
    /// Audio that is held now.
    pub buffered_ms: f32,
}
