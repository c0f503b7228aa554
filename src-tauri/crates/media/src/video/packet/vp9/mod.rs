//! RFC 9628, as far as passing VP9 through needs it: where a frame begins and whether it is a key frame.

#[cfg(test)]
mod tests;

use bytes::{BufMut, Bytes, BytesMut};

use super::{PayloadInfo, damaged};
use crate::video::codec::{MAX_ENCODED, VideoCodec};
use crate::video::error::VideoError;

/// Bits of the first byte (RFC 9628, 4.2).
const PICTURE_ID: u8 = 0x80;
const INTER_PREDICTED: u8 = 0x40;
const LAYERS: u8 = 0x20;
const FLEXIBLE: u8 = 0x10;
const BEGINS: u8 = 0x08;
const SCALABILITY: u8 = 0x02;

/// Most reference indices of a frame, and most pictures of a group.
const MAX_REFERENCES: usize = 3;

/// The payload descriptor.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Descriptor {
    /// First packet of a frame of one spatial layer.
    pub begins: bool,
    pub inter_predicted: bool,
    /// 7 or 15 bits.
    pub picture_id: Option<u16>,
    pub temporal_layer: u8,
    pub spatial_layer: u8,
    /// Its length in bytes.
    pub len: usize,
}

impl Descriptor {
    /// `None` where it is cut off.
    pub fn parse(payload: &[u8]) -> Option<Self> {
        let mut rest = payload.iter().copied();
        let first = rest.next()?;
        let mut descriptor = Self {
            begins: first & BEGINS != 0,
            inter_predicted: first & INTER_PREDICTED != 0,
            ..Self::default()
        };
        if first & PICTURE_ID != 0 {
            let high = rest.next()?;
            descriptor.picture_id = Some(match high & 0x80 {
                0 => u16::from(high),
                _ => u16::from(high & 0x7F) << 8 | u16::from(rest.next()?),
            });
        }
        if first & LAYERS != 0 {
            let layers = rest.next()?;
            descriptor.temporal_layer = layers >> 5;
            descriptor.spatial_layer = layers >> 1 & 7;
            if first & FLEXIBLE == 0 {
                rest.next()?;
            }
        }
        if first & FLEXIBLE != 0 && first & INTER_PREDICTED != 0 {
            for count in 1.. {
                let reference = rest.next()?;
                if reference & 1 == 0 {
                    break;
                }
                if count == MAX_REFERENCES {
                    return None;
                }
            }
        }
        if first & SCALABILITY != 0 {
            skip_scalability(&mut rest)?;
        }
        descriptor.len = payload.len() - rest.len();
        Some(descriptor)
    }

    fn starts_picture(&self) -> bool {
        self.begins && self.spatial_layer == 0
    }
}

fn skip_scalability(rest: &mut impl Iterator<Item = u8>) -> Option<()> {
    let header = rest.next()?;
    let layers = usize::from(header >> 5) + 1;
    if header & 0x10 != 0 {
        rest.nth(layers * 4 - 1)?;
    }
    if header & 0x08 != 0 {
        for _ in 0..rest.next()? {
            let references = usize::from(rest.next()? >> 2 & 3);
            if references > 0 {
                rest.nth(references - 1)?;
            }
        }
    }
    Some(())
}

/// A picture that is predicted from none begins with its base layer.
pub(super) fn inspect(payload: &[u8]) -> PayloadInfo {
    let Some(descriptor) = Descriptor::parse(payload) else { return PayloadInfo::default() };
    let begins_picture = descriptor.starts_picture();
    PayloadInfo { begins_picture, key: begins_picture && !descriptor.inter_predicted }
}

pub(super) fn depacketize(payloads: &[Bytes]) -> Result<Bytes, VideoError> {
    let bad = |problem| Err(damaged(VideoCodec::Vp9, problem));
    let len: usize = payloads.iter().map(Bytes::len).sum();
    if len > MAX_ENCODED {
        return bad("picture of more than 4 MiB");
    }
    let mut frame = BytesMut::with_capacity(len);
    for payload in payloads.iter().filter(|payload| !payload.is_empty()) {
        let Some(descriptor) = Descriptor::parse(payload) else {
            return bad("payload descriptor is cut off");
        };
        if frame.is_empty() && !descriptor.starts_picture() {
            return bad("the first packet does not begin a picture");
        }
        frame.put_slice(&payload[descriptor.len..]);
    }
    if frame.is_empty() {
        return bad("no byte of a frame");
    }
    Ok(frame.freeze())
}
