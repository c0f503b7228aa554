//! RTCP compounds into a session that sends and reports: what it writes afterwards is well formed.
#![no_main]

use std::time::{Duration, Instant, UNIX_EPOCH};

use libfuzzer_sys::fuzz_target;
use sidetone_rtp::rtcp::{Compound, Packet};
use sidetone_rtp::{Config, Identity, PayloadType, Session, WirePacket};

fuzz_target!(|bytes: &[u8]| {
    if let Ok(compound) = Compound::parse(bytes) {
        for packet in compound.packets() {
            match packet {
                Packet::SenderReport { blocks, .. } | Packet::ReceiverReport { blocks, .. } => {
                    assert_eq!(blocks.iter().count(), blocks.len());
                }
                Packet::SourceDescription(chunks) => {
                    let items: usize = chunks.iter().map(|chunk| chunk.items.iter().count()).sum();
                    assert!(items <= bytes.len());
                }
                Packet::Goodbye(goodbye) => assert!(goodbye.sources().count() < 32),
                Packet::Application { .. } | Packet::Other { .. } => {}
            }
        }
    }

    let mut now = Instant::now();
    let identity = Identity { ssrc: 7, sequence: 1, timestamp: 1 };
    let mut session = Session::new(Config::new(identity, "fuzz", vec![PayloadType::audio(0, 8000)]), now, 1);
    let mut out = Vec::new();
    for sequence in 0..3 {
        let packet = WirePacket {
            marker: false,
            payload_type: 0,
            sequence,
            timestamp: 0,
            ssrc: 5,
            csrc: &[],
            extension: None,
            payload: b"x",
        };
        out.clear();
        packet.write(0, &mut out);
        let _ = session.handle_rtp(now, &out);
        session.write_rtp(now, 0, 0, false, b"x", &mut out);
    }
    let _ = session.handle_rtcp(now, bytes);
    for _ in 0..4 {
        now += Duration::from_secs(4);
        if session.poll_rtcp(now, UNIX_EPOCH, &mut out) {
            assert!(Compound::parse(&out).is_ok());
        }
        let _ = session.handle_rtcp(now, bytes);
        let _ = session.stats();
    }
    if session.goodbye(now, UNIX_EPOCH, None, &mut out) {
        assert!(Compound::parse(&out).is_ok());
    }
});
