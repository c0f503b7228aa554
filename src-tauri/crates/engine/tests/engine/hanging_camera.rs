//! A camera whose driver does not come back: in the opening, or in a picture. What is closed meanwhile is closed at once.

use crate::{
    kit::{Phone, SOON, options, quiet},
    streams::{bars_and_tone, stream},
};
use sidetone_api::{Command, StreamId, StreamSources, StreamStatus};
use sidetone_engine::Options;
use sidetone_media::{
    DeviceError, DeviceInfo, Devices, OpenedSink, OpenedSource, OpenedVideo, Selection, Synthetic,
    VideoSelection, VideoWish,
    video::{Bars, ContentHint, Grabbed, Grabber, Grabbers, Size, VideoError},
};
use std::{
    sync::{Arc, Condvar, Mutex},
    time::{Duration, Instant},
};

/// What does not wait for the driver takes no longer, on a busy machine.
const AT_ONCE: Duration = Duration::from_secs(3);
/// Threads that one driver may keep.
const MOST_HUNG: usize = 4;

/// How a driver does.
#[derive(Debug, Default)]
struct Driver {
    state: Mutex<Inside>,
    changed: Condvar,
}

#[derive(Debug, Default)]
struct Inside {
    hangs: bool,
    threads: usize,
}

impl Driver {
    /// A call of it.
    fn enter(&self) {
        let mut state = self.state.lock().unwrap();
        state.threads += 1;
        while state.hangs {
            state = self.changed.wait(state).unwrap();
        }
        state.threads -= 1;
    }

    fn hang(&self, hangs: bool) {
        self.state.lock().unwrap().hangs = hangs;
        self.changed.notify_all();
    }

    fn hung(&self) -> usize {
        self.state.lock().unwrap().threads
    }
}

/// A machine with one camera.
#[derive(Default)]
struct Machine {
    opening: Arc<Driver>,
    picture: Arc<Driver>,
    grabbers: Grabbers,
}

struct Camera(Arc<Driver>, Bars);

impl Grabber for Camera {
    fn grab(&mut self) -> Result<Grabbed, VideoError> {
        std::thread::sleep(Duration::from_millis(33));
        self.0.enter();
        self.1.draw(crate::streams::now_ms(), Instant::now()).map(Grabbed::Picture)
    }
}

impl Devices for Machine {
    fn list(&self) -> Result<Vec<DeviceInfo>, DeviceError> {
        Synthetic.list()
    }

    fn open_source(&self, selection: &Selection) -> Result<OpenedSource, DeviceError> {
        Synthetic.open_source(selection)
    }

    fn open_sink(&self, selection: &Selection) -> Result<OpenedSink, DeviceError> {
        Synthetic.open_sink(selection)
    }

    fn open_video(&self, selection: &VideoSelection, wish: VideoWish) -> Result<OpenedVideo, DeviceError> {
        if *selection != VideoSelection::Device("cam".into()) {
            return Synthetic.open_video(selection, wish);
        }
        let (opening, picture) = (Arc::clone(&self.opening), Arc::clone(&self.picture));
        let open = move || {
            opening.enter();
            Ok(Camera(picture, Bars::new(Size::P180, 30, Instant::now(), 0)?))
        };
        let source = self.grabbers.open("cam", ContentHint::Motion, open)?;
        Ok(OpenedVideo { source: Box::new(source), name: "cam".into() })
    }
}

async fn phone(machine: &Arc<Machine>) -> Phone {
    let mut settings = quiet();
    (settings.video.width, settings.video.height) = (Size::P180.width(), Size::P180.height());
    let devices: Arc<dyn Devices> = Arc::<Machine>::clone(machine);
    Phone::with(Options { devices, ..options(settings) }).await
}

fn of_camera() -> StreamSources {
    StreamSources { video: Some("device:cam".into()), ..bars_and_tone() }
}

async fn is_hung(driver: &Driver, least: usize) {
    let began = Instant::now();
    while driver.hung() < least {
        assert!(began.elapsed() < SOON, "{} threads hang in the driver", driver.hung());
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
}

/// Whether the reason is told why it is not opened, and not one more than `before` hangs in the driver.
async fn is_refused(phone: &mut Phone, published: &StreamId, driver: &Driver, before: usize) -> bool {
    let refused = phone.until("the reason", |state| {
        let problem = stream(state, published).and_then(|stream| stream.problem.as_deref());
        problem.is_some_and(|problem| problem.contains("cam") && problem.contains("its driver hangs"))
    });
    tokio::select! {
        biased;
        _ = refused => true,
        () = is_hung(driver, before + 1) => false,
    }
}

async fn closes_at_once(phone: &mut Phone, published: &StreamId) {
    let began = Instant::now();
    phone.done(Command::UnPublishStream { stream_id: published.clone() }).await;
    phone.stream_status(published, StreamStatus::Unpublished).await;
    assert!(began.elapsed() < AT_ONCE, "{:?}", began.elapsed());
}

/// Publishes and closes again and again while `driver` hangs: it keeps few threads, then whoever asks is told, and other sources
/// are as they always are. When it comes back so does the camera, and the program ends without it.
async fn holds_up_nobody(machine: Arc<Machine>, driver: Arc<Driver>) {
    let mut phone = phone(&machine).await;
    driver.hang(true);
    let published = loop {
        let (hung, published) = (driver.hung(), phone.publish("tv", of_camera()).await);
        if is_refused(&mut phone, &published, &driver, hung).await {
            break published;
        }
        closes_at_once(&mut phone, &published).await;
    };
    // The last one that was closed may not have been counted yet.
    assert!((MOST_HUNG..=MOST_HUNG + 1).contains(&driver.hung()), "{} threads hang", driver.hung());
    let other = phone.published("bars").await;
    closes_at_once(&mut phone, &other).await;
    driver.hang(false);
    phone.until("the camera", |state| stream(state, &published).is_some_and(|it| it.problem.is_none())).await;
    let played = phone.played("tv").await;
    assert!(phone.handle.pictures(played).await.unwrap().next().await.is_some());
    driver.hang(true);
    is_hung(&driver, if Arc::ptr_eq(&driver, &machine.picture) { 1 } else { 0 }).await;
    let began = Instant::now();
    phone.finish().await;
    assert!(began.elapsed() < AT_ONCE, "{:?}", began.elapsed());
    driver.hang(false);
}

#[tokio::test]
async fn a_driver_that_hangs_while_its_camera_is_opened_holds_up_nobody() {
    let machine = Arc::<Machine>::default();
    let driver = Arc::clone(&machine.opening);
    holds_up_nobody(machine, driver).await;
}

#[tokio::test]
async fn a_driver_that_hangs_in_a_picture_holds_up_nobody() {
    let machine = Arc::<Machine>::default();
    let driver = Arc::clone(&machine.picture);
    holds_up_nobody(machine, driver).await;
}
