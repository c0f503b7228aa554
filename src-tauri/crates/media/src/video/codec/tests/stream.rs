//! Pictures and streams that the tests of each codec take.

use std::time::{Duration, Instant};

use crate::video::bars::Bars;
use crate::video::codec::{Encoded, EncoderOptions, MediaClock, VideoCodec};
use crate::video::picture::{FramePool, Picture, Scaler, Size};

/// RTP timestamp of the first picture.
pub(crate) const OFFSET: u32 = 7;

/// Those that this build encodes and decodes.
pub(crate) fn codecs() -> impl Iterator<Item = VideoCodec> {
    VideoCodec::ALL.into_iter().filter(|codec| codec.info().encode && codec.info().decode)
}

pub(crate) fn options(size: Size, bitrate: u32, start: Instant) -> EncoderOptions {
    EncoderOptions::new(size, bitrate, MediaClock::new(start, OFFSET))
}

/// Of the clock in the bars.
pub(crate) fn millis(at: usize) -> u64 {
    at as u64 * 100 / 3
}

/// Bars at 30 pictures a second; the clock counts from 0.
pub(crate) fn pictures(size: Size, count: usize, start: Instant) -> impl Iterator<Item = Picture> {
    let bars = Bars::new(size, 30, start, 0).unwrap();
    (0..count).map(move |at| bars.draw(millis(at), start + Duration::from_millis(millis(at))).unwrap())
}

pub(crate) fn picture(size: Size, start: Instant) -> Picture {
    pictures(size, 1, start).next().unwrap()
}

/// Pictures that cost bits: each is new noise in large blocks.
pub(crate) fn noise(size: Size, count: usize, start: Instant) -> impl Iterator<Item = Picture> {
    let small = Size::new(size.width() / 8, size.height() / 8).unwrap();
    let pool = FramePool::default();
    let (mut scaler, mut random) = (Scaler::new(), random());
    (0..count).map(move |at| {
        let mut canvas = pool.take(small).unwrap();
        canvas.fill([0, 128, 128]);
        for byte in canvas.planes_mut().y.iter_mut() {
            *byte = 16 + (random() >> 16) as u8 / 2;
        }
        let captured = start + Duration::from_millis(millis(at));
        scaler.scale(&canvas.finish(captured), size, &pool).unwrap()
    })
}

/// Bars at 180p with 300 kbit/s.
pub(crate) fn stream(codec: VideoCodec, count: usize) -> Vec<Encoded> {
    let start = Instant::now();
    let mut encoder = codec.encoder(&options(Size::P180, 300_000, start)).unwrap();
    pictures(Size::P180, count, start)
        .filter_map(|picture| encoder.encode(&picture, false).unwrap())
        .collect()
}

/// The same numbers in each run, 24 bits each.
pub(crate) fn random() -> impl FnMut() -> u32 {
    let mut state = 1u32;
    move || {
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        state >> 8
    }
}
