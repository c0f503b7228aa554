use crate::video::picture::{Canvas, GREY_CHROMA, Rect, WHITE};

/// Five columns and seven rows for each of `0` to `9`, `:` and `.`; the highest of five bits is at the left.
const GLYPHS: [[u8; 7]; 12] = [
    [0x0E, 0x11, 0x13, 0x15, 0x19, 0x11, 0x0E],
    [0x04, 0x0C, 0x04, 0x04, 0x04, 0x04, 0x0E],
    [0x0E, 0x11, 0x01, 0x02, 0x04, 0x08, 0x1F],
    [0x1F, 0x02, 0x04, 0x02, 0x01, 0x11, 0x0E],
    [0x02, 0x06, 0x0A, 0x12, 0x1F, 0x02, 0x02],
    [0x1F, 0x10, 0x1E, 0x01, 0x01, 0x11, 0x0E],
    [0x06, 0x08, 0x10, 0x1E, 0x11, 0x11, 0x0E],
    [0x1F, 0x01, 0x02, 0x04, 0x08, 0x08, 0x08],
    [0x0E, 0x11, 0x11, 0x0E, 0x11, 0x11, 0x0E],
    [0x0E, 0x11, 0x11, 0x0F, 0x01, 0x02, 0x0C],
    [0x00, 0x04, 0x04, 0x00, 0x04, 0x04, 0x00],
    [0x00, 0x00, 0x00, 0x00, 0x00, 0x0C, 0x0C],
];

const COLUMN_STEP: u32 = 6;
const GLYPH_HEIGHT: u32 = 7;

/// `HH:MM:SS.mmm` in the band between the half and two thirds of the height; nothing where there is no room.
pub(super) fn draw_time(canvas: &mut Canvas, milliseconds: u64) {
    let (seconds, millis) = (milliseconds / 1_000, milliseconds % 1_000);
    let text =
        format!("{:02}:{:02}:{:02}.{millis:03}", seconds / 3_600 % 24, seconds / 60 % 60, seconds % 60);
    let size = canvas.size();
    let columns = text.len() as u32 * COLUMN_STEP;
    let band = size.height() / 6;
    let scale = (size.width() / (columns + 2)).min(band / (GLYPH_HEIGHT + 1));
    let top = size.height() / 2 + band.saturating_sub(GLYPH_HEIGHT * scale) / 2;
    let mut left = size.width().saturating_sub(columns * scale) / 2;
    for character in text.bytes() {
        draw_glyph(canvas, character, left, top, scale);
        left += COLUMN_STEP * scale;
    }
}

fn draw_glyph(canvas: &mut Canvas, character: u8, left: u32, top: u32, scale: u32) {
    let glyph = match character {
        b'0'..=b'9' => GLYPHS[usize::from(character - b'0')],
        b':' => GLYPHS[10],
        _ => GLYPHS[11],
    };
    for (y, row) in (0u32..).zip(glyph) {
        for x in 0..5 {
            if row >> (4 - x) & 1 == 1 {
                let dot = Rect { left: left + x * scale, top: top + y * scale, width: scale, height: scale };
                canvas.fill_rect(dot, [WHITE, GREY_CHROMA, GREY_CHROMA]);
            }
        }
    }
}
