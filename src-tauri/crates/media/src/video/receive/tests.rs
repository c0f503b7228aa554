use std::collections::BTreeMap;

use bytes::BytesMut;

use super::*;
use crate::video::packet::{MAX_PAYLOAD, PacketizationMode, Packetizer};
use crate::video::picture::Picture;

const STEP: Duration = Duration::from_millis(1);

fn ms(millis: u64) -> Duration {
    Duration::from_millis(millis)
}

/// Pseudo-random numbers below 1, the same in each run.
struct Random(u64);

impl Random {
    fn next(&mut self) -> f64 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) as f64 / (1u64 << 31) as f64
    }
}

fn frame(codec: VideoCodec, number: u32, key: bool, len: usize) -> Encoded {
    let mut data = BytesMut::new();
    // The number is in the frame, so that what comes out can be compared.
    let body =
        (0..len.max(8)).map(|at| if at < 4 { number.to_be_bytes()[at] | 1 } else { 1 + (at % 200) as u8 });
    match codec {
        VideoCodec::H264 => {
            if key {
                data.extend_from_slice(&[0, 0, 0, 1, 0x67, 0x42, 0xC0, 0x1F, 0xDA, 0x01, 0x40, 0x16, 0xE9]);
                data.extend_from_slice(&[0, 0, 0, 1, 0x68, 0xCE, 0x06, 0xE2]);
            }
            data.extend_from_slice(&[0, 0, 0, 1, if key { 0x65 } else { 0x41 }]);
            data.extend(body);
        }
        _ => {
            data.extend_from_slice(&[u8::from(!key)]);
            data.extend(body);
        }
    }
    let captured = Instant::now();
    Encoded { codec, data: data.freeze(), key, timestamp: number * 3_000, size: Size::P180, captured }
}

/// A sender, a network and a receiver in virtual time.
struct Rig {
    start: Instant,
    now: Instant,
    receiver: VideoReceiver,
    packetizer: Packetizer,
    codec: VideoCodec,
    sequence: u16,
    sent: BTreeMap<u16, VideoPacket>,
    flying: Vec<(Instant, VideoPacket)>,
    random: Random,
    loss: f64,
    /// Ends where packets are lost.
    loss_until: Instant,
    /// Added to each packet at random.
    jitter: Duration,
    /// Where lost packets are sent again: the round trip.
    repair: Option<Duration>,
    /// Number of the frame that was asked for as a key frame, and those that were.
    key_at: Option<Instant>,
    number: u32,
    got: Vec<(u32, bool, Instant, Instant)>,
    requests: Vec<Instant>,
}

impl Rig {
    fn new(codec: VideoCodec, repair: Option<Duration>) -> Self {
        let start = Instant::now();
        let mut options = VideoReceiverOptions::new(codec);
        options.repair = repair.is_some();
        let mut receiver = VideoReceiver::new(options);
        receiver.handle_round_trip(repair.unwrap_or(ms(50)));
        Self {
            start,
            now: start,
            receiver,
            packetizer: Packetizer::new(codec, PacketizationMode::NonInterleaved, MAX_PAYLOAD, 0).unwrap(),
            codec,
            sequence: 65_000,
            sent: BTreeMap::new(),
            flying: Vec::new(),
            random: Random(1),
            loss: 0.0,
            loss_until: start + Duration::from_secs(1_000),
            jitter: Duration::ZERO,
            repair,
            key_at: Some(start),
            number: 0,
            got: Vec::new(),
            requests: Vec::new(),
        }
    }

    fn send(&mut self) {
        let key = self.key_at.is_some_and(|at| at <= self.now);
        if key {
            self.key_at = None;
        }
        let len = if key { 12_000 } else { 3_000 };
        let encoded = frame(self.codec, self.number, key, len);
        for payload in self.packetizer.packetize(&encoded).unwrap() {
            let packet = VideoPacket {
                sequence: self.sequence,
                timestamp: encoded.timestamp,
                marker: payload.marker,
                payload: payload.data,
            };
            self.sequence = self.sequence.wrapping_add(1);
            self.sent.insert(packet.sequence, packet.clone());
            let travel = ms(10) + self.jitter.mul_f64(self.random.next());
            if self.random.next() >= self.loss || self.now >= self.loss_until {
                self.flying.push((self.now + travel, packet));
            } else if let Some(round_trip) = self.repair {
                // Found at the next tick of 20 ms, asked for, and perhaps lost again.
                let mut at = self.now + travel + ms(20) + round_trip;
                while self.random.next() < self.loss {
                    at += ms(40);
                }
                self.flying.push((at, packet));
            }
        }
        self.number += 1;
    }

