//! Payloads of a picture; what was put together is cut up and put together again; its header.
#![no_main]

use libfuzzer_sys::fuzz_target;
use sidetone_fuzz::depacketizer::{again, picture};
use sidetone_media::video::VideoCodec::Vp8;
use sidetone_media::video::codec::vp8::header::FrameHeader;

fuzz_target!(|bytes: &[u8]| {
    let Some(data) = picture(Vp8, bytes) else { return };
    if let Ok(FrameHeader::Key(size)) = FrameHeader::parse(&data) {
        assert!(size.width() <= 4096 && size.height() <= 4096);
    }
    assert_eq!(again(Vp8, &data), Some(data));
});
