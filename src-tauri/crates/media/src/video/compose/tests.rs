use super::*;
use crate::video::picture::{Canvas, Rotation, WHITE};
use crate::video::{Bars, read_clock};

const GREY: u8 = 120;

fn size(width: u32, height: u32) -> Size {
    Size::new(width, height).unwrap()
}

fn plain(width: u32, height: u32, luma: u8) -> Picture {
    let mut canvas = Canvas::black(size(width, height));
    canvas.fill([luma, GREY_CHROMA, GREY_CHROMA]);
    canvas.finish(Instant::now())
}

fn luma(picture: &Picture, x: u32, y: u32) -> u8 {
    picture.y()[(y * picture.width() + x) as usize]
}

#[test]
fn what_fits_already_is_given_without_a_copy() {
    let main = plain(320, 180, GREY);
    let mut compositor = Compositor::new(Size::P180);
    let given = compositor.compose(Some(&main), None, Instant::now()).unwrap();
    assert!(given.shares_pixels(&main));
}

#[test]
fn another_shape_is_letterboxed_and_never_stretched() {
    let mut compositor = Compositor::new(size(320, 180));
    let given = compositor.compose(Some(&plain(400, 400, WHITE)), None, Instant::now()).unwrap();
    assert_eq!(given.size(), Size::P180);
    let row: Vec<u8> = (0..320).map(|x| luma(&given, x, 90)).collect();
    let lit = row.iter().filter(|y| **y == WHITE).count();
    assert_eq!((lit, row[0], row[319]), (180, BLACK, BLACK), "a square stays one");
    let given = compositor.compose(Some(&plain(1000, 10, WHITE)), None, Instant::now()).unwrap();
    assert_eq!((luma(&given, 0, 0), luma(&given, 160, 88)), (BLACK, WHITE));
}

#[test]
fn the_inset_lies_in_its_corner_with_a_margin_and_its_own_shape() {
    let (main, small) = (plain(640, 360, GREY), plain(160, 120, WHITE));
    let mut compositor = Compositor::new(Size::P360);
    for (corner, left, top) in [
        (Corner::TopLeft, true, true),
        (Corner::TopRight, false, true),
        (Corner::BottomLeft, true, false),
        (Corner::BottomRight, false, false),
    ] {
        let inset = Inset { corner, size: 0.25 };
        let given = compositor.compose(Some(&main), Some((&small, inset)), Instant::now()).unwrap();
        let lit: Vec<(u32, u32)> = (0..360)
            .flat_map(|y| (0..640).map(move |x| (x, y)))
            .filter(|(x, y)| luma(&given, *x, *y) == WHITE)
            .collect();
        assert_eq!(lit.len(), 160 * 120, "a quarter of the width, four to three");
        let (x, y) = lit[0];
        assert_eq!((x, y), (if left { 12 } else { 640 - 160 - 12 }, if top { 12 } else { 360 - 120 - 12 }));
        assert_eq!(luma(&given, 320, 180), GREY);
    }
}

#[test]
fn a_turned_picture_is_upright_in_both_places() {
    let half = |luma| plain(180, 320, luma).with_rotation(Rotation::Clockwise90);
    let mut compositor = Compositor::new(Size::P180);
    let given = compositor.compose(Some(&half(WHITE)), None, Instant::now()).unwrap();
    assert!(given.y().iter().all(|y| *y == WHITE), "it fills the picture when it is turned");
    let inset = Inset { corner: Corner::TopLeft, size: 0.5 };
    let given = compositor
        .compose(Some(&plain(320, 180, GREY)), Some((&half(WHITE), inset)), Instant::now())
        .unwrap();
    assert_eq!(given.y().iter().filter(|y| **y == WHITE).count(), 160 * 90);
    assert_eq!(given.rotation(), Rotation::Upright);
}

#[test]
fn every_pair_of_sizes_goes_together() {
    let sizes = [(1, 1), (2, 2), (3, 7), (641, 359), (16, 4096), (1280, 720)];
    let now = Instant::now();
    for out in [(1, 1), (2, 3), (17, 9), (640, 360)] {
        let mut compositor = Compositor::new(size(out.0, out.1));
        for main in sizes {
            for inner in sizes {
                for corner in [Corner::TopLeft, Corner::TopRight, Corner::BottomLeft, Corner::BottomRight] {
                    for part in [0.1, 0.5, 0.0, 9.0, f32::NAN] {
                        let inset = Inset { corner, size: part };
                        let place = inset.place(size(inner.0, inner.1), size(out.0, out.1));
                        let fits = place.left + place.width <= out.0 && place.top + place.height <= out.1;
                        assert!(fits && place.width > 0, "{inner:?} in {out:?}: {place:?}");
                    }
                }
                let (main, inner) = (plain(main.0, main.1, GREY), plain(inner.0, inner.1, WHITE));
                let inset = Inset { corner: Corner::default(), size: 0.3 };
                let given = compositor.compose(Some(&main), Some((&inner, inset)), now).unwrap();
                assert_eq!(given.size(), size(out.0, out.1));
            }
        }
        assert_eq!(compositor.compose(None, None, now).unwrap().y()[0], BLACK);
    }
}

#[test]
fn scaling_down_keeps_the_clock_readable() {
    let bars = Bars::new(Size::P1080, 30, Instant::now(), 0).unwrap();
    let mut compositor = Compositor::new(Size::P360);
    for milliseconds in [1_234_567_891_234u64, 7, 999_999] {
        let picture = bars.draw(milliseconds, Instant::now()).unwrap();
        let small = compositor.compose(Some(&picture), None, Instant::now()).unwrap();
        assert_eq!(read_clock(&small), Some(milliseconds));
    }
}

#[test]
fn a_fine_grid_becomes_grey_and_not_a_pattern() {
    let mut canvas = Canvas::black(Size::P1080);
    for (at, y) in canvas.planes_mut().y.iter_mut().enumerate() {
        *y = if (at % 1920 + at / 1920) % 2 == 0 { WHITE } else { BLACK };
    }
    let grid = canvas.finish(Instant::now());
    let small = Compositor::new(Size::P720).compose(Some(&grid), None, Instant::now()).unwrap();
    let inner: Vec<u8> =
        (10..700).flat_map(|y| (10..1270).map(move |x| (x, y))).map(|(x, y)| luma(&small, x, y)).collect();
    let (least, most) = (inner.iter().min().unwrap(), inner.iter().max().unwrap());
    assert!(*least > 70 && *most < 180, "{least} to {most}");
}
