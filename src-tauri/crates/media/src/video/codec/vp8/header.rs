//! The uncompressed data chunk at the start of a frame (RFC 6386, 9.1).

use super::NAME;
use crate::video::error::VideoError;
use crate::video::picture::Size;

/// What a frame says of itself before it is decoded.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FrameHeader {
    /// Tells its size.
    Key(Size),
    Delta,
}

/// Whether a frame is a key frame, by its first byte.
pub fn is_key(frame: &[u8]) -> bool {
    frame.first().is_some_and(|first| first & 1 == 0)
}

impl FrameHeader {
    /// An error where it is cut off, damaged or above 4096x4096.
    pub fn parse(frame: &[u8]) -> Result<Self, VideoError> {
        let unusable = |problem: &str| VideoError::Bitstream { codec: NAME, problem: problem.into() };
        let Some(&[first, second, third]) = frame.first_chunk() else {
            return Err(unusable("frame is cut off"));
        };
        if first >> 1 & 7 > 3 {
            return Err(unusable("unknown version"));
        }
        let first_partition = u32::from(first) >> 5 | u32::from(second) << 3 | u32::from(third) << 11;
        let header = if is_key(frame) { 10 } else { 3 };
        if frame.len() < header || first_partition as usize > frame.len() - header {
            return Err(unusable("frame is cut off"));
        }
        if !is_key(frame) {
            return Ok(Self::Delta);
        }
        let Some(&[0x9D, 0x01, 0x2A, w0, w1, h0, h1]) = frame[3..].first_chunk() else {
            return Err(unusable("no start code in a key frame"));
        };
        let side = |low: u8, high: u8| u32::from(u16::from_le_bytes([low, high]) & 0x3FFF);
        let (width, height) = (side(w0, w1), side(h0, h1));
        let size = Size::new(width, height).map_err(|_| VideoError::Bitstream {
            codec: NAME,
            problem: format!("pictures of {width}x{height} are not between 1x1 and 4096x4096"),
        })?;
        Ok(Self::Key(size))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const KEY: [u8; 10] = [0x10, 0, 0, 0x9D, 0x01, 0x2A, 0x40, 0x01, 0xB4, 0x00];

    #[test]
    fn key_frames_tell_their_size_and_scaling_bits_are_no_part_of_it() {
        assert_eq!(FrameHeader::parse(&KEY).unwrap(), FrameHeader::Key(Size::P180));
        let mut scaled = KEY;
        scaled[7] |= 0xC0;
        assert_eq!(FrameHeader::parse(&scaled).unwrap(), FrameHeader::Key(Size::P180));
        assert_eq!(FrameHeader::parse(&[0x11, 0, 0]).unwrap(), FrameHeader::Delta);
    }

    #[test]
    fn cut_off_damaged_and_too_large_frames_are_refused() {
        for end in 0..KEY.len() {
            assert!(FrameHeader::parse(&KEY[..end]).is_err(), "{end} bytes");
        }
        for (at, value) in [(3, 0), (4, 0), (5, 0), (0, 0x1E), (2, 0xFF), (7, 0x3F), (9, 0x3F)] {
            let mut damaged = KEY;
            damaged[at] = value;
            assert!(FrameHeader::parse(&damaged).is_err(), "byte {at}");
        }
        let mut empty = KEY;
        (empty[6], empty[7]) = (0, 0);
        assert!(FrameHeader::parse(&empty).is_err());
    }
}
