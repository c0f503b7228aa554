//! Random and damaged datagrams: nothing panics, and what is read prints to something that reads the same.

mod common;

use std::net::SocketAddr;
use std::time::{Duration, Instant};

use common::{MS, Random, config, session, wallclock};
use sidetone_rtp::comfort_noise::ComfortNoise;
use sidetone_rtp::rtcp::{
    Compound, Packet, ReportBlock, write_application, write_goodbye, write_receiver_report,
    write_source_description,
};
use sidetone_rtp::telephone_event::EventReceiver;
use sidetone_rtp::{
    Extension, KeepAlive, Latching, PayloadClass, RemoteAddress, Session, WirePacket, is_rtcp,
};

struct Victim {
    session: Session,
    far: Session,
    events: EventReceiver,
    remote: RemoteAddress,
    now: Instant,
    since: Duration,
    out: Vec<u8>,
}

impl Victim {
    fn new() -> Self {
        let now = Instant::now();
        let address = SocketAddr::from(([192, 0, 2, 1], 4000));
        let mut config = config(7, 65_000);
        config.keep_alive = KeepAlive::ComfortNoise { payload_type: 13 };
        Self {
            session: Session::new(config, now, 1),
            far: session(8, now),
            events: EventReceiver::new(),
            remote: RemoteAddress::new(Latching::On, Some(address), Some(address)),
            now,
            since: Duration::ZERO,
            out: Vec::new(),
        }
    }

    fn take(&mut self, random: &mut Random, bytes: &[u8]) -> bool {
        let step = Duration::from_millis([0, 0, 1, 20, 20, 20, 90, 7000][random.below(8)]);
        self.now += step;
        self.since += step;
        let from = SocketAddr::from(([192, 0, 2, random.below(3) as u8], 4000));
        self.remote.handle_rtp(self.now, from, bytes);
        self.remote.handle_rtcp(from);
        let _ = (self.remote.rtp(), self.remote.rtcp());
        let rtcp = is_rtcp(bytes);
        let mut taken = rtcp && self.session.handle_rtcp(self.now, bytes).is_ok();
        if let Ok(packet) = self.session.handle_rtp(self.now, bytes) {
            taken = true;
            let _ = ComfortNoise::parse(packet.payload).map(|noise| noise.reflection().count());
            if packet.class == PayloadClass::TelephoneEvent {
                let _ = self.events.handle_packet(self.now, &packet);
            }
            self.far.forward(self.now, 1, &packet, 0, &mut self.out);
        }
        if random.below(8) == 0 {
            self.events.handle_timeout(self.now);
            while self.events.poll_event().is_some() {}
            self.session.write_rtp(self.now, 0, random.next() as u32, false, b"x", &mut self.out);
            if self.session.poll_rtcp(self.now, wallclock(self.since), &mut self.out) {
                assert!(Compound::parse(&self.out).is_ok(), "{:?}", self.out);
            }
            self.session.poll_keep_alive(self.now, &mut self.out);
            let _ = (self.session.poll_timeout(), self.session.stats());
        }
        taken
    }
}

fn round_trip(bytes: &[u8]) {
    if let Ok(packet) = WirePacket::parse(bytes) {
        let padding = if bytes[0] & 0x20 != 0 { bytes[bytes.len() - 1] } else { 0 };
        let mut out = Vec::new();
        packet.write(padding, &mut out);
        assert_eq!(WirePacket::parse(&out), Ok(packet));
        assert_eq!(out.len(), bytes.len());
    }
    if let Ok(compound) = Compound::parse(bytes) {
        for packet in compound.packets() {
            match packet {
                Packet::SenderReport { blocks, .. } | Packet::ReceiverReport { blocks, .. } => {
                    assert_eq!(blocks.iter().count(), blocks.len());
                }
                Packet::SourceDescription(chunks) => {
                    assert!(
                        chunks.iter().map(|chunk| chunk.items.iter().count()).sum::<usize>() <= bytes.len()
                    );
                }
                Packet::Goodbye(goodbye) => assert!(goodbye.sources().count() < 32),
                Packet::Application { .. } | Packet::Other { .. } => {}
            }
        }
    }
}

