//! RFC 4733 in both directions, with a sender and a receiver of ours and with hand-made packets.
#![allow(clippy::unwrap_used)]

mod common;

use std::time::{Duration, Instant};

use common::{MS, Random};
use sidetone_rtp::telephone_event::{
    EventBlock, EventCode, EventPacket, EventReceiver, EventSender, QueueFull, SenderOptions, TelephoneEvent,
};
use sidetone_rtp::{PayloadClass, RtpPacket};

fn received(timestamp: u32, clock_rate: u32, payload: &[u8]) -> RtpPacket<'_> {
    RtpPacket {
        payload_type: 101,
        class: PayloadClass::TelephoneEvent,
        clock_rate,
        sequence: 0,
        extended_sequence: 0,
        timestamp,
        marker: false,
        ssrc: 1,
        source_changed: false,
        payload,
    }
}

struct Ear {
    receiver: EventReceiver,
    now: Instant,
    events: Vec<TelephoneEvent>,
}

impl Ear {
    fn new() -> Self {
        Self { receiver: EventReceiver::new(), now: Instant::now(), events: Vec::new() }
    }

    fn hear(&mut self, timestamp: u32, code: u8, duration: u16, end: bool) {
        let block = EventBlock { code: EventCode(code), end, volume: 10, duration };
        self.hear_bytes(timestamp, 8000, &block.to_bytes());
    }

    fn hear_bytes(&mut self, timestamp: u32, clock_rate: u32, payload: &[u8]) {
        self.receiver.handle_packet(self.now, &received(timestamp, clock_rate, payload)).unwrap();
        self.drain();
    }

    fn wait(&mut self, time: Duration) {
        self.now += time;
        self.receiver.handle_timeout(self.now);
        self.drain();
    }

    fn drain(&mut self) {
        while let Some(event) = self.receiver.poll_event() {
            self.events.push(event);
        }
    }

    /// (code, milliseconds, end lost) of each ended event; every one began before.
    fn ended(&self) -> Vec<(u8, u128, bool)> {
        let mut open = None;
        let mut list = Vec::new();
        for event in &self.events {
            match *event {
                TelephoneEvent::Started { code, .. } => {
                    assert_eq!(open.replace(code), None, "{:?}", self.events);
                }
                TelephoneEvent::Ended { code, duration, end_lost, .. } => {
                    assert_eq!(open.take(), Some(code), "{:?}", self.events);
                    list.push((code.0, duration.as_millis(), end_lost));
                }
            }
        }
        list
    }
}

#[test]
fn an_event_of_many_packets_is_one_event() {
    let mut ear = Ear::new();
    for step in 1..=5 {
        ear.hear(1000, 5, step * 160, false);
        ear.wait(20 * MS);
    }
    assert_eq!(ear.events, [TelephoneEvent::Started { code: EventCode(5), volume: 10 }]);
    for _ in 0..3 {
        ear.hear(1000, 5, 960, true);
        ear.wait(20 * MS);
    }
    assert_eq!(ear.ended(), [(5, 120, false)]);
}

#[test]
fn a_lost_start_and_two_lost_ends_do_not_matter() {
    let mut ear = Ear::new();
    ear.hear(1000, 11, 800, true);
    assert_eq!(ear.ended(), [(11, 100, false)]);
}

#[test]
fn a_lost_end_is_noticed_by_silence() {
    let mut ear = Ear::new();
    ear.hear(1000, 1, 480, false);
    assert_eq!(ear.receiver.poll_timeout(), Some(ear.now + 250 * MS));
    ear.wait(249 * MS);
    assert!(ear.ended().is_empty());
    ear.wait(MS);
    assert_eq!(ear.ended(), [(1, 60, true)]);
    assert_eq!(ear.receiver.poll_timeout(), None);
    ear.hear(1000, 1, 960, true);
    assert_eq!(ear.events.len(), 2, "a straggler of the same event is no second event");
}

