//! A network in virtual time between a sender and a receiver.
// Each test program uses a part.
#![allow(dead_code, clippy::unwrap_used)]

use std::collections::BinaryHeap;
use std::time::{Duration, Instant};

use sidetone_media::{
    AudioReceiver, AudioSender, Codec, FRAME_LEN, Frame, JitterOptions, PayloadKind, Played, ReceivedPacket,
    ReceiverOptions, ReceiverStats, SILENCE, SenderOptions,
};

/// What happens to a packet; its number and a random number of 0 to 1 go in.
pub(crate) struct Conditions {
    /// Milliseconds on the way.
    pub(crate) delay: Box<dyn FnMut(u64, f64) -> f64>,
    /// Parts of one.
    pub(crate) loss: f64,
    pub(crate) duplicates: f64,
    /// Parts in a million by which the sender's clock runs fast.
    pub(crate) skew_ppm: f64,
    pub(crate) first_sequence: u16,
    pub(crate) first_timestamp: u32,
}

impl Default for Conditions {
    fn default() -> Self {
        Self {
            delay: Box::new(|_, _| 30.0),
            loss: 0.0,
            duplicates: 0.0,
            skew_ppm: 0.0,
            // Both wrap within a second.
            first_sequence: 65_520,
            first_timestamp: u32::MAX - 3_000,
        }
    }
}

pub(crate) fn uniform_jitter(milliseconds: f64) -> Conditions {
    Conditions { delay: Box::new(move |_, random| 20.0 + milliseconds * random), ..Default::default() }
}

#[derive(PartialEq, Eq, PartialOrd, Ord)]
struct OnTheWay {
    /// Negative microseconds of arrival, so that the heap gives the earliest first, then the number.
    order: (i64, std::cmp::Reverse<u64>),
    sequence: u16,
    timestamp: u32,
    marker: bool,
    noise: bool,
    payload: Vec<u8>,
}

pub(crate) struct Call {
    sender: AudioSender,
    pub(crate) receiver: AudioReceiver,
    conditions: Conditions,
    random: Random,
    epoch: Instant,
    /// Frames sent and pulled.
    sent: u64,
    pub(crate) beats: u64,
    packets: u64,
    on_the_way: BinaryHeap<OnTheWay>,
    pub(crate) played: Vec<Played>,
    /// The state after each second.
    pub(crate) seconds: Vec<ReceiverStats>,
}

impl Call {
    pub(crate) fn new(codec: Codec, sender: SenderOptions, conditions: Conditions) -> Self {
        Self::with_bounds(codec, sender, conditions, JitterOptions::default())
    }

    pub(crate) fn with_bounds(
        codec: Codec,
        sender: SenderOptions,
        conditions: Conditions,
        jitter: JitterOptions,
    ) -> Self {
        Self {
            sender: AudioSender::new(codec, sender).unwrap(),
            receiver: AudioReceiver::new(codec, ReceiverOptions { jitter }).unwrap(),
            conditions,
            random: Random(42),
            epoch: Instant::now(),
            sent: 0,
            beats: 0,
            packets: 0,
            on_the_way: BinaryHeap::new(),
            played: Vec::new(),
            seconds: Vec::new(),
        }
    }

    pub(crate) fn expect_loss(&mut self, percent: u8) {
        self.sender.set_expected_loss(percent);
    }

    pub(crate) fn conditions(&mut self) -> &mut Conditions {
        &mut self.conditions
    }

    /// Sends `signal`, then silence until `seconds` have passed; gives what was heard.
    pub(crate) fn run(&mut self, signal: &[f32], seconds: f64) -> Vec<f32> {
        let mut heard = Vec::new();
        let mut frames = signal.as_chunks::<FRAME_LEN>().0.iter();
        self.run_with(seconds, || *frames.next().unwrap_or(&SILENCE), |frame| heard.extend_from_slice(frame));
        heard
    }

