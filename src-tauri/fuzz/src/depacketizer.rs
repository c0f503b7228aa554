//! Payloads of a picture, whatever their codec.

use std::time::Instant;

use bytes::Bytes;
use sidetone_media::video::{Encoded, PacketizationMode, Packetizer, Size, VideoCodec, depacketize, inspect};

/// Most bytes of a payload that is cut here.
const LIMIT: usize = 64;

/// Reads a list of payloads of one picture, a length byte before each: what one payload tells, and the picture of them
/// all, if they make one.
pub fn picture(codec: VideoCodec, bytes: &[u8]) -> Option<Bytes> {
    let mut payloads = Vec::new();
    let mut rest = bytes;
    while let Some((len, after)) = rest.split_first() {
        let (payload, after) = after.split_at(usize::from(*len).min(after.len()));
        rest = after;
        let _ = inspect(codec, payload);
        payloads.push(Bytes::copy_from_slice(payload));
    }
    let data = depacketize(codec, &payloads).ok()?;
    // A unit of H.264 may be one byte behind two of length and gets a start code of four.
    assert!(!data.is_empty() && data.len() <= bytes.len() * 5);
    Some(data)
}

/// Cuts a picture to payloads and puts it together again; `None` where there is nothing in it to send.
pub fn again(codec: VideoCodec, data: &Bytes) -> Option<Bytes> {
    let encoded = Encoded {
        codec,
        data: data.clone(),
        key: false,
        timestamp: 0,
        size: Size::P180,
        captured: Instant::now(),
    };
    let mut packetizer = Packetizer::new(codec, PacketizationMode::NonInterleaved, LIMIT, 0).unwrap();
    let payloads = packetizer.packetize(&encoded).unwrap();
    assert!(payloads.iter().all(|payload| payload.data.len() <= LIMIT && !payload.data.is_empty()));
    assert!(payloads.iter().rev().enumerate().all(|(at, payload)| payload.marker == (at == 0)));
    let payloads: Vec<_> = payloads.into_iter().map(|payload| payload.data).collect();
    (!payloads.is_empty()).then(|| depacketize(codec, &payloads).unwrap())
}
