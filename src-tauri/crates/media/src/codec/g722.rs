//! G.722 at 64 kbit/s (ITU-T G.722, RFC 3551 4.5.2): one byte for two samples at 16 kHz.

use audio_codec::Encoder as _;

use super::g711::to_i16;
use super::{CodecError, Decoder, Encoder, MAX_PACKET_MS};

const RATE: u32 = 16_000;
const MAX_BYTES: usize = (RATE / 2_000 * MAX_PACKET_MS) as usize;

pub(super) struct G722Decoder {
    codec: audio_codec::g722::G722Decoder,
}

impl G722Decoder {
    pub(super) fn new() -> Self {
        Self { codec: audio_codec::g722::G722Decoder::new() }
    }
}

impl Decoder for G722Decoder {
    fn sample_rate(&self) -> u32 {
        RATE
    }

    fn samples(&self, payload: &[u8]) -> Option<usize> {
        (1..=MAX_BYTES).contains(&payload.len()).then_some(payload.len() * 2)
    }

    fn decode(&mut self, payload: &[u8], out: &mut [f32]) -> Result<usize, CodecError> {
        let out = out.get_mut(..payload.len() * 2).ok_or(CodecError::BufferTooSmall)?;
        let mut pcm = [0i16; 160];
        for (bytes, block) in payload.chunks(pcm.len() / 2).zip(out.chunks_mut(pcm.len())) {
            let pcm = &mut pcm[..block.len()];
            self.codec.decode_frame_into(bytes, pcm).map_err(|_| CodecError::Malformed)?;
            for (to, from) in block.iter_mut().zip(pcm) {
                *to = f32::from(*from) / 32_768.0;
            }
        }
        Ok(out.len())
    }

    fn reset(&mut self) {
        self.codec = audio_codec::g722::G722Decoder::new();
    }
}

pub(super) struct G722Encoder {
    codec: audio_codec::g722::G722Encoder,
}

impl G722Encoder {
    pub(super) fn new() -> Self {
        Self { codec: audio_codec::g722::G722Encoder::new() }
    }
}

impl Encoder for G722Encoder {
    fn sample_rate(&self) -> u32 {
        RATE
    }

    fn encode(&mut self, samples: &[f32], payload: &mut [u8]) -> Result<usize, CodecError> {
        if !samples.len().is_multiple_of(2) {
            return Err(CodecError::BlockLength);
        }
        let length = samples.len() / 2;
        let payload = payload.get_mut(..length).ok_or(CodecError::BufferTooSmall)?;
        let mut pcm = [0i16; 160];
        for (block, bytes) in samples.chunks(pcm.len()).zip(payload.chunks_mut(pcm.len() / 2)) {
            let pcm = &mut pcm[..block.len()];
            for (to, from) in pcm.iter_mut().zip(block) {
                *to = to_i16(*from);
            }
            self.codec.encode_into(pcm, bytes).map_err(|_| CodecError::BufferTooSmall)?;
        }
        Ok(length)
    }
}
