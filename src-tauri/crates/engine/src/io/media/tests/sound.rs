//! Who hears whom: real packets on loopback, virtual time.

use super::{Thread, agreed, far_end};
use crate::io::media::{Ask, HoldMusic, Identities, Join, LegId, News, TransportSetup, worker::tokens};
use crate::io::ports;
use sidetone_media::tone::{DtmfDetector, DtmfPlayer, TestTone};
use sidetone_media::{
    AudioSender, Codec, Decoder, Flow, Frame, Recorder, Resampler, SAMPLE_RATE, SILENCE, SenderOptions, Sink,
    SoundProblem, Source,
};
use sidetone_sdp::Capability;
use std::f32::consts::TAU;
use std::net::{IpAddr, Ipv4Addr, SocketAddr, UdpSocket};
use std::sync::{Arc, Mutex};

/// A party at the other end of a leg.
struct Far {
    leg: LegId,
    socket: UdpSocket,
    us: SocketAddr,
    says: Box<dyn Source>,
    sender: AudioSender,
    sequence: u16,
    decoder: Box<dyn Decoder>,
    up: Resampler,
    /// 48 kHz.
    heard: Vec<f32>,
}

impl Far {
    fn open(thread: &mut Thread, leg: u64, says: Box<dyn Source>, join: Join) -> Self {
        let (leg, socket) = (LegId(leg), far_end());
        let pair = ports::bind_pair(IpAddr::V4(Ipv4Addr::LOCALHOST), 0).unwrap();
        let us = SocketAddr::from((Ipv4Addr::LOCALHOST, pair.port));
        let negotiated = agreed(&Capability::pcmu(), pair.port, socket.local_addr().unwrap().port());
        let (seed, identities) = ([leg.0 as u8; 32], Identities::default());
        let setup = TransportSetup { pair, seed, cname: "test".into(), identities };
        thread.ask(Ask::Open { leg, setup });
        thread.ask(Ask::Configure { leg, negotiated: Box::new(negotiated) });
        thread.ask(Ask::Join { leg, with: join });
        socket.set_nonblocking(true).unwrap();
        let decoder = Codec::Pcmu.decoder().unwrap();
        Self {
            leg,
            socket,
            us,
            says,
            sender: AudioSender::new(Codec::Pcmu, SenderOptions::default()).unwrap(),
            sequence: 0,
            up: Resampler::new(decoder.sample_rate(), SAMPLE_RATE).unwrap(),
            decoder,
            heard: Vec::new(),
        }
    }

    /// 10 ms: speaks, and listens.
    fn beat(&mut self) {
        let mut frame = SILENCE;
        self.says.read(&mut frame);
        let Self { sender, socket, sequence, us, leg, .. } = self;
        sender.push(&frame, &mut |packet| {
            let mut datagram = vec![0x80, 0];
            datagram.extend(sequence.to_be_bytes());
            datagram.extend(packet.timestamp.to_be_bytes());
            datagram.extend((leg.0 as u32 + 1_000).to_be_bytes());
            datagram.extend(packet.payload);
            *sequence += 1;
            socket.send_to(&datagram, *us).unwrap();
        });
        let mut packet = [0; 1_500];
        while let Ok(length) = self.socket.recv(&mut packet) {
            let mut block = [0.0; 2_000];
            if packet[1] & 0x7f == 0
                && let Ok(samples) = self.decoder.decode(&packet[12..length], &mut block)
            {
                self.up.process(&block[..samples], &mut self.heard);
            }
        }
    }

    fn hears(&self, hz: f32) -> bool {
        contains(&self.heard, hz)
    }
}

/// A tone of -26 dBFS or more, in the last half second.
fn contains(sound: &[f32], hz: f32) -> bool {
    let last = &sound[sound.len().saturating_sub(24_000)..];
    let (mut re, mut im) = (0.0, 0.0);
    for (n, sample) in last.iter().enumerate() {
        let angle = TAU * hz * n as f32 / SAMPLE_RATE as f32;
        re += sample * angle.cos();
        im += sample * angle.sin();
    }
    (re * re + im * im).sqrt() * 2.0 / last.len().max(1) as f32 > 0.05
}

