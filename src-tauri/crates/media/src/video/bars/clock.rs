//! The clock that programs read.
//!
//! The lower third of the picture is a grid of 16 columns and 4 rows: a cell is W/16 wide and H/12 high, and row 0
//! begins at H·8/12. Each cell is a bit, white is 1. Read line by line they are, most significant bit first, 48 bits
//! of milliseconds and 16 bits of CRC-16/CCITT-FALSE (polynomial 0x1021, begins with 0xFFFF) over those six bytes. A
//! black or white picture therefore is no clock. From a canvas of a browser:
//!
//! ```js
//! function readClock(context, width, height) {
//!   const bytes = [0, 0, 0, 0, 0, 0, 0, 0]
//!   for (let bit = 0; bit < 64; bit++) {
//!     const x = Math.floor((((bit % 16) + 0.5) * width) / 16)
//!     const y = Math.floor(((8 + Math.floor(bit / 16) + 0.5) * height) / 12)
//!     if (context.getImageData(x, y, 1, 1).data[1] > 127) bytes[bit >> 3] |= 0x80 >> (bit & 7)
//!   }
//!   let crc = 0xffff
//!   for (const byte of bytes.slice(0, 6)) {
//!     crc ^= byte << 8
//!     for (let i = 0; i < 8; i++) crc = (crc & 0x8000 ? (crc << 1) ^ 0x1021 : crc << 1) & 0xffff
//!   }
//!   if (crc !== bytes[6] * 256 + bytes[7]) return null
//!   return bytes.slice(0, 6).reduce((value, byte) => value * 256 + byte, 0)
//! }
//! ```

use crate::video::picture::{BLACK, Canvas, GREY_CHROMA, Picture, Rect, WHITE};

/// Bits of the milliseconds; what is above is cut off.
pub const CLOCK_BITS: u32 = 48;

const COLUMNS: u32 = 16;
const ROWS: u32 = 4;
/// Rows of a cell's height in the whole picture, and those above the clock.
const LINES: u32 = 12;
const ABOVE: u32 = 8;
/// Luma in the middle between black and white.
const THRESHOLD: u64 = (BLACK as u64 + WHITE as u64) / 2;

pub(super) fn draw(canvas: &mut Canvas, milliseconds: u64) {
    let size = canvas.size();
    let bits = with_checksum(milliseconds);
    for bit in 0..COLUMNS * ROWS {
        let luma = if bits >> (63 - bit) & 1 == 1 { WHITE } else { BLACK };
        let cell = cell(Rect::whole(size), bit);
        canvas.fill_rect(cell, [luma, GREY_CHROMA, GREY_CHROMA]);
    }
}

/// The milliseconds that the clock of `picture` shows, `None` where there is no clock or it cannot be read.
pub fn read_clock(picture: &Picture) -> Option<u64> {
    read_clock_in(picture, Rect::whole(picture.size()))
}

/// As [`read_clock`], of bars that fill only a part of the picture, such as one that was letterboxed.
pub fn read_clock_in(picture: &Picture, part: Rect) -> Option<u64> {
    let part = part.inside(picture.size())?;
    let mut bits = 0u64;
    for bit in 0..COLUMNS * ROWS {
        bits = bits << 1 | u64::from(mean_luma(picture, cell(part, bit))? > THRESHOLD);
    }
    let milliseconds = bits >> 16;
    (with_checksum(milliseconds) == bits).then_some(milliseconds)
}

fn cell(part: Rect, bit: u32) -> Rect {
    let (column, row) = (bit % COLUMNS, ABOVE + bit / COLUMNS);
    let (left, right) = (part.width * column / COLUMNS, part.width * (column + 1) / COLUMNS);
    let (top, bottom) = (part.height * row / LINES, part.height * (row + 1) / LINES);
    Rect { left: part.left + left, top: part.top + top, width: right - left, height: bottom - top }
}

/// Of the middle of the cell, where its neighbours do not reach.
fn mean_luma(picture: &Picture, cell: Rect) -> Option<u64> {
    let (inset_x, inset_y) = (cell.width / 4, cell.height / 4);
    let (width, height) = (cell.width - 2 * inset_x, cell.height - 2 * inset_y);
    let pixels = u64::from(width) * u64::from(height);
    let rows = picture.y().chunks_exact(picture.width() as usize);
    let (left, top) = ((cell.left + inset_x) as usize, (cell.top + inset_y) as usize);
    let sum: u64 = rows
        .skip(top)
        .take(height as usize)
        .flat_map(|row| &row[left..left + width as usize])
        .map(|luma| u64::from(*luma))
        .sum();
    sum.checked_div(pixels)
}

fn with_checksum(milliseconds: u64) -> u64 {
    let milliseconds = milliseconds & ((1 << CLOCK_BITS) - 1);
    let crc =
        milliseconds.to_be_bytes()[2..].iter().fold(0xFFFFu16, |crc, byte| {
            (0..8).fold(crc ^ u16::from(*byte) << 8, |crc, _| {
                if crc & 0x8000 == 0 { crc << 1 } else { crc << 1 ^ 0x1021 }
            })
        });
    milliseconds << 16 | u64::from(crc)
}
