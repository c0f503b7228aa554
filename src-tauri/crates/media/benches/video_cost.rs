//! What pictures cost, as a part of one core at 30 pictures a second.
//!
//! `cargo bench -p sidetone-media --bench video_cost`
#![allow(clippy::unwrap_used, clippy::print_stdout)]

use std::time::{Duration, Instant};

use sidetone_media::video::picture::MAX_SIDE;
use sidetone_media::video::{
    Bars, Canvas, ContentHint, EncoderOptions, FramePool, MediaClock, Picture, PixelFormat, Scaler, Size,
    VideoCodec,
};

const FRAMES: u64 = 150;
const FRAMES_PER_SECOND: f64 = 30.0;

fn main() {
    for size in [Size::P720, Size::P1080] {
        let bitrate = if size == Size::P720 { 1_500_000 } else { 3_000_000 };
        println!("{size} at 30 pictures a second, {} kbit/s", bitrate / 1_000);
        let pictures = film(size);
        for codec in VideoCodec::ALL {
            for hint in [ContentHint::Motion, ContentHint::Detail] {
                code(codec, hint, &pictures, bitrate);
            }
        }
        pixels(size, &pictures);
    }
}

fn report(name: &str, seconds: f64, pictures: u64) {
    let each = seconds / pictures as f64;
    println!("  {name:<44} {:>7.2} ms {:>6.1} % of a core", each * 1_000.0, each * FRAMES_PER_SECOND * 100.0);
}

/// Seconds that all threads of this program ran, where the system tells them (Linux), else since `start`.
fn processor_time(start: Instant) -> f64 {
    let ticks = std::fs::read_to_string("/proc/self/stat").ok().and_then(|text| {
        let fields: Vec<&str> = text.rsplit_once(')')?.1.split_whitespace().collect();
        Some(fields.get(11)?.parse::<f64>().ok()? + fields.get(12)?.parse::<f64>().ok()?)
    });
    ticks.map_or_else(|| start.elapsed().as_secs_f64(), |ticks| ticks / 100.0)
}

fn measure(mut work: impl FnMut()) -> f64 {
    let start = Instant::now();
    let before = processor_time(start);
    work();
    processor_time(start) - before
}

/// Bars over a soft pattern that moves, as a camera that pans would give: 16 pictures, used again and again.
fn film(size: Size) -> Vec<Picture> {
    let start = Instant::now();
    let pool = FramePool::new(64);
    let large = Size::clamped((size.width() + 256).min(MAX_SIDE), size.height());
    let mut scaler = Scaler::new();
    let mut noise = Canvas::black(Size::clamped(large.width() / 12, large.height() / 12));
    let mut state = 1u32;
    for byte in noise.i420_mut() {
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        *byte = 64 + (state >> 25) as u8;
    }
    let pattern = scaler.scale(&noise.finish(start), large, &pool).unwrap();
    let bars = Bars::new(size, 30, start, 0).unwrap();
    (0..16u32)
        .map(|at| {
            let shift = at.min(16 - at) as usize * 16;
            let row = |plane: &[u8], from: u32, to: u32, shift: usize| -> Vec<u8> {
                let rows = plane.chunks_exact(from as usize);
                rows.flat_map(|row| row[shift..shift + to as usize].to_vec()).collect()
            };
            let y = row(pattern.y(), large.width(), size.width(), shift);
            let u = row(pattern.u(), large.chroma_width(), size.chroma_width(), shift / 2);
            let v = row(pattern.v(), large.chroma_width(), size.chroma_width(), shift / 2);
            let strides = [size.width() as usize, size.chroma_width() as usize];
            let moved = Picture::from_planes(size, [&y, &u, &v], strides, start, &pool).unwrap();
            let clock = bars.draw(u64::from(at) * 33, start).unwrap();
            let small = scaler.scale(&clock, size.divided(3), &pool).unwrap();
            let mut canvas = pool.take(size).unwrap();
            canvas.draw(&moved, 0, 0);
            canvas.draw(&small, 0, 0);
            canvas.finish(start)
        })
        .collect()
}

fn code(codec: VideoCodec, hint: ContentHint, pictures: &[Picture], bitrate: u32) {
    let start = Instant::now();
    let size = pictures[0].size();
    let mut options = EncoderOptions::new(size, bitrate, MediaClock::new(start, 0));
    options.hint = hint;
    let (Ok(mut encoder), Ok(mut decoder)) = (codec.encoder(&options), codec.decoder()) else { return };
    let mut stream = Vec::new();
    let seconds = measure(|| {
        for at in 0..FRAMES {
            let captured = start + Duration::from_millis(at * 100 / 3);
            let picture = pictures[at as usize % pictures.len()].clone().captured_at(captured);
            stream.extend(encoder.encode(&picture, false).unwrap());
        }
    });
    let kbit: usize = stream.iter().map(|encoded| encoded.data.len() * 8 / 1_000).sum();
    let rate = kbit as f64 / (FRAMES as f64 / FRAMES_PER_SECOND);
    let kept = stream.len();
    report(&format!("{codec} encode {hint:?}, {kept} of {FRAMES}, {rate:.0} kbit/s"), seconds, FRAMES);
    let seconds = measure(|| {
        for encoded in &stream {
            decoder.decode(encoded).unwrap();
        }
    });
    report(&format!("{codec} decode {hint:?}"), seconds, kept as u64);
}

fn pixels(size: Size, pictures: &[Picture]) {
    let pool = FramePool::default();
    let mut scaler = Scaler::new();
    let times = |work: &mut dyn FnMut(&Picture)| {
        measure(|| {
            for at in 0..FRAMES as usize {
                work(&pictures[at % pictures.len()]);
            }
        })
    };
    for to in [size.divided(2), size.divided(4), Size::P720] {
        if to != size {
            let seconds = times(&mut |picture| drop(scaler.scale(picture, to, &pool).unwrap()));
            report(&format!("scale to {to}"), seconds, FRAMES);
        }
    }
    let raw = vec![90u8; size.luma_len() * 4];
    for format in [PixelFormat::Bgra, PixelFormat::Rgb, PixelFormat::Nv12, PixelFormat::Yuyv] {
        let seconds = times(&mut |picture| {
            drop(Picture::from_pixels(format, size, 0, &raw, picture.captured(), &pool).unwrap());
        });
        report(&format!("from {format:?}"), seconds, FRAMES);
    }
    let bars = Bars::new(size, 30, Instant::now(), 0).unwrap();
    let seconds = times(&mut |picture| drop(bars.draw(1_764_000_000_000, picture.captured()).unwrap()));
    report("bars with clock", seconds, FRAMES);
}
