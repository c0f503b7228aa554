//! Reads the clocks of bars from a screen's memory.

use std::fs::File;
use std::os::unix::fs::FileExt;
use std::path::Path;
use std::time::{Duration, Instant};

use sidetone_media::video::{FramePool, Picture, Size, read_clock};
use sidetone_testkit::{Result, RigError};

/// Cells of the clock in a picture of bars, and rows of their height in all and above them.
const COLUMNS: u32 = 16;
const ROWS: u32 = 4;
const LINES: u32 = 12;
const ABOVE: u32 = 8;
/// A pixel of 24 bits takes four bytes.
const PIXEL: u32 = 4;
/// How far the page may lie from the screen's corner, and how finely that is looked for.
const LARGEST_MARGIN: i32 = 120;
const MARGIN_STEP: usize = 2;
/// Milliseconds: what a picture on the screen can be old at most.
const NOT_OLD: u64 = 5_000;

/// Where something lies, in pixels.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Place {
    pub(crate) left: u32,
    pub(crate) top: u32,
    pub(crate) width: u32,
    pub(crate) height: u32,
}

impl Place {
    /// `None`: beyond the corner.
    pub(crate) fn moved(self, (right, down): (i32, i32)) -> Option<Self> {
        let (left, top) = (self.left.checked_add_signed(right)?, self.top.checked_add_signed(down)?);
        Some(Self { left, top, ..self })
    }
}

/// A file in the layout of X's window dumps.
pub(crate) struct Screen {
    file: File,
    width: u32,
    height: u32,
    line: u32,
    pixels: u64,
}

impl Screen {
    pub(crate) fn open(file: &Path) -> Result<Self> {
        let file = File::open(file).map_err(|error| RigError::while_doing(file.display(), error))?;
        let mut header = [0; 100];
        file.read_exact_at(&mut header, 0)?;
        let word = |at: usize| {
            let bytes = header.get(4 * at..4 * at + 4).and_then(|bytes| bytes.try_into().ok());
            bytes.map_or(0, u32::from_be_bytes)
        };
        let (size, width, height, depth, line, colours) =
            (word(0), word(4), word(5), word(11), word(12), word(19));
        if depth != 8 * PIXEL || line < width * PIXEL {
            return Err(RigError::new(format!("a screen of {depth} bits a pixel, {line} bytes a line")));
        }
        // Each colour of the map takes twelve bytes.
        Ok(Self { file, width, height, line, pixels: u64::from(size) + 12 * u64::from(colours) })
    }

    /// How far the picture that the page has at `place` lies from there on the screen: a page does not know where its window
    /// is. `now` in milliseconds since 1970.
    pub(crate) fn margin(&self, place: Place, now: u64) -> Result<Option<(i32, i32)>> {
        let mut all = vec![0; self.line as usize * self.height as usize];
        self.file.read_exact_at(&mut all, self.pixels)?;
        let is_white = |x: u32, y: u32| {
            x < self.width
                && all.get((y * self.line + x * PIXEL) as usize + 1).is_some_and(|green| *green > 127)
        };
        let steps = || (-LARGEST_MARGIN..=LARGEST_MARGIN).step_by(MARGIN_STEP);
        let fits = |margin: &(i32, i32)| {
            let Some(place) = place.moved(*margin) else { return false };
            let found: Vec<bool> = cells(place).map(|(x, y)| is_white(x, y)).collect();
            // What is no clock looks like one now and then.
            clock_of(&found).is_some_and(|clock| clock <= now && now - clock < NOT_OLD)
        };
        let fitting: Vec<(i32, i32)> =
            steps().flat_map(|down| steps().map(move |right| (right, down))).filter(fits).collect();
        // It is read as far as the cells reach: it lies in the middle.
        let middle = |side: fn(&(i32, i32)) -> i32| {
            let sides = fitting.iter().map(side);
            Some((sides.clone().min()? + sides.max()?) / 2)
        };
        Ok(middle(|margin| margin.0).zip(middle(|margin| margin.1)))
    }

    /// The clock of the picture there, milliseconds since 1970; `None` where it cannot be read, as while it is being drawn.
    pub(crate) fn clock(&self, place: Place, line: &mut Vec<u8>) -> Result<Option<u64>> {
        line.resize((place.width * PIXEL) as usize, 0);
        let mut found = Vec::with_capacity((COLUMNS * ROWS) as usize);
        let mut row = None;
        for (x, y) in cells(place) {
            if row != Some(y) {
                let at = u64::from(y) * u64::from(self.line) + u64::from(place.left * PIXEL);
                self.file.read_exact_at(line, self.pixels + at)?;
                row = Some(y);
            }
            found.push(line.get(((x - place.left) * PIXEL) as usize + 1).is_some_and(|green| *green > 127));
        }
        Ok(clock_of(&found))
    }
}

/// The middles of the clock's cells, row by row.
fn cells(place: Place) -> impl Iterator<Item = (u32, u32)> {
    (0..COLUMNS * ROWS).map(move |bit| {
        let (column, row) = (bit % COLUMNS, ABOVE + bit / COLUMNS);
        let x = place.left + (2 * column + 1) * place.width / (2 * COLUMNS);
        (x, place.top + (2 * row + 1) * place.height / (2 * LINES))
    })
}

/// Drawn anew, small, for the one who knows how clocks are read.
fn clock_of(cells: &[bool]) -> Option<u64> {
    thread_local! {
        static POOL: FramePool = FramePool::new(1);
    }
    let size = Size::new(2 * COLUMNS, 2 * LINES).ok()?;
    let mut luma = vec![16; size.luma_len()];
    for (y, line) in luma.chunks_exact_mut(2 * COLUMNS as usize).enumerate().skip(2 * ABOVE as usize) {
        for (x, pixel) in line.iter_mut().enumerate() {
            let bit = (y / 2 - ABOVE as usize) * COLUMNS as usize + x / 2;
            *pixel = if *cells.get(bit)? { 235 } else { 16 };
        }
    }
    let chroma = vec![128; size.luma_len() / 4];
    let strides = [2 * COLUMNS as usize, COLUMNS as usize];
    let picture = POOL.with(|pool| {
        Picture::from_planes(size, [&luma, &chroma, &chroma], strides, Instant::now(), pool).ok()
    })?;
    read_clock(&picture)
}

/// What came to the screen at one place.
#[derive(Debug, Default)]
pub(crate) struct Seen {
    last: u64,
    pub(crate) ages: Vec<Duration>,
}

impl Seen {
    /// A clock that was read at `now`, both in milliseconds since 1970.
    pub(crate) fn look(&mut self, clock: u64, now: f64) {
        if clock > self.last {
            self.last = clock;
            self.ages.push(Duration::from_secs_f64((now - clock as f64).max(0.0) / 1_000.0));
        }
    }
}