    fn run(&mut self, span: Duration) {
        let end = self.now + span;
        while self.now < end {
            if self.now >= self.start + ms(u64::from(self.number) * 100 / 3) {
                self.send();
            }
            let now = self.now;
            self.flying.sort_by_key(|(at, _)| *at);
            let due = self.flying.partition_point(|(at, _)| *at <= now);
            for (_, packet) in self.flying.drain(..due).collect::<Vec<_>>() {
                self.receiver.handle_packet(now, packet);
            }
            while let Some(frame) = self.receiver.poll_frame(now) {
                let number = frame.encoded.timestamp / 3_000;
                self.got.push((number, frame.encoded.key, now, frame.show_at));
            }
            if self.receiver.poll_key_request(now) {
                self.requests.push(now);
                self.key_at.get_or_insert(now + ms(20));
            }
            self.now += STEP;
        }
    }

    fn longest_pause(&self) -> Duration {
        let shown = |entry: &(u32, bool, Instant, Instant)| entry.2.max(entry.3);
        self.got.windows(2).map(|two| shown(&two[1]).saturating_duration_since(shown(&two[0]))).max().unwrap()
    }
}

const CODECS: [VideoCodec; 2] = [VideoCodec::H264, VideoCodec::Vp8];

#[test]
fn on_a_good_network_every_frame_comes_in_order_after_few_milliseconds() {
    for codec in CODECS {
        let mut rig = Rig::new(codec, Some(ms(20)));
        rig.run(ms(3_000));
        assert!(rig.got.len() >= 88, "{} frames", rig.got.len());
        assert!(rig.got.iter().enumerate().all(|(at, (number, ..))| *number == at as u32));
        assert!(rig.got[0].1 && rig.got[1..].iter().all(|(_, key, ..)| !key));
        for (number, _, _, show_at) in &rig.got {
            let sent = rig.start + ms(u64::from(*number) * 100 / 3);
            let delay = show_at.saturating_duration_since(sent);
            assert!(delay <= ms(20), "frame {number} after {delay:?}");
        }
        assert!(rig.requests.is_empty());
        let statistics = rig.receiver.statistics();
        assert_eq!((statistics.frames_dropped, statistics.packets_lost), (0, 0));
    }
}

#[test]
fn five_per_cent_loss_with_repair_shows_every_frame_and_never_stands_still_for_300_ms() {
    for codec in CODECS {
        for round_trip in [ms(1), ms(40)] {
            let mut rig = Rig::new(codec, Some(round_trip));
            rig.loss = 0.05;
            rig.run(ms(15_000));
            let pause = rig.longest_pause();
            assert!(pause < ms(300), "{codec} {round_trip:?}: {pause:?}");
            assert!(rig.requests.len() <= 1, "{codec}: {} requests", rig.requests.len());
            assert!(rig.got.windows(2).all(|two| two[1].0 > two[0].0));
            assert!(rig.got.len() > 430, "{codec}: {} frames", rig.got.len());
        }
    }
}

#[test]
fn a_gap_that_is_never_repaired_asks_for_one_key_frame_and_goes_on_with_it() {
    for codec in CODECS {
        let mut rig = Rig::new(codec, None);
        rig.run(ms(500));
        (rig.loss, rig.loss_until) = (1.0, rig.now + ms(50));
        rig.run(ms(1_500));
        assert_eq!(rig.requests.len(), 1, "{codec}");
        let key = rig.got.iter().skip(1).find(|(_, key, ..)| *key).unwrap();
        assert!(rig.longest_pause() < ms(300), "{:?}", rig.longest_pause());
        let before = rig.got.iter().take_while(|(number, ..)| number < &key.0).map(|(number, ..)| *number);
        let before: Vec<u32> = before.collect();
        assert!(
            before.windows(2).all(|two| two[1] == two[0] + 1),
            "nothing is decoded after the gap: {before:?}"
        );
        let statistics = rig.receiver.statistics();
        assert!(statistics.packets_lost > 0 && statistics.frames_dropped > 0, "{statistics:?}");
    }
}

