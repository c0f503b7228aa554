use std::time::Duration;

use super::*;
use crate::device::Flow;
use crate::frame::{FRAME_LEN, Frame, SILENCE};

const LOOK: Duration = Duration::from_millis(200);

/// A call in which all is well, as a test changes it.
struct Call {
    watch: CallWatch,
    now: Instant,
    seen: Observation,
    verdicts: Vec<(Duration, Option<SoundProblem>)>,
    start: Instant,
}

impl Call {
    fn new() -> Self {
        let start = Instant::now();
        let mut call = Self {
            watch: CallWatch::default(),
            now: start,
            seen: Observation {
                microphone: Some((false, false)),
                muted: false,
                sends: true,
                receives: true,
                packets_sent: 0,
                packets_received: 0,
                announced_silence: false,
                report: None,
                far_sent: None,
            },
            verdicts: Vec::new(),
            start,
        };
        call.watch.restart(start);
        call
    }

    /// Time passes; packets go out and come in at these rates a second.
    fn pass(&mut self, time: Duration, sent: u64, received: u64) {
        let end = self.now + time;
        while self.now < end {
            self.now += LOOK;
            self.seen.packets_sent += sent / 5;
            self.seen.packets_received += received / 5;
            if let Some(verdict) = self.watch.observe(self.now, &self.seen) {
                self.verdicts.push((self.now - self.start, verdict));
            }
        }
    }

    fn report(&mut self, fraction_lost: f32) {
        self.seen.report = Some(FarReport { at: self.now, fraction_lost });
        self.seen.far_sent = Some(self.seen.far_sent.unwrap_or(0) + 250);
    }
}

const SECOND: Duration = Duration::from_secs(1);

#[test]
fn nothing_is_said_of_a_call_in_which_all_is_well() {
    let mut call = Call::new();
    for _ in 0..60 {
        call.pass(5 * SECOND, 50, 50);
        call.report(0.02);
    }
    assert_eq!(call.verdicts, []);
}

#[test]
fn a_far_end_that_falls_silent_is_noticed_within_three_seconds_and_so_is_its_return() {
    let mut call = Call::new();
    call.pass(10 * SECOND, 50, 50);
    let lost = call.now - call.start;
    call.pass(10 * SECOND, 50, 0);
    let back = call.now - call.start;
    call.pass(10 * SECOND, 50, 50);
    let [(noticed, Some(SoundProblem::NothingReceived)), (well, None)] = call.verdicts[..] else {
        panic!("{:?}", call.verdicts)
    };
    assert!(noticed - lost <= 3 * SECOND, "{noticed:?} after {lost:?}");
    assert!(well - back <= SECOND, "{well:?} after {back:?}");
}

#[test]
fn a_far_end_that_never_sends_is_noticed_within_three_seconds() {
    let mut call = Call::new();
    call.pass(5 * SECOND, 50, 0);
    assert!(call.verdicts[0].0 <= 3 * SECOND, "{:?}", call.verdicts);
    assert_eq!(call.verdicts[0].1, Some(SoundProblem::NothingReceived));
}

#[test]
fn a_packet_now_and_then_does_not_make_the_verdict_flap() {
    let mut call = Call::new();
    for _ in 0..20 {
        call.pass(4 * SECOND, 50, 0);
        call.seen.packets_received += 1;
    }
    // Each fifth packet ends it for a while; not each one.
    assert!(call.verdicts.len() <= 8, "{:?}", call.verdicts);
    assert_eq!(call.verdicts[0].1, Some(SoundProblem::NothingReceived));
}

#[test]
fn announced_silence_and_hold_are_no_loss() {
    let mut call = Call::new();
    call.pass(5 * SECOND, 50, 50);
    call.seen.announced_silence = true;
    call.pass(20 * SECOND, 50, 0);
    call.seen.announced_silence = false;
    call.pass(2 * SECOND, 50, 50);
    call.seen.receives = false;
    call.pass(60 * SECOND, 50, 0);
    call.seen.receives = true;
    call.watch.restart(call.now);
    call.pass(2 * SECOND, 50, 0);
    call.pass(5 * SECOND, 50, 50);
    assert_eq!(call.verdicts, []);
}

#[test]
fn reports_that_all_of_ours_is_lost_are_told_at_once_and_taken_back_at_once() {
    let mut call = Call::new();
    call.pass(5 * SECOND, 50, 50);
    call.report(0.0);
    call.pass(5 * SECOND, 50, 50);
    call.report(1.0);
    call.pass(LOOK, 50, 50);
    assert_eq!(call.watch.problem(), Some(SoundProblem::NothingArrives));
    call.pass(5 * SECOND, 50, 50);
    call.report(0.95);
    call.pass(5 * SECOND, 50, 50);
    assert_eq!(call.watch.problem(), Some(SoundProblem::NothingArrives), "hardly anything is nothing");
    call.report(0.3);
    call.pass(LOOK, 50, 50);
    assert_eq!(call.watch.problem(), None);
    assert_eq!(call.verdicts.len(), 2);
}

#[test]
fn a_far_end_that_reports_without_a_word_about_us_hears_nothing() {
    let mut call = Call::new();
    for _ in 0..6 {
        call.pass(5 * SECOND, 50, 50);
        call.seen.far_sent = Some(call.seen.far_sent.unwrap_or(0) + 250);
    }
    assert_eq!(call.watch.problem(), Some(SoundProblem::NothingArrives));
    // One that sends no reports at all tells nothing.
    let mut call = Call::new();
    call.pass(120 * SECOND, 50, 50);
    assert_eq!(call.verdicts, []);
}

