//! RFC 7741.

#[cfg(test)]
mod tests;

use bytes::{BufMut, Bytes, BytesMut};

use super::{Payload, PayloadInfo, damaged};
use crate::video::codec::vp8::header::is_key;
use crate::video::codec::{Encoded, MAX_ENCODED, VideoCodec};
use crate::video::error::VideoError;

/// Bits of the first byte of a payload descriptor.
const EXTENDED: u8 = 0x80;
const NON_REFERENCE: u8 = 0x20;
const START: u8 = 0x10;
const PARTITION: u8 = 0x07;

/// Bits of its extension.
const PICTURE_ID: u8 = 0x80;
const TL0_INDEX: u8 = 0x40;
const TEMPORAL: u8 = 0x20;
const KEY_INDEX: u8 = 0x10;

/// Descriptor bytes that we write: first, extension, two of the picture id, TL0PICIDX, TID and KEYIDX.
const OURS: usize = 6;

/// Packs frames of one temporal layer, with picture ids of 15 bits, TL0PICIDX and KEYIDX.
#[derive(Debug)]
pub struct Vp8Packetizer {
    limit: usize,
    picture_id: u16,
    tl0_index: u8,
    key_index: u8,
}

impl Vp8Packetizer {
    pub(super) fn new(limit: usize, random: u16) -> Self {
        Self { limit, picture_id: random & 0x7FFF, tl0_index: 0, key_index: 0 }
    }

    pub(super) fn packetize(&mut self, encoded: &Encoded) -> Vec<Payload> {
        self.tl0_index = self.tl0_index.wrapping_add(1);
        if is_key(&encoded.data) {
            self.key_index = (self.key_index + 1) & 0x1F;
        }
        let count = encoded.data.len().div_ceil(self.limit - OURS).max(1);
        let each = encoded.data.len().div_ceil(count).max(1);
        let parts = encoded.data.chunks(each);
        let last = parts.len().saturating_sub(1);
        let payloads = parts.enumerate().map(|(at, part)| {
            let mut packet = BytesMut::with_capacity(part.len() + OURS);
            packet.put_u8(EXTENDED | if at == 0 { START } else { 0 });
            packet.put_u8(PICTURE_ID | TL0_INDEX | TEMPORAL | KEY_INDEX);
            packet.put_u16(0x8000 | self.picture_id);
            packet.put_u8(self.tl0_index);
            packet.put_u8(self.key_index);
            packet.put_slice(part);
            Payload { data: packet.freeze(), marker: at == last }
        });
        let payloads = payloads.collect();
        self.picture_id = (self.picture_id + 1) & 0x7FFF;
        payloads
    }
}

/// What stands before the frame's bytes in a payload (RFC 7741, 4.2).
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Descriptor {
    /// First packet of a partition.
    pub starts: bool,
    pub partition: u8,
    /// No later frame needs this one.
    pub non_reference: bool,
    /// 7 or 15 bits.
    pub picture_id: Option<u16>,
    pub tl0_index: Option<u8>,
    pub temporal_layer: Option<u8>,
    pub key_index: Option<u8>,
    /// Its length in bytes.
    pub len: usize,
}

impl Descriptor {
    /// `None` where it is cut off.
    pub fn parse(payload: &[u8]) -> Option<Self> {
        let first = *payload.first()?;
        let mut descriptor = Self {
            starts: first & START != 0,
            partition: first & PARTITION,
            non_reference: first & NON_REFERENCE != 0,
            len: 1,
            ..Self::default()
        };
        if first & EXTENDED == 0 {
            return Some(descriptor);
        }
        let mut rest = payload[1..].iter().copied();
        let extension = rest.next()?;
        if extension & PICTURE_ID != 0 {
            let high = rest.next()?;
            descriptor.picture_id = Some(match high & 0x80 {
                0 => u16::from(high),
                _ => u16::from(high & 0x7F) << 8 | u16::from(rest.next()?),
            });
        }
        if extension & TL0_INDEX != 0 {
            descriptor.tl0_index = Some(rest.next()?);
        }
        if extension & (TEMPORAL | KEY_INDEX) != 0 {
            let both = rest.next()?;
            descriptor.temporal_layer = (extension & TEMPORAL != 0).then_some(both >> 6);
            descriptor.key_index = (extension & KEY_INDEX != 0).then_some(both & 0x1F);
        }
        descriptor.len = payload.len() - rest.len();
        Some(descriptor)
    }

    fn starts_frame(&self) -> bool {
        self.starts && self.partition == 0
    }
}

pub(super) fn inspect(payload: &[u8]) -> PayloadInfo {
    let Some(descriptor) = Descriptor::parse(payload) else { return PayloadInfo::default() };
    let begins_picture = descriptor.starts_frame();
    PayloadInfo { begins_picture, key: begins_picture && is_key(&payload[descriptor.len..]) }
}

pub(super) fn depacketize(payloads: &[Bytes]) -> Result<Bytes, VideoError> {
    let bad = |problem| Err(damaged(VideoCodec::Vp8, problem));
    let len: usize = payloads.iter().map(Bytes::len).sum();
    if len > MAX_ENCODED {
        return bad("picture of more than 4 MiB");
    }
    let mut frame = BytesMut::with_capacity(len);
    let mut begun: Option<Descriptor> = None;
    for payload in payloads.iter().filter(|payload| !payload.is_empty()) {
        let Some(descriptor) = Descriptor::parse(payload) else {
            return bad("payload descriptor is cut off");
        };
        match begun {
            None if !descriptor.starts_frame() => return bad("the first packet does not begin a frame"),
            None => begun = Some(descriptor),
            Some(_) if descriptor.starts_frame() => return bad("two frames have one timestamp"),
            Some(first) if first.picture_id != descriptor.picture_id => {
                return bad("packets of different frames have one timestamp");
            }
            Some(_) => {}
        }
        frame.put_slice(&payload[descriptor.len..]);
    }
    if frame.is_empty() {
        return bad("no byte of a frame");
    }
    Ok(frame.freeze())
}