#[test]
fn random_bytes_do_no_harm() {
    let mut random = Random::new(1);
    let mut victim = Victim::new();
    for _ in 0..100_000 {
        let mut bytes = random.bytes(80);
        if random.below(2) == 0 && bytes.len() > 1 {
            bytes[0] = 0x80 | bytes[0] & 0x3f;
            bytes[1] = [0, 13, 96, 101, 200, 201, 202, 203, 204, 205][random.below(10)];
        }
        round_trip(&bytes);
        victim.take(&mut random, &bytes);
    }
}

fn valid_rtp(random: &mut Random, sequence: u16) -> Vec<u8> {
    let mut out = Vec::new();
    let words = vec![0x5a; random.below(4) * 4];
    let csrc = vec![1; random.below(3) * 4];
    let extension = (random.below(4) == 0).then_some(Extension { profile: 0xbede, data: &words });
    let packet = WirePacket {
        marker: random.below(9) == 0,
        payload_type: [0, 0, 96, 13, 101, 101][random.below(6)],
        sequence,
        timestamp: u32::from(sequence) * 160,
        ssrc: [5, 5, 5, 5, 7, 9][random.below(6)],
        csrc: &csrc,
        extension,
        payload: &random.bytes(12),
    };
    packet.write([0, 0, 4][random.below(3)], &mut out);
    out
}

fn valid_rtcp(random: &mut Random) -> Vec<u8> {
    let mut out = Vec::new();
    let ssrc = [5, 5, 7, 9][random.below(4)];
    let block = ReportBlock {
        ssrc: 7,
        fraction_lost: random.next() as u8,
        cumulative_lost: random.next() as i32,
        highest_sequence: random.next() as u32,
        jitter: random.next() as u32,
        last_sr: random.next() as u32,
        delay: random.next() as u32,
    };
    write_receiver_report(ssrc, &vec![block; random.below(3)], &mut out);
    write_source_description(ssrc, "name@host", &mut out);
    match random.below(6) {
        0 => write_goodbye(&[ssrc, 1], Some("reason"), &mut out),
        1 => write_application(1, ssrc, *b"abcd", b"data", &mut out),
        _ => {}
    }
    out
}

#[test]
fn damaged_packets_do_no_harm() {
    let mut random = Random::new(2);
    let mut victim = Victim::new();
    let mut sequence = 65_000u16;
    let mut taken = 0;
    for _ in 0..100_000 {
        sequence = sequence.wrapping_add([1, 1, 1, 1, 2, 0, 65_535, 30_000][random.below(8)]);
        let mut bytes =
            if random.below(3) > 0 { valid_rtp(&mut random, sequence) } else { valid_rtcp(&mut random) };
        for _ in 0..random.below(3) {
            if bytes.len() < 2 {
                break;
            }
            let at = random.below(bytes.len());
            match random.below(6) {
                0 => bytes[at] = random.next() as u8,
                1 => bytes[at] ^= 1 << random.below(8),
                2 => bytes.truncate(at),
                3 => bytes.extend(random.bytes(8)),
                4 => bytes[random.below(4).min(at)] ^= 1 << random.below(8),
                _ => {
                    let other = valid_rtcp(&mut random);
                    bytes.splice(at.., other);
                }
            }
        }
        round_trip(&bytes);
        taken += usize::from(victim.take(&mut random, &bytes));
    }
    assert!(taken > 10_000, "mutations must reach beyond the parsers: {taken}");
}

#[test]
fn extreme_numbers_do_no_harm() {
    let mut now = Instant::now();
    let mut victim = session(7, now);
    let mut out = Vec::new();
    let extremes = [0u32, 1, 0x7fff_ffff, 0x8000_0000, u32::MAX];
    let mut sequence = 0u16;
    for first in extremes {
        for second in extremes {
            for step in [Duration::ZERO, 20 * MS, Duration::from_secs(100_000)] {
                now += step;
                for timestamp in [first, second] {
                    sequence = sequence.wrapping_add(1);
                    let _ = victim.handle_rtp(now, &common::packet(5, sequence, timestamp, b"x"));
                    victim.write_rtp(now, 0, timestamp, false, b"x", &mut out);
                }
                while victim.poll_timeout().is_some_and(|due| due <= now) {
                    victim.poll_rtcp(now, wallclock(Duration::ZERO), &mut out);
                }
                let _ = victim.stats();
            }
        }
    }
}
