//! Whether what is heard of a stream and what is seen of it were taken at the same time.

use crate::{
    kit::{LOOPBACK, Phone, SOON, options, quiet, unregistered},
    streams::{now_ms, stream},
};
use sidetone_api::{AudioInput, CallStatus::Established, Command, StreamId, StreamSources};
use sidetone_engine::{Options, Pictures};
use sidetone_media::{
    DeviceError, DeviceInfo, Devices, Direction, Flow, Frame, OpenedSink, OpenedSource, OpenedVideo,
    Selection, Sink, Source, Synthetic, VideoSelection, VideoWish,
    tone::TestTone,
    video::{Bars, ContentHint, Grabbed, Grabber, Grabbers, Size, VideoError, read_clock},
};
use std::{
    sync::{Arc, Mutex},
    time::{Duration, Instant},
};

const BETWEEN: Duration = Duration::from_millis(33);
/// A beep begins with each second of the wall clock, as the pictures show it.
const BEEP_MS: u64 = 200;
/// How old the camera's pictures are when it gives them.
const CAMERA_MS: u64 = 250;
/// ITU-R BT.1359: what is noticed begins at 45 ms. Machines that test are busy.
const TOLERANCE_MS: i64 = 60;

/// A camera, a microphone and a speaker beside one clock.
struct Studio {
    grabbers: Grabbers,
    /// When beeps began at the speaker, milliseconds of the wall clock.
    heard: Arc<Mutex<Vec<u64>>>,
}

struct SlowCamera(Bars);

impl Grabber for SlowCamera {
    fn grab(&mut self) -> Result<Grabbed, VideoError> {
        std::thread::sleep(BETWEEN);
        let captured = Instant::now() - Duration::from_millis(CAMERA_MS);
        self.0.draw(now_ms() - CAMERA_MS, captured).map(Grabbed::Picture)
    }
}

struct Beeper(TestTone);

impl Source for Beeper {
    fn read(&mut self, frame: &mut Frame) -> Flow {
        self.0.read(frame);
        if now_ms() % 1_000 >= BEEP_MS {
            frame.fill(0.0);
        }
        Flow::Live
    }

    fn is_microphone(&self) -> bool {
        false
    }
}

struct Ear {
    heard: Arc<Mutex<Vec<u64>>>,
    silent: u32,
}

impl Sink for Ear {
    fn write(&mut self, frame: &Frame) {
        if frame.iter().all(|sample| sample.abs() < 0.05) {
            self.silent += 1;
        } else if std::mem::take(&mut self.silent) > 20 {
            self.heard.lock().unwrap().push(now_ms());
        }
    }
}

impl Devices for Studio {
    fn list(&self) -> Result<Vec<DeviceInfo>, DeviceError> {
        Synthetic.list()
    }

    fn open_source(&self, selection: &Selection) -> Result<OpenedSource, DeviceError> {
        if *selection != Selection::Device("beeper".into()) {
            return Synthetic.open_source(selection);
        }
        Ok(OpenedSource { source: Box::new(Beeper(TestTone::new(440.0))), effective: info(Direction::Input) })
    }

    fn open_sink(&self, selection: &Selection) -> Result<OpenedSink, DeviceError> {
        if *selection != Selection::Device("ear".into()) {
            return Synthetic.open_sink(selection);
        }
        let ear = Ear { heard: Arc::clone(&self.heard), silent: 0 };
        Ok(OpenedSink { sink: Box::new(ear), effective: info(Direction::Output) })
    }

    fn open_video(&self, _selection: &VideoSelection, wish: VideoWish) -> Result<OpenedVideo, DeviceError> {
        let open = move || Ok(SlowCamera(Bars::new(wish.size, 30, Instant::now(), 0)?));
        let source = self.grabbers.open("slow camera", ContentHint::Motion, open)?;
        Ok(OpenedVideo { source: Box::new(source), name: "slow camera".into() })
    }
}

fn info(direction: Direction) -> DeviceInfo {
    DeviceInfo { id: "studio".into(), name: "Studio".into(), direction, is_default: false }
}

fn median(mut values: Vec<i64>) -> i64 {
    values.sort_unstable();
    values[values.len() / 2]
}

