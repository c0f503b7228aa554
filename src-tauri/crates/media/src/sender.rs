//! From frames to packets.
//!
//! ```text
//! push, 10 ms at 48 kHz ─▶ Resampler ─▶ one packet's worth of samples ─▶ Encoder ─▶ emit
//!                             └─▶ SilenceDetector ─▶ comfort noise instead ────────┘
//! ```

use crate::codec::{Codec, Encoder, MAX_PAYLOAD, OpusOptions};
use crate::comfort_noise::{Activity, MAX_ORDER, NoiseShape, SilenceDetector};
use crate::error::MediaError;
use crate::frame::{FRAME_LEN, Frame, SAMPLE_RATE};
use crate::jitter::PayloadKind;
use crate::resample::Resampler;

/// How to send.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SenderOptions {
    /// One of [`Codec::ptimes`]; see [`Codec::nearest_ptime`].
    pub ptime_ms: u32,
    /// Send RFC 3389 comfort noise in pauses instead of audio; only where the far end accepts it. Not for Opus, which
    /// has DTX.
    pub comfort_noise: bool,
    /// Looked at for Opus alone.
    pub opus: OpusOptions,
}

impl Default for SenderOptions {
    fn default() -> Self {
        Self { ptime_ms: 20, comfort_noise: false, opus: OpusOptions::default() }
    }
}

/// A packet to be sent.
#[derive(Debug, Clone, Copy)]
pub struct EncodedPacket<'a> {
    pub payload: &'a [u8],
    /// RTP units since the first frame, modulo 2^32; add the stream's random offset.
    pub timestamp: u32,
    /// The first packet after a pause, and the first of all (RFC 3551, 4.1).
    pub marker: bool,
    pub kind: PayloadKind,
}

/// Encodes one stream. After [`Self::new`] nothing is allocated.
pub struct AudioSender {
    codec: Codec,
    encoder: Box<dyn Encoder>,
    resampler: Resampler,
    samples: Vec<f32>,
    /// Samples and RTP units in a packet.
    packet_samples: usize,
    packet_units: u32,
    timestamp: u32,
    payload: Box<[u8; MAX_PAYLOAD]>,
    pauses: Option<Pauses>,
    /// The next media packet follows a pause, or nothing.
    after_pause: bool,
}

struct Pauses {
    detector: SilenceDetector,
    speech: bool,
    pausing: bool,
    /// Level told last, and packets since.
    told: u8,
    since: u32,
}

/// In a pause the noise is told again after this, in ms, or when it changed by so much, in dB.
const NOISE_EVERY_MS: u32 = 400;
const NOISE_AT_MOST_EVERY_MS: u32 = 200;
const NOISE_CHANGE_DB: u8 = 4;

impl AudioSender {
    /// A sender at timestamp zero.
    pub fn new(codec: Codec, options: SenderOptions) -> Result<Self, MediaError> {
        if !codec.ptimes().contains(&options.ptime_ms) {
            let problem = format!("{} ms is none of {:?} for {codec}", options.ptime_ms, codec.ptimes());
            return Err(MediaError::Option { option: "ptime_ms", problem });
        }
        let encoder = codec.encoder(&options.opus)?;
        let rate = encoder.sample_rate();
        let resampler = Resampler::new(SAMPLE_RATE, rate)?;
        let packet_samples = (rate / 1_000 * options.ptime_ms) as usize;
        let pauses = (options.comfort_noise && codec != Codec::Opus).then(|| Pauses {
            detector: SilenceDetector::new(rate),
            speech: false,
            pausing: false,
            told: 0,
            since: 0,
        });
        Ok(Self {
            codec,
            encoder,
            samples: Vec::with_capacity(packet_samples + resampler.max_output(FRAME_LEN)),
            resampler,
            packet_samples,
            packet_units: codec.clock_rate() / 1_000 * options.ptime_ms,
            timestamp: 0,
            payload: Box::new([0; MAX_PAYLOAD]),
            pauses,
            after_pause: true,
        })
    }

