use super::*;

fn size(width: u32, height: u32) -> Size {
    Size::new(width, height).unwrap()
}

const SIZES: [(u32, u32); 9] =
    [(1, 1), (1, 2), (2, 1), (3, 3), (15, 17), (64, 1), (639, 359), (1, 4096), (4096, 3)];

#[test]
fn sizes_outside_of_1_to_4096_are_refused() {
    for (width, height) in [(0, 1), (1, 0), (4097, 1), (1, 4097), (u32::MAX, u32::MAX)] {
        assert_eq!(Size::new(width, height), Err(VideoError::Size { width, height }));
    }
    assert_eq!(size(4096, 4096).i420_len(), 4096 * 4096 * 3 / 2);
    assert_eq!(size(1, 1).i420_len(), 3);
    assert_eq!(size(3, 5).i420_len(), 15 + 2 * 6);
}

#[test]
fn fitting_keeps_the_shape_and_never_leaves_the_bounds() {
    assert_eq!(size(1920, 1080).within(Size::P720), Size::P720);
    assert_eq!(size(640, 360).within(Size::P720), Size::P360);
    assert_eq!(size(640, 360).fitted(Size::P720), Size::P720);
    assert_eq!(size(1080, 1920).within(Size::P720), size(404, 720));
    assert_eq!(size(4096, 1).within(Size::P720), size(1280, 1));
    assert_eq!(size(1, 1).fitted(size(1, 1)), size(1, 1));
    for from in SIZES {
        for bounds in SIZES {
            let (from, bounds) = (size(from.0, from.1), size(bounds.0, bounds.1));
            let fitted = from.fitted(bounds);
            assert!(
                fitted.width() <= bounds.width() && fitted.height() <= bounds.height(),
                "{from} in {bounds}"
            );
        }
    }
}

/// A colour of each format, all the same red, as 2 pixels.
fn red(format: PixelFormat) -> &'static [u8] {
    match format {
        PixelFormat::Rgb => &[255, 0, 0, 255, 0, 0],
        PixelFormat::Bgr => &[0, 0, 255, 0, 0, 255],
        PixelFormat::Rgba => &[255, 0, 0, 9, 255, 0, 0, 9],
        PixelFormat::Bgra => &[0, 0, 255, 9, 0, 0, 255, 9],
        PixelFormat::Yuyv => &[81, 90, 81, 240],
        PixelFormat::Uyvy => &[90, 81, 240, 81],
        PixelFormat::Grey => &[76, 76],
        PixelFormat::I420 | PixelFormat::Nv12 => &[81, 81],
    }
}

fn pixels(format: PixelFormat, size: Size, padding: usize) -> (Vec<u8>, usize) {
    let row: Vec<u8> = red(format).iter().copied().cycle().take(format.row_len(size.width())).collect();
    let stride = row.len() + padding;
    let mut pixels = Vec::new();
    for _ in 0..size.height() {
        pixels.extend_from_slice(&row);
        pixels.resize(pixels.len() + padding, 0xEE);
    }
    let chroma = (size.chroma_width() as usize, size.chroma_height() as usize);
    let mut plane = |values: &[u8], width: usize, stride: usize| {
        for _ in 0..chroma.1 {
            pixels.extend(values.iter().copied().cycle().take(width));
            pixels.resize(pixels.len() + stride - width, 0xEE);
        }
    };
    match format {
        PixelFormat::I420 => {
            plane(&[90], chroma.0, stride.div_ceil(2));
            plane(&[240], chroma.0, stride.div_ceil(2));
        }
        PixelFormat::Nv12 => plane(&[90, 240], chroma.0 * 2, stride.max(chroma.0 * 2)),
        _ => {}
    }
    (pixels, stride)
}

const FORMATS: [PixelFormat; 9] = [
    PixelFormat::I420,
    PixelFormat::Nv12,
    PixelFormat::Yuyv,
    PixelFormat::Uyvy,
    PixelFormat::Rgb,
    PixelFormat::Bgr,
    PixelFormat::Rgba,
    PixelFormat::Bgra,
    PixelFormat::Grey,
];