#[derive(Clone, Default)]
struct Ear(Arc<Mutex<Vec<f32>>>);

impl Sink for Ear {
    fn write(&mut self, frame: &Frame) {
        self.0.lock().unwrap().extend_from_slice(frame);
    }
}

impl Ear {
    fn hears(&self, hz: f32) -> bool {
        contains(&self.0.lock().unwrap(), hz)
    }
}

fn tone(hz: f32) -> Box<dyn Source> {
    Box::new(TestTone::new(hz))
}

/// What the microphone says.
const OURS: f32 = 1_700.0;

impl Thread {
    /// With a microphone and a speaker.
    fn at_a_desk() -> (Self, Ear) {
        let (mut thread, ear) = (Self::new(), Ear::default());
        thread.ask(Ask::Microphone(Some(tone(OURS))));
        thread.ask(Ask::Speaker(Some(Box::new(ear.clone()))));
        (thread, ear)
    }

    /// Lets everybody speak and listen for so many beats.
    fn live(&mut self, parties: &mut [&mut Far], beats: usize) {
        for _ in 0..beats {
            for far in parties.iter_mut() {
                far.beat();
                self.worker.receive(self.now, tokens(far.leg).0);
            }
            self.beat(1);
            self.worker.reports(self.now);
        }
    }

    fn news(&mut self) -> Vec<News> {
        std::iter::from_fn(|| self.news.try_recv().ok()).collect()
    }
}

#[test]
fn in_a_conference_each_hears_all_others_and_us_and_nobody_himself() {
    let (mut thread, ear) = Thread::at_a_desk();
    let pitches = [500.0, 900.0, 1_300.0];
    let mut parties: Vec<Far> = pitches
        .iter()
        .zip(1..)
        .map(|(hz, leg)| Far::open(&mut thread, leg, tone(*hz), Join::Conference))
        .collect();
    let mut all: Vec<&mut Far> = parties.iter_mut().collect();
    thread.live(&mut all, 150);
    for (n, far) in parties.iter().enumerate() {
        for (m, hz) in pitches.iter().enumerate() {
            assert_eq!(far.hears(*hz), n != m, "party {n} and {hz} Hz");
        }
        assert!(far.hears(OURS), "party {n} hears us");
    }
    assert!(pitches.iter().all(|hz| ear.hears(*hz)) && !ear.hears(OURS));

    // Muted for one, held for another.
    thread.ask(Ask::Mute { leg: LegId(1), muted: true });
    thread.ask(Ask::Join { leg: LegId(3), with: Join::Hold });
    thread.ask(Ask::HoldMusic(HoldMusic::Source(tone(2_300.0))));
    let mut all: Vec<&mut Far> = parties.iter_mut().collect();
    thread.live(&mut all, 150);
    assert!(!parties[0].hears(OURS) && parties[0].hears(900.0) && !parties[0].hears(1_300.0));
    assert!(parties[1].hears(OURS) && parties[1].hears(500.0) && !parties[1].hears(2_300.0));
    assert!(parties[2].hears(2_300.0) && !parties[2].hears(OURS) && !parties[2].hears(500.0));
    assert!(!ear.hears(1_300.0), "one who is held is not heard");
}

#[test]
fn the_held_hear_our_tune_unless_silence_is_asked_for() {
    let (mut thread, _) = Thread::at_a_desk();
    let mut far = Far::open(&mut thread, 1, tone(500.0), Join::Hold);
    let loud = |sound: &[f32]| sound.iter().any(|sample| sample.abs() > 0.01);
    thread.live(&mut [&mut far], 200);
    assert!(loud(&far.heard) && !far.hears(OURS));
    thread.ask(Ask::HoldMusic(HoldMusic::Silence));
    thread.live(&mut [&mut far], 20);
    far.heard.clear();
    thread.live(&mut [&mut far], 100);
    assert!(!far.heard.is_empty() && !loud(&far.heard));
}

