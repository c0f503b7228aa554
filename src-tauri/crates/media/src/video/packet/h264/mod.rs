//! RFC 6184: single NAL units, STAP-A and FU-A.

pub mod sprop;
#[cfg(test)]
mod tests;

use bytes::{BufMut, Bytes, BytesMut};

use super::{PacketizationMode, Payload, PayloadInfo, damaged};
use crate::video::codec::h264::nal;
use crate::video::codec::{Encoded, MAX_ENCODED, VideoCodec};
use crate::video::error::VideoError;

/// Types of payload (RFC 6184, table 1).
const STAP_A: u8 = 24;
const FU_A: u8 = 28;

/// `nal_ref_idc` in the first byte of a unit, with the forbidden bit.
const REFERENCE_BITS: u8 = 0xE0;
const START: u8 = 0x80;
const END: u8 = 0x40;

/// Packs access units. Parameter sets go before each IDR slice, also where the encoder gave them only once.
#[derive(Debug)]
pub struct H264Packetizer {
    mode: PacketizationMode,
    limit: usize,
    sps: Option<Bytes>,
    pps: Option<Bytes>,
}

impl H264Packetizer {
    pub(super) fn new(mode: PacketizationMode, limit: usize) -> Self {
        Self { mode, limit, sps: None, pps: None }
    }

    pub(super) fn packetize(&mut self, encoded: &Encoded) -> Result<Vec<Payload>, VideoError> {
        let units = self.units(&encoded.data);
        let mut payloads = Vec::new();
        let mut at = 0;
        while let Some(unit) = units.get(at) {
            if unit.len() > self.limit {
                if self.mode == PacketizationMode::Single {
                    return Err(VideoError::Option {
                        option: "maxNal",
                        problem: format!("a NAL unit of {} bytes does not fit in {}", unit.len(), self.limit),
                    });
                }
                fragment(unit, self.limit, &mut payloads);
                at += 1;
                continue;
            }
            let together = self.together(&units[at..]);
            if together > 1 {
                payloads.push(aggregate(&units[at..at + together]));
            } else {
                payloads.push(unit.clone());
            }
            at += together;
        }
        let last = payloads.len().saturating_sub(1);
        let marked = |(at, data)| Payload { data, marker: at == last };
        Ok(payloads.into_iter().enumerate().map(marked).collect())
    }

    /// What is to be sent: without delimiters, parameter sets before an IDR slice.
    fn units(&mut self, stream: &Bytes) -> Vec<Bytes> {
        let mut units: Vec<Bytes> = Vec::new();
        let (mut has_sps, mut has_pps) = (false, false);
        for unit in nal::units(stream) {
            let unit = stream.slice_ref(unit);
            match nal::kind(&unit) {
                Some(nal::SPS) => (has_sps, self.sps) = (true, Some(unit.clone())),
                Some(nal::PPS) => (has_pps, self.pps) = (true, Some(unit.clone())),
                Some(nal::IDR_SLICE) => {
                    // Remembered ones are wanted once, in front of the first slice.
                    let missing = [(&mut has_sps, &self.sps), (&mut has_pps, &self.pps)];
                    for (has, set) in missing {
                        if !std::mem::replace(has, true) {
                            units.extend(set.clone());
                        }
                    }
                }
                Some(1..=23) if nal::kind(&unit) != Some(nal::ACCESS_UNIT_DELIMITER) => {}
                _ => continue,
            }
            units.push(unit);
        }
        units
    }

    /// How many of the first units go in one packet, at least 1.
    fn together(&self, units: &[Bytes]) -> usize {
        if self.mode == PacketizationMode::Single {
            return 1;
        }
        let mut len = 1;
        let fitting = units.iter().take_while(|unit| {
            len += 2 + unit.len();
            len <= self.limit
        });
        fitting.count().max(1)
    }
}

fn aggregate(units: &[Bytes]) -> Bytes {
    let len = units.iter().map(|unit| unit.len() + 2).sum::<usize>() + 1;
    let mut packet = BytesMut::with_capacity(len);
    let importance = units.iter().filter_map(|unit| unit.first()).map(|first| first & 0x60).max();
    let forbidden = units.iter().filter_map(|unit| unit.first()).fold(0, |bits, first| bits | first & 0x80);
    packet.put_u8(importance.unwrap_or(0) | forbidden | STAP_A);
    for unit in units {
        packet.put_u16(unit.len() as u16);
        packet.put_slice(unit);
    }
    packet.freeze()
}

