//! Payloads of a picture; what was put together is cut up and put together again; parameter sets.
#![no_main]

use libfuzzer_sys::fuzz_target;
use sidetone_fuzz::depacketizer::{again, picture};
use sidetone_media::video::VideoCodec::H264;
use sidetone_media::video::codec::h264::{nal, sps::Sps};

fuzz_target!(|bytes: &[u8]| {
    let Some(data) = picture(H264, bytes) else { return };
    for unit in nal::units(&data) {
        assert!(!unit.is_empty());
        if let Ok(sps) = Sps::parse(unit) {
            assert!(sps.size.width() <= 4096 && sps.size.height() <= 4096);
        }
    }
    // Delimiters and units of no kind are not sent.
    let sent = |unit: &&[u8]| matches!(nal::kind(unit), Some(1..=8 | 10..=23));
    let expected: Vec<&[u8]> = nal::units(&data).filter(sent).collect();
    let again = again(H264, &data).unwrap_or_default();
    assert_eq!(nal::units(&again).collect::<Vec<_>>(), expected);
});
