//! From a picture to packets: as many encoders as there are layers.

use super::{Control, Encoding, MOST_LAYERS};
use crate::io::{
    clock,
    streams::{Inlet, Kind, Own, Packet, Unit, UnitMedia},
};
use sidetone_media::video::{
    ContentHint, Encoded, EncoderOptions, FramePool, MAX_PAYLOAD, MediaClock, PacketizationMode, Packetizer,
    Payload, Picture, Scaler, Size, VideoCodec, VideoEncoder, VideoError,
};
use std::time::{Duration, Instant};

/// What the sound and repairs take of what the path carries.
const BESIDES_KBIT: u32 = 80;
/// Between two tellings of the pictures' clock.
const BETWEEN_CLOCKS: Duration = Duration::from_secs(1);
/// Fewer bits for a pixel than this, and a smaller or slower picture looks better; more than the other, and a larger one does.
const POOR: f32 = 0.02;
const RICH: f32 = 0.06;
/// How long it has to be so.
const POOR_FOR: Duration = Duration::from_secs(2);
const RICH_FOR: Duration = Duration::from_secs(5);
const MOST_STEPS: u32 = 2;

pub(super) struct Encoders {
    encoding: Encoding,
    clock: MediaClock,
    layers: Vec<Layer>,
    pool: FramePool,
    hint: ContentHint,
    kbit: u32,
    /// How often size (motion) or frame rate (detail) were halved for want of bits.
    steps: u32,
    since: Option<(bool, Instant)>,
    told: Option<Instant>,
}

struct Layer {
    encoder: Option<Box<dyn VideoEncoder>>,
    size: Option<Size>,
    scaler: Scaler,
    packetizer: Option<Packetizer>,
    sequence: u16,
    kbit: u32,
    /// Of the encoder, so that a key frame that was left out is not forgotten.
    wants_key: bool,
}

impl Encoders {
    pub(super) fn new(clock: MediaClock, encoding: Encoding) -> Self {
        let sequences: [u8; 6] = clock::random().unwrap_or_default();
        let layers = (0..usize::from(encoding.layers).clamp(1, MOST_LAYERS)).map(|layer| {
            let high = sequences.get(2 * layer).copied().unwrap_or_default();
            let low = sequences.get(2 * layer + 1).copied().unwrap_or_default();
            Layer {
                encoder: None,
                size: None,
                scaler: Scaler::new(),
                packetizer: None,
                sequence: u16::from_be_bytes([high, low]),
                kbit: 0,
                wants_key: false,
            }
        });
        Self {
            clock,
            layers: layers.collect(),
            pool: FramePool::default(),
            hint: encoding.hint.unwrap_or_default(),
            kbit: encoding.start_kbit,
            steps: 0,
            since: None,
            told: None,
            encoding,
        }
    }

    /// Between two pictures.
    pub(super) fn interval(&self) -> Duration {
        let halved = if self.hint == ContentHint::Detail { self.steps } else { 0 };
        Duration::from_secs(1) / self.encoding.frames_per_second.max(1) * (1 << halved)
    }

    /// What the path carries, and what the source is like.
    pub(super) fn adapt(&mut self, now: Instant, control: &Control, content: Option<ContentHint>) {
        let hint = self.encoding.hint.or(content).unwrap_or(self.hint);
        if hint != self.hint {
            (self.hint, self.steps, self.since) = (hint, 0, None);
            self.layers.iter_mut().for_each(|layer| layer.encoder = None);
        }
        self.kbit = self.allowed(control);
        let Some(size) = self.layers.last().and_then(|layer| layer.size) else { return };
        let rate = 1.0 / self.interval().as_secs_f32();
        let each = self.kbit as f32 * 1_000.0 / (size.luma_len() as f32 * rate);
        let change = match each {
            each if each < POOR && self.steps < MOST_STEPS => Some(true),
            each if each > RICH && self.steps > 0 => Some(false),
            _ => None,
        };
        let Some(poor) = change else { return self.since = None };
        let since = match self.since {
            Some((was, since)) if was == poor => since,
            _ => now,
        };
        self.since = Some((poor, since));
        let patience = if poor { POOR_FOR } else { RICH_FOR };
        if now.saturating_duration_since(since) >= patience {
            self.steps = if poor { self.steps + 1 } else { self.steps - 1 };
            self.since = None;
        }
    }

    /// For the pictures of all layers.
    fn allowed(&self, control: &Control) -> u32 {
        let allowed = control.allowed_kbit().map(|kbit| kbit.saturating_sub(BESIDES_KBIT));
        let Encoding { min_kbit, max_kbit, .. } = self.encoding;
        allowed.unwrap_or(max_kbit).clamp(min_kbit.min(max_kbit), max_kbit)
    }

    /// They give more than the path carries now.
    pub(super) fn are_above(&self, control: &Control) -> bool {
        self.kbit > self.allowed(control)
    }

    pub(super) fn kbit(&self) -> u32 {
        self.kbit
    }

