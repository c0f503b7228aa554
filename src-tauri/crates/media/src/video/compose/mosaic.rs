use std::time::Instant;

use super::Kept;
use super::label::{label, plate};
use super::layout::{Places, places};
use crate::video::error::VideoError;
use crate::video::picture::{BLACK, Canvas, FramePool, GREY_CHROMA, Picture, Rect, Scaler, Size};

/// Behind names, and beside pictures of another shape.
const GROUND: [u8; 3] = [40, 134, 124];
const SEAM: [u8; 3] = [BLACK, GREY_CHROMA, GREY_CHROMA];
/// Around who speaks.
const SPEAKS: [u8; 3] = [150, 70, 70];
/// Pictures that are kept at once: tiles, their names, and what is made of them.
const KEPT: usize = 256;

/// One of many pictures that are shown as one.
#[derive(Debug, Clone)]
pub struct Tile {
    /// Who it is of.
    pub name: String,
    /// `None`: the name alone.
    pub picture: Option<Picture>,
    /// With the small ones beside it, such as a screen.
    pub large: bool,
    /// It has a frame.
    pub speaks: bool,
}

/// Puts many pictures side by side. What stands still is not scaled again.
pub struct Mosaic {
    size: Size,
    scaler: Scaler,
    crisp: Scaler,
    pool: FramePool,
    /// By the place of each tile among all.
    kept: Vec<Slot>,
}

#[derive(Default)]
struct Slot {
    picture: Kept,
    /// The name that is written on it, for a tile of this size, with a picture behind it or not.
    label: Option<(String, Size, bool, Option<Picture>)>,
}

impl Mosaic {
    /// Every picture that it gives is of `size`.
    pub fn new(size: Size) -> Self {
        Self {
            size,
            scaler: Scaler::new(),
            crisp: Scaler::crisp(),
            pool: FramePool::new(KEPT),
            kept: Vec::new(),
        }
    }

    pub fn size(&self) -> Size {
        self.size
    }

    /// All tiles in their order, each picture in its own shape and upright. Black without any.
    pub fn compose(&mut self, tiles: &[Tile], captured: Instant) -> Result<Picture, VideoError> {
        let large = tiles.iter().filter(|tile| tile.large).count();
        let Places { large, small } = places(large, tiles.len() - large, self.size);
        let (mut large, mut small) = (large.into_iter(), small.into_iter());
        let mut canvas = self.pool.take(self.size)?;
        canvas.fill([BLACK, GREY_CHROMA, GREY_CHROMA]);
        self.kept.resize_with(tiles.len(), Slot::default);
        for (at, tile) in tiles.iter().enumerate() {
            let place = if tile.large { large.next() } else { small.next() };
            let Some(place) = place else { continue };
            self.draw(&mut canvas, at, tile, place)?;
            if tile.speaks {
                frame(&mut canvas, place, (place.height / 90).max(1) * 2, SPEAKS);
            } else if tiles.len() > 1 {
                frame(&mut canvas, place, 2, SEAM);
            }
        }
        Ok(canvas.finish(captured))
    }

    fn draw(&mut self, canvas: &mut Canvas, at: usize, tile: &Tile, place: Rect) -> Result<(), VideoError> {
        let size = Size::clamped(place.width, place.height);
        let Some(slot) = self.kept.get_mut(at) else { return Ok(()) };
        if let Some(picture) = &tile.picture {
            let upright =
                if picture.rotation().swaps_sides() { picture.size().turned() } else { picture.size() };
            let inner = upright.fitted(size);
            let scaler = if tile.large { &mut self.crisp } else { &mut self.scaler };
            let scaled = slot.picture.scaled(picture, inner, scaler, &self.pool)?;
            if inner != size {
                canvas.fill_rect(place, GROUND);
            }
            let within = Rect::centred(inner, size);
            canvas.draw(&scaled, place.left + within.left, place.top + within.top);
        } else {
            slot.picture = Kept::default();
        }
        let shows = tile.picture.is_some();
        let is_written = slot
            .label
            .as_ref()
            .is_some_and(|(name, of, on, _)| (name, *of, *on) == (&tile.name, size, shows));
        if !is_written {
            let written = match shows {
                true => label(&tile.name, size, &self.pool)?,
                false => Some(plate(&tile.name, size, GROUND, &self.pool)?),
            };
            slot.label = Some((tile.name.clone(), size, shows, written));
        }
        if let Some((.., Some(written))) = &slot.label {
            let below = if shows { place.height.saturating_sub(written.height() + 8) } else { 0 };
            canvas.draw(written, place.left + if shows { 8 } else { 0 }, place.top + below);
        }
        Ok(())
    }
}

