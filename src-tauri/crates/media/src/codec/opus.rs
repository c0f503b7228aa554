//! Opus (RFC 6716, RFC 7587) by libopus, mono at 48 kHz.

use ::opus::{Application, Bitrate, Channels};

use super::{CodecError, Decoder, Encoder};
use crate::error::MediaError;
use crate::frame::SAMPLE_RATE;

/// What the far end asked for in `a=fmtp` (RFC 7587, 6.1) and what we choose.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct OpusOptions {
    /// 6 000 to 510 000; `maxaveragebitrate` is an upper limit for it.
    pub bits_per_second: u32,
    /// The far end can use in-band FEC (`useinbandfec=1`). It is sent only while loss is reported, as it costs
    /// quality.
    pub fec: bool,
    /// Send nothing in silence (`usedtx=1`).
    pub dtx: bool,
    /// Constant bit rate (`cbr=1`).
    pub cbr: bool,
    /// 0 to 10: processor time for quality.
    pub complexity: u8,
}

impl Default for OpusOptions {
    fn default() -> Self {
        Self { bits_per_second: 32_000, fec: true, dtx: false, cbr: false, complexity: 5 }
    }
}

pub(super) struct OpusDecoder {
    codec: ::opus::Decoder,
}

impl OpusDecoder {
    pub(super) fn new() -> Result<Self, MediaError> {
        let codec = ::opus::Decoder::new(SAMPLE_RATE, Channels::Mono).map_err(start_error)?;
        Ok(Self { codec })
    }
}

impl Decoder for OpusDecoder {
    fn sample_rate(&self) -> u32 {
        SAMPLE_RATE
    }

    fn samples(&self, payload: &[u8]) -> Option<usize> {
        if payload.is_empty() {
            return None;
        }
        // At most 120 ms, which libopus checks.
        ::opus::packet::get_nb_samples(payload, SAMPLE_RATE).ok().filter(|n| *n > 0)
    }

    fn decode(&mut self, payload: &[u8], out: &mut [f32]) -> Result<usize, CodecError> {
        // libopus would take an empty payload for a loss.
        if payload.is_empty() {
            return Err(CodecError::Malformed);
        }
        let n = self.codec.decode_float(payload, out, false).map_err(|_| CodecError::Malformed)?;
        sanitise(&mut out[..n]);
        Ok(n)
    }

    fn has_fec(&self, payload: &[u8]) -> bool {
        has_in_band_fec(payload)
    }

    fn decode_fec(&mut self, payload: &[u8], out: &mut [f32]) -> bool {
        let ok = has_in_band_fec(payload)
            && self.codec.decode_float(payload, out, true).is_ok_and(|n| n == out.len());
        if ok {
            sanitise(out);
        }
        ok
    }

    fn conceal(&mut self, out: &mut [f32]) -> bool {
        let ok = self.codec.decode_float(&[], out, false).is_ok_and(|n| n == out.len());
        if ok {
            sanitise(out);
        }
        ok
    }

    fn is_silence(&self, payload: &[u8]) -> bool {
        // A packet of only a table-of-contents byte, or with an empty frame, is DTX (RFC 6716, 2.1.9).
        payload.len() <= 2
    }

    fn reset(&mut self) {
        // Cannot fail for a decoder that could be made.
        let _ = self.codec.reset_state();
    }
}

/// True if `payload` holds an LBRR frame, a low-rate copy of the packet before it (RFC 6716, 4.2.4).
pub fn has_in_band_fec(payload: &[u8]) -> bool {
    let Some((toc, rest)) = payload.split_first() else { return false };
    let config = toc >> 3;
    // SILK frames of 20 ms in each Opus frame; CELT (16 and above) has no LBRR.
    let silk_frames = match config {
        0..=11 => [1, 1, 2, 3][usize::from(config & 3)],
        12..=15 => 1,
        _ => return false,
    };
    let stereo = toc & 4 != 0;
    let frame = match toc & 3 {
        0 | 1 => rest,
        2 => match rest {
            [length, frame @ ..] if *length < 252 => frame,
            [_, _, frame @ ..] => frame,
            _ => return false,
        },
        _ => match after_code_3_header(rest) {
            Some(frame) => frame,
            None => return false,
        },
    };
    let Some(first) = frame.first() else { return false };
    // The first bits are a voice-activity flag for each SILK frame and then the LBRR flag, for each channel.
    let flag = |bit: u8| first >> (7 - bit) & 1 == 1;
    flag(silk_frames) || (stereo && flag(2 * silk_frames + 1))
}