#[test]
fn a_recording_has_us_left_and_the_far_end_right_and_is_announced_to_both() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("call.wav");
    let (mut thread, ear) = Thread::at_a_desk();
    let mut far = Far::open(&mut thread, 1, tone(500.0), Join::Devices);
    thread.live(&mut [&mut far], 50);
    let recorder = Box::new(Recorder::create(&path, 2).unwrap());
    thread.ask(Ask::Record { leg: far.leg, others: Vec::new(), recorder, announced: true });
    far.heard.clear();
    let before = ear.0.lock().unwrap().len();
    thread.live(&mut [&mut far], 40);
    assert!(contains(&far.heard[..9_600], 1_400.0), "the far end hears the tone");
    assert!(contains(&ear.0.lock().unwrap()[before..before + 9_600], 1_400.0), "and so do we");
    thread.live(&mut [&mut far], 160);
    thread.ask(Ask::PauseRecording { leg: far.leg, paused: true });
    thread.live(&mut [&mut far], 100);
    thread.ask(Ask::Close { leg: far.leg });
    let recorded = loop {
        match thread.news.blocking_recv().unwrap() {
            News::Recorded { recorded } => break recorded,
            _ => continue,
        }
    };
    assert_eq!((recorded.files, recorded.problem, recorded.seconds), (vec![path.clone()], None, 2));
    let samples: Vec<f32> = hound::WavReader::open(&path)
        .unwrap()
        .samples::<i16>()
        .map(|sample| f32::from(sample.unwrap()) / 32_768.0)
        .collect();
    assert_eq!(samples.len(), 2 * 2 * SAMPLE_RATE as usize, "nothing of the pause");
    let side = |n: usize| -> Vec<f32> { samples.iter().skip(n).step_by(2).copied().collect() };
    assert!(contains(&side(0), OURS) && !contains(&side(0), 500.0));
    assert!(contains(&side(1), 500.0) && !contains(&side(1), OURS));
}

#[test]
fn keys_go_and_come_as_tones_in_the_sound() {
    let (mut thread, _) = Thread::at_a_desk();
    let mut keys = DtmfPlayer::new();
    "159#".chars().for_each(|digit| assert!(keys.press(digit, 100)));
    let mut far = Far::open(&mut thread, 1, Box::new(keys), Join::Devices);
    thread.live(&mut [&mut far], 120);
    let digits: String = thread
        .news()
        .into_iter()
        .filter_map(|news| match news {
            News::Digit { digit, .. } => Some(digit),
            _ => None,
        })
        .collect();
    assert_eq!(digits, "159#");
    thread.ask(Ask::SendTones { leg: far.leg, digits: "26*0".into() });
    far.heard.clear();
    thread.live(&mut [&mut far], 120);
    let mut detector = DtmfDetector::default();
    let heard: String =
        far.heard.as_chunks::<480>().0.iter().filter_map(|frame| detector.push(frame)).collect();
    assert_eq!(heard, "26*0");
    thread.live(&mut [&mut far], 60);
    assert!(far.hears(OURS), "the voice comes back");
}

#[test]
fn keys_that_are_too_many_to_wait_are_told() {
    let (mut thread, _) = Thread::at_a_desk();
    let far = Far::open(&mut thread, 1, tone(500.0), Join::Devices);
    let tones = |digits| Ask::SendTones { leg: far.leg, digits };
    let events = |digits| Ask::SendDtmf { leg: far.leg, digits };
    let is_lost = |news: &News| matches!(news, News::KeyLost { leg } if *leg == far.leg);
    for (ask, most) in [(&tones as &dyn Fn(String) -> Ask, 32), (&events, 64)] {
        thread.ask(ask("1".repeat(most)));
        assert!(!thread.news().iter().any(is_lost), "{most} can wait");
        thread.ask(ask("23".into()));
        assert_eq!(thread.news().iter().filter(|news| is_lost(news)).count(), 1);
    }
}

#[test]
fn keys_of_our_own_pad_are_heard_here_and_nowhere_else() {
    let (mut thread, ear) = Thread::at_a_desk();
    let mut far = Far::open(&mut thread, 1, tone(500.0), Join::Devices);
    thread.ask(Ask::PadTones { digits: "5".into() });
    thread.live(&mut [&mut far], 30);
    assert!(contains(&ear.0.lock().unwrap()[..4_800], 770.0));
    assert!(!contains(&far.heard[..4_800], 770.0));
}