#[test]
fn the_next_event_ends_one_whose_end_was_lost() {
    let mut ear = Ear::new();
    ear.hear(1000, 1, 480, false);
    ear.wait(100 * MS);
    ear.hear(2000, 1, 160, false);
    ear.hear(2000, 1, 320, true);
    assert_eq!(ear.ended(), [(1, 60, true), (1, 40, false)]);
}

#[test]
fn duplicates_and_late_packets_change_nothing() {
    let mut ear = Ear::new();
    ear.hear(1000, 1, 320, false);
    ear.hear(1000, 1, 160, false);
    ear.hear(1000, 1, 480, true);
    ear.hear(1000, 1, 320, false);
    ear.hear(3000, 2, 160, false);
    ear.hear(1000, 1, 480, true);
    ear.hear(3000, 2, 320, true);
    ear.hear(3000, 2, 320, true);
    ear.hear(1000, 1, 480, true);
    assert_eq!(ear.ended(), [(1, 60, false), (2, 40, false)]);
}

#[test]
fn the_same_key_twice_is_two_events() {
    let mut ear = Ear::new();
    for start in [1000, 3000, 5000] {
        ear.hear(start, 7, 160, false);
        ear.hear(start, 7, 800, true);
    }
    assert_eq!(ear.ended().len(), 3);
}

#[test]
fn timestamps_that_wrap_are_in_order() {
    let mut ear = Ear::new();
    ear.hear(u32::MAX - 100, 1, 800, true);
    ear.hear(1000, 2, 800, true);
    ear.hear(u32::MAX - 100, 1, 800, true);
    assert_eq!(ear.ended(), [(1, 100, false), (2, 100, false)]);
}

#[test]
fn a_long_event_in_segments_is_one_event() {
    let mut ear = Ear::new();
    ear.hear(1000, 3, 65_000, false);
    ear.hear(1000, 3, 65_535, false);
    ear.hear(1000 + 65_535, 3, 100, false);
    ear.hear(1000, 3, 65_535, false);
    ear.hear(1000 + 65_535, 3, 800, false);
    // The last packet of the second segment is lost altogether.
    ear.hear(1000 + 2 * 65_535, 3, 80, true);
    let units = 2 * 65_535 + 80;
    assert_eq!(ear.ended(), [(3, units / 8, false)]);
}

#[test]
fn the_flash_and_unknown_codes_are_reported_by_number() {
    let mut ear = Ear::new();
    ear.hear(1000, 16, 800, true);
    ear.hear(9000, 200, 800, true);
    assert_eq!(ear.ended(), [(16, 100, false), (200, 100, false)]);
    assert_eq!(EventCode::FLASH.key(), None);
    let keys: String = (0..16).filter_map(|code| EventCode(code).key()).collect();
    assert_eq!(keys, "0123456789*#ABCD");
    for (code, key) in keys.chars().enumerate() {
        assert_eq!(EventCode::from_key(key), Some(EventCode(code as u8)));
    }
    assert_eq!(EventCode::from_key('d'), Some(EventCode(15)));
    assert_eq!(EventCode::from_key('x'), None);
}

#[test]
fn several_events_in_one_packet_follow_each_other() {
    let mut ear = Ear::new();
    ear.hear_bytes(1000, 8000, &[1, 0x8a, 0x03, 0x20, 2, 0x8a, 0x01, 0x90, 9]);
    assert_eq!(ear.ended(), [(1, 100, false), (2, 50, false)]);
    let error = ear.receiver.handle_packet(ear.now, &received(0, 8000, &[1, 2, 3]));
    assert!(error.is_err());
}

#[test]
fn volume_and_duration_are_read_at_the_clock_of_the_payload_type() {
    let mut ear = Ear::new();
    ear.hear_bytes(0x9000_0000, 48_000, &[1, 0x80 | 36, 0x12, 0xc0]);
    let duration = 100 * MS;
    let ended = TelephoneEvent::Ended { code: EventCode(1), volume: 36, duration, end_lost: false };
    assert_eq!(ear.events, [TelephoneEvent::Started { code: EventCode(1), volume: 36 }, ended]);
}

