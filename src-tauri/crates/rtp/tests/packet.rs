//! RTP and RTCP on the wire.
#![allow(clippy::unwrap_used)]

use std::time::{Duration, UNIX_EPOCH};

use sidetone_rtp::comfort_noise::{ComfortNoise, quantise};
use sidetone_rtp::rtcp::{
    Compound, Packet, ReportBlock, SenderInfo, write_application, write_goodbye, write_receiver_report,
    write_sender_report, write_source_description,
};
use sidetone_rtp::{Error, Extension, KeepAlive, NtpTime, WirePacket, is_rtcp};

fn full<'a>() -> WirePacket<'a> {
    WirePacket {
        marker: true,
        payload_type: 96,
        sequence: 0xfffe,
        timestamp: 0xdead_beef,
        ssrc: 0x0102_0304,
        csrc: &[0, 0, 0, 1, 0, 0, 0, 2],
        extension: Some(Extension { profile: 0xbede, data: &[1, 2, 3, 4] }),
        payload: b"voice",
    }
}

#[test]
fn a_packet_with_sources_extension_and_padding_reads_as_written() {
    let mut out = Vec::new();
    full().write(3, &mut out);
    assert_eq!(out.len(), 12 + 8 + 8 + 5 + 3);
    assert_eq!(out[..2], [0xb2, 0xe0]);
    assert_eq!(WirePacket::parse(&out), Ok(full()));
}

#[test]
fn every_truncation_is_an_error_or_a_shorter_payload() {
    let mut out = Vec::new();
    full().write(0, &mut out);
    for len in 0..28 {
        assert!(matches!(WirePacket::parse(&out[..len]), Err(Error::TooShort { .. })), "{len}");
    }
    for len in 28..out.len() {
        assert_eq!(WirePacket::parse(&out[..len]).unwrap().payload.len(), len - 28);
    }
}

#[test]
fn a_bad_header_is_refused_by_name() {
    let mut out = Vec::new();
    full().write(0, &mut out);
    out[0] = out[0] & 0x3f | 0x40;
    assert_eq!(WirePacket::parse(&out), Err(Error::Version(1)));
    let mut padded = vec![0xa0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0, 7, 7];
    assert_eq!(WirePacket::parse(&padded), Err(Error::Padding(7)));
    padded[13] = 0;
    assert_eq!(WirePacket::parse(&padded), Err(Error::Padding(0)));
    padded[13] = 2;
    assert_eq!(WirePacket::parse(&padded).unwrap().payload, b"");
    assert_eq!(WirePacket::parse(&padded[..12]), Err(Error::Padding(0)));
    let short = [0x81, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0];
    assert_eq!(
        WirePacket::parse(&short),
        Err(Error::TooShort { field: "RTP CSRC list", needed: 4, available: 0 })
    );
}

#[test]
fn rtcp_is_told_from_rtp_on_a_shared_port() {
    for packet_type in [192, 200, 201, 202, 203, 204, 205, 206, 207, 223] {
        assert!(is_rtcp(&[0x80, packet_type, 0, 0]));
    }
    for second in [0, 8, 13, 96, 127, 0x80, 0x80 | 8, 191, 0x80 | 96, 255] {
        assert!(!is_rtcp(&[0x80, second, 0, 0]));
    }
    assert!(!is_rtcp(&[]) && !is_rtcp(&[0x80]) && !is_rtcp(&[0x00, 200]));
}

fn block() -> ReportBlock {
    ReportBlock {
        ssrc: 2,
        fraction_lost: 64,
        cumulative_lost: -5,
        highest_sequence: 0x0001_0005,
        jitter: 33,
        last_sr: 0x1234_5678,
        delay: 65_536,
    }
}

fn compound() -> Vec<u8> {
    let info = SenderInfo { ntp: NtpTime(0x1122_3344_5566_7788), rtp_timestamp: 9, packets: 10, octets: 11 };
    let mut out = Vec::new();
    write_sender_report(1, &info, &[block(), block()], &mut out);
    write_source_description(1, "someone@host", &mut out);
    write_application(5, 1, *b"test", b"xyz", &mut out);
    write_goodbye(&[1, 7], Some("bye now"), &mut out);
    out
}

#[test]
fn a_compound_reads_as_written() {
    let bytes = compound();
    let packets: Vec<Packet<'_>> = Compound::parse(&bytes).unwrap().packets().collect();
    let [Packet::SenderReport { ssrc: 1, info, blocks }, sdes, application, goodbye] = &packets[..] else {
        panic!("{packets:?}")
    };
    assert_eq!((info.packets, info.octets, info.ntp.middle()), (10, 11, 0x3344_5566));
    assert_eq!(blocks.iter().collect::<Vec<_>>(), [block(), block()]);
    let Packet::SourceDescription(chunks) = sdes else { panic!("{sdes:?}") };
    let chunk = chunks.iter().next().unwrap();
    assert_eq!((chunk.ssrc, chunk.items.cname()), (1, Some(&b"someone@host"[..])));
    assert_eq!(
        *application,
        Packet::Application { subtype: 5, ssrc: 1, name: *b"test", data: &b"xyz\0"[..] }
    );
    let Packet::Goodbye(goodbye) = goodbye else { panic!("{goodbye:?}") };
    assert_eq!(goodbye.sources().collect::<Vec<_>>(), [1, 7]);
    assert_eq!(goodbye.reason, Some(&b"bye now"[..]));
}