/// Waits until beeps and pictures of the same moment come at the same time.
async fn are_together(pictures: &mut Pictures, heard: &Mutex<Vec<u64>>) {
    // The sound comes later bit by bit, so that nobody hears it.
    let measured = async {
        loop {
            heard.lock().unwrap().clear();
            let (mut seen, began) = (Vec::new(), Instant::now());
            while began.elapsed() < Duration::from_secs(4) {
                let picture = pictures.next().await.expect("a picture");
                let clock = read_clock(&picture).expect("a clock");
                seen.push(now_ms() as i64 - clock as i64);
            }
            let beeps: Vec<i64> = heard.lock().unwrap().iter().map(|at| (at % 1_000) as i64).collect();
            if beeps.len() < 3 {
                continue;
            }
            let (seen, heard) = (median(seen), median(beeps));
            #[expect(clippy::print_stderr, reason = "figures that belong in the output of a test")]
            {
                eprintln!("seen {seen} ms and heard {heard} ms after it was");
            }
            assert!(seen >= CAMERA_MS as i64, "nothing can be seen before it comes: {seen} ms");
            if (seen - heard).abs() <= TOLERANCE_MS {
                return;
            }
        }
    };
    tokio::time::timeout(2 * SOON, measured).await.expect("sound and picture together");
}

#[tokio::test]
async fn sound_waits_for_the_pictures_of_a_slow_camera() {
    let heard = Arc::<Mutex<Vec<u64>>>::default();
    let studio = Studio { grabbers: Grabbers::default(), heard: Arc::clone(&heard) };
    let mut settings = quiet();
    (settings.video.width, settings.video.height) = (Size::P180.width(), Size::P180.height());
    settings.audio.speaker = "device:ear".into();
    let mut phone = Phone::with(Options { devices: Arc::new(studio), ..options(settings) }).await;
    let sources = StreamSources {
        video: Some("device:slow".into()),
        inset: None,
        audio: vec![AudioInput { source: "device:beeper".into(), gain: 1.0 }],
    };
    phone.publish("tv", sources).await;
    phone.until("the stream", |state| state.gateway.streams.len() == 1).await;
    let played = phone.played("tv").await;
    let mut pictures = phone.handle.pictures(played.clone()).await.unwrap();

    are_together(&mut pictures, &heard).await;
    phone
        .until("the figure", |state| {
            let skew = stream(state, &played).and_then(|it| it.statistics).and_then(|it| it.skew_ms);
            skew.is_some_and(|skew| skew.abs() < TOLERANCE_MS as f32)
        })
        .await;
    phone.finish().await;
}

/// A phone of its own studio; what its speaker plays.
async fn in_a_studio(user: &str) -> (Phone, Arc<Mutex<Vec<u64>>>) {
    let heard = Arc::<Mutex<Vec<u64>>>::default();
    let studio = Studio { grabbers: Grabbers::default(), heard: Arc::clone(&heard) };
    let mut settings = quiet();
    (settings.video.width, settings.video.height) = (Size::P180.width(), Size::P180.height());
    settings.video.camera = "device:slow".into();
    (settings.audio.microphone, settings.audio.speaker) = ("device:beeper".into(), "device:ear".into());
    settings.network.sip_port = sidetone_testkit::free_port(LOOPBACK).unwrap();
    settings.accounts.push(unregistered(user));
    (Phone::with(Options { devices: Arc::new(studio), ..options(settings) }).await, heard)
}

#[tokio::test]
async fn the_sound_of_a_call_waits_for_its_pictures_and_no_longer_than_there_are_any() {
    let ((mut alice, _), (mut bob, heard)) = (in_a_studio("alice").await, in_a_studio("bob").await);
    let here = alice.call(&format!("sip:bob@{}", bob.address())).await;
    let there = bob.answer().await;
    alice.status(&here, Established).await;
    alice.done(Command::SetCallVideo { call_id: here.clone(), on: true }).await;
    bob.until("her picture", |state| {
        let call = state.calls.iter().find(|call| call.call_id == there);
        call.and_then(|call| call.video.as_ref()).is_some_and(|video| video.receiving)
    })
    .await;
    let mut pictures = bob.handle.pictures(StreamId::new(there.as_str())).await.unwrap();
    are_together(&mut pictures, &heard).await;
    // Without pictures the sound is soon as early as it was.
    alice.done(Command::SetCallVideo { call_id: here.clone(), on: false }).await;
    let early = async {
        loop {
            heard.lock().unwrap().clear();
            tokio::time::sleep(Duration::from_secs(4)).await;
            let beeps: Vec<i64> = heard.lock().unwrap().iter().map(|at| (at % 1_000) as i64).collect();
            let late = if beeps.len() < 3 { continue } else { median(beeps) };
            eprintln!("heard {late} ms after it was, without pictures");
            if late < CAMERA_MS as i64 / 2 {
                return;
            }
        }
    };
    tokio::time::timeout(2 * SOON, early).await.expect("a call without delay");
    alice.finish().await;
    bob.finish().await;
}