#[test]
fn a_new_source_forgets_the_timeline() {
    let mut ear = Ear::new();
    ear.hear(900_000, 1, 800, true);
    let packet = RtpPacket { source_changed: true, ..received(5, 8000, &[2, 0x80, 3, 32]) };
    ear.receiver.handle_packet(ear.now, &packet).unwrap();
    ear.drain();
    assert_eq!(ear.ended(), [(1, 100, false), (2, 100, false)]);
}

#[test]
fn who_does_not_drain_keeps_a_bounded_queue() {
    let mut receiver = EventReceiver::new();
    let now = Instant::now();
    for step in 0..10_000u32 {
        receiver.handle_packet(now, &received(step * 1000, 8000, &[1, 0x80, 0, 160])).unwrap();
    }
    let mut left = 0;
    while receiver.poll_event().is_some() {
        left += 1;
    }
    assert_eq!(left, 32);
}

/// Ticks of `len` units; what was sent, with the index of its tick.
fn send(sender: &mut EventSender, from: u32, len: u32, ticks: u32) -> Vec<(u32, EventPacket)> {
    let mut sent = Vec::new();
    for tick in 0..ticks {
        sender.tick(from.wrapping_add(tick * len), len, |packet| sent.push((tick, packet)));
    }
    sent
}

fn block(packet: &EventPacket) -> EventBlock {
    EventBlock::parse_all(&packet.payload).unwrap().next().unwrap()
}

#[test]
fn an_event_is_sent_with_one_timestamp_growing_durations_and_three_ends() {
    let mut sender = EventSender::new(SenderOptions::new(8000));
    sender.send(EventCode(5), 100 * MS).unwrap();
    assert!(sender.is_sending());
    let sent = send(&mut sender, 4000, 160, 20);
    assert!(sent.iter().all(|(_, packet)| packet.timestamp == 4000));
    let blocks: Vec<_> = sent.iter().map(|(_, packet)| block(packet)).collect();
    let durations: Vec<u16> = blocks.iter().map(|block| block.duration).collect();
    assert_eq!(durations, [160, 320, 480, 640, 800, 800, 800]);
    let ends: Vec<bool> = blocks.iter().map(|block| block.end).collect();
    assert_eq!(ends, [false, false, false, false, true, true, true]);
    let markers = sent.iter().filter(|(_, packet)| packet.marker).count();
    assert_eq!((markers, sent[0].1.marker), (1, true));
    assert!(blocks.iter().all(|block| block.volume == 10 && block.code == EventCode(5)));
    assert!(!sender.is_sending());
}

#[test]
fn ticks_of_10_ms_send_every_20_ms() {
    let mut sender = EventSender::new(SenderOptions::new(48_000));
    sender.send(EventCode(1), 60 * MS).unwrap();
    let sent = send(&mut sender, u32::MAX - 900, 480, 20);
    let ticks: Vec<u32> = sent.iter().map(|(tick, _)| *tick).collect();
    assert_eq!(ticks, [0, 2, 4, 6, 8, 10]);
    assert_eq!(block(&sent[3].1).duration, 7 * 480);
    assert!(block(&sent[3].1).end && !block(&sent[2].1).end);
}

#[test]
fn two_events_keep_their_distance() {
    let mut sender = EventSender::new(SenderOptions::new(8000));
    for code in [1, 1, 2] {
        sender.send(EventCode(code), 80 * MS).unwrap();
    }
    let sent = send(&mut sender, 0, 160, 60);
    let mut starts: Vec<u32> = sent.iter().map(|(_, packet)| packet.timestamp).collect();
    starts.dedup();
    assert_eq!(starts, [0, 640 + 480, 2 * (640 + 480)]);
    assert_eq!(sent.iter().filter(|(_, packet)| packet.marker).count(), 3);
}

#[test]
fn a_pressed_key_lasts_until_its_release() {
    let mut sender = EventSender::new(SenderOptions::new(8000));
    sender.press(EventCode(9)).unwrap();
    let held = send(&mut sender, 0, 160, 50);
    assert_eq!(held.len(), 50);
    assert!(held.iter().all(|(_, packet)| !block(packet).end));
    sender.release();
    let rest = send(&mut sender, 50 * 160, 160, 10);
    assert_eq!(rest.len(), 3);
    assert!(rest.iter().all(|(_, packet)| block(packet).end && block(packet).duration == 51 * 160));
}

