//! Audio codecs behind one pair of traits.

mod g711;
mod g722;
mod opus;

use std::fmt;
use std::str::FromStr;

use crate::error::MediaError;

pub use opus::{OpusOptions, has_in_band_fec};

/// Largest payload that we send or accept, in bytes: 200 ms of G.711 (RFC 3551, 4.2) and any Opus packet below
/// an Ethernet MTU.
pub const MAX_PAYLOAD: usize = 1_600;

/// Longest packet that we accept, in milliseconds (RFC 3551, 4.2).
pub const MAX_PACKET_MS: u32 = 200;

/// An audio codec that we can send and receive.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Codec {
    /// G.711 mu-law.
    Pcmu,
    /// G.711 A-law.
    Pcma,
    /// G.722 at 64 kbit/s.
    G722,
    /// Opus, sent in mono at 48 kHz.
    Opus,
}

impl Codec {
    /// Every codec, best first.
    pub const ALL: [Self; 4] = [Self::Opus, Self::G722, Self::Pcma, Self::Pcmu];

    /// Encoding name of RTP (RFC 3551 table 4, RFC 7587).
    pub fn name(self) -> &'static str {
        match self {
            Self::Pcmu => "PCMU",
            Self::Pcma => "PCMA",
            Self::G722 => "G722",
            Self::Opus => "opus",
        }
    }

    /// RTP clock rate in Hz. G.722 counts at 8000 although it samples at 16000 (RFC 3551, 4.5.2).
    pub fn clock_rate(self) -> u32 {
        match self {
            Self::Pcmu | Self::Pcma | Self::G722 => 8_000,
            Self::Opus => 48_000,
        }
    }

    /// Samples a second of the decoded audio.
    pub fn sample_rate(self) -> u32 {
        match self {
            Self::Pcmu | Self::Pcma => 8_000,
            Self::G722 => 16_000,
            Self::Opus => 48_000,
        }
    }

    /// Channels as `a=rtpmap` tells them; always 2 for Opus, whatever is sent (RFC 7587, 7).
    pub fn sdp_channels(self) -> u8 {
        if self == Self::Opus { 2 } else { 1 }
    }

    /// Payload type that needs no `a=rtpmap` (RFC 3551 table 4).
    pub fn static_payload_type(self) -> Option<u8> {
        match self {
            Self::Pcmu => Some(0),
            Self::Pcma => Some(8),
            Self::G722 => Some(9),
            Self::Opus => None,
        }
    }

    /// Packet lengths that we can send, in ms.
    pub fn ptimes(self) -> &'static [u32] {
        match self {
            Self::Opus => &[10, 20, 40, 60],
            _ => &[10, 20, 30, 40, 50, 60],
        }
    }

    /// The longest of [`Self::ptimes`] that is not above `ptime_ms`, or the shortest.
    pub fn nearest_ptime(self, ptime_ms: u32) -> u32 {
        self.ptimes().iter().rev().find(|p| **p <= ptime_ms).copied().unwrap_or(10)
    }

    /// A decoder in its initial state.
    pub fn decoder(self) -> Result<Box<dyn Decoder>, MediaError> {
        Ok(match self {
            Self::Pcmu => Box::new(g711::G711Decoder::mu_law()),
            Self::Pcma => Box::new(g711::G711Decoder::a_law()),
            Self::G722 => Box::new(g722::G722Decoder::new()),
            Self::Opus => Box::new(opus::OpusDecoder::new()?),
        })
    }

    /// An encoder in its initial state. The options are those of Opus; the others have none.
    pub fn encoder(self, options: &OpusOptions) -> Result<Box<dyn Encoder>, MediaError> {
        Ok(match self {
            Self::Pcmu => Box::new(g711::G711Encoder::mu_law()),
            Self::Pcma => Box::new(g711::G711Encoder::a_law()),
            Self::G722 => Box::new(g722::G722Encoder::new()),
            Self::Opus => Box::new(opus::OpusEncoder::new(options)?),
        })
    }
}

