//! RTP datagrams into a session, with events, forwarding and the remote address. The input is a list of datagrams,
//! each behind one length byte.
#![no_main]

use std::net::SocketAddr;
use std::time::{Duration, Instant};

use libfuzzer_sys::fuzz_target;
use sidetone_rtp::comfort_noise::ComfortNoise;
use sidetone_rtp::telephone_event::EventReceiver;
use sidetone_rtp::{
    Config, Identity, Latching, PayloadClass, PayloadType, RemoteAddress, Session, WirePacket,
};

fuzz_target!(|bytes: &[u8]| {
    let mut now = Instant::now();
    let (mut session, mut far) = (session(7, now), session(8, now));
    let mut events = EventReceiver::new();
    let address = SocketAddr::from(([192, 0, 2, 1], 4000));
    let mut remote = RemoteAddress::new(Latching::On, Some(address), Some(address));
    let mut out = Vec::new();
    let mut rest = bytes;
    while let Some((len, after)) = rest.split_first() {
        let (datagram, after) = after.split_at(usize::from(*len).min(after.len()));
        rest = after;
        now += Duration::from_millis(u64::from(len % 32));
        reads_the_same(datagram);
        let from = SocketAddr::from(([192, 0, 2, 1 + len % 2], 4000));
        remote.handle_rtp(now, from, datagram);
        if let Ok(packet) = session.handle_rtp(now, datagram) {
            assert!(!packet.payload.is_empty());
            let _ = ComfortNoise::parse(packet.payload).map(|noise| noise.reflection().count());
            if packet.class == PayloadClass::TelephoneEvent {
                let _ = events.handle_packet(now, &packet);
            }
            far.forward(now, 1, &packet, 0, &mut out);
        }
        events.handle_timeout(now);
        while events.poll_event().is_some() {}
        let _ = session.stats();
    }
});

fn reads_the_same(datagram: &[u8]) {
    let Ok(packet) = WirePacket::parse(datagram) else { return };
    let padding = if datagram[0] & 0x20 != 0 { datagram[datagram.len() - 1] } else { 0 };
    let mut out = Vec::new();
    packet.write(padding, &mut out);
    assert_eq!(WirePacket::parse(&out), Ok(packet));
}

fn session(ssrc: u32, now: Instant) -> Session {
    let types = vec![
        PayloadType::audio(0, 8000),
        PayloadType::comfort_noise(13, 8000),
        PayloadType::audio(96, 48_000),
        PayloadType::telephone_event(101, 8000),
    ];
    let identity = Identity { ssrc, sequence: 65_000, timestamp: u32::MAX - 1000 };
    Session::new(Config::new(identity, "fuzz", types), now, 1)
}