/// The first frame of a packet with a frame count byte (RFC 6716, 3.2.5), possibly with others after it.
fn after_code_3_header(rest: &[u8]) -> Option<&[u8]> {
    let (count, mut rest) = rest.split_first()?;
    let (variable, padded, frames) = (count & 0x80 != 0, count & 0x40 != 0, count & 0x3F);
    let mut more_padding = padded;
    while more_padding {
        let (length, after) = rest.split_first()?;
        rest = after;
        more_padding = *length == 255;
    }
    if variable {
        for _ in 1..frames {
            let bytes = if *rest.first()? < 252 { 1 } else { 2 };
            rest = rest.get(bytes..)?;
        }
    }
    Some(rest)
}

pub(super) struct OpusEncoder {
    codec: ::opus::Encoder,
    fec_allowed: bool,
    expected_loss: u8,
    in_silence: bool,
}

impl OpusEncoder {
    pub(super) fn new(options: &OpusOptions) -> Result<Self, MediaError> {
        if options.complexity > 10 {
            let problem = format!("{} is not within 0 to 10", options.complexity);
            return Err(MediaError::Option { option: "complexity", problem });
        }
        if !(6_000..=510_000).contains(&options.bits_per_second) {
            let problem = format!("{} is not within 6000 to 510000", options.bits_per_second);
            return Err(MediaError::Option { option: "bits_per_second", problem });
        }
        let mut codec =
            ::opus::Encoder::new(SAMPLE_RATE, Channels::Mono, Application::Voip).map_err(start_error)?;
        codec.set_bitrate(Bitrate::Bits(options.bits_per_second as i32)).map_err(start_error)?;
        codec.set_complexity(i32::from(options.complexity)).map_err(start_error)?;
        codec.set_dtx(options.dtx).map_err(start_error)?;
        codec.set_vbr(!options.cbr).map_err(start_error)?;
        codec.set_inband_fec(false).map_err(start_error)?;
        Ok(Self { codec, fec_allowed: options.fec, expected_loss: 0, in_silence: false })
    }
}

impl Encoder for OpusEncoder {
    fn sample_rate(&self) -> u32 {
        SAMPLE_RATE
    }

    fn encode(&mut self, samples: &[f32], payload: &mut [u8]) -> Result<usize, CodecError> {
        // Other lengths are legal Opus but none that we send.
        if !matches!(samples.len(), 480 | 960 | 1_920 | 2_880) {
            return Err(CodecError::BlockLength);
        }
        let n = self.codec.encode_float(samples, payload).map_err(|_| CodecError::BufferTooSmall)?;
        // libopus: a packet of one or two bytes need not be sent. The first one is, so that the far end knows.
        let silence = n <= 2;
        let first = !std::mem::replace(&mut self.in_silence, silence);
        Ok(if silence && !first { 0 } else { n })
    }

    fn set_expected_loss(&mut self, percent: u8) {
        let percent = percent.min(100);
        if percent == self.expected_loss {
            return;
        }
        self.expected_loss = percent;
        // Neither can fail with these values.
        let _ = self.codec.set_inband_fec(self.fec_allowed && percent > 0);
        let _ = self.codec.set_packet_loss_perc(i32::from(percent));
    }

    fn set_bitrate(&mut self, bits_per_second: u32) {
        let _ = self.codec.set_bitrate(Bitrate::Bits(bits_per_second.clamp(6_000, 510_000) as i32));
    }
}

/// A hostile packet can decode to anything; nothing behind us should meet an infinity.
fn sanitise(samples: &mut [f32]) {
    for sample in samples {
        *sample = if sample.is_finite() { sample.clamp(-1.5, 1.5) } else { 0.0 };
    }
}

fn start_error(error: ::opus::Error) -> MediaError {
    MediaError::Codec { codec: "opus", reason: error.to_string() }
}
