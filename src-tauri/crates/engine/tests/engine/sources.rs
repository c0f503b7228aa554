//! Sources of a published stream that fail, go and come back, and what players see meanwhile.

use crate::{
    kit::{Phone, SOON, options, quiet},
    streams::{bars_and_tone, stream},
};
use sidetone_api::{
    AudioInput, Command, Corner, Snapshot, StreamId, StreamSources, StreamStatus, VideoInset,
};
use sidetone_engine::{Options, Pictures};
use sidetone_media::{
    DeviceError, DeviceInfo, Devices, OpenedSink, OpenedSource, OpenedVideo, Selection, Synthetic,
    VideoSelection, VideoWish,
    video::{Canvas, ContentHint, Grabbed, Grabber, Grabbers, Picture, Size, VideoError, file::save_png},
};
use std::{
    sync::{Arc, Condvar, Mutex},
    time::{Duration, Instant},
};

/// Between two pictures of the camera.
const BETWEEN: Duration = Duration::from_millis(33);
const GREY: u8 = 128;
const SMALL: (u32, u32) = (64, 48);

/// What the camera does.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Does {
    /// Pictures of this size and brightness.
    Gives((u32, u32), u8),
    /// It opens, or stays open, and gives nothing.
    Nothing,
    /// Another program has it.
    Refuses,
    /// It is pulled out: what is open ends with this error, and it cannot be found.
    Vanishes,
}

/// A machine with one camera, and with sound that can be had or not.
struct Machine {
    camera: Arc<(Mutex<Does>, Condvar)>,
    grabbers: Grabbers,
    has_system_sound: Mutex<bool>,
    /// What was opened, in order.
    opened: Mutex<Vec<String>>,
}

struct Camera(Arc<(Mutex<Does>, Condvar)>);

impl Grabber for Camera {
    fn grab(&mut self) -> Result<Grabbed, VideoError> {
        let (does, changed) = &*self.0;
        let does = does.lock().unwrap();
        let (does, _) = changed.wait_timeout(does, BETWEEN).unwrap();
        match *does {
            Does::Gives(size, luma) => Ok(Grabbed::Picture(plain(size, luma))),
            Does::Nothing | Does::Refuses => Ok(Grabbed::Nothing),
            Does::Vanishes => {
                let (source_name, reason) = ("Desk camera".into(), "it was unplugged".into());
                Err(VideoError::Source { source_name, reason })
            }
        }
    }
}

impl Machine {
    fn with(does: Does) -> Arc<Self> {
        Arc::new(Self {
            camera: Arc::new((Mutex::new(does), Condvar::new())),
            grabbers: Grabbers::default(),
            has_system_sound: Mutex::new(false),
            opened: Mutex::default(),
        })
    }

    fn camera(&self, does: Does) {
        *self.camera.0.lock().unwrap() = does;
        self.camera.1.notify_all();
    }

    fn openings(&self, of: &str) -> usize {
        self.opened.lock().unwrap().iter().filter(|name| *name == of).count()
    }
}

impl Devices for Machine {
    fn list(&self) -> Result<Vec<DeviceInfo>, DeviceError> {
        Synthetic.list()
    }

    fn open_source(&self, selection: &Selection) -> Result<OpenedSource, DeviceError> {
        self.opened.lock().unwrap().push(selection.to_string());
        let has_system_sound = *self.has_system_sound.lock().unwrap();
        match selection {
            Selection::System if has_system_sound => Synthetic.open_source(&Selection::Tone { hz: 300.0 }),
            other => Synthetic.open_source(other),
        }
    }

    fn open_sink(&self, selection: &Selection) -> Result<OpenedSink, DeviceError> {
        Synthetic.open_sink(selection)
    }

    fn open_video(&self, selection: &VideoSelection, wish: VideoWish) -> Result<OpenedVideo, DeviceError> {
        if *selection != VideoSelection::Device("desk".into()) {
            return Synthetic.open_video(selection, wish);
        }
        self.opened.lock().unwrap().push(selection.to_string());
        let (name, camera) = ("Desk camera", Arc::clone(&self.camera));
        match *self.camera.0.lock().unwrap() {
            Does::Refuses => return Err(DeviceError::Busy { device: name.into() }),
            Does::Vanishes => {
                let direction = sidetone_media::Direction::Input;
                return Err(DeviceError::NotFound { selection: selection.to_string(), direction });
            }
            Does::Gives(..) | Does::Nothing => {}
        }
        let source = self.grabbers.open(name, ContentHint::Motion, move || Ok(Camera(camera)))?;
        Ok(OpenedVideo { source: Box::new(source), name: name.into() })
    }
}