#[test]
fn requests_for_key_frames_back_off_while_none_comes() {
    let mut receiver = VideoReceiver::new(VideoReceiverOptions::new(VideoCodec::Vp8));
    let start = Instant::now();
    let mut asked = Vec::new();
    for step in 0..20_000u64 {
        let now = start + ms(step);
        if step % 33 == 0 {
            let packet = VideoPacket {
                sequence: (step / 33) as u16,
                timestamp: (step * 90) as u32,
                marker: true,
                payload: Bytes::from_static(&[0x10, 0x01, 0, 0]),
            };
            receiver.handle_packet(now, packet);
        }
        if receiver.poll_key_request(now) {
            asked.push(step);
        }
        assert!(receiver.poll_frame(now).is_none());
    }
    let pauses: Vec<u64> = asked.windows(2).map(|two| two[1] - two[0]).collect();
    assert!(asked[0] == 0 && asked.len() <= 9, "{asked:?}");
    assert!(pauses.windows(2).all(|two| two[1] >= two[0]) && pauses[0] >= 250, "{pauses:?}");
    assert!(pauses.iter().all(|pause| *pause <= 4_001), "{pauses:?}");
}

#[test]
fn a_decoder_that_is_lost_gets_a_key_frame() {
    let mut rig = Rig::new(VideoCodec::H264, Some(ms(20)));
    rig.run(ms(1_000));
    let before = rig.got.len();
    rig.receiver.handle_decode_error(rig.now);
    rig.run(ms(500));
    assert_eq!(rig.requests.len(), 1);
    assert!(rig.got[before].1, "the first frame after it is a key frame");
}

#[test]
fn depth_follows_the_jitter_up_and_down() {
    let mut rig = Rig::new(VideoCodec::H264, Some(ms(20)));
    rig.run(ms(2_000));
    assert!(rig.receiver.delay() < ms(12), "{:?}", rig.receiver.delay());
    rig.jitter = ms(120);
    rig.run(ms(8_000));
    let deep = rig.receiver.delay();
    assert!((ms(60)..ms(200)).contains(&deep), "{deep:?}");
    let late = rig.got.iter().filter(|(number, ..)| *number > 150).filter(|entry| entry.2 > entry.3).count();
    assert!(late < 20, "{late} frames came too late to be shown at their time");
    rig.jitter = Duration::ZERO;
    rig.run(ms(15_000));
    assert!(rig.receiver.delay() < ms(25), "{:?}", rig.receiver.delay());
}

#[test]
fn least_depth_and_synchronisation_delay_hold() {
    let mut rig = Rig::new(VideoCodec::H264, Some(ms(20)));
    rig.receiver = VideoReceiver::new(VideoReceiverOptions {
        min_delay: ms(100),
        ..VideoReceiverOptions::new(VideoCodec::H264)
    });
    rig.run(ms(500));
    rig.receiver.set_sync_delay(ms(50));
    rig.run(ms(1_000));
    let (number, _, released, show_at) = *rig.got.last().unwrap();
    let delay = show_at.saturating_duration_since(rig.start + ms(u64::from(number) * 100 / 3));
    assert!((ms(155)..ms(165)).contains(&delay), "{delay:?}");
    assert!(show_at - released <= ms(10), "it is released shortly before it is shown");
}

#[test]
fn a_player_that_joins_in_the_middle_waits_for_a_key_frame() {
    let mut rig = Rig::new(VideoCodec::Vp8, Some(ms(20)));
    rig.key_at = None;
    rig.run(ms(1_000));
    assert_eq!(rig.requests.len(), 1);
    assert!(rig.got[0].1 && rig.got[0].0 > 0, "{:?}", rig.got[0]);
    rig.receiver.restart();
    let before = rig.got.len();
    rig.run(ms(300));
    assert!(rig.got[before].1, "a restart needs one too");
}

#[test]
fn a_sender_that_begins_anew_is_followed() {
    let mut rig = Rig::new(VideoCodec::H264, Some(ms(20)));
    rig.run(ms(1_000));
    let before = rig.got.len();
    rig.sequence = rig.sequence.wrapping_add(30_000);
    rig.run(ms(600));
    assert!(rig.got[before..].iter().any(|(_, key, ..)| *key), "{:?}", &rig.got[before..]);
    assert!(rig.got.len() > before + 10);
}

#[test]
fn after_a_restart_the_numbers_may_be_any() {
    for back in [1, 500, 5_000, 20_000] {
        let mut rig = Rig::new(VideoCodec::H264, Some(ms(20)));
        rig.run(ms(1_000));
        rig.receiver.restart();
        let before = rig.got.len();
        rig.sequence = rig.sequence.wrapping_sub(back);
        rig.run(ms(600));
        assert!(rig.got.len() > before + 10, "{back} back: {} came", rig.got.len() - before);
    }
}

