//! Streams that no honest sender makes.
#![allow(clippy::unwrap_used)]

mod network;

use std::time::{Duration, Instant};

use network::{Random, speech};
use sidetone_media::{
    AudioReceiver, AudioSender, Codec, FRAME_LEN, PayloadKind, Played, ReceivedPacket, ReceiverOptions,
    SILENCE, SenderOptions,
};

fn receiver(codec: Codec) -> AudioReceiver {
    AudioReceiver::new(codec, ReceiverOptions::default()).unwrap()
}

fn packet(sequence: u16, timestamp: u32, payload: &[u8]) -> ReceivedPacket<'_> {
    ReceivedPacket { sequence, timestamp, marker: false, kind: PayloadKind::Media, payload }
}

#[test]
fn no_stream_of_random_packets_panics_or_plays_too_loud() {
    for codec in Codec::ALL {
        for seed in 0..8 {
            let mut random = Random(seed);
            let mut receiver = receiver(codec);
            let mut now = Instant::now();
            let mut frame = SILENCE;
            for _ in 0..300 {
                for _ in 0..random.next() % 4 {
                    let length = match random.next() % 10 {
                        0 => random.next() % 70_000,
                        1 => random.next() % 3,
                        _ => random.next() % 400,
                    };
                    let payload: Vec<u8> = (0..length).map(|_| random.next() as u8).collect();
                    let near = !random.next().is_multiple_of(3);
                    let kind = if random.next().is_multiple_of(8) {
                        PayloadKind::ComfortNoise
                    } else {
                        PayloadKind::Media
                    };
                    receiver.push(
                        now,
                        ReceivedPacket {
                            sequence: (if near { random.next() % 50 } else { random.next() }) as u16,
                            timestamp: if near { random.next() % 50_000 } else { random.next() },
                            marker: random.next().is_multiple_of(2),
                            kind,
                            payload: &payload,
                        },
                    );
                }
                now += Duration::from_millis(u64::from(random.next() % 30));
                receiver.pull(now, &mut frame);
                assert!(frame.iter().all(|s| s.is_finite() && s.abs() < 4.0));
                if random.next().is_multiple_of(100) {
                    receiver.reset();
                }
            }
        }
    }
}

#[test]
fn every_payload_length_is_played_or_counted() {
    for codec in Codec::ALL {
        let mut receiver = receiver(codec);
        let start = Instant::now();
        let mut frame = SILENCE;
        for length in 0..1_700usize {
            let now = start + Duration::from_millis(20 * length as u64);
            let unit = codec.clock_rate() / 50;
            receiver.push(now, packet(length as u16, length as u32 * unit, &vec![0x55; length]));
            receiver.pull(now, &mut frame);
            receiver.pull(now + Duration::from_millis(10), &mut frame);
        }
        let stats = receiver.stats();
        assert!(stats.malformed > 90 || codec == Codec::Opus, "{codec}: {stats:?}");
        assert_eq!(stats.packets, 1_700);
    }
}

/// Packets of four seconds of speech in G.711.
fn packets() -> Vec<Vec<u8>> {
    let mut sender = AudioSender::new(Codec::Pcmu, SenderOptions::default()).unwrap();
    let mut packets = Vec::new();
    for frame in speech(4.0).as_chunks::<FRAME_LEN>().0 {
        sender.push(frame, &mut |p| packets.push(p.payload.to_vec()));
    }
    packets
}

/// Plays `stream`, a sequence number and timestamp for each 20 ms; gives what each second pull was.
fn play(receiver: &mut AudioReceiver, stream: impl Iterator<Item = (u16, u32)>) -> Vec<Played> {
    let start = Instant::now();
    let mut frame = SILENCE;
    let mut played = Vec::new();
    for (n, ((sequence, timestamp), payload)) in stream.zip(packets().iter().cycle()).enumerate() {
        let now = start + Duration::from_millis(20 * n as u64);
        receiver.push(now, packet(sequence, timestamp, payload));
        receiver.pull(now + Duration::from_millis(1), &mut frame);
        played.push(receiver.pull(now + Duration::from_millis(11), &mut frame));
    }
    played
}

