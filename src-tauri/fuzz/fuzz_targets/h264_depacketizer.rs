//! A list of payloads of one picture, a length byte before each: what one payload tells, and the picture of them all.
#![no_main]

use libfuzzer_sys::fuzz_target;
use sidetone_media::video::VideoCodec::{self, H264};
use sidetone_media::video::{depacketize, inspect};

const CODEC: VideoCodec = H264;

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

/// What was put together is cut up and put together again.
fn check(data: bytes::Bytes) {
    use sidetone_media::video::codec::h264::{nal, sps::Sps};
    use sidetone_media::video::{Encoded, PacketizationMode, Packetizer, Size};

    for unit in nal::units(&data) {
        assert!(!unit.is_empty());
        if let Ok(sps) = Sps::parse(unit) {
            assert!(sps.size.width() <= 4096 && sps.size.height() <= 4096);
        }
    }
    let captured = std::time::Instant::now();
    let encoded = Encoded { codec: CODEC, data, key: false, timestamp: 0, size: Size::P180, captured };
    let mut packetizer = Packetizer::new(CODEC, PacketizationMode::NonInterleaved, 64, 0).unwrap();
    let payloads = packetizer.packetize(&encoded).unwrap();
    assert!(payloads.iter().all(|payload| payload.data.len() <= 64 && !payload.data.is_empty()));
    if !payloads.is_empty() {
        let payloads: Vec<_> = payloads.into_iter().map(|payload| payload.data).collect();
        let _ = depacketize(CODEC, &payloads);
    }
}
