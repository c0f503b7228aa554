//! What is shown of a room, as one picture: put together for whoever sends or keeps it, once for all of them.

use super::Pictures;
use sidetone_media::{
    Devices, Direction,
    device::{DeviceInfo, OpenedSink, OpenedSource, OpenedVideo, Selection, VideoSelection, VideoWish},
    error::DeviceError,
    video::{Mosaic, Picture, Polled, Size, Tile, VideoError, VideoSource},
};
use std::{
    fmt,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::{Duration, Instant},
};

const NAME: &str = "room";
/// Between two looks at whether anything new is to be shown.
const LOOK: Duration = Duration::from_millis(5);

/// One tile.
#[derive(Debug, Clone)]
pub(crate) struct Shown {
    pub(crate) name: String,
    /// `None`: the name alone. While there is one, its pictures are decoded.
    pub(crate) pictures: Option<Pictures>,
    pub(crate) large: bool,
    pub(crate) speaks: bool,
}

/// The owner says what is shown; the threads of those who send or keep it put it together when they ask for it, so that it costs
/// nothing while nobody does.
pub(crate) struct Stage {
    interval: Duration,
    shown: Mutex<Arc<[Shown]>>,
    work: Mutex<Work>,
}

struct Work {
    mosaic: Mosaic,
    due: Instant,
    shown: Arc<[Shown]>,
    tiles: Vec<Tile>,
    /// The newest, and how many there were.
    composed: Option<Picture>,
    count: u64,
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Stage {
    pub(crate) fn new(size: Size, frames_per_second: u32, now: Instant) -> Self {
        let nothing: Arc<[Shown]> = Arc::from([]);
        let work = Work {
            mosaic: Mosaic::new(size.even()),
            due: now,
            shown: Arc::clone(&nothing),
            tiles: Vec::new(),
            composed: None,
            count: 0,
        };
        let interval = Duration::from_secs(1) / frames_per_second.max(1);
        Self { interval, shown: Mutex::new(nothing), work: Mutex::new(work) }
    }

    /// Never waits for a picture that is being put together.
    pub(crate) fn show(&self, shown: Vec<Shown>) {
        *lock(&self.shown) = shown.into();
    }

    /// The newest picture and its number, where that is another than `seen`; otherwise when there may be one.
    fn next(&self, now: Instant, seen: u64) -> Result<Result<(Picture, u64), Instant>, VideoError> {
        let mut work = lock(&self.work);
        if now >= work.due {
            let shown = Arc::clone(&lock(&self.shown));
            if work.compose(now, shown)? {
                let next = work.due + self.interval;
                work.due = if next > now { next } else { now + self.interval };
            }
        }
        match &work.composed {
            Some(picture) if work.count != seen => Ok(Ok((picture.clone(), work.count))),
            _ => Ok(Err(work.due.max(now + LOOK))),
        }
    }
}

impl Work {
    /// False where nothing is other than before.
    fn compose(&mut self, now: Instant, shown: Arc<[Shown]>) -> Result<bool, VideoError> {
        let newest = |shown: &Shown| shown.pictures.as_ref().and_then(Pictures::latest);
        let is_same = |tile: &Tile, picture: &Option<Picture>| match (&tile.picture, picture) {
            (Some(before), Some(now)) => before.shares_pixels(now) && before.rotation() == now.rotation(),
            (before, now) => before.is_none() && now.is_none(),
        };
        let is_other = self.composed.is_none() || !Arc::ptr_eq(&shown, &self.shown);
        let pictures: Vec<_> = shown.iter().map(newest).collect();
        if !is_other && self.tiles.iter().zip(&pictures).all(|(tile, picture)| is_same(tile, picture)) {
            return Ok(false);
        }
        let tiles = shown.iter().zip(pictures).map(|(shown, picture)| Tile {
            name: shown.name.clone(),
            picture,
            large: shown.large,
            speaks: shown.speaks,
        });
        self.tiles = tiles.collect();
        self.shown = shown;
        self.composed = Some(self.mosaic.compose(&self.tiles, now)?);
        self.count += 1;
        Ok(true)
    }
}

impl fmt::Debug for Stage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Stage").finish_non_exhaustive()
    }
}

