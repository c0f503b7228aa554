mod each;
pub(super) mod stream;

use std::time::Duration;

use super::*;

#[test]
fn names_are_those_of_sdp_in_any_case() {
    for codec in VideoCodec::ALL {
        assert_eq!(codec.name().to_lowercase().parse(), Ok(codec));
    }
    let error = "H265".parse::<VideoCodec>().unwrap_err();
    assert_eq!(error.to_string(), "unknown video codec \"H265\": expected H264, VP8 or VP9");
}

#[test]
fn timestamps_count_90_000_a_second_and_wrap() {
    let epoch = Instant::now() + Duration::from_secs(10);
    let clock = MediaClock::new(epoch, u32::MAX);
    assert_eq!(clock.timestamp(epoch), u32::MAX);
    assert_eq!(clock.timestamp(epoch + Duration::from_millis(1)), 89);
    assert_eq!(clock.timestamp(epoch - Duration::from_millis(1)), u32::MAX - 90);
    let long = Duration::from_secs(100_000);
    assert_eq!(clock.timestamp(epoch + long), (100_000u64 * 90_000 - 1) as u32);
}

#[test]
fn a_codec_that_is_not_built_is_refused_with_its_reason() {
    let options = EncoderOptions::new(Size::P180, 300_000, MediaClock::new(Instant::now(), 0));
    for codec in VideoCodec::ALL {
        let info = codec.info();
        assert_eq!(info.codec, codec);
        assert_eq!(codec.encoder(&options).is_ok(), info.encode, "{codec}");
        assert_eq!(codec.decoder().is_ok(), info.decode, "{codec}");
    }
    let error = VideoCodec::Vp9.decoder().err().unwrap();
    assert!(error.to_string().starts_with("VP9 is not available: "), "{error}");
}