#[test]
fn a_far_end_that_sends_nothing_is_told_within_three_seconds_and_not_while_it_is_held() {
    let (mut thread, _) = Thread::at_a_desk();
    let mut far = Far::open(&mut thread, 1, tone(500.0), Join::Devices);
    let problems = |thread: &mut Thread| -> Vec<Option<SoundProblem>> {
        let told = |news| match news {
            News::Sound { problem, .. } => Some(problem),
            _ => None,
        };
        thread.news().into_iter().filter_map(told).collect()
    };
    thread.live(&mut [&mut far], 500);
    assert_eq!(problems(&mut thread), []);
    thread.live(&mut [], 300);
    assert_eq!(problems(&mut thread), [Some(SoundProblem::NothingReceived)]);
    thread.live(&mut [&mut far], 100);
    assert_eq!(problems(&mut thread), [None]);
    thread.ask(Ask::Join { leg: far.leg, with: Join::Hold });
    thread.live(&mut [], 1_000);
    assert_eq!(problems(&mut thread), []);
}

#[test]
fn a_far_end_that_is_passed_on_to_another_one_is_told_when_it_sends_nothing() {
    let (mut thread, _) = Thread::at_a_desk();
    let mut silent = Far::open(&mut thread, 1, tone(500.0), Join::Nothing);
    let mut other = Far::open(&mut thread, 2, tone(700.0), Join::Leg(silent.leg));
    thread.ask(Ask::Join { leg: silent.leg, with: Join::Leg(other.leg) });
    let problems = |thread: &mut Thread| -> Vec<_> {
        let told = |news| match news {
            News::Sound { leg, problem } => Some((leg, problem)),
            _ => None,
        };
        thread.news().into_iter().filter_map(told).collect()
    };
    thread.live(&mut [&mut silent, &mut other], 500);
    assert_eq!(problems(&mut thread), []);
    thread.live(&mut [&mut other], 400);
    assert_eq!(problems(&mut thread), [(silent.leg, Some(SoundProblem::NothingReceived))]);
}

/// A tone that ends.
struct Short(TestTone, usize);

impl Source for Short {
    fn read(&mut self, frame: &mut Frame) -> Flow {
        if self.1 == 0 {
            return Flow::Ended;
        }
        self.1 -= 1;
        self.0.read(frame)
    }
}

#[test]
fn an_injected_sound_takes_the_place_of_all_others_until_its_end() {
    let (mut thread, _) = Thread::at_a_desk();
    let mut bridged = Far::open(&mut thread, 1, tone(500.0), Join::Nothing);
    let mut other = Far::open(&mut thread, 2, tone(900.0), Join::Leg(bridged.leg));
    thread.ask(Ask::Join { leg: bridged.leg, with: Join::Leg(other.leg) });
    let mut at_desk = Far::open(&mut thread, 3, tone(700.0), Join::Devices);
    let mut alone = Far::open(&mut thread, 4, tone(800.0), Join::Injected);
    let mut all = [&mut bridged, &mut other, &mut at_desk, &mut alone];
    thread.live(&mut all, 100);
    assert!(bridged.hears(900.0) && at_desk.hears(OURS) && !alone.hears(OURS));
    assert!(!alone.heard.is_empty(), "silence is sent");
    for leg in [1, 3, 4].map(LegId) {
        let source = Some(Box::new(Short(TestTone::new(2_300.0), 100)) as Box<dyn Source>);
        thread.ask(Ask::Inject { leg, source });
    }
    let mut all = [&mut bridged, &mut other, &mut at_desk, &mut alone];
    thread.live(&mut all, 90);
    assert!(bridged.hears(2_300.0) && !bridged.hears(900.0));
    assert!(at_desk.hears(2_300.0) && !at_desk.hears(OURS) && alone.hears(2_300.0));
    assert!(other.hears(500.0) && !other.hears(2_300.0));
    let mut all = [&mut bridged, &mut other, &mut at_desk, &mut alone];
    thread.live(&mut all, 150);
    assert!(bridged.hears(900.0) && !bridged.hears(2_300.0));
    assert!(at_desk.hears(OURS) && !at_desk.hears(2_300.0) && !alone.hears(2_300.0));
}