    /// What is sent.
    pub fn codec(&self) -> Codec {
        self.codec
    }

    /// Length of a packet in milliseconds.
    pub fn ptime_ms(&self) -> u32 {
        self.packet_units * 1_000 / self.codec.clock_rate()
    }

    /// The timestamp of the next packet.
    pub fn timestamp(&self) -> u32 {
        self.timestamp
    }

    /// Takes 10 ms; calls `emit` for the packet that they complete, if any.
    pub fn push(&mut self, frame: &Frame, emit: &mut dyn FnMut(EncodedPacket<'_>)) {
        let before = self.samples.len();
        self.resampler.process(frame, &mut self.samples);
        if let Some(pauses) = &mut self.pauses {
            pauses.speech |= pauses.detector.observe(&self.samples[before..]) == Activity::Speech;
        }
        if self.samples.len() >= self.packet_samples {
            self.emit_packet(emit);
            self.samples.drain(..self.packet_samples);
            self.timestamp = self.timestamp.wrapping_add(self.packet_units);
        }
    }

    /// Lets 10 ms pass in which nothing is sent, as on hold: the timestamps go on, and a marker follows.
    pub fn skip(&mut self) {
        let block = self.packet_samples * 10 / self.ptime_ms() as usize;
        self.samples.extend(std::iter::repeat_n(0.0, block));
        self.after_pause = true;
        if self.samples.len() >= self.packet_samples {
            self.samples.drain(..self.packet_samples);
            self.timestamp = self.timestamp.wrapping_add(self.packet_units);
        }
    }

    /// Tells the loss that the far end reports, in per cent. Above zero Opus sends in-band FEC, where it may.
    pub fn set_expected_loss(&mut self, percent: u8) {
        self.encoder.set_expected_loss(percent);
    }

    /// Changes the bit rate of codecs that have a choice.
    pub fn set_bitrate(&mut self, bits_per_second: u32) {
        self.encoder.set_bitrate(bits_per_second);
    }

    fn emit_packet(&mut self, emit: &mut dyn FnMut(EncodedPacket<'_>)) {
        let timestamp = self.timestamp;
        // The encoder runs on in pauses, so that its state fits when speech comes back.
        let length =
            self.encoder.encode(&self.samples[..self.packet_samples], &mut self.payload[..]).unwrap_or(0);
        if let Some(pauses) = &mut self.pauses
            && !std::mem::take(&mut pauses.speech)
        {
            self.after_pause = true;
            if let Some(shape) = pauses.news(self.packet_units * 1_000 / self.codec.clock_rate()) {
                let mut payload = [0; 1 + MAX_ORDER];
                let length = shape.write(&mut payload);
                let kind = PayloadKind::ComfortNoise;
                emit(EncodedPacket { payload: &payload[..length], timestamp, marker: false, kind });
            }
            return;
        }
        if let Some(pauses) = &mut self.pauses {
            pauses.pausing = false;
        }
        if length == 0 {
            self.after_pause = true;
            return;
        }
        let marker = std::mem::take(&mut self.after_pause);
        emit(EncodedPacket { payload: &self.payload[..length], timestamp, marker, kind: PayloadKind::Media });
    }
}

impl Pauses {
    /// The noise, if it is to be told now, in a packet of `ptime_ms`.
    fn news(&mut self, ptime_ms: u32) -> Option<NoiseShape> {
        let shape = self.detector.shape();
        self.since += ptime_ms;
        let changed = shape.level.abs_diff(self.told) >= NOISE_CHANGE_DB;
        if self.pausing && self.since < NOISE_EVERY_MS && !(changed && self.since >= NOISE_AT_MOST_EVERY_MS) {
            return None;
        }
        self.pausing = true;
        self.since = 0;
        self.told = shape.level;
        Some(shape)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::frame::SILENCE;
    use crate::test_signal::speech;

    fn packets(sender: &mut AudioSender, signal: &[f32]) -> Vec<(u32, bool, PayloadKind, usize)> {
        let mut packets = Vec::new();
        for frame in signal.as_chunks::<FRAME_LEN>().0 {
            sender.push(frame, &mut |p| packets.push((p.timestamp, p.marker, p.kind, p.payload.len())));
        }
        packets
    }

    #[test]
    fn every_codec_and_ptime_gives_packets_of_the_right_length_and_time() {
        let signal = speech(48_000, 1.2);
        for codec in Codec::ALL {
            for ptime_ms in codec.ptimes() {
                let options = SenderOptions { ptime_ms: *ptime_ms, ..Default::default() };
                let mut sender = AudioSender::new(codec, options).unwrap();
                assert_eq!(sender.ptime_ms(), *ptime_ms);
                let packets = packets(&mut sender, &signal);
                assert_eq!(packets.len() as u32, 1_200 / ptime_ms, "{codec} {ptime_ms}");
                for (n, (timestamp, marker, kind, length)) in packets.iter().enumerate() {
                    assert_eq!(*timestamp, n as u32 * ptime_ms * codec.clock_rate() / 1_000);
                    assert_eq!((*marker, *kind), (n == 0, PayloadKind::Media));
                    if codec != Codec::Opus {
                        assert_eq!(*length as u32, 8 * ptime_ms);
                    }
                }
            }
        }
    }

    #[test]
    fn a_ptime_that_the_codec_lacks_is_refused_by_name() {
        for (codec, ptime_ms) in
            [(Codec::Opus, 30), (Codec::Pcmu, 0), (Codec::Pcmu, 15), (Codec::G722, 1_000)]
        {
            let options = SenderOptions { ptime_ms, ..Default::default() };
            let error = AudioSender::new(codec, options).err().unwrap().to_string();
            assert!(error.starts_with("ptime_ms"), "{error}");
        }
    }

    #[test]
    fn comfort_noise_takes_the_place_of_a_pause_and_a_marker_ends_it() {
        let options = SenderOptions { comfort_noise: true, ..Default::default() };
        let mut sender = AudioSender::new(Codec::Pcma, options).unwrap();
        let mut signal = speech(48_000, 1.0);
        signal.extend(std::iter::repeat_n(SILENCE, 200).flatten());
        signal.extend(speech(48_000, 1.0));
        let packets = packets(&mut sender, &signal);
        let noise = packets.iter().filter(|p| p.2 == PayloadKind::ComfortNoise).count();
        assert!((3..12).contains(&noise), "{noise} noise packets in 2 s of silence");
        let media = packets.len() - noise;
        assert!((80..125).contains(&media), "{media} media packets");
        let after = packets.windows(2).filter(|w| w[0].2 != w[1].2 && w[1].2 == PayloadKind::Media);
        assert!(after.clone().count() >= 1 && after.clone().all(|w| w[1].1));
        for w in packets.windows(2).filter(|w| w[0].2 == w[1].2 && w[0].2 == PayloadKind::Media) {
            assert!(!w[1].1);
        }
    }

    #[test]
    fn time_without_sending_shows_in_the_timestamps_and_the_marker() {
        for codec in Codec::ALL {
            let mut sender = AudioSender::new(codec, SenderOptions::default()).unwrap();
            let mut signal = vec![0.1; 480 * 7];
            let first = packets(&mut sender, &signal);
            assert_eq!(first.len(), 3);
            (0..100).for_each(|_| sender.skip());
            signal.truncate(480 * 3);
            let second = packets(&mut sender, &signal);
            let at = 1_060 * (codec.clock_rate() / 1_000);
            assert_eq!((second[0].0, second[0].1), (at, true), "{codec}");
            assert!(!second[1].1);
        }
    }

    #[test]
    fn opus_dtx_is_off_unless_asked_for() {
        let silence = vec![0.0; 48_000 * 3];
        let count = |dtx| {
            let opus = OpusOptions { dtx, ..Default::default() };
            let mut sender =
                AudioSender::new(Codec::Opus, SenderOptions { opus, ..Default::default() }).unwrap();
            packets(&mut sender, &silence).len()
        };
        assert_eq!(count(false), 150);
        assert!(count(true) < 60, "{}", count(true));
    }
}
