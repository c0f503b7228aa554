use std::time::Duration;

use super::*;
use crate::codec::CodecError;

/// A payload is a value and flags; it decodes to 20 ms of that value at 8 kHz.
#[derive(Default)]
struct Fake {
    own_concealment: bool,
    concealed: usize,
    fec: usize,
}

const FEC: u8 = 1;
const BROKEN: u8 = 2;
const LENGTH: usize = 160;

impl Decoder for Fake {
    fn sample_rate(&self) -> u32 {
        8_000
    }
    fn samples(&self, payload: &[u8]) -> Option<usize> {
        (payload.len() == 2).then_some(LENGTH)
    }
    fn decode(&mut self, payload: &[u8], out: &mut [f32]) -> Result<usize, CodecError> {
        if payload[1] & BROKEN != 0 {
            return Err(CodecError::Malformed);
        }
        out[..LENGTH].fill(f32::from(payload[0]) / 256.0);
        Ok(LENGTH)
    }
    fn has_fec(&self, payload: &[u8]) -> bool {
        payload[1] & FEC != 0
    }
    fn decode_fec(&mut self, payload: &[u8], out: &mut [f32]) -> bool {
        self.fec += 1;
        out.fill(f32::from(payload[0] - 1) / 256.0);
        true
    }
    fn conceal(&mut self, out: &mut [f32]) -> bool {
        if self.own_concealment {
            self.concealed += out.len();
            out.fill(0.5);
        }
        self.own_concealment
    }
    fn reset(&mut self) {}
}

struct Bench {
    buffer: JitterBuffer<Fake>,
    start: Instant,
    beat: u64,
}

impl Bench {
    fn new(decoder: Fake) -> Self {
        let options = JitterOptions { min_ms: 0, initial_ms: 0, max_ms: 200 };
        Self { buffer: JitterBuffer::new(decoder, 8_000, options).unwrap(), start: Instant::now(), beat: 0 }
    }

    fn push(&mut self, n: u16, flags: u8) {
        let now = self.start + Duration::from_millis(10 * self.beat);
        let payload = [100 + n as u8, flags];
        let (timestamp, marker, kind) = (u32::from(n) * 160, false, PayloadKind::Media);
        self.buffer.push(now, ReceivedPacket { sequence: n, timestamp, marker, kind, payload: &payload });
    }

    /// One pull; the last of its samples as a packet number.
    fn pull(&mut self) -> (Played, f32) {
        let now = self.start + Duration::from_millis(10 * self.beat);
        self.beat += 1;
        let mut out = [0.0; 80];
        let played = self.buffer.pull(now, &mut out);
        (played, out[79] * 256.0 - 100.0)
    }

    /// Pushes packets 0 to `count` in step with the pulls until all but the last are played.
    fn play(&mut self, count: u16) {
        // The target is 5 ms over the arrival, so that playing begins at the second pull.
        for n in 0..count {
            self.push(n, 0);
            self.pull();
            self.pull();
        }
    }
}

#[test]
fn packets_are_played_in_order_each_once() {
    let mut bench = Bench::new(Fake::default());
    let mut heard = Vec::new();
    for n in 0..50 {
        bench.push(n, 0);
        bench.push(n, 0);
        for _ in 0..2 {
            let (played, value) = bench.pull();
            if played == Played::Normal {
                heard.push(value.round() as u16);
            }
        }
    }
    let expected: Vec<u16> = (0..50).flat_map(|n| [n, n]).collect();
    assert_eq!(heard, expected[..heard.len()]);
    assert!(heard.len() >= 97);
    assert_eq!(bench.buffer.stats().duplicates, 50);
}

#[test]
fn a_packet_that_comes_late_is_still_played_if_none_after_it_was() {
    let mut bench = Bench::new(Fake::default());
    bench.play(20);
    while bench.pull().0 == Played::Normal {}
    bench.push(20, 0);
    let (played, value) = bench.pull();
    assert_eq!((played, value.round()), (Played::Normal, 20.0));
    let stats = bench.buffer.stats();
    assert_eq!((stats.late, stats.lost, stats.concealments), (0, 0, 1));
}

#[test]
fn a_packet_is_late_once_the_next_one_was_played() {
    let mut bench = Bench::new(Fake::default());
    bench.play(20);
    bench.push(21, 0);
    for _ in 0..5 {
        bench.pull();
    }
    bench.push(20, 0);
    let stats = bench.buffer.stats();
    assert_eq!((stats.late, stats.lost), (1, 1));
    assert_eq!(stats.concealed_ms % 10.0, 0.0);
}

#[test]
fn fec_replaces_a_lost_packet_and_the_rest_of_a_partly_concealed_one() {
    for concealed_before in [false, true] {
        let mut bench = Bench::new(Fake::default());
        bench.play(20);
        if concealed_before {
            while bench.pull().0 == Played::Normal {}
        }
        bench.push(21, FEC);
        let mut values = Vec::new();
        for _ in 0..6 {
            let (played, value) = bench.pull();
            if played == Played::Normal {
                values.push(value.round());
            }
        }
        let stats = bench.buffer.stats();
        assert_eq!((stats.fec_recovered, stats.lost), (1, 0), "{concealed_before}");
        assert_eq!(bench.buffer.decoder.fec, 1);
        assert!(values.contains(&20.0) && values.contains(&21.0), "{values:?}");
    }
}

#[test]
fn of_two_lost_packets_fec_replaces_the_second() {
    let mut bench = Bench::new(Fake::default());
    bench.play(20);
    bench.push(22, FEC);
    for _ in 0..8 {
        bench.pull();
    }
    let stats = bench.buffer.stats();
    assert_eq!((stats.fec_recovered, stats.lost), (1, 1));
}