/// Inside of `place`.
fn frame(canvas: &mut Canvas, place: Rect, wide: u32, colour: [u8; 3]) {
    let Rect { left, top, width, height } = place;
    let (right, bottom) = (left + width.saturating_sub(wide), top + height.saturating_sub(wide));
    canvas.fill_rect(Rect { height: wide, ..place }, colour);
    canvas.fill_rect(Rect { top: bottom, height: wide, ..place }, colour);
    canvas.fill_rect(Rect { width: wide, ..place }, colour);
    canvas.fill_rect(Rect { left: right, width: wide, ..place }, colour);
}

impl std::fmt::Debug for Mosaic {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Mosaic").field("size", &self.size).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const RED: [u8; 3] = [81, 90, 240];
    const BLUE: [u8; 3] = [41, 240, 110];

    fn filled(size: Size, yuv: [u8; 3]) -> Picture {
        let mut canvas = Canvas::black(size);
        canvas.fill(yuv);
        canvas.finish(Instant::now())
    }

    fn tile(name: &str, picture: Option<Picture>) -> Tile {
        Tile { name: name.into(), picture, large: false, speaks: false }
    }

    fn colour_at(picture: &Picture, x: u32, y: u32) -> [u8; 3] {
        let luma = picture.y()[(y * picture.width() + x) as usize];
        let chroma = (y / 2 * picture.size().chroma_width() + x / 2) as usize;
        [luma, picture.u()[chroma], picture.v()[chroma]]
    }

    #[test]
    fn each_has_its_place_with_its_colour_and_who_has_no_picture_its_name() {
        let mut mosaic = Mosaic::new(Size::P720);
        let tiles = [
            tile("Anna", Some(filled(Size::P720, RED))),
            tile("Ben", Some(filled(Size::P360, BLUE))),
            tile("+49 30 1", None),
        ];
        let composed = mosaic.compose(&tiles, Instant::now()).unwrap();
        assert_eq!(composed.size(), Size::P720);
        assert_eq!(colour_at(&composed, 320, 100), RED);
        assert_eq!(colour_at(&composed, 960, 100), BLUE);
        assert_eq!(colour_at(&composed, 640, 400), GROUND);
        let written = |left: usize, top: usize| {
            let rows = composed.y().chunks_exact(1280).skip(top).take(60);
            rows.flat_map(|row| &row[left..left + 400]).filter(|luma| **luma > 200).count()
        };
        assert!(written(440, 510) > 100, "a name in the middle of its tile");
        assert!(written(0, 300) > 30, "a name below a picture");
        assert_eq!(written(0, 100), 0);
    }

    #[test]
    fn a_screen_is_large_an_upright_picture_keeps_its_shape_and_a_speaker_has_a_frame() {
        let mut mosaic = Mosaic::new(Size::P720);
        let screen = Tile { large: true, ..tile("Anna", Some(filled(Size::P720, RED))) };
        let speaker = Tile { speaks: true, ..tile("Ben", Some(filled(Size::P360.turned(), BLUE))) };
        let composed = mosaic.compose(&[speaker, screen], Instant::now()).unwrap();
        assert_eq!(colour_at(&composed, 480, 360), RED);
        assert_eq!(colour_at(&composed, 1120, 360), BLUE);
        assert_eq!(colour_at(&composed, 1000, 330), GROUND, "beside an upright one");
        assert_eq!(colour_at(&composed, 962, 360), SPEAKS);
    }

    #[test]
    fn what_changes_is_drawn_anew_and_nothing_is_black() {
        let mut mosaic = Mosaic::new(Size::P180);
        let now = Instant::now();
        assert_eq!(colour_at(&mosaic.compose(&[], now).unwrap(), 9, 9), SEAM);
        for colour in [RED, BLUE] {
            let composed = mosaic.compose(&[tile("a", Some(filled(Size::P360, colour)))], now).unwrap();
            assert_eq!(colour_at(&composed, 160, 20), colour);
        }
        let many: Vec<_> = (0..64).map(|_| tile("a", Some(filled(Size::P360, RED)))).collect();
        assert!(mosaic.compose(&many, now).is_ok());
    }
}