#[test]
fn every_truncation_of_a_compound_inside_a_packet_is_refused() {
    let bytes = compound();
    let mut whole = 0;
    for len in 0..bytes.len() {
        whole += usize::from(Compound::parse(&bytes[..len]).is_ok());
    }
    assert_eq!(whole, 3);
}

#[test]
fn a_compound_must_begin_with_a_report() {
    let mut out = Vec::new();
    write_goodbye(&[1], None, &mut out);
    assert!(matches!(Compound::parse(&out), Err(Error::Malformed(_))));
    assert!(matches!(Compound::parse(&[]), Err(Error::TooShort { .. })));
}

#[test]
fn padding_is_allowed_on_the_last_packet_only() {
    let mut out = Vec::new();
    write_receiver_report(1, &[], &mut out);
    let mut last = out.clone();
    last[0] |= 0x20;
    last[3] += 1;
    last.extend([0, 0, 0, 4]);
    assert!(Compound::parse(&last).is_ok());
    let both = [last.clone(), out.clone()].concat();
    assert!(matches!(Compound::parse(&both), Err(Error::Padding(4))));
    for bad in [0, 3, 5, 16] {
        *last.last_mut().unwrap() = bad;
        assert_eq!(Compound::parse(&last).err(), Some(Error::Padding(bad)));
    }
}

#[test]
fn counts_beyond_the_packet_are_refused() {
    let mut out = Vec::new();
    write_receiver_report(1, &[block()], &mut out);
    for (count, fits) in [(0u8, true), (1, true), (2, false), (31, false)] {
        out[0] = 0x80 | count;
        assert_eq!(Compound::parse(&out).is_ok(), fits, "{count}");
    }
    let head = {
        let mut out = Vec::new();
        write_receiver_report(1, &[], &mut out);
        out
    };
    let refused: [&[u8]; 5] = [
        &[0x82, 202, 0, 2, 0, 0, 0, 1, 1, 2, b'a', 0],
        &[0x81, 202, 0, 2, 0, 0, 0, 1, 1, 9, b'a', 0],
        &[0x81, 202, 0, 1, 0, 0, 0, 1],
        &[0x81, 203, 0, 2, 0, 0, 0, 1, 9, b'a', 0, 0],
        &[0x81, 204, 0, 1, 0, 0, 0, 1],
    ];
    for tail in refused {
        let error = Compound::parse(&[&head, tail].concat()).err();
        assert!(matches!(error, Some(Error::TooShort { .. })), "{tail:?}: {error:?}");
    }
}

#[test]
fn texts_longer_than_their_length_byte_are_cut_at_a_character() {
    let name = "é".repeat(200);
    let mut out = Vec::new();
    write_receiver_report(1, &[], &mut out);
    write_source_description(1, &name, &mut out);
    let compound = Compound::parse(&out).unwrap();
    let cname = compound.packets().find_map(|packet| match packet {
        Packet::SourceDescription(chunks) => chunks.iter().next().and_then(|chunk| chunk.items.cname()),
        _ => None,
    });
    assert_eq!(cname.map(<[u8]>::len), Some(254));
}

#[test]
fn loss_beyond_24_bits_is_clamped() {
    for (lost, read) in [(i32::MAX, 0x7f_ffff), (i32::MIN, -0x80_0000), (-1, -1), (0, 0)] {
        let mut out = Vec::new();
        write_receiver_report(1, &[ReportBlock { cumulative_lost: lost, ..block() }], &mut out);
        let Some(Packet::ReceiverReport { blocks, .. }) = Compound::parse(&out).unwrap().packets().next()
        else {
            panic!("no report")
        };
        assert_eq!(blocks.iter().next().unwrap().cumulative_lost, read);
    }
}

#[test]
fn ntp_time_counts_from_1900() {
    let time = NtpTime::from_wallclock(UNIX_EPOCH + Duration::from_millis(1500));
    assert_eq!(time, NtpTime(2_208_988_801 << 32 | 0x8000_0000));
    assert_eq!(NtpTime::from_wallclock(UNIX_EPOCH - Duration::from_secs(9)), NtpTime(2_208_988_800 << 32));
}

#[test]
fn comfort_noise_reads_as_written() {
    let noise = ComfortNoise { level: 60, coefficients: &[127, 0, 254] };
    let mut out = Vec::new();
    noise.write(&mut out);
    assert_eq!(ComfortNoise::parse(&out), Ok(noise));
    let reflection: Vec<f32> = noise.reflection().collect();
    assert_eq!(reflection[0], 0.0);
    assert!((reflection[1] + 1.0).abs() < 0.001 && (reflection[2] - 1.0).abs() < 0.001);
    assert_eq!(reflection.into_iter().map(quantise).collect::<Vec<_>>(), [127, 0, 254]);
    assert_eq!(ComfortNoise::parse(&[0xff]).unwrap().level, 127);
    assert!(ComfortNoise::parse(&[]).is_err());
}

#[test]
fn the_keep_alive_is_the_least_intrusive_one() {
    assert_eq!(KeepAlive::choose(true, Some(13), |_| false), KeepAlive::Off);
    assert_eq!(KeepAlive::choose(false, Some(13), |_| false), KeepAlive::ComfortNoise { payload_type: 13 });
    let taken = |number| number == 127;
    assert_eq!(KeepAlive::choose(false, None, taken), KeepAlive::UnknownPayloadType { payload_type: 126 });
    assert_eq!(KeepAlive::choose(false, None, |_| true), KeepAlive::EmptyDatagram);
}
