use super::*;
use crate::video::packet::{begins_key_frame, depacketize as put_together};

#[test]
fn key_frames_are_those_that_are_predicted_from_none_in_the_base_layer() {
    for (payload, key) in [
        (&[0x88, 0x11, 1][..], true),
        (&[0x88, 0x91, 0x22, 1], true),
        (&[0xC8, 0x11, 1], false),
        (&[0x80, 0x11, 1], false),
        (&[0xA8, 0x11, 0x00, 7, 1], true),
        (&[0xA8, 0x11, 0x02, 7, 1], false),
        (&[0xB8, 0x11, 0x00, 1], true),
        (&[0xD8, 0x11, 0x02, 1], false),
        (&[], false),
        (&[0xFF], false),
    ] {
        assert_eq!(begins_key_frame(VideoCodec::Vp9, payload), key, "{payload:02x?}");
    }
}

#[test]
fn scalability_structure_is_skipped_and_what_is_cut_off_is_refused() {
    // One layer with its size, a group of one picture with one reference.
    let whole = [0x8A, 0x11, 0x18, 1, 0x40, 0, 0xB4, 1, 0x04, 1, 0xAA, 0xBB];
    let descriptor = Descriptor::parse(&whole).unwrap();
    assert_eq!((descriptor.len, descriptor.picture_id), (10, Some(0x11)));
    for end in 0..10 {
        assert_eq!(Descriptor::parse(&whole[..end]), None, "{end} bytes");
    }
    assert_eq!(Descriptor::parse(&[0xD8, 1, 3, 3, 3, 3, 0]), None, "four references");
    let payloads = [Bytes::copy_from_slice(&whole), Bytes::from_static(&[0x84, 0x11, 0xCC])];
    assert_eq!(&put_together(VideoCodec::Vp9, &payloads).unwrap()[..], [0xAA, 0xBB, 0xCC]);
    assert!(put_together(VideoCodec::Vp9, &payloads[1..]).is_err());
}