fn plain((width, height): (u32, u32), luma: u8) -> Picture {
    let mut canvas = Canvas::black(Size::new(width, height).unwrap());
    canvas.fill([luma, 128, 128]);
    canvas.finish(Instant::now())
}

fn of_camera() -> StreamSources {
    StreamSources { video: Some("device:desk".into()), ..bars_and_tone() }
}

async fn phone(machine: &Arc<Machine>) -> Phone {
    let mut settings = quiet();
    (settings.video.width, settings.video.height) = (640, 360);
    let devices: Arc<dyn Devices> = Arc::<Machine>::clone(machine);
    Phone::with(Options { devices, ..options(settings) }).await
}

/// Waits for a picture of this size that is about so bright.
async fn see(pictures: &mut Pictures, size: (u32, u32), luma: u8) {
    let mut last = None;
    let seen = async {
        loop {
            let picture = pictures.next().await.expect("the stream goes on");
            let sum: u64 = picture.y().iter().map(|luma| u64::from(*luma)).sum();
            let mean = (sum / picture.y().len() as u64) as u8;
            last = Some((picture.width(), picture.height(), mean));
            if (picture.width(), picture.height()) == size && mean.abs_diff(luma) < 12 {
                return;
            }
        }
    };
    let result = tokio::time::timeout(SOON, seen).await;
    assert!(result.is_ok(), "{size:?} of {luma} was not seen; the last was {last:?}");
}

fn problem(state: &Snapshot, id: &StreamId) -> Option<String> {
    stream(state, id).and_then(|stream| stream.problem.clone())
}

async fn told(phone: &mut Phone, id: &StreamId, words: &str) {
    phone
        .until(&format!("{words:?} as the problem"), |state| {
            problem(state, id).is_some_and(|problem| problem.contains(words))
        })
        .await;
}

async fn all_is_well(phone: &mut Phone, id: &StreamId) {
    phone.until("no problem", |state| problem(state, id).is_none()).await;
}

/// A stream of the camera that is played, and its pictures.
struct Live {
    machine: Arc<Machine>,
    phone: Phone,
    published: StreamId,
    played: StreamId,
    pictures: Pictures,
}

impl Live {
    async fn of(does: Does) -> Self {
        let machine = Machine::with(does);
        let mut phone = phone(&machine).await;
        let published = phone.publish("tv", of_camera()).await;
        phone.stream_status(&published, StreamStatus::Publishing).await;
        let played = phone.played("tv").await;
        let pictures = phone.handle.pictures(played.clone()).await.unwrap();
        Self { machine, phone, published, played, pictures }
    }

    async fn sees(&mut self, size: (u32, u32), luma: u8) {
        see(&mut self.pictures, size, luma).await;
    }

    async fn told(&mut self, words: &str) {
        told(&mut self.phone, &self.published, words).await;
    }

    async fn goes_on(&mut self) {
        let statuses = [(&self.published, StreamStatus::Publishing), (&self.played, StreamStatus::Playing)];
        for (id, status) in statuses {
            let is_so = |state: &Snapshot| stream(state, id).and_then(|stream| stream.status) == Some(status);
            self.phone.until(&format!("{status} of {id}"), is_so).await;
        }
        self.phone.check().await;
    }

    /// The camera gives pictures again.
    async fn comes_back(&mut self, luma: u8) {
        self.machine.camera(Does::Gives(SMALL, luma));
        self.sees(SMALL, luma).await;
        all_is_well(&mut self.phone, &self.published).await;
        self.goes_on().await;
    }
}

#[tokio::test]
async fn a_camera_whose_frames_stop_keeps_its_last_picture_is_told_and_comes_back() {
    let mut live = Live::of(Does::Gives(SMALL, GREY)).await;
    live.sees(SMALL, GREY).await;
    live.machine.camera(Does::Nothing);
    live.told("Desk camera gives no pictures").await;
    live.sees(SMALL, GREY).await;
    live.goes_on().await;
    live.comes_back(220).await;
    assert!(live.machine.openings("device:desk") >= 2, "a camera that has stalled is opened again");
    live.phone.finish().await;
}

#[tokio::test]
async fn a_camera_that_does_not_open_is_black_with_its_cause_until_it_does() {
    let mut live = Live::of(Does::Refuses).await;
    live.told("Desk camera is in use by another program").await;
    live.sees((640, 360), 16).await;
    live.goes_on().await;
    live.comes_back(GREY).await;
    live.phone.finish().await;
}

