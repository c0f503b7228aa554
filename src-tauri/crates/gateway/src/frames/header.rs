//! A picture as it goes to a page: 40 bytes, little endian, and then the planes Y, U and V without padding, chroma rounded up; or an
//! encoded picture, H.264 in Annex B form with its parameter sets before each key frame, VP8 and VP9 a frame.
//!
//! | at | | |
//! | --- | --- | --- |
//! | 0 | u32 | channel |
//! | 4 | u8 | what follows: 1, I420 of BT.601 in limited range; 2, H.264; 3, VP8; 4, VP9 |
//! | 5 | u8 | quarter turns clockwise before it is shown |
//! | 6 | u16 | 1 for an encoded key frame, else 0 |
//! | 8 | u32, u32 | width and height of what follows, before it is turned |
//! | 16 | u32, u32 | width and height of the stream's picture, before it is turned |
//! | 24 | u64 | when it was captured, microseconds since 1970 |
//! | 32 | u64 | how many pictures went before it on this channel |

use sidetone_media::video::{Encoded, Picture, Size, VideoCodec};
use std::time::{Instant, SystemTime, UNIX_EPOCH};

pub(crate) const LEN: usize = 40;
const I420: u8 = 1;

struct Header {
    channel: u32,
    kind: u8,
    quarter_turns: u8,
    flags: u16,
    size: Size,
    full: Size,
    captured: Instant,
    number: u64,
}

impl Header {
    fn before(&self, content: &[u8]) -> Vec<u8> {
        let mut bytes = Vec::with_capacity(LEN + content.len());
        bytes.extend_from_slice(&self.channel.to_le_bytes());
        bytes.extend_from_slice(&[self.kind, self.quarter_turns]);
        bytes.extend_from_slice(&self.flags.to_le_bytes());
        for side in [self.size.width(), self.size.height(), self.full.width(), self.full.height()] {
            bytes.extend_from_slice(&side.to_le_bytes());
        }
        bytes.extend_from_slice(&wall_clock(self.captured).to_le_bytes());
        bytes.extend_from_slice(&self.number.to_le_bytes());
        bytes.extend_from_slice(content);
        bytes
    }
}

/// One binary frame. `picture` may have been scaled down from `full`.
pub(super) fn frame(channel: u32, picture: &Picture, full: Size, number: u64) -> Vec<u8> {
    let header = Header {
        channel,
        kind: I420,
        quarter_turns: (picture.rotation().degrees() / 90) as u8,
        flags: 0,
        size: picture.size(),
        full,
        captured: picture.captured(),
        number,
    };
    header.before(picture.i420())
}

/// The same of an encoded one.
pub(super) fn encoded(channel: u32, encoded: &Encoded, number: u64) -> Vec<u8> {
    let kind = match encoded.codec {
        VideoCodec::H264 => 2,
        VideoCodec::Vp8 => 3,
        VideoCodec::Vp9 => 4,
    };
    let header = Header {
        channel,
        kind,
        quarter_turns: 0,
        flags: u16::from(encoded.key),
        size: encoded.size,
        full: encoded.size,
        captured: encoded.captured,
        number,
    };
    header.before(&encoded.data)
}

/// Microseconds since 1970 of an instant.
fn wall_clock(at: Instant) -> u64 {
    let now = SystemTime::now();
    let then = match at.checked_duration_since(Instant::now()) {
        Some(ahead) => now.checked_add(ahead),
        None => now.checked_sub(at.elapsed()),
    };
    let since = then.and_then(|then| then.duration_since(UNIX_EPOCH).ok()).unwrap_or_default();
    u64::try_from(since.as_micros()).unwrap_or(u64::MAX)
}