#[test]
fn an_event_is_never_shorter_than_40_ms() {
    let mut sender = EventSender::new(SenderOptions::new(8000));
    sender.send(EventCode(9), MS).unwrap();
    let sent = send(&mut sender, 0, 160, 20);
    assert_eq!(block(&sent[sent.len() - 1].1).duration, 320);
    sender.press(EventCode(1)).unwrap();
    sender.release();
    let sent = send(&mut sender, 9000, 160, 20);
    assert_eq!(block(&sent[sent.len() - 1].1).duration, 320);
}

#[test]
fn an_event_longer_than_the_field_is_sent_in_segments() {
    let mut sender = EventSender::new(SenderOptions::new(48_000));
    sender.send(EventCode(4), 3000 * MS).unwrap();
    let sent = send(&mut sender, 500, 960, 170);
    let mut starts: Vec<u32> = sent.iter().map(|(_, packet)| packet.timestamp).collect();
    starts.sort_unstable();
    starts.dedup();
    assert_eq!(starts, [500, 500 + 65_535, 500 + 2 * 65_535]);
    for start in &starts[..2] {
        let last: Vec<_> =
            sent.iter().filter(|(_, packet)| packet.timestamp == *start).map(|s| block(&s.1)).collect();
        assert_eq!(last.iter().filter(|block| block.duration == 65_535).count(), 3);
        assert!(last.iter().all(|block| !block.end));
    }
    assert_eq!(sent.iter().filter(|(_, packet)| packet.marker).count(), 1);
    assert_eq!(sent.iter().filter(|(_, packet)| block(packet).end).count(), 3);

    let mut ear = Ear::new();
    for (_, packet) in &sent {
        ear.hear_bytes(packet.timestamp, 48_000, &packet.payload);
        ear.wait(20 * MS);
    }
    assert_eq!(ear.ended(), [(4, 3000, false)]);
}

#[test]
fn the_queue_is_bounded_and_clear_ends_what_is_sent() {
    let mut sender = EventSender::new(SenderOptions::new(8000));
    for _ in 0..64 {
        sender.send(EventCode(1), 100 * MS).unwrap();
    }
    assert_eq!(sender.send(EventCode(1), 100 * MS), Err(QueueFull));
    send(&mut sender, 0, 160, 1);
    sender.clear();
    let rest = send(&mut sender, 160, 160, 50);
    assert_eq!(rest.len(), 3);
    assert!(!sender.is_sending());
}

#[test]
fn every_key_arrives_once_and_in_order_under_loss_duplication_and_reordering() {
    for seed in 0..200 {
        let mut random = Random::new(seed);
        let mut sender = EventSender::new(SenderOptions::new(8000));
        let keys: Vec<u8> = (0..12).map(|_| random.below(16) as u8).collect();
        for key in &keys {
            sender.send(EventCode(*key), 100 * MS).unwrap();
        }
        let mut arrivals: Vec<(u32, EventPacket)> = Vec::new();
        for (tick, packet) in send(&mut sender, (seed as u32).wrapping_mul(77_777_777), 160, 160) {
            // Up to 20 % loss that spares one packet of each event, copies, and delays below the gap.
            if packet.marker || random.below(5) > 0 {
                for _ in 0..=random.below(2) {
                    arrivals.push((tick * 20 + random.below(45) as u32, packet));
                }
            }
        }
        arrivals.sort_by_key(|(at, _)| *at);
        let mut ear = Ear::new();
        let start = ear.now;
        for (at, packet) in arrivals {
            let due = start + at * MS;
            let wait = due.saturating_duration_since(ear.now);
            ear.wait(wait);
            ear.hear_bytes(packet.timestamp, 8000, &packet.payload);
        }
        ear.wait(Duration::from_secs(1));
        let codes: Vec<u8> = ear.ended().iter().map(|(code, _, _)| *code).collect();
        assert_eq!(codes, keys, "seed {seed}");
    }
}
