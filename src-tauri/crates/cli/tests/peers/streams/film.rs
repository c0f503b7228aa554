//! Pictures of a file, read by their clocks and compared with what was drawn.

use sidetone_media::video::{Bars, Picture, Size, read_clock};
use std::{path::Path, process::Command, time::Instant};

/// Pictures in a row, in I420.
pub(crate) struct Film {
    pub(crate) pictures: Vec<Picture>,
}

impl Film {
    /// Of YUV4MPEG2.
    pub(crate) fn read(path: &Path) -> Self {
        let bytes = std::fs::read(path).unwrap();
        let end = bytes.iter().position(|byte| *byte == b'\n').expect("a header");
        let header = std::str::from_utf8(&bytes[..end]).unwrap();
        assert!(header.starts_with("YUV4MPEG2 "), "{header}");
        let side = |letter: char| -> u32 {
            let word = header.split(' ').skip(1).find_map(|word| word.strip_prefix(letter)).expect(header);
            word.parse().unwrap()
        };
        let size = Size::new(side('W'), side('H')).unwrap();
        let frame = b"FRAME\n".len() + size.i420_len();
        let rest = &bytes[end + 1..];
        assert_eq!(rest.len() % frame, 0, "{} has whole pictures", path.display());
        let pictures = rest.chunks(frame).map(|chunk| picture(size, &chunk[b"FRAME\n".len()..]));
        Self { pictures: pictures.collect() }
    }

    /// Of anything that ffmpeg decodes.
    pub(crate) fn decode(path: &Path) -> Self {
        let film = path.with_extension("decoded.y4m");
        let status = Command::new("ffmpeg")
            .args(["-v", "error", "-xerror", "-y", "-i"])
            .arg(path)
            .args([
                "-map",
                "0:v:0",
                "-fps_mode",
                "vfr",
                "-pix_fmt",
                "yuv420p",
                "-strict",
                "-1",
                "-f",
                "yuv4mpegpipe",
            ])
            .arg(&film)
            .status()
            .unwrap();
        assert!(status.success(), "ffmpeg decodes {}", path.display());
        let read = Self::read(&film);
        let _ = std::fs::remove_file(film);
        read
    }

    pub(crate) fn size(&self) -> (u32, u32) {
        let first = self.pictures.first().expect("a picture");
        (first.width(), first.height())
    }

    /// What the clocks say, in order.
    pub(crate) fn clocks(&self) -> Vec<u64> {
        self.pictures.iter().filter_map(read_clock).collect()
    }

    /// The pictures whose clocks cannot be read: what their neighbours say, how alike they are, and the clock's 16 x 4 cells as
    /// they came, 0 (black) to 9 (white).
    pub(super) fn unread(&self) -> String {
        let clock = |at: usize| self.pictures.get(at).and_then(read_clock);
        let alike = |at: usize, to: usize| {
            self.pictures.get(to).map(|other| format!("{:.0} dB", likeness(other, &self.pictures[at])))
        };
        let mut out = String::new();
        for at in (0..self.pictures.len()).filter(|at| clock(*at).is_none()) {
            let (before, after) = (at.wrapping_sub(1), at + 1);
            out += &format!(
                "\npicture {at}, after {:?} ({:?} alike), before {:?} ({:?} alike): {}",
                clock(before),
                alike(at, before),
                clock(after),
                alike(at, after),
                cells(&self.pictures[at])
            );
        }
        out
    }

    /// Every clock can be read, time runs forward, and each picture looks as the bars drew it at that time.
    pub(crate) fn assert_is_of_bars(&self, least: usize) {
        let clocks = self.clocks();
        assert!(self.pictures.len() >= least, "{} pictures", self.pictures.len());
        assert!(
            clocks.len() * 100 >= self.pictures.len() * 97,
            "{} of {}",
            clocks.len(),
            self.pictures.len()
        );
        let back = clocks.windows(2).filter(|pair| pair[0] > pair[1]).count();
        let same = clocks.windows(2).filter(|pair| pair[0] == pair[1]).count();
        assert!(back == 0 && same * 20 <= clocks.len(), "{back} back, {same} alike: {clocks:?}");
        let mut worst = f64::INFINITY;
        for picture in &self.pictures {
            let Some(clock) = read_clock(picture) else { continue };
            let now = Instant::now();
            let drawn = Bars::new(picture.size(), 30, now, 0).unwrap().draw(clock, now).unwrap();
            worst = worst.min(likeness(&drawn, picture));
        }
        assert!(worst > 20.0, "the worst picture has {worst:.1} dB");
    }
}

fn picture(size: Size, i420: &[u8]) -> Picture {
    let mut canvas = sidetone_media::video::Canvas::black(size);
    canvas.i420_mut().copy_from_slice(i420);
    canvas.finish(Instant::now())
}

fn cells(picture: &Picture) -> String {
    let (width, height) = (picture.width() as usize, picture.height() as usize);
    let luma = |cell: usize| {
        let (x, y) = ((cell % 16) * width / 16 + width / 32, (8 + cell / 16) * height / 12 + height / 24);
        u32::from(picture.y()[y * width + x])
    };
    let digits = (0..64).map(|cell| char::from_digit(luma(cell) * 10 / 256, 10).unwrap_or('?'));
    digits
        .collect::<Vec<_>>()
        .chunks(16)
        .map(|row| row.iter().collect::<String>())
        .collect::<Vec<_>>()
        .join(" ")
}

/// Peak signal to noise ratio of the luma, dB.
fn likeness(a: &Picture, b: &Picture) -> f64 {
    let squares: f64 = a.y().iter().zip(b.y()).map(|(a, b)| (f64::from(*a) - f64::from(*b)).powi(2)).sum();
    10.0 * (255.0_f64.powi(2) * a.y().len() as f64 / squares.max(1.0)).log10()
}