    pub(crate) fn run_with(
        &mut self,
        seconds: f64,
        mut source: impl FnMut() -> Frame,
        mut sink: impl FnMut(&Frame),
    ) {
        let end = self.beats + (seconds * 100.0).round() as u64;
        let mut frame = SILENCE;
        while self.beats < end {
            let now = self.beats as i64 * 10_000;
            // The sender's beats by its own clock, a little out of step with ours.
            while (self.sent as f64 * 10_000.0 / (1.0 + self.conditions.skew_ppm * 1e-6)) as i64 + 3_700
                <= now
            {
                let at =
                    (self.sent as f64 * 10_000.0 / (1.0 + self.conditions.skew_ppm * 1e-6)) as i64 + 3_700;
                self.send(at, &source());
            }
            while self.on_the_way.peek().is_some_and(|p| -p.order.0 <= now) {
                let packet = self.on_the_way.pop().unwrap();
                let at = self.epoch + Duration::from_micros(-packet.order.0 as u64);
                self.receiver.push(
                    at,
                    ReceivedPacket {
                        sequence: packet.sequence,
                        timestamp: packet.timestamp,
                        marker: packet.marker,
                        kind: if packet.noise { PayloadKind::ComfortNoise } else { PayloadKind::Media },
                        payload: &packet.payload,
                    },
                );
            }
            self.played.push(self.receiver.pull(self.epoch + Duration::from_micros(now as u64), &mut frame));
            sink(&frame);
            self.beats += 1;
            if self.beats.is_multiple_of(100) {
                self.seconds.push(self.receiver.stats());
            }
        }
    }

    fn send(&mut self, at: i64, frame: &Frame) {
        let Self { sender, conditions, random, on_the_way, packets, .. } = self;
        self.sent += 1;
        sender.push(frame, &mut |packet| {
            let number = *packets;
            *packets += 1;
            let copies = if random.unit() < conditions.duplicates { 2 } else { 1 };
            for copy in 0..copies {
                let delay = (conditions.delay)(number, random.unit());
                if random.unit() < conditions.loss {
                    continue;
                }
                let arrival = at + (delay * 1_000.0) as i64 + copy * 5_000;
                on_the_way.push(OnTheWay {
                    order: (-arrival, std::cmp::Reverse(number)),
                    sequence: conditions.first_sequence.wrapping_add(number as u16),
                    timestamp: conditions.first_timestamp.wrapping_add(packet.timestamp),
                    marker: packet.marker,
                    noise: packet.kind == PayloadKind::ComfortNoise,
                    payload: packet.payload.to_vec(),
                });
            }
        });
    }
}

pub(crate) struct Random(pub(crate) u64);

impl Random {
    pub(crate) fn next(&mut self) -> u32 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 32) as u32
    }

    /// 0 to below 1.
    pub(crate) fn unit(&mut self) -> f64 {
        f64::from(self.next()) / 4_294_967_296.0
    }
}

/// Something like speech: a gliding vowel in syllables with pauses, 48 kHz.
pub(crate) fn speech(seconds: f32) -> Vec<f32> {
    use std::f32::consts::TAU;
    let mut random = Random(12_345);
    let mut phase = 0.0f32;
    (0..(48_000.0 * seconds) as usize)
        .map(|n| {
            let t = n as f32 / 48_000.0;
            phase += (120.0 + 25.0 * (TAU * 0.7 * t).sin()) / 48_000.0;
            phase -= phase.floor();
            let mut sample = 0.0;
            for (harmonic, weight) in
                [(1.0, 0.3), (2.0, 0.2), (4.0, 0.2), (5.0, 0.25), (9.0, 0.12), (20.0, 0.05)]
            {
                sample += weight * (TAU * harmonic * phase).sin();
            }
            let syllable = (TAU * (2.1 * t + 0.3 * (TAU * 0.13 * t).sin())).sin();
            0.5 * (syllable + 0.4).clamp(0.0, 1.0) * sample + 0.002 * (random.unit() as f32 - 0.5)
        })
        .collect()
}

/// The highest normalised cross-correlation over delays of 0 to `max_delay_ms`, and that delay in ms.
pub(crate) fn correlation(sent: &[f32], heard: &[f32], max_delay_ms: usize) -> (f32, f32) {
    let mut best = (0.0f32, 0.0f32);
    let score = |delay: usize| {
        let n = sent.len().min(heard.len().saturating_sub(delay));
        let (mut product, mut a2, mut b2) = (0.0f64, 1e-9f64, 1e-9f64);
        // The signal has little above 3 kHz.
        for (a, b) in sent[..n].iter().zip(&heard[delay..]).step_by(5) {
            product += f64::from(a * b);
            a2 += f64::from(a * a);
            b2 += f64::from(b * b);
        }
        (product / (a2 * b2).sqrt()) as f32
    };
    for delay in (0..max_delay_ms * 48).step_by(24) {
        let value = score(delay);
        if value > best.0 {
            best = (value, delay as f32 / 48.0);
        }
    }
    let near = (best.1 * 48.0) as usize;
    for delay in near.saturating_sub(24)..near + 24 {
        let value = score(delay);
        if value > best.0 {
            best = (value, delay as f32 / 48.0);
        }
    }
    best
}
