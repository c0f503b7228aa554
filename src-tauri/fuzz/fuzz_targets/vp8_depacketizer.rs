//! A list of payloads of one picture, a length byte before each: what one payload tells, and the picture of them all.
#![no_main]

use libfuzzer_sys::fuzz_target;
use sidetone_media::video::VideoCodec::{self, Vp8};
use sidetone_media::video::{depacketize, inspect};

const CODEC: VideoCodec = Vp8;

fuzz_target!(|bytes: &[u8]| {
    let mut payloads = Vec::new();
    let mut rest = bytes;
    while let Some((len, after)) = rest.split_first() {
        let (payload, after) = after.split_at(usize::from(*len).min(after.len()));
        rest = after;
        let _ = inspect(CODEC, payload);
        payloads.push(bytes::Bytes::copy_from_slice(payload));
    }
    if let Ok(data) = depacketize(CODEC, &payloads) {
        assert!(!data.is_empty() && data.len() <= bytes.len() * 5);
        check(data);
    }
});

fn check(data: bytes::Bytes) {
    use sidetone_media::video::codec::vp8::header::FrameHeader;
    use sidetone_media::video::{Encoded, PacketizationMode, Packetizer, Size};

    if let Ok(FrameHeader::Key(size)) = FrameHeader::parse(&data) {
        assert!(size.width() <= 4096 && size.height() <= 4096);
    }
    let captured = std::time::Instant::now();
    let encoded = Encoded { codec: CODEC, data, key: false, timestamp: 0, size: Size::P180, captured };
    let mut packetizer = Packetizer::new(CODEC, PacketizationMode::Single, 64, 0).unwrap();
    let payloads: Vec<_> =
        packetizer.packetize(&encoded).unwrap().into_iter().map(|payload| payload.data).collect();
    assert!(payloads.iter().all(|payload| payload.len() <= 64));
    assert_eq!(depacketize(CODEC, &payloads).unwrap(), encoded.data);
}
