//! Payloads of a picture, which are only passed through and never cut here.
#![no_main]

use libfuzzer_sys::fuzz_target;
use sidetone_fuzz::depacketizer::picture;
use sidetone_media::video::VideoCodec::Vp9;

fuzz_target!(|bytes: &[u8]| {
    let _ = picture(Vp9, bytes);
});
