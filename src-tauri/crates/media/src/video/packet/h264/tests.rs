use std::time::Instant;

use super::*;
use crate::video::packet::{Packetizer, begins_key_frame, depacketize as put_together};
use crate::video::picture::Size;

const SPS: &[u8] = &[0x67, 0x42, 0xC0, 0x1F, 0xDA, 0x01, 0x40, 0x16, 0xE9];
const PPS: &[u8] = &[0x68, 0xCE, 0x06, 0xE2];

fn picture(units: &[&[u8]]) -> Encoded {
    let mut stream = BytesMut::new();
    units.iter().for_each(|unit| put_unit(&mut stream, unit));
    let data = stream.freeze();
    let key = nal::has_idr(&data);
    let captured = Instant::now();
    Encoded { codec: VideoCodec::H264, data, key, timestamp: 0, size: Size::P180, captured }
}

fn packetizer(mode: PacketizationMode, limit: usize) -> Packetizer {
    Packetizer::new(VideoCodec::H264, mode, limit, 0).unwrap()
}

fn unit(first: u8, len: usize) -> Vec<u8> {
    // No three bytes that look like a start code.
    (0..len).map(|at| if at == 0 { first } else { 1 + (at % 250) as u8 }).collect()
}

fn data(payloads: &[Payload]) -> Vec<Bytes> {
    payloads.iter().map(|payload| payload.data.clone()).collect()
}

#[test]
fn what_is_packed_comes_back_in_every_size() {
    for mode in [PacketizationMode::Single, PacketizationMode::NonInterleaved] {
        for limit in [64, 100, 1_120] {
            let mut packetizer = packetizer(mode, limit);
            for len in (1..260).chain([1_119, 1_120, 1_121, 1_122, 5_000]) {
                let slice = unit(0x41, len);
                let picture = picture(&[&slice, &unit(0x41, 1 + len / 3)]);
                if mode == PacketizationMode::Single && len > limit {
                    let error = packetizer.packetize(&picture).unwrap_err().to_string();
                    assert!(error.starts_with("maxNal: "), "{error}");
                    continue;
                }
                let payloads = packetizer.packetize(&picture).unwrap();
                assert!(payloads.iter().all(|payload| payload.data.len() <= limit), "{len} in {limit}");
                let markers: Vec<bool> = payloads.iter().map(|payload| payload.marker).collect();
                assert_eq!(markers.iter().filter(|marker| **marker).count(), 1);
                assert!(markers.last().unwrap());
                assert_eq!(put_together(VideoCodec::H264, &data(&payloads)).unwrap(), picture.data);
            }
        }
    }
}

#[test]
fn mode_0_sends_each_unit_alone_and_mode_1_puts_parameter_sets_together() {
    let key = picture(&[SPS, PPS, &unit(0x65, 3_000)]);
    let payloads = packetizer(PacketizationMode::NonInterleaved, 1_120).packetize(&key).unwrap();
    let kinds: Vec<u8> = payloads.iter().map(|payload| payload.data[0] & 0x1F).collect();
    assert_eq!(kinds, [STAP_A, FU_A, FU_A, FU_A]);
    let key = picture(&[SPS, PPS, &unit(0x65, 1_000), &unit(0x65, 1_000)]);
    let payloads = packetizer(PacketizationMode::Single, 1_120).packetize(&key).unwrap();
    let kinds: Vec<u8> = payloads.iter().map(|payload| payload.data[0] & 0x1F).collect();
    assert_eq!(kinds, [7, 8, 5, 5]);
}

#[test]
fn parameter_sets_stand_before_each_idr_also_where_the_encoder_gave_them_once() {
    let mut packetizer = packetizer(PacketizationMode::NonInterleaved, 1_120);
    packetizer.packetize(&picture(&[SPS, PPS, &unit(0x65, 10)])).unwrap();
    let bare = picture(&[&[9, 0x10], &unit(0x65, 10), &unit(0x65, 11)]);
    let payloads = packetizer.packetize(&bare).unwrap();
    let stream = put_together(VideoCodec::H264, &data(&payloads)).unwrap();
    let kinds: Vec<u8> = nal::units(&stream).filter_map(nal::kind).collect();
    assert_eq!(kinds, [7, 8, 5, 5], "and the delimiter is left out");
}

