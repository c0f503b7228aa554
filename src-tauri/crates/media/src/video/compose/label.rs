//! Names in pictures.

use noto_sans_mono_bitmap::{FontWeight, RasterHeight, get_raster, get_raster_width};

use crate::video::error::VideoError;
use crate::video::picture::{BLACK, Canvas, FramePool, GREY_CHROMA, Picture, Rect, Size, WHITE};

/// In place of characters that the font does not have, and at the end of what has no room.
const UNKNOWN: char = '?';
const CUT: &str = "..";

/// How high letters are in a tile.
fn height_in(tile: Size) -> RasterHeight {
    match tile.height() {
        0..200 => RasterHeight::Size16,
        200..400 => RasterHeight::Size20,
        400..800 => RasterHeight::Size24,
        _ => RasterHeight::Size32,
    }
}

/// `name` on a dark ground, for a corner of a tile; `None` where there is no room for it.
pub(super) fn label(name: &str, tile: Size, pool: &FramePool) -> Result<Option<Picture>, VideoError> {
    let height = height_in(tile);
    let beside = height.val() as u32 / 2;
    let text = cut(name, tile.width().saturating_sub(4 * beside), height);
    if text.is_empty() || (height.val() as u32) * 3 > tile.height() {
        return Ok(None);
    }
    let size = Size::clamped(width(&text, height) + 2 * beside, height.val() as u32 + 4).even();
    let mut canvas = pool.take(size)?;
    canvas.fill([BLACK, GREY_CHROMA, GREY_CHROMA]);
    write(&mut canvas, &text, height, beside, 2);
    Ok(Some(canvas.finish(std::time::Instant::now())))
}

/// A tile of somebody without a picture.
pub(super) fn plate(
    name: &str,
    tile: Size,
    ground: [u8; 3],
    pool: &FramePool,
) -> Result<Picture, VideoError> {
    let mut canvas = pool.take(tile)?;
    canvas.fill(ground);
    let height = if tile.height() >= 200 { RasterHeight::Size32 } else { height_in(tile) };
    let text = cut(name, tile.width().saturating_sub(height.val() as u32), height);
    let left = tile.width().saturating_sub(width(&text, height)) / 2;
    let top = tile.height().saturating_sub(height.val() as u32) / 2;
    write(&mut canvas, &text, height, left, top);
    Ok(canvas.finish(std::time::Instant::now()))
}

fn width(text: &str, height: RasterHeight) -> u32 {
    (text.chars().count() * get_raster_width(FontWeight::Regular, height)) as u32
}

/// What of `text` has room in so many pixels.
fn cut(text: &str, room: u32, height: RasterHeight) -> String {
    let most = room as usize / get_raster_width(FontWeight::Regular, height).max(1);
    if text.chars().count() <= most {
        return text.to_owned();
    }
    match most.checked_sub(CUT.len()) {
        None | Some(0) => String::new(),
        Some(kept) => text.chars().take(kept).chain(CUT.chars()).collect(),
    }
}

fn write(canvas: &mut Canvas, text: &str, height: RasterHeight, left: u32, top: u32) {
    let size = canvas.size();
    let stride = size.width() as usize;
    let mut at = left;
    for character in text.chars() {
        let raster = |character| get_raster(character, FontWeight::Regular, height);
        let Some(raster) = raster(character).or_else(|| raster(UNKNOWN)) else { return };
        let (wide, high) = (raster.width() as u32, raster.height() as u32);
        let Some(part) = (Rect { left: at, top, width: wide, height: high }).inside(size) else { return };
        let rows = canvas.planes_mut().y.chunks_exact_mut(stride).skip(top as usize);
        for (row, of_glyph) in rows.take(part.height as usize).zip(raster.rows()) {
            let row = &mut row[at as usize..(at + part.width) as usize];
            for (luma, cover) in row.iter_mut().zip(of_glyph.iter()) {
                let (from, cover) = (u16::from(*luma), u16::from(*cover));
                let mixed = (from * (255 - cover) + u16::from(WHITE) * cover) / 255;
                *luma = u8::try_from(mixed).unwrap_or(WHITE);
            }
        }
        at += wide;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn bright(picture: &Picture) -> usize {
        picture.y().iter().filter(|luma| **luma > 180).count()
    }

    #[test]
    fn a_name_is_written_cut_where_it_has_no_room_and_left_out_where_nothing_has() {
        let pool = FramePool::default();
        let of = |name: &str, tile| label(name, tile, &pool).unwrap();
        let short = of("Anna", Size::P180).unwrap();
        assert!(bright(&short) > 20 && short.width() < 80, "{short:?}");
        let long = of(&"W".repeat(64), Size::P180).unwrap();
        assert!(long.width() <= 320 && bright(&long) > bright(&short), "{long:?}");
        assert!(of("Anna", Size::clamped(20, 300)).is_none());
        assert!(of("Anna", Size::clamped(300, 20)).is_none());
        assert!(of("", Size::P180).is_none());
        assert!(bright(&of("Ünüş Żółć", Size::P180).unwrap()) > 20);
        assert!(bright(&of("名前", Size::P180).unwrap()) > 5, "something stands for what cannot be written");
    }

    #[test]
    fn a_plate_of_any_size_has_the_name_in_its_middle() {
        let pool = FramePool::default();
        let plate = |tile| plate("Anna", tile, [40, 128, 128], &pool).unwrap();
        assert!(bright(&plate(Size::P360)) > 50);
        for (width, height) in [(1, 1), (3, 200), (200, 3), (31, 17)] {
            assert_eq!(plate(Size::clamped(width, height)).size(), Size::clamped(width, height));
        }
    }
}
