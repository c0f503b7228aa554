//! A list of payloads of one picture, a length byte before each: what one payload tells, and the picture of them all.
#![no_main]

use libfuzzer_sys::fuzz_target;
use sidetone_media::video::VideoCodec::{self, Vp9};
use sidetone_media::video::{depacketize, inspect};

const CODEC: VideoCodec = Vp9;

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
    assert!(!data.is_empty());
}
