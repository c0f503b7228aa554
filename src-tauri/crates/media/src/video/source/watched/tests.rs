use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::{Duration, Instant};

use super::*;
use crate::video::picture::{BLACK, Canvas, FramePool, PixelFormat};
use crate::video::source::{Grabbed, Grabber, Grabbers};

const RULES: WatchRules = WatchRules { is_still: false, may_end: false, size: Size::P180 };
const FRAME: Duration = Duration::from_millis(33);
const LONG: Duration = Duration::from_secs(20);

/// What the camera does at each poll.
enum Act {
    Give(Picture),
    Fail(&'static str),
    End,
    Nothing,
}

/// A camera that does what the test says, moment by moment.
struct Camera(Arc<Mutex<dyn FnMut(Instant) -> Act + Send>>);

impl VideoSource for Camera {
    fn name(&self) -> &str {
        "Camera"
    }
    fn poll(&mut self, now: Instant) -> Result<Polled, VideoError> {
        match (self.0.lock().unwrap())(now) {
            Act::Give(picture) => Ok(Polled::Picture(picture.captured_at(now))),
            Act::Fail(reason) => {
                Err(VideoError::Source { source_name: "Camera".into(), reason: reason.into() })
            }
            Act::End => Ok(Polled::Ended),
            Act::Nothing => Ok(Polled::Wait(now + FRAME)),
        }
    }
}

/// What it does at a time.
type Script = Arc<Mutex<Box<dyn FnMut(Instant) -> Act + Send>>>;

/// A machine on which the camera can be plugged in and out, and the openings of it are counted.
struct Machine {
    watched: Watched,
    now: Instant,
    openings: Arc<Mutex<Vec<Result<(), DeviceError>>>>,
    plugged: Arc<Mutex<bool>>,
    act: Script,
}

impl Machine {
    fn new(rules: WatchRules, act: impl FnMut(Instant) -> Act + Send + 'static) -> Self {
        Self::with(rules, true, act)
    }

    fn with(rules: WatchRules, plugged: bool, act: impl FnMut(Instant) -> Act + Send + 'static) -> Self {
        let now = Instant::now();
        let act: Script = Arc::new(Mutex::new(Box::new(act)));
        let (openings, plugged) = (Arc::new(Mutex::new(Vec::new())), Arc::new(Mutex::new(plugged)));
        let (its_openings, its_plug, its_act) =
            (Arc::clone(&openings), Arc::clone(&plugged), Arc::clone(&act));
        let open = move || {
            let result = if *its_plug.lock().unwrap() {
                Ok(())
            } else {
                Err(DeviceError::Busy { device: "Camera".into() })
            };
            its_openings.lock().unwrap().push(result.clone());
            let act = Arc::clone(&its_act);
            let play = Arc::new(Mutex::new(move |now| (act.lock().unwrap())(now)));
            result.map(|()| OpenedVideo { source: Box::new(Camera(play)), name: "Camera".into() })
        };
        let watched = Watched::new(now, "default", rules, Arc::new(open));
        Self { watched, now, openings, plugged, act }
    }

    fn act(&self, act: impl FnMut(Instant) -> Act + Send + 'static) {
        *self.act.lock().unwrap() = Box::new(act);
    }

    /// Lets time pass; an opening takes no time of this clock. Gives the pictures.
    fn pass(&mut self, time: Duration) -> Vec<Picture> {
        let (end, mut pictures) = (self.now + time, Vec::new());
        while self.now < end {
            self.now += FRAME;
            self.settle(&mut pictures);
        }
        pictures
    }

    fn settle(&mut self, pictures: &mut Vec<Picture>) {
        let started = Instant::now();
        loop {
            if let Polled::Picture(picture) = self.watched.poll(self.now).unwrap() {
                pictures.push(picture);
            }
            if !matches!(self.watched.state, State::Opening(_)) {
                return;
            }
            assert!(started.elapsed() < LONG, "the opening does not come back");
            thread::yield_now();
        }
    }

    fn faults(&mut self) -> Vec<String> {
        std::iter::from_fn(|| self.watched.fault()).map(|fault| fault.to_string()).collect()
    }

