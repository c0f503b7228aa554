use std::time::{Duration, Instant};

use fast_image_resize::images::{Image, ImageRef};
use fast_image_resize::{FilterType, PixelType, ResizeAlg, ResizeOptions, Resizer};
use sidetone_media::VideoWish;
use sidetone_media::video::{FramePool, Grabbed, Grabber, Picture, PixelFormat, Size, VideoError};

/// Longest side of what a system may give: four 8K screens beside each other.
const LONGEST_SIDE: u32 = 32_768;
/// Pictures in a row that may fail: a window that is minimised or moves gives none for a while.
const MOST_FAILURES: u32 = 30;

/// Red, green, blue and a byte that does not matter, rows without padding.
pub(super) struct Pixels {
    pub(super) width: u32,
    pub(super) height: u32,
    pub(super) rgba: Vec<u8>,
}

/// Takes one picture of a screen or a window.
pub(super) trait Shot {
    /// `None` where nothing has changed until `until`.
    fn shoot(&mut self, until: Instant) -> Result<Option<Pixels>, String>;

    /// It waits for pictures by itself.
    fn waits(&self) -> bool {
        false
    }
}

/// A screen or window, shot at the wished rate.
pub(super) struct Screen<S> {
    name: String,
    shot: S,
    wish: VideoWish,
    due: Instant,
    failures: u32,
    pool: FramePool,
    resizer: Resizer,
}

impl<S: Shot> Screen<S> {
    pub(super) fn new(name: String, shot: S, wish: VideoWish) -> Self {
        Self {
            name,
            shot,
            wish,
            due: Instant::now(),
            failures: 0,
            pool: FramePool::default(),
            resizer: Resizer::new(),
        }
    }

    fn interval(&self) -> Duration {
        Duration::from_secs(1) / self.wish.frames_per_second.clamp(1, 120)
    }

    fn failed(&self, reason: String) -> VideoError {
        VideoError::Source { source_name: self.name.clone(), reason }
    }
}

impl<S: Shot> Grabber for Screen<S> {
    fn grab(&mut self) -> Result<Grabbed, VideoError> {
        let (now, interval) = (Instant::now(), self.interval());
        if self.due > now {
            std::thread::sleep(self.due - now);
        }
        // What was missed is not made up for.
        self.due = (self.due + interval).max(Instant::now());
        let captured = Instant::now();
        match self.shot.shoot(captured + interval.max(Duration::from_millis(100))) {
            Ok(Some(pixels)) => {
                self.failures = 0;
                let captured = if self.shot.waits() { Instant::now() } else { captured };
                match convert(&pixels, self.wish.size, captured, &mut self.resizer, &self.pool) {
                    Ok(picture) => Ok(Grabbed::Picture(picture)),
                    Err(VideoError::PoolEmpty { .. }) => Ok(Grabbed::Nothing),
                    Err(error) => Ok(Grabbed::Unusable(self.failed(error.to_string()))),
                }
            }
            Ok(None) => Ok(Grabbed::Nothing),
            Err(reason) => {
                self.failures += 1;
                let error = self.failed(reason);
                if self.failures >= MOST_FAILURES { Err(error) } else { Ok(Grabbed::Unusable(error)) }
            }
        }
    }
}

/// Scaled down to the wished size before anything else, which is what costs least: a screen has far more pixels than a
/// stream.
fn convert(
    pixels: &Pixels,
    wished: Size,
    captured: Instant,
    resizer: &mut Resizer,
    pool: &FramePool,
) -> Result<Picture, VideoError> {
    let Pixels { width, height, rgba } = pixels;
    if *width > LONGEST_SIDE || *height > LONGEST_SIDE {
        return Err(VideoError::Size { width: *width, height: *height });
    }
    let size = fit(*width, *height, wished)?;
    if (size.width(), size.height()) == (*width, *height) {
        return Picture::from_pixels(PixelFormat::Rgba, size, 0, rgba, captured, pool);
    }
    let failed = |problem: String| VideoError::Pixels { field: "pixels", problem };
    let from = ImageRef::new(*width, *height, rgba, PixelType::U8x4).map_err(|e| failed(e.to_string()))?;
    let mut to = Image::new(size.width(), size.height(), PixelType::U8x4);
    // Text stays readable: a box as wide as the step, with soft edges.
    let options =
        ResizeOptions::new().resize_alg(ResizeAlg::Convolution(FilterType::Hamming)).use_alpha(false);
    resizer.resize(&from, &mut to, &options).map_err(|e| failed(e.to_string()))?;
    Picture::from_pixels(PixelFormat::Rgba, size, 0, to.buffer(), captured, pool)
}