#[tokio::test]
async fn a_camera_that_vanishes_keeps_its_last_picture_and_is_found_when_it_is_back() {
    let mut live = Live::of(Does::Gives(SMALL, GREY)).await;
    live.sees(SMALL, GREY).await;
    live.machine.camera(Does::Vanishes);
    live.told("it was unplugged").await;
    live.told("device:desk").await;
    live.sees(SMALL, GREY).await;
    live.goes_on().await;
    live.comes_back(220).await;
    live.phone.finish().await;
}

#[tokio::test]
async fn a_camera_may_change_to_any_size_while_it_is_live() {
    let mut live = Live::of(Does::Gives(SMALL, GREY)).await;
    // H.264 has at least 16 by 16 pixels here.
    let sizes = [
        ((1, 1), (16, 16)),
        ((3840, 2160), (640, 360)),
        ((641, 359), (640, 358)),
        ((3, 7), (16, 16)),
        ((4096, 4096), (360, 360)),
        ((16, 4096), (16, 640)),
        ((180, 320), (180, 320)),
    ];
    for (step, (given, shown)) in (0u8..).zip(sizes) {
        let luma = 60 + 20 * step;
        live.machine.camera(Does::Gives(given, luma));
        live.sees(shown, luma).await;
    }
    live.goes_on().await;
    assert_eq!(problem(live.phone.state(), &live.published), None);
    live.phone.finish().await;
}

#[tokio::test]
async fn the_camera_over_a_picture_that_stands_still_moves_at_its_own_rate() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("slide.png");
    save_png(&plain((640, 360), 60), &file).unwrap();
    let machine = Machine::with(Does::Gives(SMALL, 220));
    let mut phone = phone(&machine).await;
    let inset = VideoInset { source: "device:desk".into(), corner: Corner::BottomRight, size: 0.25 };
    let sources = StreamSources {
        video: Some(format!("image:{}", file.display())),
        inset: Some(inset),
        ..bars_and_tone()
    };
    let published = phone.publish("tv", sources.clone()).await;
    phone.stream_status(&published, StreamStatus::Publishing).await;
    let played = phone.played("tv").await;
    let mut pictures = phone.handle.pictures(played).await.unwrap();
    phone
        .until("pictures at the camera's rate", |state| {
            let figures = stream(state, &published).and_then(|it| it.statistics);
            figures.is_some_and(|it| it.frames_per_second > 10.0)
        })
        .await;
    let over = async {
        loop {
            let picture = pictures.next().await.expect("a picture");
            let at = |x: usize, y: usize| picture.y()[y * 640 + x];
            // A margin of 12 pixels around 160 by 120.
            if at(640 - 92, 360 - 72).abs_diff(220) < 12 && at(320, 100).abs_diff(60) < 12 {
                return;
            }
        }
    };
    tokio::time::timeout(SOON, over).await.expect("the camera over the slide");

    // The camera that is open goes on as the main picture.
    phone
        .done(Command::ChangeStream {
            stream_id: published.clone(),
            sources: Some(StreamSources { inset: None, ..of_camera() }),
            audio_muted: None,
            video_muted: None,
            volume: None,
        })
        .await;
    see(&mut pictures, SMALL, 220).await;
    assert_eq!(machine.openings("device:desk"), 1);
    phone.finish().await;
}

#[tokio::test]
async fn sound_that_cannot_be_had_is_told_and_tried_again_and_what_is_heard_goes_on() {
    let machine = Machine::with(Does::Nothing);
    let mut phone = phone(&machine).await;
    let input = |source: &str| AudioInput { source: source.into(), gain: 1.0 };
    let sources = |audio: &[&str]| StreamSources {
        audio: audio.iter().map(|it| input(it)).collect(),
        ..bars_and_tone()
    };
    let published = phone.publish("tv", sources(&["tone:440"])).await;
    phone.stream_status(&published, StreamStatus::Publishing).await;
    phone
        .done(Command::ChangeStream {
            stream_id: published.clone(),
            sources: Some(sources(&["system", "tone:440"])),
            audio_muted: None,
            video_muted: None,
            volume: None,
        })
        .await;
    told(&mut phone, &published, "no sound system whose sound could be taken").await;
    *machine.has_system_sound.lock().unwrap() = true;
    all_is_well(&mut phone, &published).await;
    assert_eq!(machine.openings("tone:440"), 1, "the tone goes on untouched");
    assert!(machine.openings("system") >= 2);
    phone.finish().await;
}