#[test]
fn heavy_loss_is_not_called_nothing() {
    let mut call = Call::new();
    for _ in 0..20 {
        call.pass(5 * SECOND, 50, 50);
        call.report(0.6);
    }
    assert_eq!(call.verdicts, []);
}

#[test]
fn the_microphone_is_judged_only_where_it_is_sent() {
    let mut call = Call::new();
    call.seen.microphone = Some((true, false));
    call.pass(SECOND, 50, 50);
    assert_eq!(call.watch.problem(), Some(SoundProblem::SilentMicrophone));
    call.seen.muted = true;
    call.pass(SECOND, 50, 50);
    assert_eq!(call.watch.problem(), None);
    call.seen.microphone = Some((false, true));
    call.pass(SECOND, 50, 50);
    assert_eq!(call.watch.problem(), Some(SoundProblem::SpeakingWhileMuted));
    call.seen.sends = false;
    call.pass(SECOND, 50, 50);
    assert_eq!(call.watch.problem(), None);
}

/// A microphone's noise, and what sounds over it.
struct Room {
    random: u32,
    watch: MicrophoneWatch,
    frames: usize,
}

impl Room {
    fn new() -> Self {
        Self { random: 99, watch: MicrophoneWatch::default(), frames: 0 }
    }

    fn noise(&mut self, dbfs: f32) -> Frame {
        let gain = 10f32.powf(dbfs / 20.0) * 3f32.sqrt();
        std::array::from_fn(|_| {
            self.random ^= self.random << 13;
            self.random ^= self.random >> 17;
            self.random ^= self.random << 5;
            (self.random as f32 / u32::MAX as f32 * 2.0 - 1.0) * gain
        })
    }

    /// `level` of each frame of the next seconds.
    fn pass(&mut self, seconds: f32, level: impl Fn(usize) -> Option<f32>) {
        for n in 0..(seconds * 100.0) as usize {
            let frame = level(n).map_or(SILENCE, |dbfs| self.noise(dbfs));
            self.watch.observe(Flow::Live, &frame, &frame);
            self.frames += 1;
        }
    }
}

/// Syllables of 200 ms with dips, over noise; words with a pause between them.
fn speech(n: usize) -> Option<f32> {
    Some(match n {
        n if n % 150 > 110 => -65.0,
        n if n % 20 < 14 => -25.0,
        _ => -48.0,
    })
}

#[test]
fn digital_silence_is_noticed_within_three_seconds_and_its_end_at_once() {
    let mut room = Room::new();
    room.pass(5.0, |_| Some(-65.0));
    assert!(!room.watch.is_silent());
    room.pass(2.0, |_| None);
    assert!(!room.watch.is_silent(), "too early");
    room.pass(1.0, |_| None);
    assert!(room.watch.is_silent());
    room.pass(0.1, |_| Some(-65.0));
    assert!(!room.watch.is_silent());
}

#[test]
fn a_microphone_that_gives_nothing_or_a_constant_is_silent() {
    for (flow, frame) in [(Flow::Starved, SILENCE), (Flow::Live, [0.3; FRAME_LEN])] {
        let mut watch = MicrophoneWatch::default();
        for _ in 0..300 {
            watch.observe(flow, &frame, &frame);
        }
        assert!(watch.is_silent(), "{flow:?}");
    }
}

#[test]
fn pauses_of_speech_are_no_silence_even_where_a_headset_gates_them() {
    let mut room = Room::new();
    room.pass(10.0, |_| Some(-70.0));
    assert!(!room.watch.is_silent(), "a quiet room");
    // Digital silence in each pause; the pauses grow.
    for pause in [0.5, 1.0, 2.0, 4.0, 8.0, 15.0] {
        room.pass(1.0, |_| Some(-30.0));
        room.pass(pause, |_| None);
        assert!(!room.watch.is_silent(), "a pause of {pause} s");
    }
    room.pass(10.0, |_| None);
    assert!(room.watch.is_silent(), "at last");
}

#[test]
fn speech_is_noticed_within_three_seconds_and_noise_is_not_taken_for_it() {
    let mut room = Room::new();
    room.pass(5.0, |_| Some(-65.0));
    assert!(!room.watch.is_speaking(), "a quiet room");
    room.pass(3.0, speech);
    assert!(room.watch.is_speaking());
    room.pass(2.0, |_| Some(-65.0));
    assert!(room.watch.is_speaking(), "a pause between sentences");
    room.pass(5.0, |_| Some(-65.0));
    assert!(!room.watch.is_speaking());
    room.pass(30.0, |_| Some(-40.0));
    assert!(!room.watch.is_speaking(), "a fan begins");
    let mut room = Room::new();
    room.pass(5.0, |_| Some(-65.0));
    room.pass(0.3, |_| Some(-15.0));
    room.pass(5.0, |_| Some(-65.0));
    assert!(!room.watch.is_speaking(), "a door");
    room.pass(20.0, |n| Some(if n % 20 < 3 { -30.0 } else { -65.0 }));
    assert!(!room.watch.is_speaking(), "a keyboard");
}