    /// Encodes and sends a picture.
    ///
    /// # Errors
    /// An encoder does not start or fails; the others' packets are sent.
    pub(super) fn send(
        &mut self,
        now: Instant,
        picture: &Picture,
        inlet: &Inlet,
        own: &Own,
        control: &Control,
    ) -> Result<(), VideoError> {
        let mode = self.encoding.packetization;
        let picture = &picture.upright(&self.pool)?;
        let wide = Size::clamped(self.encoding.width, self.encoding.height);
        // A portrait has as many pixels as a landscape.
        let bounds = if picture.height() > picture.width() { wide.turned() } else { wide };
        let halved = if self.hint == ContentHint::Motion { self.steps } else { 0 };
        let largest = self.encoding.codec.encodable(picture.size().within(bounds));
        let best = largest.divided(1 << halved).even();
        let count = self.layers.len();
        let tell = self.told.is_none_or(|told| now.saturating_duration_since(told) >= BETWEEN_CLOCKS);
        let wants_tap_key = own.taps.take_wants_key();
        let mut result = Ok(());
        for (index, layer) in self.layers.iter_mut().enumerate() {
            let is_best = index + 1 == count;
            let by = 1 << (count - 1 - index);
            let size = if by == 1 { best } else { best.divided(by).even() };
            layer.wants_key |= control.take_key(index) || (is_best && wants_tap_key);
            let kbit = share(self.kbit, index, count);
            let options = EncoderOptions {
                frames_per_second: self.encoding.frames_per_second,
                hint: self.hint,
                max_nal: (mode == PacketizationMode::Single).then_some(MAX_PAYLOAD as u32),
                ..EncoderOptions::new(size, kbit.saturating_mul(1_000), self.clock)
            };
            let encoded = match layer.encode(picture, &options, self.encoding.codec, &self.pool) {
                Ok(Some(encoded)) => encoded,
                Ok(None) => {
                    own.counters.dropped.add(1);
                    continue;
                }
                Err(error) => {
                    layer.encoder = None;
                    result = Err(error);
                    continue;
                }
            };
            let number = u8::try_from(index).unwrap_or(0);
            if tell {
                self.told = Some(now);
                inlet.clock(Kind::Video, number, encoded.timestamp, encoded.captured);
            }
            if is_best {
                own.counters.frames.add(1);
                own.counters.key_frames.add(u64::from(encoded.key));
                own.counters.set_size(encoded.size.width(), encoded.size.height());
                own.taps.offer(&Unit { at: encoded.captured, media: UnitMedia::Video(encoded.clone()) });
            }
            let mut is_first = true;
            let payloads = match layer.packetize(&encoded, mode) {
                Ok(payloads) => payloads,
                Err(error) => {
                    result = Err(error);
                    continue;
                }
            };
            for payload in payloads {
                own.counters.packets.add(1);
                own.counters.video_octets.add(payload.data.len() as u64);
                inlet.packet(Packet {
                    kind: Kind::Video,
                    layer: number,
                    sequence: layer.sequence,
                    timestamp: encoded.timestamp,
                    marker: payload.marker,
                    key: encoded.key && is_first,
                    extensions: Default::default(),
                    payload: payload.data,
                });
                layer.sequence = layer.sequence.wrapping_add(1);
                is_first = false;
            }
        }
        result
    }
}

/// Of all bits, what one layer gets: four times as many as the one below it.
fn share(kbit: u32, layer: usize, of: usize) -> u32 {
    let weight = |layer: usize| 4_u32.pow(u32::try_from(layer.min(MOST_LAYERS)).unwrap_or(0));
    let all: u32 = (0..of).map(weight).sum();
    kbit.saturating_mul(weight(layer)) / all.max(1)
}

impl Layer {
    fn packetize(&mut self, encoded: &Encoded, mode: PacketizationMode) -> Result<Vec<Payload>, VideoError> {
        let packetizer = match &mut self.packetizer {
            Some(packetizer) => packetizer,
            empty => empty.insert(Packetizer::new(encoded.codec, mode, MAX_PAYLOAD, self.sequence)?),
        };
        packetizer.packetize(encoded)
    }

    fn encode(
        &mut self,
        picture: &Picture,
        options: &EncoderOptions,
        codec: VideoCodec,
        pool: &FramePool,
    ) -> Result<Option<Encoded>, VideoError> {
        let picture = self.scaler.scale(picture, options.size, pool)?;
        let kbit = options.bitrate / 1_000;
        let encoder = match &mut self.encoder {
            Some(encoder) => {
                if self.size != Some(options.size) {
                    encoder.configure(options)?;
                } else if self.kbit != kbit {
                    encoder.set_bitrate(options.bitrate)?;
                }
                encoder
            }
            empty => empty.insert(codec.encoder(options)?),
        };
        (self.size, self.kbit) = (Some(options.size), kbit);
        let encoded = encoder.encode(&picture, self.wants_key)?;
        if encoded.is_some() {
            self.wants_key = false;
        }
        Ok(encoded)
    }
}