impl fmt::Display for Codec {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// A name that is none of [`Codec::ALL`].
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("unknown codec {0:?}: expected opus, G722, PCMA or PCMU")]
pub struct UnknownCodec(String);

impl FromStr for Codec {
    type Err = UnknownCodec;

    /// Case-insensitive, as encoding names are (RFC 4855, 3); `ulaw` and `alaw` are understood.
    fn from_str(name: &str) -> Result<Self, Self::Err> {
        match name.to_ascii_lowercase().as_str() {
            "pcmu" | "ulaw" => Ok(Self::Pcmu),
            "pcma" | "alaw" => Ok(Self::Pcma),
            "g722" => Ok(Self::G722),
            "opus" => Ok(Self::Opus),
            _ => Err(UnknownCodec(name.to_owned())),
        }
    }
}

/// Why a payload could not be decoded or a block not be encoded.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum CodecError {
    #[error("malformed payload")]
    Malformed,
    #[error("the buffer is too small for the result")]
    BufferTooSmall,
    #[error("not a block length of this codec")]
    BlockLength,
}

/// Turns payloads into samples at [`Self::sample_rate`]. No payload makes it panic or allocate.
pub trait Decoder: Send {
    /// Samples a second.
    fn sample_rate(&self) -> u32;

    /// Samples that `payload` will give, without decoding it; `None` if it is malformed or longer than
    /// [`MAX_PACKET_MS`].
    fn samples(&self, payload: &[u8]) -> Option<usize>;

    /// Decodes into the start of `out`; gives the number of samples.
    fn decode(&mut self, payload: &[u8], out: &mut [f32]) -> Result<usize, CodecError>;

    /// True if `payload` carries a copy of the packet before it.
    fn has_fec(&self, _payload: &[u8]) -> bool {
        false
    }

    /// Fills `out` with the packet before `payload`, from the copy in `payload`. False if there is none; then
    /// `out` is to be concealed.
    fn decode_fec(&mut self, _payload: &[u8], _out: &mut [f32]) -> bool {
        false
    }

    /// Fills `out` with what may have been lost. False if the codec knows no way; then the jitter buffer uses
    /// its own.
    fn conceal(&mut self, _out: &mut [f32]) -> bool {
        false
    }

    /// True if the sender says by `payload` that it stops sending for a while.
    fn is_silence(&self, _payload: &[u8]) -> bool {
        false
    }

    /// Back to the initial state.
    fn reset(&mut self);
}

impl<D: Decoder + ?Sized> Decoder for Box<D> {
    fn sample_rate(&self) -> u32 {
        (**self).sample_rate()
    }
    fn samples(&self, payload: &[u8]) -> Option<usize> {
        (**self).samples(payload)
    }
    fn decode(&mut self, payload: &[u8], out: &mut [f32]) -> Result<usize, CodecError> {
        (**self).decode(payload, out)
    }
    fn has_fec(&self, payload: &[u8]) -> bool {
        (**self).has_fec(payload)
    }
    fn decode_fec(&mut self, payload: &[u8], out: &mut [f32]) -> bool {
        (**self).decode_fec(payload, out)
    }
    fn conceal(&mut self, out: &mut [f32]) -> bool {
        (**self).conceal(out)
    }
    fn is_silence(&self, payload: &[u8]) -> bool {
        (**self).is_silence(payload)
    }
    fn reset(&mut self) {
        (**self).reset();
    }
}

/// Turns blocks of samples at [`Self::sample_rate`] into payloads.
pub trait Encoder: Send {
    /// Samples a second.
    fn sample_rate(&self) -> u32;

    /// Encodes one packet's worth of samples into the start of `payload`; gives its length in bytes. Zero: there
    /// is nothing to send (Opus DTX).
    fn encode(&mut self, samples: &[f32], payload: &mut [u8]) -> Result<usize, CodecError>;

    /// The part of our packets, in per cent, that the far end lacks (RTCP); above zero Opus adds in-band FEC.
    fn set_expected_loss(&mut self, _percent: u8) {}

    /// Bits a second, for codecs that have a choice.
    fn set_bitrate(&mut self, _bits_per_second: u32) {}
}

#[cfg(test)]
mod tests;