fn fragment(unit: &Bytes, limit: usize, payloads: &mut Vec<Bytes>) {
    let (first, body) = (unit[0], &unit[1..]);
    // All of about the same length: a short last one would be as easily lost as a long one.
    let count = body.len().div_ceil(limit - 2).max(2);
    let each = body.len().div_ceil(count);
    let last = body.len().div_ceil(each.max(1)).saturating_sub(1);
    for (at, part) in body.chunks(each.max(1)).enumerate() {
        let mut packet = BytesMut::with_capacity(part.len() + 2);
        let flags = if at == 0 { START } else { 0 } | if at == last { END } else { 0 };
        packet.put_u8(first & REFERENCE_BITS | FU_A);
        packet.put_u8(flags | first & 0x1F);
        packet.put_slice(part);
        payloads.push(packet.freeze());
    }
}

/// The units of a STAP-A; `None` where a length does not fit.
fn aggregated(payload: &[u8]) -> impl Iterator<Item = Option<&[u8]>> {
    let mut rest = payload.get(1..).unwrap_or_default();
    std::iter::from_fn(move || {
        if rest.is_empty() {
            return None;
        }
        let unit = rest.split_first_chunk::<2>().and_then(|(length, after)| {
            let length = usize::from(u16::from_be_bytes(*length));
            (length > 0).then_some(())?;
            Some((after.get(..length)?, &after[length..]))
        });
        rest = unit.map_or(&[][..], |(_, after)| after);
        Some(unit.map(|(unit, _)| unit))
    })
}

/// A parameter set or delimiter begins a picture for certain; that and an IDR slice make it a key frame.
pub(super) fn inspect(payload: &[u8]) -> PayloadInfo {
    let of_unit = |kind: u8| PayloadInfo {
        begins_picture: matches!(kind, nal::SPS | nal::ACCESS_UNIT_DELIMITER),
        key: matches!(kind, nal::SPS | nal::IDR_SLICE),
    };
    let Some(kind) = nal::kind(payload) else { return PayloadInfo::default() };
    match kind {
        1..=23 => of_unit(kind),
        STAP_A => {
            let mut kinds = aggregated(payload).map_while(|unit| unit.and_then(nal::kind)).map(of_unit);
            let first = kinds.next().unwrap_or_default();
            kinds.fold(first, |all, unit| PayloadInfo { key: all.key || unit.key, ..all })
        }
        FU_A => match payload.get(1) {
            Some(header) if header & START != 0 => of_unit(header & 0x1F),
            _ => PayloadInfo::default(),
        },
        _ => PayloadInfo::default(),
    }
}

pub(super) fn depacketize(payloads: &[Bytes]) -> Result<Bytes, VideoError> {
    let bad = |problem| Err(damaged(VideoCodec::H264, problem));
    let len: usize = payloads.iter().map(|payload| payload.len() + nal::START_CODE.len()).sum();
    if len > MAX_ENCODED {
        return bad("picture of more than 4 MiB");
    }
    let mut stream = BytesMut::with_capacity(len);
    let mut fragment: Option<u8> = None;
    for payload in payloads.iter().filter(|payload| !payload.is_empty()) {
        let kind = payload[0] & 0x1F;
        if fragment.is_some() && kind != FU_A {
            return bad("a fragmented NAL unit has no end");
        }
        match kind {
            1..=23 => put_unit(&mut stream, payload),
            STAP_A => {
                for unit in aggregated(payload) {
                    let Some(unit) = unit else { return bad("STAP-A is cut off") };
                    put_unit(&mut stream, unit);
                }
            }
            FU_A => {
                let Some(&[indicator, header]) = payload.first_chunk() else { return bad("FU-A is cut off") };
                let unit = indicator & REFERENCE_BITS | header & 0x1F;
                match (header & START != 0, fragment) {
                    (true, None) => put_unit(&mut stream, &[unit]),
                    (false, Some(begun)) if begun & 0x1F == unit & 0x1F => {}
                    _ => return bad("fragments of a NAL unit do not fit together"),
                }
                stream.put_slice(&payload[2..]);
                fragment = (header & END == 0).then_some(unit);
            }
            _ => return bad("unknown kind of payload"),
        }
        // Units of one byte in aggregates grow by their start codes.
        if stream.len() > MAX_ENCODED {
            return bad("picture of more than 4 MiB");
        }
    }
    if fragment.is_some() {
        return bad("a fragmented NAL unit has no end");
    }
    if stream.is_empty() {
        return bad("no NAL unit");
    }
    Ok(stream.freeze())
}

fn put_unit(stream: &mut BytesMut, unit: &[u8]) {
    stream.put_slice(&nal::START_CODE);
    stream.put_slice(unit);
}