#[test]
fn every_format_gives_the_same_colour_in_every_size_with_and_without_padding() {
    let pool = FramePool::default();
    for format in FORMATS {
        for (width, height) in SIZES {
            for padding in [0, 7] {
                let size = size(width, height);
                let (pixels, stride) = pixels(format, size, padding);
                let now = Instant::now();
                let picture = Picture::from_pixels(format, size, stride, &pixels, now, &pool).unwrap();
                let (u, v) = if format == PixelFormat::Grey { (128, 128) } else { (90, 240) };
                let close = |plane: &[u8], value: u8| plane.iter().all(|byte| byte.abs_diff(value) <= 2);
                assert!(close(picture.y(), 81), "{format:?} {size} y {:?}", &picture.y()[..1]);
                assert!(close(picture.u(), u), "{format:?} {size} u {:?}", &picture.u()[..1]);
                assert!(close(picture.v(), v), "{format:?} {size} v {:?}", &picture.v()[..1]);
                assert_eq!(picture.captured(), now);
            }
        }
    }
}

#[test]
fn too_few_bytes_and_wrong_strides_are_refused_by_name() {
    let pool = FramePool::default();
    let now = Instant::now();
    for format in FORMATS {
        for (width, height) in SIZES {
            let size = size(width, height);
            let (mut pixels, stride) = pixels(format, size, 4);
            pixels.truncate(format.len(size, stride));
            assert!(
                Picture::from_pixels(format, size, stride, &pixels, now, &pool).is_ok(),
                "{format:?} {size}"
            );
            pixels.pop();
            let short = Picture::from_pixels(format, size, stride, &pixels, now, &pool).unwrap_err();
            assert!(short.to_string().starts_with("pixels: "), "{short}");
            for stride in
                [format.row_len(width) - 1, usize::MAX / 2, usize::MAX].into_iter().filter(|s| *s > 0)
            {
                let narrow = Picture::from_pixels(format, size, stride, &pixels, now, &pool).unwrap_err();
                assert!(narrow.to_string().starts_with("stride: "), "{narrow}");
            }
        }
    }
    let planes = Picture::from_planes(Size::P180, [&[0; 9], &[], &[]], [usize::MAX, 1], now, &pool);
    assert!(planes.unwrap_err().to_string().starts_with("y: "));
}

#[test]
fn rgb_comes_back_as_it_was() {
    let pool = FramePool::default();
    let size = size(16, 8);
    for colour in [[255u8, 0, 0], [0, 255, 0], [0, 0, 255], [255, 255, 255], [0, 0, 0], [120, 130, 140]] {
        let rgb: Vec<u8> = colour.iter().copied().cycle().take(16 * 8 * 3).collect();
        let picture = Picture::from_pixels(PixelFormat::Rgb, size, 0, &rgb, Instant::now(), &pool).unwrap();
        let back = picture.to_rgb().unwrap();
        assert!(back.iter().zip(&rgb).all(|(a, b)| a.abs_diff(*b) <= 3), "{colour:?}: {:?}", &back[..3]);
    }
}

#[test]
fn pool_is_bounded_and_takes_its_pictures_back() {
    let pool = FramePool::new(2);
    let now = Instant::now();
    let first = pool.take(Size::P180).unwrap().finish(now);
    let shared = first.clone();
    let second = pool.take(Size::P180).unwrap();
    assert_eq!(pool.take(Size::P180).unwrap_err(), VideoError::PoolEmpty { limit: 2 });
    drop(first);
    assert!(pool.take(Size::P180).is_err(), "a clone still shares the pixels");
    drop(shared);
    assert_eq!(pool.in_use(), 1);
    let other = pool.take(Size::P360).unwrap().finish(now);
    assert_eq!(other.i420().len(), Size::P360.i420_len());
    drop(second);
    drop(pool);
    assert_eq!(other.y().len(), Size::P360.luma_len(), "a picture outlives its pool");
}

/// Luma counts up from 0, so that each pixel tells where it was.
fn counting(size: Size) -> Picture {
    let mut canvas = Canvas::black(size);
    let planes = canvas.planes_mut();
    for plane in [planes.y, planes.u, planes.v] {
        plane.iter_mut().enumerate().for_each(|(at, byte)| *byte = at as u8);
    }
    canvas.finish(Instant::now())
}

