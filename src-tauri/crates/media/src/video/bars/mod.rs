//! Colour bars with a clock that people and programs can read: the source for machines without a camera, and the way
//! to measure what happens to a picture on its way.

mod clock;
mod digits;
#[cfg(test)]
mod tests;

use std::time::{Duration, Instant};

use super::error::VideoError;
use super::picture::{BLACK, Canvas, FramePool, GREY_CHROMA, Picture, Rect, Size, WHITE};
use super::source::{Polled, VideoSource};

pub use clock::{CLOCK_BITS, read_clock, read_clock_in};

const WHITE_PIXEL: [u8; 3] = [WHITE, GREY_CHROMA, GREY_CHROMA];

/// 75 % bars: white, yellow, cyan, green, magenta, red, blue, black (BT.601).
const COLOURS: [[u8; 3]; 8] = [
    [180, 128, 128],
    [162, 44, 142],
    [131, 156, 44],
    [112, 72, 58],
    [84, 184, 198],
    [65, 100, 212],
    [35, 212, 114],
    [BLACK, GREY_CHROMA, GREY_CHROMA],
];

/// Most frames a second that a source is asked for.
pub const MAX_FRAME_RATE: u32 = 120;

/// Draws bars. The upper half has the colours and a white line that moves once across in two seconds, below it are
/// hours, minutes, seconds and milliseconds (UTC), and the lower third is the clock for [`read_clock`].
pub struct Bars {
    background: Picture,
    frames_per_second: u32,
    /// What the clock shows at an instant.
    epoch: (Instant, u64),
    drawn: u64,
    pool: FramePool,
}

impl Bars {
    /// The clock shows `milliseconds` at `now` and counts from there; milliseconds since 1970 make it comparable
    /// between programs. The first picture is due at `now`.
    pub fn new(
        size: Size,
        frames_per_second: u32,
        now: Instant,
        milliseconds: u64,
    ) -> Result<Self, VideoError> {
        if !(1..=MAX_FRAME_RATE).contains(&frames_per_second) {
            return Err(VideoError::Option {
                option: "framesPerSecond",
                problem: format!("{frames_per_second} is not between 1 and {MAX_FRAME_RATE}"),
            });
        }
        Ok(Self {
            background: background(size, now),
            frames_per_second,
            epoch: (now, milliseconds),
            drawn: 0,
            pool: FramePool::default(),
        })
    }

    pub fn size(&self) -> Size {
        self.background.size()
    }

    /// The picture whose clock shows `milliseconds`.
    pub fn draw(&self, milliseconds: u64, captured: Instant) -> Result<Picture, VideoError> {
        let size = self.size();
        let mut canvas = self.pool.take(size)?;
        canvas.i420_mut().copy_from_slice(self.background.i420());
        let (width, height) = (size.width(), size.height());
        let across = (u64::from(width) * (milliseconds % 2_000) / 2_000) as u32;
        let line = Rect { left: across & !1, top: 0, width: (width / 64).max(2), height: height / 2 };
        canvas.fill_rect(line, WHITE_PIXEL);
        digits::draw_time(&mut canvas, milliseconds);
        clock::draw(&mut canvas, milliseconds);
        Ok(canvas.finish(captured))
    }

    /// What the clock shows at `now`.
    pub fn clock_at(&self, now: Instant) -> u64 {
        let elapsed = now.saturating_duration_since(self.epoch.0).as_millis();
        self.epoch.1.saturating_add(u64::try_from(elapsed).unwrap_or(u64::MAX))
    }

    fn due(&self, picture: u64) -> Instant {
        let nanos = u128::from(picture) * 1_000_000_000 / u128::from(self.frames_per_second);
        self.epoch.0 + Duration::from_nanos(u64::try_from(nanos).unwrap_or(u64::MAX))
    }
}

impl VideoSource for Bars {
    fn name(&self) -> &str {
        "bars"
    }

    fn poll(&mut self, now: Instant) -> Result<Polled, VideoError> {
        let due = self.due(self.drawn);
        if now < due {
            return Ok(Polled::Wait(due));
        }
        let elapsed = now.saturating_duration_since(self.epoch.0).as_nanos();
        let newest = elapsed * u128::from(self.frames_per_second) / 1_000_000_000;
        self.drawn = self.drawn.max(u64::try_from(newest).unwrap_or(u64::MAX)).saturating_add(1);
        self.draw(self.clock_at(now), now).map(Polled::Picture)
    }
}

fn background(size: Size, now: Instant) -> Picture {
    let mut canvas = Canvas::black(size);
    let bars = COLOURS.len() as u32;
    for (at, colour) in (0u32..).zip(COLOURS) {
        let (left, right) = (size.width() * at / bars, size.width() * (at + 1) / bars);
        let bar = Rect { left, top: 0, width: right - left, height: size.height() / 2 };
        canvas.fill_rect(bar, colour);
    }
    canvas.finish(now)
}