/// The only camera of a stream that is a room: whatever is opened is the stage.
#[derive(Debug)]
pub(crate) struct StageDevices(pub(crate) Arc<Stage>);

impl StageDevices {
    /// As what it is opened: it may stand still for long.
    pub(crate) fn selection() -> VideoSelection {
        VideoSelection::Screen(NAME.into())
    }
}

impl Devices for StageDevices {
    fn list(&self) -> Result<Vec<DeviceInfo>, DeviceError> {
        Ok(Vec::new())
    }

    fn open_source(&self, selection: &Selection) -> Result<OpenedSource, DeviceError> {
        Err(DeviceError::NotFound { selection: selection.to_string(), direction: Direction::Input })
    }

    fn open_sink(&self, selection: &Selection) -> Result<OpenedSink, DeviceError> {
        Err(DeviceError::NotFound { selection: selection.to_string(), direction: Direction::Output })
    }

    fn open_video(&self, _: &VideoSelection, _: VideoWish) -> Result<OpenedVideo, DeviceError> {
        let source = Box::new(StageSource { stage: Arc::clone(&self.0), seen: 0 });
        Ok(OpenedVideo { source, name: NAME.into() })
    }
}

struct StageSource {
    stage: Arc<Stage>,
    seen: u64,
}

impl VideoSource for StageSource {
    fn name(&self) -> &str {
        NAME
    }

    fn poll(&mut self, now: Instant) -> Result<Polled, VideoError> {
        Ok(match self.stage.next(now, self.seen)? {
            Ok((picture, seen)) => {
                self.seen = seen;
                Polled::Picture(picture)
            }
            Err(due) => Polled::Wait(due),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::io::streams::Own;

    fn shown(pictures: Option<Pictures>) -> Shown {
        Shown { name: "Anna".into(), pictures, large: false, speaks: false }
    }

    fn source(stage: &Arc<Stage>) -> Box<dyn VideoSource> {
        let wish = VideoWish { size: Size::P180, frames_per_second: 25 };
        StageDevices(Arc::clone(stage)).open_video(&StageDevices::selection(), wish).unwrap().source
    }

    fn picture(source: &mut dyn VideoSource, now: Instant) -> Option<Picture> {
        match source.poll(now).unwrap() {
            Polled::Picture(picture) => Some(picture),
            _ => None,
        }
    }

    #[test]
    fn it_is_put_together_once_for_all_and_only_where_something_is_new() {
        let (start, own) = (Instant::now(), Own::default());
        let stage = Arc::new(Stage::new(Size::P180, 25, start));
        let (mut one, mut other) = (source(&stage), source(&stage));
        stage.show(vec![shown(Some(own.pictures()))]);
        let first = picture(&mut *one, start).unwrap();
        assert!(first.shares_pixels(&picture(&mut *other, start).unwrap()));
        let later = start + Duration::from_millis(50);
        assert!(picture(&mut *one, later).is_none(), "nothing is new");
        own.show(Picture::black(Size::P180, later));
        let second = picture(&mut *other, later).unwrap();
        assert!(second.shares_pixels(&picture(&mut *one, later).unwrap()));
        assert!(!second.shares_pixels(&first));
        own.show(Picture::black(Size::P180, later));
        assert!(picture(&mut *one, later + LOOK).is_none(), "not more than it is asked for");
        assert!(picture(&mut *one, later + Duration::from_millis(40)).is_some());
        stage.show(Vec::new());
        assert!(picture(&mut *one, later + Duration::from_secs(1)).is_some(), "nobody is shown any more");
    }

    #[test]
    fn pictures_are_decoded_for_it_alone_while_it_shows_them() {
        let own = Own::default();
        let stage = Stage::new(Size::P180, 25, Instant::now());
        stage.show(vec![shown(Some(own.pictures()))]);
        assert!(own.is_looked_at());
        stage.show(vec![shown(None)]);
        assert!(!own.is_looked_at());
    }
}