#[test]
fn key_frames_are_found_in_payloads_without_decoding() {
    let mut packetizer = packetizer(PacketizationMode::NonInterleaved, 200);
    let key = packetizer.packetize(&picture(&[SPS, PPS, &unit(0x65, 1_000)])).unwrap();
    assert!(begins_key_frame(VideoCodec::H264, &key[0].data));
    assert!(inspect(&key[0].data).begins_picture);
    assert!(inspect(&key[1].data).key, "the first fragment of the IDR slice");
    assert!(!inspect(&key[2].data).key, "a later fragment");
    let delta = packetizer.packetize(&picture(&[&unit(0x41, 1_000)])).unwrap();
    assert!(delta.iter().all(|payload| inspect(&payload.data) == PayloadInfo::default()));
    for junk in
        [&[][..], &[24], &[24, 0], &[24, 0, 9, 0x67], &[28], &[28, 0x85, 1], &[29, 1], &[0], &[31; 40]]
    {
        let _ = inspect(junk);
    }
}

#[test]
fn hostile_payloads_are_refused_in_words() {
    let fu = |flags: u8, kind: u8| Bytes::from(vec![0x60 | FU_A, flags | kind, 1, 2, 3]);
    let cases: [(&[Bytes], &str); 10] = [
        (&[], "no NAL unit"),
        (&[Bytes::new()], "no NAL unit"),
        (&[Bytes::from_static(&[24, 0, 0])], "STAP-A is cut off"),
        (&[Bytes::from_static(&[24, 0, 5, 0x67])], "STAP-A is cut off"),
        (&[Bytes::from_static(&[28])], "FU-A is cut off"),
        (&[fu(0, 5), fu(END, 5)], "do not fit together"),
        (&[fu(START, 5), fu(START, 5)], "do not fit together"),
        (&[fu(START, 5), fu(END, 1)], "do not fit together"),
        (&[fu(START, 5), Bytes::from_static(&[0x41, 1])], "has no end"),
        (&[Bytes::from_static(&[29, 1, 2])], "unknown kind"),
    ];
    for (payloads, words) in cases {
        let error = put_together(VideoCodec::H264, payloads).unwrap_err().to_string();
        assert!(error.contains(words), "{error}");
    }
    let stap: Vec<u8> = std::iter::once(24).chain([0, 1, 9].into_iter().cycle().take(60_000)).collect();
    let many = vec![Bytes::from(stap); 60];
    let error = put_together(VideoCodec::H264, &many).unwrap_err().to_string();
    assert!(error.contains("4 MiB"), "{error}");
}

#[test]
fn random_payloads_never_panic() {
    let mut state = 7u32;
    let mut random = move || {
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        (state >> 16) as u8
    };
    for _ in 0..20_000 {
        let payloads: Vec<Bytes> = (0..random() % 4)
            .map(|_| (0..random() % 24).map(|_| random()).collect::<Vec<u8>>().into())
            .collect();
        for codec in VideoCodec::ALL {
            let _ = put_together(codec, &payloads);
            payloads.iter().for_each(|payload| {
                let _ = crate::video::packet::inspect(codec, payload);
            });
        }
    }
}

#[test]
fn parameter_sets_go_through_sdp() {
    let stream = picture(&[SPS, PPS, &unit(0x65, 10)]).data;
    let value = sprop::to_sdp(&stream).unwrap();
    assert_eq!(value, "Z0LAH9oBQBbp,aM4G4g==");
    let sets = sprop::from_sdp("Z0LAH9oBQBbp, aM4G4g").unwrap();
    assert_eq!(nal::units(&sets).collect::<Vec<_>>(), [SPS, PPS]);
    assert_eq!(sprop::to_sdp(&[0, 0, 1, 0x65, 1]), None);
    for junk in ["", ",", "Z0LA", "!!!!", "ZUxB", &"A".repeat(5_000)] {
        assert_eq!(sprop::from_sdp(junk), None, "{junk}");
    }
}