#[test]
fn a_jump_of_timestamps_or_sequence_numbers_costs_little() {
    for (sequence_jump, timestamp_jump) in [
        (0u16, 1_000_000u32),
        (0, 0xFFFF_0000),
        (0, 4_000),
        (0, 0xFFFF_F000),
        (20_000, 0),
        (40_000, 0),
        (33, 77_777),
    ] {
        let mut receiver = receiver(Codec::Pcmu);
        let stream = (0..500u32).map(|n| {
            let (s, t) = if n < 250 { (0, 0) } else { (sequence_jump, timestamp_jump) };
            ((n as u16).wrapping_add(s), (n * 160).wrapping_add(t))
        });
        let played = play(&mut receiver, stream);
        let disturbed = played[250..].iter().filter(|p| **p != Played::Normal).count();
        assert!(disturbed <= 15, "{sequence_jump} {timestamp_jump:#x}: {disturbed} {:?}", receiver.stats());
        assert!(played[290..].iter().all(|p| *p == Played::Normal), "{sequence_jump} {timestamp_jump:#x}");
        assert!(
            receiver.stats().depth_ms < 100.0,
            "{sequence_jump} {timestamp_jump:#x}: {:?}",
            receiver.stats()
        );
    }
}

#[test]
fn a_single_stray_packet_does_not_disturb_the_stream() {
    let mut receiver = receiver(Codec::Pcmu);
    let mut random = Random(77);
    let mut stray = Vec::new();
    for n in 0..1_000u32 {
        let wild = n % 20 == 10;
        stray.push(if wild {
            (random.next() as u16 | 0x8000, random.next() | 0x8000_0000)
        } else {
            (n as u16, n * 160)
        });
    }
    let played = play(&mut receiver, stray.into_iter());
    let stats = receiver.stats();
    assert_eq!(stats.resyncs, 0, "{stats:?}");
    // Each stray took the place of one packet.
    let disturbed = played[50..].iter().filter(|p| **p != Played::Normal).count();
    assert!(disturbed <= 55, "{disturbed} {stats:?}");
}

#[test]
fn a_new_ssrc_after_reset_is_played_at_once() {
    let mut receiver = receiver(Codec::Pcmu);
    play(&mut receiver, (0..200u32).map(|n| (n as u16, n * 160)));
    receiver.reset();
    let played = play(&mut receiver, (0..200u32).map(|n| (n as u16 + 9_999, n * 160 + 123_456_789)));
    assert!(played[5..].iter().all(|p| *p == Played::Normal), "{:?}", &played[..20]);
    assert_eq!(receiver.stats().resyncs, 0);
}

#[test]
fn a_flood_is_bounded_and_the_newest_speech_is_played() {
    let mut receiver = receiver(Codec::Pcmu);
    let packets = packets();
    let now = Instant::now();
    for n in 0..5_000u32 {
        receiver.push(now, packet(n as u16, n * 160, &packets[n as usize % packets.len()]));
    }
    let mut frame = SILENCE;
    for n in 0..1_000 {
        receiver.pull(now + Duration::from_millis(10 * n), &mut frame);
    }
    let stats = receiver.stats();
    assert!(stats.buffered_ms < 3_000.0, "{stats:?}");
    assert!(stats.discarded > 4_000, "{stats:?}");
}

#[test]
fn a_constant_timestamp_or_sequence_number_does_not_block() {
    let mut receiver = receiver(Codec::Pcmu);
    play(&mut receiver, (0..300u32).map(|n| (n as u16, 0)));
    play(&mut receiver, (0..300u32).map(|n| (0, n * 160)));
    let played = play(&mut receiver, (0..300u32).map(|n| (n as u16 + 500, n * 160 + 1_000_000)));
    assert!(played[100..].iter().all(|p| *p == Played::Normal), "{:?}", receiver.stats());
}
