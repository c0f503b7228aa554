use std::time::Instant;

use super::*;
use crate::video::packet::{PacketizationMode, Packetizer, begins_key_frame, depacketize as put_together};
use crate::video::picture::Size;

fn frame(key: bool, len: usize) -> Encoded {
    let data: Vec<u8> = (0..len).map(|at| if at == 0 { u8::from(!key) } else { at as u8 }).collect();
    let captured = Instant::now();
    Encoded { codec: VideoCodec::Vp8, data: data.into(), key, timestamp: 0, size: Size::P180, captured }
}

#[test]
fn what_is_packed_comes_back_in_every_size() {
    for limit in [64, 1_120] {
        let mut packetizer =
            Packetizer::new(VideoCodec::Vp8, PacketizationMode::Single, limit, 0x7FFE).unwrap();
        for len in (1..300).chain([1_113, 1_114, 1_115, 50_000]) {
            let frame = frame(len % 7 == 0, len);
            let payloads = packetizer.packetize(&frame).unwrap();
            assert!(payloads.iter().all(|payload| payload.data.len() <= limit));
            assert!(payloads.iter().rev().skip(1).all(|payload| !payload.marker));
            assert!(payloads.last().unwrap().marker);
            let data: Vec<Bytes> = payloads.iter().map(|payload| payload.data.clone()).collect();
            assert_eq!(put_together(VideoCodec::Vp8, &data).unwrap(), frame.data);
            assert_eq!(begins_key_frame(VideoCodec::Vp8, &data[0]), frame.key);
            assert!(data[1..].iter().all(|payload| !inspect(payload).begins_picture));
        }
    }
}

#[test]
fn picture_ids_count_up_and_wrap_at_15_bits_and_key_frames_raise_keyidx() {
    let mut packetizer = Packetizer::new(VideoCodec::Vp8, PacketizationMode::Single, 1_120, 0xFFFE).unwrap();
    let descriptors: Vec<Descriptor> = [true, false, false, true]
        .map(|key| Descriptor::parse(&packetizer.packetize(&frame(key, 9)).unwrap()[0].data).unwrap())
        .into();
    let ids: Vec<u16> = descriptors.iter().filter_map(|descriptor| descriptor.picture_id).collect();
    assert_eq!(ids, [0x7FFE, 0x7FFF, 0, 1]);
    let keys: Vec<u8> = descriptors.iter().filter_map(|descriptor| descriptor.key_index).collect();
    assert_eq!(keys, [1, 1, 1, 2]);
    let layers: Vec<u8> = descriptors.iter().filter_map(|descriptor| descriptor.tl0_index).collect();
    assert_eq!(layers, [1, 2, 3, 4]);
    assert!(
        descriptors.iter().all(|descriptor| descriptor.len == OURS && descriptor.temporal_layer == Some(0))
    );
}

#[test]
fn descriptors_of_all_forms_are_read() {
    let short = Descriptor::parse(&[START, 0x00]).unwrap();
    assert_eq!((short.len, short.starts, short.picture_id), (1, true, None));
    let seven = Descriptor::parse(&[0x90, 0x80, 0x11, 0x00]).unwrap();
    assert_eq!((seven.len, seven.picture_id), (3, Some(0x11)));
    let layers = Descriptor::parse(&[0xB0, 0x70, 5, 0b0110_0011, 0]).unwrap();
    assert_eq!((layers.len, layers.tl0_index, layers.temporal_layer), (4, Some(5), Some(1)));
    assert_eq!((layers.key_index, layers.non_reference), (Some(3), true));
    for cut in [&[][..], &[0x80], &[0x80, 0x80], &[0x80, 0x80, 0x80], &[0x80, 0x40], &[0x80, 0x10]] {
        assert_eq!(Descriptor::parse(cut), None, "{cut:?}");
    }
}

#[test]
fn packets_that_are_no_frame_are_refused_in_words() {
    let packet = |bytes: &'static [u8]| Bytes::from_static(bytes);
    let cases: [(&[Bytes], &str); 6] = [
        (&[], "no byte"),
        (&[packet(&[0x10])], "no byte"),
        (&[packet(&[0x80])], "cut off"),
        (&[packet(&[0x00, 1, 2])], "does not begin"),
        (&[packet(&[0x10, 1]), packet(&[0x10, 1])], "two frames"),
        (&[packet(&[0x90, 0x80, 1, 1]), packet(&[0x80, 0x80, 2, 1])], "different frames"),
    ];
    for (payloads, words) in cases {
        let error = put_together(VideoCodec::Vp8, payloads).unwrap_err().to_string();
        assert!(error.contains(words), "{error}");
    }
}