    fn problem(&self) -> String {
        self.watched.problem().unwrap_or_default()
    }

    fn openings(&self) -> usize {
        self.openings.lock().unwrap().len()
    }
}

fn picture(width: u32, height: u32) -> Picture {
    let mut canvas = Canvas::black(Size::new(width, height).unwrap());
    canvas.fill([200, 90, 140]);
    canvas.finish(Instant::now())
}

#[test]
fn pictures_pass_untouched_while_all_is_well() {
    let mut machine = Machine::new(RULES, |_| Act::Give(picture(64, 48)));
    let pictures = machine.pass(Duration::from_secs(3));
    assert!(pictures.len() >= 90, "{}", pictures.len());
    assert!(pictures.windows(2).all(|pair| pair[1].captured() > pair[0].captured()));
    assert_eq!((machine.problem().as_str(), machine.faults().len(), machine.openings()), ("", 0, 1));
    assert_eq!(machine.watched.name(), "Camera");
}

#[test]
fn pictures_that_stop_are_a_fault_after_two_seconds_and_the_last_one_stays() {
    let mut machine = Machine::new(RULES, |_| Act::Give(picture(64, 48)));
    machine.pass(Duration::from_secs(1));
    machine.act(|_| Act::Nothing);
    assert!(machine.pass(Duration::from_millis(1_900)).is_empty());
    assert_eq!(machine.problem(), "");
    let standing = machine.pass(Duration::from_millis(1_000));
    assert!((1..=3).contains(&standing.len()), "{}", standing.len());
    assert!(standing.iter().all(|it| it.y()[0] == 200 && it.size() == picture(64, 48).size()));
    assert!(standing[0].captured() > machine.now - Duration::from_secs(2), "it is of now");
    assert_eq!(machine.faults(), ["the device stalled"]);
    assert!(
        machine.problem().contains("Camera gives no pictures: look whether another"),
        "{}",
        machine.problem()
    );
    machine.pass(Duration::from_secs(2));
    assert!(machine.openings() >= 2, "opened again");
    machine.act(|_| Act::Give(picture(64, 48)));
    machine.pass(Duration::from_secs(12));
    assert_eq!((machine.problem().as_str(), machine.faults().len()), ("", 0));
}

#[test]
fn a_camera_that_cannot_be_opened_is_black_with_its_reason_and_is_tried_again_ever_less_often() {
    let mut machine = Machine::with(RULES, false, |_| Act::Give(picture(64, 48)));
    let black = machine.pass(Duration::from_secs(60));
    assert!(black.iter().all(|it| it.size() == Size::P180 && it.y()[0] == BLACK));
    assert!((100..=125).contains(&black.len()), "two a second: {}", black.len());
    assert_eq!(machine.faults(), ["Camera is in use by another program"]);
    assert!((5..=12).contains(&machine.openings()), "0.5, 1, 2, 4, 8, 10, 10 ... s: {}", machine.openings());
    *machine.plugged.lock().unwrap() = true;
    machine.watched.retry(machine.now);
    assert!(machine.pass(Duration::from_secs(1)).len() > 20);
    assert_eq!(machine.problem(), "");
}

#[test]
fn a_camera_that_vanishes_and_returns_is_used_again_within_a_second() {
    let mut machine = Machine::new(RULES, |_| Act::Give(picture(64, 48)));
    machine.pass(Duration::from_secs(6));
    machine.act(|_| Act::End);
    *machine.plugged.lock().unwrap() = false;
    let standing = machine.pass(Duration::from_millis(400));
    assert!(standing.iter().all(|it| it.y()[0] == 200));
    assert_eq!(
        (machine.faults(), machine.problem()),
        (vec!["the device is gone".into()], "Camera is gone".into())
    );
    *machine.plugged.lock().unwrap() = true;
    machine.act(|_| Act::Give(picture(32, 32)));
    assert!(machine.pass(Duration::from_secs(1)).iter().any(|it| it.size() == picture(32, 32).size()));
    assert_eq!(machine.problem(), "");
}

#[test]
fn words_of_the_driver_are_kept_when_it_ends() {
    let mut told = false;
    let mut machine = Machine::new(RULES, move |_| {
        if std::mem::replace(&mut told, true) { Act::End } else { Act::Fail("No such device (os error 19)") }
    });
    machine.pass(Duration::from_millis(300));
    assert_eq!(machine.problem(), "Camera: No such device (os error 19)");
    assert_eq!(machine.faults(), ["Camera: No such device (os error 19)"]);
}

#[test]
fn a_bad_picture_between_good_ones_is_told_and_nothing_is_opened_again() {
    let mut count = 0;
    let mut machine = Machine::new(RULES, move |_| {
        count += 1;
        if count % 10 == 0 { Act::Fail("a damaged picture") } else { Act::Give(picture(64, 48)) }
    });
    let pictures = machine.pass(Duration::from_secs(10));
    assert!(pictures.len() > 260, "{}", pictures.len());
    assert_eq!(machine.openings(), 1);
    assert!(machine.faults().iter().all(|fault| fault == "Camera: a damaged picture"));
}

#[test]
fn pictures_that_are_all_bad_are_one_fault_and_a_new_opening() {
    let mut machine = Machine::new(RULES, |_| Act::Fail("a damaged picture"));
    machine.pass(Duration::from_secs(30));
    assert_eq!(machine.faults(), ["Camera: a damaged picture"]);
    assert!((2..=6).contains(&machine.openings()), "{}", machine.openings());
}

#[test]
fn sizes_and_formats_change_in_the_middle_without_harm() {
    let pool = FramePool::new(64);
    let sizes = [(1, 1), (3, 5), (641, 359), (3840, 2160), (2, 4096), (320, 240)];
    let formats = [PixelFormat::Nv12, PixelFormat::Yuyv, PixelFormat::Rgb, PixelFormat::I420];
    let mut at = 0usize;
    let mut machine = Machine::new(RULES, move |now| {
        at += 1;
        let (width, height) = sizes[at % sizes.len()];
        let (size, format) = (Size::new(width, height).unwrap(), formats[at % formats.len()]);
        let pixels = vec![120; size.luma_len() * 3 + 2 * (width + height) as usize + 4];
        let made = Picture::from_pixels(format, size, 0, &pixels, now, &pool);
        Act::Give(made.unwrap())
    });
    let pictures = machine.pass(Duration::from_secs(1));
    for (width, height) in sizes {
        assert!(pictures.iter().any(|it| (it.width(), it.height()) == (width, height)), "{width}x{height}");
    }
    assert_eq!((machine.problem().as_str(), machine.openings()), ("", 1));
}

#[test]
fn an_impossible_size_is_a_fault_in_words() {
    let pool = FramePool::default();
    let mut machine = Machine::new(RULES, move |now| {
        let size = Size::new(7680, 4320);
        match size.and_then(|size| Picture::from_pixels(PixelFormat::Nv12, size, 0, &[], now, &pool)) {
            Ok(picture) => Act::Give(picture),
            Err(_) => Act::Fail("size: 7680x4320 is not between 1x1 and 4096x4096"),
        }
    });
    machine.pass(Duration::from_secs(1));
    assert!(machine.problem().contains("7680x4320"), "{}", machine.problem());
}

#[test]
fn what_may_stand_still_or_end_is_no_fault() {
    let mut given = false;
    let still = WatchRules { is_still: true, ..RULES };
    let mut machine = Machine::new(still, move |_| {
        if std::mem::replace(&mut given, true) { Act::Nothing } else { Act::Give(picture(8, 8)) }
    });
    machine.pass(Duration::from_secs(60));
    assert_eq!((machine.openings(), machine.faults().len()), (1, 0));
    let mut given = false;
    let file = WatchRules { may_end: true, ..RULES };
    let mut machine = Machine::new(file, move |_| {
        if std::mem::replace(&mut given, true) { Act::End } else { Act::Give(picture(8, 8)) }
    });
    let pictures = machine.pass(Duration::from_secs(10));
    assert!(pictures.len() > 15, "its last picture stays: {}", pictures.len());
    assert_eq!((machine.openings(), machine.faults().len()), (1, 0));
    assert!(machine.problem().contains("has ended"));
}

/// A driver that never comes back from its call until the test lets it.
struct Hanging(Sender<()>, Receiver<()>);

impl Grabber for Hanging {
    fn grab(&mut self) -> Result<Grabbed, VideoError> {
        let _ = self.0.send(());
        let _ = self.1.recv();
        Ok(Grabbed::Nothing)
    }
}

#[test]
fn a_driver_that_hangs_while_opening_blocks_nobody_and_costs_three_threads() {
    let (release, held) = channel::<()>();
    let held = Arc::new(Mutex::new(held));
    let open = move || {
        let _ = held.lock().unwrap().recv();
        Err(DeviceError::Backend { reason: "released".into() })
    };
    let mut now = Instant::now();
    let mut watched = Watched::new(now, "camera", RULES, Arc::new(open));
    for _ in 0..4_000 {
        now += FRAME;
        let asked = Instant::now();
        watched.poll(now).unwrap();
        assert!(asked.elapsed() < Duration::from_secs(1));
    }
    let faults: Vec<String> = std::iter::from_fn(|| watched.fault()).map(|fault| fault.to_string()).collect();
    assert!(faults.iter().any(|it| it == "camera does not open within 10 s"), "{faults:?}");
    assert!(faults.iter().any(|it| it == "camera: its driver hangs"), "{faults:?}");
    drop::<Sender<()>>(release);
}

#[test]
fn a_driver_that_hangs_in_a_picture_is_left_alone_after_four_times() {
    let grabbers = Grabbers::default();
    let (entered, hangs) = channel();
    let open = |held| {
        let entered = entered.clone();
        grabbers.open("cam", ContentHint::Motion, move || Ok(Hanging(entered, held)))
    };
    let mut releases = Vec::new();
    for _ in 0..4 {
        let (release, held) = channel();
        releases.push(release);
        let source = open(held).unwrap();
        hangs.recv_timeout(LONG).unwrap();
        drop(source);
    }
    let refused = open(channel().1).unwrap_err();
    assert!(refused.to_string().contains("cam was closed and does not let go"), "{refused}");
    drop(releases);
    let started = Instant::now();
    while open(channel().1).is_err() {
        assert!(started.elapsed() < LONG);
        thread::yield_now();
    }
}

#[test]
fn a_driver_that_hangs_while_opening_is_left_alone_after_four_times_whoever_asks_and_holds_up_no_other_device()
 {
    let grabbers = Arc::new(Grabbers::default());
    let (entered, hangs) = channel();
    let mut releases = Vec::new();
    let mut askers = Vec::new();
    for _ in 0..4 {
        let (release, held) = channel::<()>();
        releases.push(release);
        let (grabbers, entered) = (Arc::clone(&grabbers), entered.clone());
        let open = move || {
            entered.send(()).unwrap();
            let _ = held.recv();
            Err(DeviceError::Busy { device: "cam".into() })
        };
        askers.push(thread::spawn(move || grabbers.open::<Fragile>("cam", ContentHint::Motion, open).err()));
        hangs.recv_timeout(LONG).unwrap();
    }
    let open = |name| grabbers.open(name, ContentHint::Motion, || Ok(Hanging(channel().0, channel().1)));
    let refused = open("cam").unwrap_err();
    assert!(refused.to_string().contains("cam does not open: its driver hangs"), "{refused}");
    assert!(open("another").is_ok());
    drop(releases);
    for asker in askers {
        assert!(matches!(asker.join().unwrap(), Some(DeviceError::Busy { .. })));
    }
    assert!(open("cam").is_ok());
}

struct Fragile;

impl Grabber for Fragile {
    fn grab(&mut self) -> Result<Grabbed, VideoError> {
        panic!("a driver's own")
    }
}

#[test]
fn a_driver_that_panics_ends_its_own_thread_only() {
    let mut source = Grabbers::default().open("cam", ContentHint::Motion, || Ok(Fragile)).unwrap();
    source.wait(Instant::now() + LONG);
    assert!(matches!(source.poll(Instant::now()), Ok(Polled::Ended)));
    let opened = Grabbers::default().open::<Fragile>("cam", ContentHint::Motion, || panic!("also its own"));
    assert!(opened.unwrap_err().to_string().contains("cam broke down"));
}