#[test]
fn padding_and_missing_markers_do_not_hold_frames_up() {
    let mut receiver = VideoReceiver::new(VideoReceiverOptions::new(VideoCodec::Vp8));
    let start = Instant::now();
    let packet = |sequence, timestamp, marker, payload: &'static [u8]| VideoPacket {
        sequence,
        timestamp,
        marker,
        payload: Bytes::from_static(payload),
    };
    receiver.handle_packet(start, packet(1, 0, true, &[0x10, 0, 0, 0]));
    receiver.handle_packet(start, packet(2, 0, false, &[]));
    receiver.handle_packet(start, packet(3, 0, false, &[]));
    receiver.handle_packet(start, packet(4, 3_000, false, &[0x10, 1, 0, 0]));
    receiver.handle_packet(start, packet(5, 6_000, true, &[0x10, 1, 0, 0]));
    receiver.handle_packet(start, packet(5, 6_000, true, &[0x10, 1, 0, 0]));
    let later = start + ms(500);
    let timestamps: Vec<u32> =
        std::iter::from_fn(|| receiver.poll_frame(later)).map(|frame| frame.encoded.timestamp).collect();
    assert_eq!(timestamps, [0, 3_000, 6_000]);
    assert_eq!(receiver.statistics().packets_discarded, 1);
}

#[test]
fn hostile_packets_cost_bounded_memory_and_never_panic() {
    for codec in VideoCodec::ALL {
        let mut receiver = VideoReceiver::new(VideoReceiverOptions::new(codec));
        let mut random = Random(3);
        let start = Instant::now();
        let large = Bytes::from(vec![0x41; 60_000]);
        for step in 0..30_000u64 {
            let now = start + ms(step / 10);
            let value = (random.next() * 65_536.0) as u32;
            let payload = match value % 5 {
                0 => Bytes::new(),
                1 => large.clone(),
                _ => large.slice(..(value % 9) as usize),
            };
            let sequence = if value.is_multiple_of(97) { value as u16 } else { step as u16 };
            let timestamp =
                if value.is_multiple_of(3) { value.wrapping_mul(70_000) } else { step as u32 / 4 * 3_000 };
            receiver.handle_packet(
                now,
                VideoPacket { sequence, timestamp, marker: value.is_multiple_of(7), payload },
            );
            while receiver.poll_frame(now).is_some() {}
            receiver.poll_key_request(now);
            if value.is_multiple_of(501) {
                receiver.handle_decode_error(now);
            }
            assert!(receiver.poll_timeout().is_none_or(|at| at < now + Duration::from_secs(3_600)));
        }
    }
}

#[test]
fn playout_shows_the_newest_picture_that_is_due_and_counts_the_others() {
    let start = Instant::now();
    let mut playout = Playout::default();
    let picture = |millis| Picture::black(Size::clamped(2, 2), start + ms(millis));
    playout.push(start + ms(20), picture(20));
    playout.push(start + ms(10), picture(10));
    playout.push(start + ms(30), picture(30));
    assert!(playout.poll(start + ms(5)).is_none());
    assert_eq!(playout.poll_timeout(), Some(start + ms(10)));
    assert_eq!(playout.poll(start + ms(25)).unwrap().captured(), start + ms(20));
    assert_eq!(playout.statistics(start).dropped, 1);
    for at in 0..20 {
        playout.push(start + ms(100 + at), picture(at));
    }
    assert_eq!(playout.statistics(start).dropped, 10, "no more than twelve wait");
}

#[test]
fn standing_still_is_counted_as_a_freeze_and_a_pause_is_not() {
    let start = Instant::now();
    let mut playout = Playout::default();
    let show = |playout: &mut Playout, millis| {
        playout.push(start + ms(millis), Picture::black(Size::clamped(2, 2), start));
        assert!(playout.poll(start + ms(millis)).is_some());
    };
    (0..30).for_each(|at| show(&mut playout, at * 33));
    assert_eq!(playout.statistics(start + ms(1_000)).freezes, 0);
    assert!((playout.statistics(start + ms(957)).frames_per_second - 30.3).abs() < 0.5);
    let still = playout.statistics(start + ms(1_457));
    assert_eq!((still.freezes, still.frozen), (1, ms(500)), "a freeze that lasts is told");
    show(&mut playout, 1_557);
    let after = playout.statistics(start + ms(1_560));
    assert_eq!((after.freezes, after.frozen), (1, ms(600)));
    playout.clear();
    show(&mut playout, 9_000);
    assert_eq!(playout.statistics(start + ms(9_001)).freezes, 1);
}
