//! A picture as it goes to a page: 40 bytes, little endian, and then the planes Y, U and V without padding, chroma rounded up.
//!
//! | at | | |
//! | --- | --- | --- |
//! | 0 | u32 | channel |
//! | 4 | u8 | what follows: 1, I420 of BT.601 in limited range |
//! | 5 | u8 | quarter turns clockwise before it is shown |
//! | 6 | u16 | 0 |
//! | 8 | u32, u32 | width and height of what follows, before it is turned |
//! | 16 | u32, u32 | width and height of the stream's picture, before it is turned |
//! | 24 | u64 | when it was captured, microseconds since 1970 |
//! | 32 | u64 | how many pictures went before it on this channel |

use sidetone_media::video::{Picture, Size};
use std::time::{Instant, SystemTime, UNIX_EPOCH};

pub(crate) const LEN: usize = 40;
const I420: u8 = 1;

/// One binary frame. `picture` may have been scaled down from `full`.
pub(super) fn frame(channel: u32, picture: &Picture, full: Size, number: u64) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(LEN + picture.size().i420_len());
    bytes.extend_from_slice(&channel.to_le_bytes());
    bytes.push(I420);
    bytes.push((picture.rotation().degrees() / 90) as u8);
    bytes.extend_from_slice(&[0, 0]);
    for side in [picture.width(), picture.height(), full.width(), full.height()] {
        bytes.extend_from_slice(&side.to_le_bytes());
    }
    bytes.extend_from_slice(&wall_clock(picture.captured()).to_le_bytes());
    bytes.extend_from_slice(&number.to_le_bytes());
    bytes.extend_from_slice(picture.i420());
    bytes
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