/// The size within `wished` that keeps the shape.
fn fit(width: u32, height: u32, wished: Size) -> Result<Size, VideoError> {
    if width == 0 || height == 0 {
        return Err(VideoError::Size { width, height });
    }
    let largest = width.max(height);
    // Sides beyond what a picture may have: halved until they are not, only to know the shape.
    let by = largest.div_ceil(sidetone_media::video::picture::MAX_SIDE);
    if by == 1 {
        return Ok(Size::new(width, height)?.within(wished));
    }
    Ok(Size::clamped(width / by, height / by).within(wished))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn plain(width: u32, height: u32) -> Pixels {
        Pixels { width, height, rgba: [200u8, 100, 50, 0].repeat((width * height) as usize) }
    }

    fn converted(pixels: &Pixels, wished: Size) -> Result<Picture, VideoError> {
        convert(pixels, wished, Instant::now(), &mut Resizer::new(), &FramePool::default())
    }

    #[test]
    fn every_size_is_brought_within_the_wish_and_keeps_shape_and_colour() {
        for ((width, height), expected) in [
            ((1, 1), (1, 1)),
            ((641, 359), (641, 359)),
            ((1920, 1080), (1280, 720)),
            ((1080, 1920), (404, 720)),
            ((7680, 1440), (1280, 240)),
            ((5120, 3), (1280, 1)),
        ] {
            let picture = converted(&plain(width, height), Size::P720).unwrap();
            let (w, h) = (picture.width(), picture.height());
            assert!(w.abs_diff(expected.0) <= 2 && h.abs_diff(expected.1) <= 2, "{width}x{height}: {w}x{h}");
            let rgb = picture.to_rgb().unwrap();
            let close =
                rgb.chunks(3).all(|p| p.iter().zip([200u8, 100, 50]).all(|(a, b)| a.abs_diff(b) <= 4));
            assert!(close, "{width}x{height}: {:?}", &rgb[..3]);
        }
    }

    #[test]
    fn nonsense_is_refused_in_words() {
        for (width, height, len) in [(0, 10, 0), (100_000, 10, 0), (640, 480, 17), (1920, 1080, 17)] {
            let pixels = Pixels { width, height, rgba: vec![0; len] };
            assert!(!converted(&pixels, Size::P360).unwrap_err().to_string().is_empty(), "{width}x{height}");
        }
    }

    struct Broken(u32);

    impl Shot for Broken {
        fn shoot(&mut self, _until: Instant) -> Result<Option<Pixels>, String> {
            self.0 += 1;
            if self.0 == 3 { Ok(Some(plain(4, 4))) } else { Err("it is minimised".into()) }
        }
    }

    #[test]
    fn a_window_that_gives_nothing_for_a_while_is_kept_and_one_that_never_does_ends() {
        let wish = VideoWish { size: Size::P180, frames_per_second: 120 };
        let mut screen = Screen::new("Window".into(), Broken(0), wish);
        let mut told = Vec::new();
        let end = loop {
            match screen.grab() {
                Ok(grabbed) => told.push(grabbed),
                Err(error) => break error.to_string(),
            }
        };
        assert_eq!(end, "Window: it is minimised");
        assert!(matches!(told[2], Grabbed::Picture(_)));
        assert_eq!(told.len() as u32, 2 + MOST_FAILURES);
    }
}
