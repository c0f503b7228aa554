//! Where many pictures lie in one.

use crate::video::picture::{Rect, Size};

/// The shape of a tile.
const SHAPE: Size = Size::P180;
/// Of the picture's longer side, what is left to the small ones beside large ones.
const STRIP: u32 = 4;

/// The places of large and small tiles, each in their order.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Places {
    pub large: Vec<Rect>,
    pub small: Vec<Rect>,
}

/// Tiles of 16:9, as large as they can be, at even positions: all in a grid, or where some are large those with the others in a strip
/// beside them (below them, where the picture is upright).
pub fn places(large: usize, small: usize, size: Size) -> Places {
    let whole = Rect::whole(size);
    let (of_large, of_small) = match (large, small) {
        (0, _) | (_, 0) => (whole, whole),
        _ if size.width() >= size.height() => {
            let left = (size.width() - size.width() / STRIP) & !1;
            (Rect { width: left, ..whole }, Rect { left, width: size.width() - left, ..whole })
        }
        _ => {
            let top = (size.height() - size.height() / STRIP) & !1;
            (Rect { height: top, ..whole }, Rect { top, height: size.height() - top, ..whole })
        }
    };
    Places { large: grid(large, of_large), small: grid(small, of_small) }
}

fn grid(count: usize, area: Rect) -> Vec<Rect> {
    let Ok(count) = u32::try_from(count) else { return Vec::new() };
    let tile_of = |columns: u32| {
        let rows = count.div_ceil(columns);
        SHAPE.fitted(Size::clamped((area.width / columns) & !1, (area.height / rows) & !1))
    };
    let best = (1..=count).max_by_key(|columns| (tile_of(*columns).width(), count - columns));
    let Some(columns) = best else { return Vec::new() };
    let (tile, rows) = (tile_of(columns), count.div_ceil(columns));
    let above = area.height.saturating_sub(tile.height() * rows) / 2;
    (0..count)
        .map(|at| {
            let (row, column) = (at / columns, at % columns);
            // The last row may have fewer, in its middle.
            let of_row = columns.min(count - row * columns);
            let beside = area.width.saturating_sub(tile.width() * of_row) / 2;
            Rect {
                left: (area.left + beside + tile.width() * column) & !1,
                top: (area.top + above + tile.height() * row) & !1,
                width: tile.width(),
                height: tile.height(),
            }
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rect(left: u32, top: u32, width: u32, height: u32) -> Rect {
        Rect { left, top, width, height }
    }

    #[test]
    fn four_fill_the_picture_and_a_third_stands_in_the_middle_of_its_row() {
        let four = places(0, 4, Size::P720).small;
        assert_eq!(
            four,
            [(0, 0), (640, 0), (0, 360), (640, 360)].map(|(left, top)| rect(left, top, 640, 360))
        );
        let three = places(0, 3, Size::P720).small;
        assert_eq!(three[2], rect(320, 360, 640, 360));
        assert_eq!(places(0, 1, Size::P720).small, [rect(0, 0, 1280, 720)]);
        assert_eq!(places(1, 0, Size::P720).large, [rect(0, 0, 1280, 720)]);
        assert_eq!(places(0, 0, Size::P720), Places { large: vec![], small: vec![] });
    }

    #[test]
    fn a_screen_is_large_with_the_others_beside_it() {
        let Places { large, small } = places(1, 4, Size::P720);
        assert_eq!(large, [rect(0, 90, 960, 540)]);
        assert_eq!(small, [0, 180, 360, 540].map(|top| rect(960, top, 320, 180)));
        let upright = places(1, 2, Size::P720.turned());
        assert!(upright.small.iter().all(|place| place.top >= 960), "{upright:?}");
    }

    #[test]
    fn no_two_tiles_of_any_number_overlap_or_leave_the_picture() {
        for size in [Size::P720, Size::P180, Size::P720.turned(), Size::clamped(17, 16), Size::clamped(1, 1)]
        {
            for (large, small) in (0..4).flat_map(|large| (0..40).map(move |small| (large, small))) {
                let places = places(large, small, size);
                let all: Vec<_> = places.large.iter().chain(&places.small).collect();
                assert_eq!(all.len(), large + small);
                if size.height() < 180 {
                    continue;
                }
                for (at, a) in all.iter().enumerate() {
                    assert_eq!(a.inside(size), Some(**a), "{large} and {small} in {size}");
                    assert!(a.left % 2 == 0 && a.top % 2 == 0);
                    let overlaps = |b: &Rect| {
                        a.left < b.left + b.width
                            && b.left < a.left + a.width
                            && a.top < b.top + b.height
                            && b.top < a.top + a.height
                    };
                    assert!(!all[at + 1..].iter().any(|b| overlaps(b)), "{large} and {small} in {size}");
                }
            }
        }
    }
}