#[test]
fn turning_puts_each_pixel_where_it_belongs() {
    let pool = FramePool::default();
    let picture = counting(size(3, 2));
    let turned = |rotation| picture.clone().with_rotation(rotation).upright(&pool).unwrap();
    let quarter = turned(Rotation::Clockwise90);
    assert_eq!((quarter.size(), quarter.y()), (size(2, 3), &[3, 0, 4, 1, 5, 2][..]));
    let three = turned(Rotation::Clockwise270);
    assert_eq!((three.size(), three.y()), (size(2, 3), &[2, 5, 1, 4, 0, 3][..]));
    assert_eq!(turned(Rotation::Half).y(), [5, 4, 3, 2, 1, 0]);
    assert_eq!(quarter.u(), [0, 1], "one row of two becomes two rows of one");
    assert_eq!(quarter.rotation(), Rotation::Upright);
    assert!(turned(Rotation::Upright).shares_pixels(&picture));
    for (width, height) in SIZES {
        let picture = counting(size(width, height));
        let once = picture.clone().with_rotation(Rotation::Clockwise90).upright(&pool).unwrap();
        let back = once.with_rotation(Rotation::Clockwise270).upright(&pool).unwrap();
        assert_eq!(back.i420(), picture.i420());
    }
    for degrees in [0, 90, 180, 270, 360, 450] {
        assert_eq!(Rotation::from_degrees(degrees).degrees(), degrees % 360);
    }
}

#[test]
fn scaling_works_between_all_sizes_and_keeps_a_plain_colour() {
    let pool = FramePool::default();
    let mut scaler = Scaler::new();
    for from in SIZES {
        let mut canvas = Canvas::black(size(from.0, from.1));
        canvas.fill([81, 90, 240]);
        let picture = canvas.finish(Instant::now()).with_rotation(Rotation::Half);
        for to in SIZES {
            let scaled = scaler.scale(&picture, size(to.0, to.1), &pool).unwrap();
            assert_eq!(scaled.size(), size(to.0, to.1));
            assert!(scaled.y().iter().all(|y| *y == 81) && scaled.u().iter().all(|u| *u == 90));
            assert!(scaled.v().iter().all(|v| *v == 240));
            assert_eq!((scaled.captured(), scaled.rotation()), (picture.captured(), Rotation::Half));
        }
    }
}

#[test]
fn letterboxing_adds_black_at_two_sides_only() {
    let pool = FramePool::default();
    let mut canvas = Canvas::black(size(320, 180));
    canvas.fill([200, 90, 240]);
    let picture = canvas.finish(Instant::now());
    let boxed = Scaler::new().letterbox(&picture, size(640, 480), &pool).unwrap();
    let row = |y: usize| &boxed.y()[y * 640..(y + 1) * 640];
    assert!(row(0).iter().chain(row(479)).all(|y| *y == BLACK));
    assert!(row(240).iter().all(|y| *y == 200));
    let pillar = Scaler::new().letterbox(&picture.clone(), size(640, 180), &pool).unwrap();
    assert_eq!((pillar.y()[0], pillar.y()[320], pillar.y()[639]), (BLACK, 200, BLACK));
    assert!(Scaler::new().letterbox(&picture, size(320, 180), &pool).unwrap().shares_pixels(&picture));
    for to in SIZES {
        assert_eq!(
            Scaler::new().letterbox(&picture, size(to.0, to.1), &pool).unwrap().size(),
            size(to.0, to.1)
        );
    }
}

#[test]
fn drawing_and_filling_outside_is_cut_off() {
    let small = counting(size(5, 5));
    for (left, top) in [(0, 0), (3, 3), (6, 6), (7, 0), (1_000_000, 2), (u32::MAX, u32::MAX)] {
        let mut canvas = Canvas::black(size(7, 7));
        canvas.draw(&small, left, top);
        canvas.fill_rect(Rect { left, top, width: u32::MAX, height: u32::MAX }, [1, 2, 3]);
        assert_eq!(canvas.finish(Instant::now()).size(), size(7, 7));
    }
}
