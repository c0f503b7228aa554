//! Time for each picture that is scaled and put together, in microseconds. 333 us would be one per cent of a core at 30
//! pictures a second.
//!
//! `cargo bench -p sidetone-media --bench compose_cost`
#![allow(clippy::unwrap_used, clippy::print_stdout)]

use std::hint::black_box;
use std::time::Instant;

use sidetone_media::video::{
    Bars, Compositor, Corner, EncoderOptions, FramePool, Inset, MediaClock, Mosaic, Picture, PixelFormat,
    Size, Tile, VideoCodec,
};

const PICTURES: usize = 20;
const LEAST_NS: u64 = 300_000_000;

fn main() {
    let uhd = Size::new(3840, 2160).unwrap();
    let sizes = [("360p", Size::P360), ("720p", Size::P720), ("1080p", Size::P1080), ("2160p", uhd)];
    for (from, size) in sizes {
        for (to, out) in [("360p", Size::P360), ("720p", Size::P720), ("1080p", Size::P1080)] {
            let mains = moving(size);
            let mut compositor = Compositor::new(out);
            measure(&format!("{from} to {to}"), |at| {
                compositor.compose(Some(&mains[at % 2]), None, Instant::now()).unwrap()
            });
        }
    }
    let inset = Inset { corner: Corner::BottomRight, size: 0.25 };
    for (name, out) in [("720p", Size::P720), ("1080p", Size::P1080)] {
        let (mains, smalls) = (moving(Size::P1080), moving(Size::P720));
        let mut compositor = Compositor::new(out);
        measure(&format!("1080p and 720p in its corner, to {name}"), |at| {
            compositor.compose(Some(&mains[at % 2]), Some((&smalls[at % 2], inset)), Instant::now()).unwrap()
        });
        measure(&format!("1080p that stands and 720p, to {name}"), |at| {
            compositor.compose(Some(&mains[0]), Some((&smalls[at % 2], inset)), Instant::now()).unwrap()
        });
    }
    for (name, size, count) in
        [("4 of 360p", Size::P360, 4), ("4 of 720p", Size::P720, 4), ("16 of 360p", Size::P360, 16)]
    {
        let pictures = moving(size);
        let tiles = |at: usize| -> Vec<Tile> {
            let picture = Some(pictures[at % 2].clone());
            let tile = Tile { name: "Somebody".into(), picture, large: false, speaks: false };
            vec![tile; count]
        };
        let mut mosaic = Mosaic::new(Size::P720);
        measure(&format!("{name} side by side in 720p"), |at| {
            mosaic.compose(&tiles(at), Instant::now()).unwrap()
        });
        if count == 4 {
            let clock = MediaClock::new(Instant::now(), 0);
            let options = EncoderOptions::new(Size::P720, 1_500_000, clock);
            let mut encoder = VideoCodec::H264.encoder(&options).unwrap();
            measure(&format!("{name} side by side in 720p, encoded"), |at| {
                let picture = mosaic.compose(&tiles(at), Instant::now()).unwrap();
                black_box(encoder.encode(&picture, false).unwrap());
                picture
            });
        }
    }
    let square = moving(Size::new(1080, 1080).unwrap());
    let mut compositor = Compositor::new(Size::P720);
    measure("1080x1080 letterboxed to 720p", |at| {
        compositor.compose(Some(&square[at % 2]), None, Instant::now()).unwrap()
    });
    let pool = FramePool::default();
    let pixels = vec![90u8; Size::P1080.luma_len() * 4];
    for format in [PixelFormat::Nv12, PixelFormat::Yuyv, PixelFormat::Rgb, PixelFormat::Rgba] {
        measure(&format!("1080p from {format:?}"), |_| {
            Picture::from_pixels(format, Size::P1080, 0, &pixels, Instant::now(), &pool).unwrap()
        });
    }
}

/// Two pictures, so that nothing can be kept from the one before.
fn moving(size: Size) -> [Picture; 2] {
    let bars = Bars::new(size, 30, Instant::now(), 0).unwrap();
    [bars.draw(1_000, Instant::now()).unwrap(), bars.draw(1_033, Instant::now()).unwrap()]
}

/// Runs `picture` for each number and prints its mean time.
fn measure(name: &str, mut picture: impl FnMut(usize) -> Picture) {
    let start = Instant::now();
    let (mut done, before) = (0, processor_time(start));
    loop {
        for _ in 0..PICTURES {
            black_box(picture(done));
            done += 1;
        }
        let time = processor_time(start) - before;
        if time >= LEAST_NS {
            println!("{name:<44} {:>8} us", time / done as u64 / 1_000);
            return;
        }
    }
}

/// Nanoseconds that this thread ran, where the system tells them (Linux), else since `start`.
fn processor_time(start: Instant) -> u64 {
    let told = std::fs::read_to_string("/proc/thread-self/schedstat").ok();
    let ran = told.and_then(|text| text.split_whitespace().next()?.parse().ok());
    ran.unwrap_or_else(|| u64::try_from(start.elapsed().as_nanos()).unwrap_or(u64::MAX))
}
