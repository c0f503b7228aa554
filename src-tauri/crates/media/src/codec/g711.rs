//! G.711 (ITU-T G.711): one byte a sample.

use audio_codec::pcma::PcmaDecoder;
use audio_codec::pcmu::PcmuDecoder;

use super::{CodecError, Decoder, Encoder, MAX_PACKET_MS};

const RATE: u32 = 8_000;
const MAX_SAMPLES: usize = (RATE / 1_000 * MAX_PACKET_MS) as usize;

pub(super) struct G711Decoder {
    law: [f32; 256],
}

impl G711Decoder {
    pub(super) fn a_law() -> Self {
        Self::with(&mut PcmaDecoder::new())
    }

    pub(super) fn mu_law() -> Self {
        Self::with(&mut PcmuDecoder::new())
    }

    fn with(codec: &mut dyn audio_codec::Decoder) -> Self {
        let mut law = [0.0; 256];
        for (byte, value) in (0u8..=255).zip(&mut law) {
            let mut sample = [0i16];
            // One byte into room for one sample cannot fail.
            let _ = codec.decode_into(&[byte], &mut sample);
            *value = f32::from(sample[0]) / 32_768.0;
        }
        Self { law }
    }
}

impl Decoder for G711Decoder {
    fn sample_rate(&self) -> u32 {
        RATE
    }

    fn samples(&self, payload: &[u8]) -> Option<usize> {
        (1..=MAX_SAMPLES).contains(&payload.len()).then_some(payload.len())
    }

    fn decode(&mut self, payload: &[u8], out: &mut [f32]) -> Result<usize, CodecError> {
        let out = out.get_mut(..payload.len()).ok_or(CodecError::BufferTooSmall)?;
        for (sample, byte) in out.iter_mut().zip(payload) {
            *sample = self.law[usize::from(*byte)];
        }
        Ok(payload.len())
    }

    fn reset(&mut self) {}
}

/// Encodes without tables: those of the codec crate take 128 kB and give -8 to -1 the A-law code of +8.
pub(super) struct G711Encoder {
    law: fn(i16) -> u8,
}

impl G711Encoder {
    pub(super) fn a_law() -> Self {
        Self { law: to_a_law }
    }

    pub(super) fn mu_law() -> Self {
        Self { law: to_mu_law }
    }
}

impl Encoder for G711Encoder {
    fn sample_rate(&self) -> u32 {
        RATE
    }

    fn encode(&mut self, samples: &[f32], payload: &mut [u8]) -> Result<usize, CodecError> {
        let payload = payload.get_mut(..samples.len()).ok_or(CodecError::BufferTooSmall)?;
        for (byte, sample) in payload.iter_mut().zip(samples) {
            *byte = (self.law)(to_i16(*sample));
        }
        Ok(samples.len())
    }
}

/// G.711 table 1: 13 bits, 8 segments, even bits inverted.
fn to_a_law(sample: i16) -> u8 {
    let value = sample >> 3;
    let (mask, magnitude) = if value >= 0 { (0xD5, value as u16) } else { (0x55, !value as u16) };
    let segment = magnitude.max(16).ilog2() as u8 - 4;
    let shift = segment.max(1);
    (segment << 4 | (magnitude >> shift) as u8 & 0x0F) ^ mask
}

/// G.711 table 2: 14 bits, 8 segments, all bits inverted.
fn to_mu_law(sample: i16) -> u8 {
    const BIAS: u16 = 132;
    let sign = if sample < 0 { 0x80 } else { 0 };
    let magnitude = sample.unsigned_abs().min(32_635) + BIAS;
    let segment = magnitude.ilog2() as u8 - 7;
    !(sign | segment << 4 | (magnitude >> (segment + 3)) as u8 & 0x0F)
}

/// The cast saturates and makes 0 of NaN.
pub(super) fn to_i16(sample: f32) -> i16 {
    (sample * 32_768.0).round_ties_even() as i16
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_sample_is_encoded_within_half_a_step() {
        for (encode, decoder) in [
            (to_a_law as fn(i16) -> u8, G711Decoder::a_law()),
            (to_mu_law as fn(i16) -> u8, G711Decoder::mu_law()),
        ] {
            for sample in i16::MIN..=i16::MAX {
                let got = (decoder.law[usize::from(encode(sample))] * 32_768.0) as i32;
                // Half the step at this level; 8 more as A-law looks at 13 bits only.
                let allowed = (got.abs() + 132) / 32 + 8;
                assert!((got - i32::from(sample)).abs() <= allowed, "{sample}: {got}");
            }
        }
    }
}
