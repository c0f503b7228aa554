//! H.264 in packets (RFC 6184: single NAL units and FU-A), in order and without loss.

use bytes::Bytes;
use sidetone_media::video::{Encoded, Size, VideoCodec};
use std::time::Instant;

pub(super) struct Payload {
    pub(super) data: Bytes,
    pub(super) marker: bool,
}

pub(super) struct Packetizer(usize);

impl Packetizer {
    pub(super) fn new(_codec: VideoCodec, mtu: usize) -> Self {
        Self(mtu)
    }

    pub(super) fn packetize(&mut self, encoded: &Encoded) -> Vec<Payload> {
        let mut payloads = Vec::new();
        for nal in nals(&encoded.data) {
            let Some((header, body)) = nal.split_first() else { continue };
            if nal.len() <= self.0 {
                payloads.push(Payload { data: Bytes::copy_from_slice(nal), marker: false });
                continue;
            }
            let count = body.chunks(self.0 - 2).count();
            for (index, chunk) in body.chunks(self.0 - 2).enumerate() {
                let start = u8::from(index == 0) << 7 | u8::from(index + 1 == count) << 6;
                let mut data = vec![header & 0x60 | 28, start | header & 0x1f];
                data.extend_from_slice(chunk);
                payloads.push(Payload { data: data.into(), marker: false });
            }
        }
        if let Some(last) = payloads.last_mut() {
            last.marker = true;
        }
        payloads
    }
}

fn nals(data: &[u8]) -> Vec<&[u8]> {
    let mut starts = Vec::new();
    let mut at = 0;
    while let Some(found) = data.get(at..).and_then(|rest| rest.windows(3).position(|w| w == [0, 0, 1])) {
        starts.push(at + found);
        at += found + 3;
    }
    let ends = starts.iter().skip(1).copied().chain([data.len()]);
    starts
        .iter()
        .zip(ends)
        .map(|(start, end)| {
            let nal = &data[start + 3..end];
            let zeros = nal.iter().rev().take_while(|byte| **byte == 0).count();
            &nal[..nal.len() - zeros]
        })
        .collect()
}

pub(super) struct Assembler {
    data: Vec<u8>,
    key: bool,
    next: Option<u16>,
    broken: bool,
}

impl Assembler {
    pub(super) fn new() -> Self {
        Self { data: Vec::new(), key: false, next: None, broken: true }
    }

    pub(super) fn reset(&mut self) {
        *self = Self::new();
    }

    pub(super) fn push(
        &mut self,
        at: Instant,
        sequence: u16,
        timestamp: u32,
        marker: bool,
        payload: &[u8],
    ) -> Option<Encoded> {
        if self.next.replace(sequence.wrapping_add(1)).is_some_and(|next| next != sequence) {
            self.broken = true;
        }
        let (header, body) = payload.split_first()?;
        let kind = header & 0x1f;
        if kind == 28 {
            let (fu, chunk) = body.split_first()?;
            if fu & 0x80 != 0 {
                self.data.extend_from_slice(&[0, 0, 0, 1, header & 0x60 | fu & 0x1f]);
                self.key |= fu & 0x1f == 5;
            }
            self.data.extend_from_slice(chunk);
        } else {
            self.data.extend_from_slice(&[0, 0, 0, 1]);
            self.data.extend_from_slice(payload);
            self.key |= kind == 5;
        }
        if !marker {
            return None;
        }
        let (data, key) = (std::mem::take(&mut self.data), std::mem::take(&mut self.key));
        if key {
            self.broken = false;
        }
        (!self.broken).then(|| Encoded {
            codec: VideoCodec::H264,
            data: data.into(),
            key,
            timestamp,
            size: Size::P720,
            captured: at,
        })
    }
}
