use super::*;
use crate::video::picture::Scaler;

fn bars(width: u32, height: u32) -> Bars {
    Bars::new(Size::new(width, height).unwrap(), 30, Instant::now(), 1_764_000_000_000).unwrap()
}

#[test]
fn clock_is_read_back_in_every_size_down_to_32_by_24() {
    let now = Instant::now();
    for (width, height) in [(32, 24), (33, 25), (176, 144), (320, 180), (639, 359), (360, 640), (1920, 1080)]
    {
        let bars = bars(width, height);
        for milliseconds in [0, 1, 1_764_000_123_456, (1 << CLOCK_BITS) - 1] {
            let picture = bars.draw(milliseconds, now).unwrap();
            assert_eq!(read_clock(&picture), Some(milliseconds), "{width}x{height}");
        }
    }
}

#[test]
fn clock_survives_scaling_down_to_160_by_90_and_up_again() {
    let pool = FramePool::default();
    let mut scaler = Scaler::new();
    let picture = bars(1280, 720).draw(1_764_000_123_456, Instant::now()).unwrap();
    let small = scaler.scale(&picture, Size::new(160, 90).unwrap(), &pool).unwrap();
    assert_eq!(read_clock(&small), Some(1_764_000_123_456));
    let large = scaler.scale(&small, Size::P720, &pool).unwrap();
    assert_eq!(read_clock(&large), Some(1_764_000_123_456));
}

#[test]
fn clock_of_letterboxed_bars_is_read_in_their_part() {
    let pool = FramePool::default();
    let picture = bars(320, 180).draw(77, Instant::now()).unwrap();
    let target = Size::new(400, 400).unwrap();
    let boxed = Scaler::new().letterbox(&picture, target, &pool).unwrap();
    assert_eq!(read_clock(&boxed), None);
    let inner = Rect::centred(Size::P180.fitted(target), target);
    assert_eq!(read_clock_in(&boxed, inner), Some(77));
    assert_eq!(read_clock_in(&boxed, Rect { left: 500, ..inner }), None);
}

#[test]
fn pictures_without_a_clock_read_as_none() {
    let now = Instant::now();
    for (width, height) in [(1, 1), (2, 2), (15, 11), (640, 360)] {
        assert_eq!(read_clock(&Picture::black(Size::new(width, height).unwrap(), now)), None);
    }
    let mut white = Canvas::black(Size::P360);
    white.fill([WHITE, 128, 128]);
    assert_eq!(read_clock(&white.finish(now)), None);
}

#[test]
fn tiny_and_huge_bars_are_drawn_without_fault() {
    for (width, height) in [(1, 1), (1, 4096), (4096, 1), (7, 3), (4096, 4096)] {
        let bars = bars(width, height);
        let picture = bars.draw(5, Instant::now()).unwrap();
        assert_eq!((picture.width(), picture.height()), (width, height));
    }
}

#[test]
fn source_gives_a_picture_each_frame_and_skips_what_was_missed() {
    let start = Instant::now();
    let mut bars = Bars::new(Size::P180, 50, start, 1_000).unwrap();
    let Polled::Picture(first) = bars.poll(start).unwrap() else { panic!("none at once") };
    assert_eq!((read_clock(&first), first.captured()), (Some(1_000), start));
    let Polled::Wait(due) = bars.poll(start + Duration::from_millis(1)).unwrap() else { panic!("too soon") };
    assert_eq!(due, start + Duration::from_millis(20));
    let late = start + Duration::from_millis(175);
    let Polled::Picture(second) = bars.poll(late).unwrap() else { panic!("none when late") };
    assert_eq!(read_clock(&second), Some(1_175));
    let Polled::Wait(next) = bars.poll(late).unwrap() else { panic!("a second one at once") };
    assert_eq!(next, start + Duration::from_millis(180));
}

#[test]
fn frame_rates_outside_of_range_are_refused_by_name() {
    for rate in [0, 121, u32::MAX] {
        let error = Bars::new(Size::P180, rate, Instant::now(), 0).err().unwrap();
        assert!(error.to_string().starts_with("framesPerSecond: "), "{error}");
    }
}

#[test]
fn cells_lie_where_a_page_looks_for_them() {
    // Six bytes of 1764000123456, then their CRC-16/CCITT-FALSE as another program computed it.
    const BITS: u64 = 0x019A_B699_CA40_AA2F;
    for (width, height) in [(320, 180), (640, 480), (1280, 720), (360, 640)] {
        let picture = bars(width, height).draw(1_764_000_123_456, Instant::now()).unwrap();
        for bit in 0..64 {
            let (x, y) = ((2 * (bit % 16) + 1) * width / 32, (2 * (8 + bit / 16) + 1) * height / 24);
            let white = picture.y()[(y * width + x) as usize] > 127;
            assert_eq!(white, BITS >> (63 - bit) & 1 == 1, "bit {bit} of {width}x{height}");
        }
    }
}