#[test]
fn a_decoder_that_conceals_is_asked_and_faded_out() {
    let mut bench = Bench::new(Fake { own_concealment: true, ..Default::default() });
    bench.play(20);
    while bench.pull().0 == Played::Normal {}
    let mut concealed = 1;
    while bench.pull().0 == Played::Concealed {
        concealed += 1;
    }
    assert_eq!(concealed, 10);
    assert_eq!(bench.buffer.decoder.concealed, 800);
    assert_eq!(bench.pull(), (Played::Silence, -100.0));
    assert_eq!(bench.buffer.decoder.concealed, 800);
}

#[test]
fn a_payload_that_does_not_decode_is_counted_and_concealed() {
    let mut bench = Bench::new(Fake::default());
    bench.play(20);
    bench.push(20, BROKEN);
    bench.push(21, 0);
    for _ in 0..4 {
        bench.pull();
    }
    bench.push(22, 0);
    bench.pull();
    let stats = bench.buffer.stats();
    assert_eq!((stats.malformed, stats.lost), (1, 1));
    assert_eq!(stats.concealed_ms, 20.0);
}

#[test]
fn options_out_of_order_are_refused_by_name() {
    let error = |min_ms, initial_ms, max_ms| {
        let options = JitterOptions { min_ms, initial_ms, max_ms };
        JitterBuffer::new(Fake::default(), 8_000, options).err().unwrap().to_string()
    };
    assert!(error(0, 0, 501).starts_with("max_ms"));
    assert!(error(100, 50, 90).starts_with("min_ms"));
    assert!(error(20, 10, 90).starts_with("initial_ms"));
    let options = JitterOptions::default();
    assert!(
        JitterBuffer::new(Fake::default(), 3_000, options)
            .err()
            .unwrap()
            .to_string()
            .starts_with("clock_rate")
    );
}

#[test]
fn time_before_the_first_call_does_no_harm() {
    let mut bench = Bench::new(Fake::default());
    bench.beat = 1_000;
    bench.play(5);
    bench.beat = 0;
    bench.play(5);
    bench.pull();
}

#[test]
fn the_timestamp_that_is_heard_goes_on_with_the_pulls() {
    let mut bench = Bench::new(Fake::default());
    assert_eq!(bench.buffer.playing(), None);
    bench.play(20);
    let first = bench.buffer.playing().unwrap();
    assert!(first > 18 * 160 && first <= 20 * 160, "{first}");
    bench.push(20, 0);
    bench.pull();
    assert_eq!(bench.buffer.playing(), Some(first + 80));
}

/// 20 ms of a sine at 8 kHz, which goes on from packet to packet.
struct Sine;

impl Sine {
    /// Of one sample to the next at most.
    const STEP: f32 = 0.5 * std::f32::consts::TAU * 200.0 / 8_000.0;
}

impl Decoder for Sine {
    fn sample_rate(&self) -> u32 {
        8_000
    }
    fn samples(&self, _payload: &[u8]) -> Option<usize> {
        Some(LENGTH)
    }
    fn decode(&mut self, payload: &[u8], out: &mut [f32]) -> Result<usize, CodecError> {
        let first = u32::from(u16::from_be_bytes([payload[0], payload[1]])) * LENGTH as u32;
        for (sample, n) in out[..LENGTH].iter_mut().zip(first..) {
            *sample = 0.5 * (std::f32::consts::TAU * (n % 40) as f32 / 40.0).sin();
        }
        Ok(LENGTH)
    }
    fn reset(&mut self) {}
}

#[test]
fn a_delay_that_is_asked_for_is_reached_and_given_up_without_a_click() {
    let mut buffer = JitterBuffer::new(Sine, 8_000, JitterOptions::default()).unwrap();
    let (start, mut last, mut step) = (Instant::now(), 0.0f32, 0.0f32);
    // How late it plays, in milliseconds, at the end of each part of 6 s.
    let mut lags: Vec<(i64, u16)> = Vec::new();
    for (part, extra) in (0..).zip([0, 200, 800, 0]) {
        let beats = if part < 2 { 600 } else { 1_200 };
        buffer.set_extra_delay(Duration::from_millis(extra));
        let first = lags.last().map_or(0u16, |(_, end)| *end);
        for beat in first..first + beats {
            let now = start + Duration::from_millis(10 * u64::from(beat));
            if beat % 2 == 0 {
                let (sequence, payload) = (beat / 2, (beat / 2).to_be_bytes());
                let (timestamp, marker, kind) = (u32::from(sequence) * 160, false, PayloadKind::Media);
                buffer.push(now, ReceivedPacket { sequence, timestamp, marker, kind, payload: &payload });
            }
            let mut out = [0.0; 80];
            buffer.pull(now, &mut out);
            for sample in out {
                step = step.max((sample - last).abs());
                last = sample;
            }
        }
        let end = first + beats;
        let lag = i64::from(end) * 10 - i64::from(buffer.playing().unwrap()) / 8;
        lags.push((lag, end));
        let waiting = buffer.waiting().unwrap().as_millis() as u64;
        assert!(waiting.abs_diff(extra) <= 30, "{waiting} of {extra}");
    }
    let lag: Vec<i64> = lags.iter().map(|(lag, _)| lag - lags[0].0).collect();
    assert!(lag[1].abs_diff(200) <= 30 && lag[2].abs_diff(800) <= 30 && lag[3].abs() <= 30, "{lag:?}");
    assert!(step < 1.5 * Sine::STEP, "{step} is more than a sine's {}", Sine::STEP);
    let stats = buffer.stats();
    assert_eq!((stats.late, stats.discarded, stats.lost, stats.concealments), (0, 0, 0, 0));
}
