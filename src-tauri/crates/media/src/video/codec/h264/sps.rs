//! The part of a sequence parameter set that tells what decoding would take (ITU-T H.264, 7.3.2.1.1).

use super::NAME;
use crate::video::error::VideoError;
use crate::video::picture::{MAX_SIDE, Size};

/// Most macroblocks of all pictures that a stream may keep for reference: level 5.2 (table A-1).
const MAX_DPB_MACROBLOCKS: u64 = 184_320;

/// Profiles that tell their chroma format.
const HIGH_PROFILES: [u8; 13] = [100, 110, 122, 244, 44, 83, 86, 118, 128, 138, 139, 134, 135];

/// What a sequence parameter set says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Sps {
    pub profile: u8,
    /// `constraint_set0_flag` is the highest bit.
    pub constraints: u8,
    pub level: u8,
    /// As shown, after cropping.
    pub size: Size,
    pub reference_frames: u32,
    /// Display order can differ from decoding order.
    pub reorders: bool,
}

impl Sps {
    /// `profile-level-id` of SDP (RFC 6184, 8.1): six hex digits.
    pub fn profile_level_id(&self) -> String {
        format!("{:02x}{:02x}{:02x}", self.profile, self.constraints, self.level)
    }

    /// Reads a NAL unit of type 7. An error where it is damaged, or asks for more than we decode: 8 bits in 4:2:0 of
    /// at most 4096x4096.
    pub fn parse(nal: &[u8]) -> Result<Self, VideoError> {
        let unusable = |problem: &str| VideoError::Bitstream { codec: NAME, problem: problem.into() };
        let mut bits = Bits::new(nal.get(4..).unwrap_or_default());
        let (Some(&first), Some(&[profile, constraints, level])) =
            (nal.first(), nal.get(1..4).and_then(|bytes| bytes.first_chunk()))
        else {
            return Err(unusable("SPS is cut off"));
        };
        if first & 0x1F != super::nal::SPS {
            return Err(unusable("not an SPS"));
        }
        let read = Self::read(&mut bits, profile).ok_or_else(|| unusable("SPS is damaged or cut off"))?;
        if read.chroma_format != 1 || read.bit_depth != 8 {
            return Err(unusable("only 8 bits in 4:2:0 are decoded"));
        }
        let (width, height) = (read.width_mbs * 16, read.height_mbs * 16);
        let most = u64::from(MAX_SIDE);
        if width > most || height > most {
            return Err(VideoError::Bitstream {
                codec: NAME,
                problem: format!("pictures of {width}x{height} are more than 4096x4096"),
            });
        }
        if read.width_mbs * read.height_mbs * u64::from(read.reference_frames.max(1)) > MAX_DPB_MACROBLOCKS {
            return Err(unusable("it keeps more reference pictures than any level allows"));
        }
        let [left, right, top, bottom] = read.crop;
        let unit_y = if read.frames_only { 2 } else { 4 };
        let width = width.checked_sub(2 * (left + right)).filter(|w| *w > 0);
        let height = height.checked_sub(unit_y * (top + bottom)).filter(|h| *h > 0);
        let (Some(width), Some(height)) = (width, height) else {
            return Err(unusable("SPS crops all of the picture"));
        };
        Ok(Self {
            profile,
            constraints,
            level,
            size: Size::new(width as u32, height as u32)?,
            reference_frames: read.reference_frames,
            reorders: read.order_type != 2 && profile != 66,
        })
    }

    fn read(bits: &mut Bits<'_>, profile: u8) -> Option<Read> {
        bits.unsigned().filter(|id| *id < 32)?;
        let (mut chroma_format, mut bit_depth) = (1, 8);
        if HIGH_PROFILES.contains(&profile) {
            chroma_format = bits.unsigned()?;
            if chroma_format == 3 {
                bits.bit()?;
            }
            bit_depth = bits.unsigned()?.max(bits.unsigned()?).saturating_add(8);
            bits.bit()?;
            if bits.bit()? {
                skip_scaling_lists(bits, if chroma_format == 3 { 12 } else { 8 })?;
            }
        }
        bits.unsigned().filter(|log| *log <= 12)?;
        let order_type = bits.unsigned()?;
        match order_type {
            0 => {
                bits.unsigned().filter(|log| *log <= 12)?;
            }
            1 => {
                bits.bit()?;
                bits.unsigned()?;
                bits.unsigned()?;
                for _ in 0..bits.unsigned().filter(|cycle| *cycle <= 255)? {
                    bits.unsigned()?;
                }
            }
            2 => {}
            _ => return None,
        }
        let reference_frames = bits.unsigned().filter(|frames| *frames <= 16)?;
        bits.bit()?;
        let width_mbs = u64::from(bits.unsigned()?) + 1;
        let map_units = u64::from(bits.unsigned()?) + 1;
        let frames_only = bits.bit()?;
        if !frames_only {
            bits.bit()?;
        }
        bits.bit()?;
        let mut crop = [0; 4];
        if bits.bit()? {
            for side in &mut crop {
                *side = u64::from(bits.unsigned()?);
            }
        }
        let height_mbs = if frames_only { map_units } else { map_units * 2 };
        Some(Read {
            chroma_format,
            bit_depth,
            order_type,
            reference_frames,
            width_mbs,
            height_mbs,
            frames_only,
            crop,
        })
    }
}

struct Read {
    chroma_format: u32,
    bit_depth: u32,
    order_type: u32,
    reference_frames: u32,
    width_mbs: u64,
    height_mbs: u64,
    frames_only: bool,
    /// Left, right, top, bottom, in crop units.
    crop: [u64; 4],
}

fn skip_scaling_lists(bits: &mut Bits<'_>, lists: usize) -> Option<()> {
    for list in 0..lists {
        if !bits.bit()? {
            continue;
        }
        let (mut last, mut next) = (8i64, 8i64);
        for _ in 0..if list < 6 { 16 } else { 64 } {
            if next != 0 {
                let code = i64::from(bits.unsigned()?);
                let delta = if code % 2 == 0 { -(code / 2) } else { code / 2 + 1 };
                next = (last + delta + 256).rem_euclid(256);
            }
            last = if next == 0 { last } else { next };
        }
    }
    Some(())
}

/// Reads bits of a unit's payload and leaves the emulation prevention bytes out (7.4.1).
struct Bits<'a> {
    bytes: &'a [u8],
    zeros: u8,
    byte: u8,
    left: u8,
}

impl<'a> Bits<'a> {
    fn new(bytes: &'a [u8]) -> Self {
        Self { bytes, zeros: 0, byte: 0, left: 0 }
    }

    fn bit(&mut self) -> Option<bool> {
        if self.left == 0 {
            let mut next = *self.bytes.split_off_first()?;
            if self.zeros >= 2 && next == 3 {
                self.zeros = 0;
                next = *self.bytes.split_off_first()?;
            }
            self.zeros = if next == 0 { self.zeros.saturating_add(1) } else { 0 };
            (self.byte, self.left) = (next, 8);
        }
        self.left -= 1;
        Some(self.byte >> self.left & 1 == 1)
    }

    /// `ue(v)` (9.1).
    fn unsigned(&mut self) -> Option<u32> {
        let mut zeros = 0;
        while !self.bit()? {
            zeros += 1;
            if zeros > 31 {
                return None;
            }
        }
        let mut value = 1u64;
        for _ in 0..zeros {
            value = value << 1 | u64::from(self.bit()?);
        }
        u32::try_from(value - 1).ok()
    }
}

#[cfg(test)]
mod tests;
