//! The parts of a recording on disk.

use std::io::{self, SeekFrom};
use std::path::{Path, PathBuf};

use super::MAX_CHANNELS;
use super::header;
use super::medium::{Medium, Open, new_files, words};
use crate::error::MediaError;

/// A WAV file tells its length in 32 bits; we stop a little before.
pub(super) const LARGEST_PART: u32 = u32::MAX - 1_000_000;
/// Parts of one recording: 4 TiB.
const MOST_PARTS: u32 = 1_000;

/// A recording as files of at most 4 GiB each.
pub(super) struct Parts {
    path: PathBuf,
    open: Open,
    channels: u16,
    largest: u32,
    current: Box<dyn Medium>,
    /// Bytes of samples in the current part.
    data: u32,
    /// Of them, what the header tells.
    told: u32,
    number: u32,
    files: Vec<PathBuf>,
}

impl Parts {
    pub(super) fn create(path: &Path, channels: u16, largest: u32) -> Result<Self, MediaError> {
        let failed = |error: &io::Error| MediaError::File { path: path.into(), reason: words(error) };
        if let Some(folder) = path.parent() {
            std::fs::create_dir_all(folder).map_err(|e| failed(&e))?;
        }
        Self::with(path, channels, largest, new_files())
    }

    pub(super) fn with(path: &Path, channels: u16, largest: u32, mut open: Open) -> Result<Self, MediaError> {
        if channels == 0 || channels > MAX_CHANNELS {
            let problem = format!("{channels} is not within 1 to {MAX_CHANNELS}");
            return Err(MediaError::Option { option: "channels", problem });
        }
        let failed = |error: &io::Error| MediaError::File { path: path.into(), reason: words(error) };
        let mut current = open(path).map_err(|e| failed(&e))?;
        current.write_all(&header::bytes(channels, 0)).map_err(|e| failed(&e))?;
        Ok(Self {
            path: path.into(),
            open,
            channels,
            largest,
            current,
            data: 0,
            told: 0,
            number: 1,
            files: vec![path.into()],
        })
    }

    pub(super) fn files(&self) -> &[PathBuf] {
        &self.files
    }

    /// Bytes of one sample of all channels.
    pub(super) fn align(&self) -> usize {
        usize::from(header::block_align(self.channels))
    }

    /// Appends whole samples of all channels; gives how many bytes are safe, also where the rest failed.
    pub(super) fn append(&mut self, mut bytes: &[u8]) -> (usize, io::Result<()>) {
        let mut safe = 0;
        while !bytes.is_empty() {
            let room = (self.largest.saturating_sub(self.data)) as usize / self.align() * self.align();
            if room == 0 {
                if let Err(error) = self.begin_part() {
                    return (safe, Err(error));
                }
                continue;
            }
            let (now, later) = bytes.split_at(room.min(bytes.len()));
            let (written, result) = write_counted(&mut *self.current, now);
            let whole = written / self.align() * self.align();
            // At most `room`.
            self.data += whole as u32;
            safe += whole;
            if let Err(error) = result {
                return (safe, Err(error));
            }
            bytes = later;
        }
        (safe, Ok(()))
    }

    /// Makes the header tell all that is written.
    pub(super) fn tell(&mut self) -> io::Result<()> {
        if self.told == self.data {
            return Ok(());
        }
        let header = header::bytes(self.channels, self.data);
        self.current.seek(SeekFrom::Start(0))?;
        self.current.write_all(&header)?;
        self.current.seek(SeekFrom::Start(header.len() as u64 + u64::from(self.data)))?;
        self.told = self.data;
        Ok(())
    }

    /// Leaves the current part whole: a sample that was only half written is cut off.
    pub(super) fn settle(&mut self) -> io::Result<()> {
        self.tell()?;
        let length = header::bytes(self.channels, 0).len() as u64 + u64::from(self.data);
        self.current.settle(length)
    }

    fn begin_part(&mut self) -> io::Result<()> {
        self.settle()?;
        let (path, mut part) = self.next_part()?;
        part.write_all(&header::bytes(self.channels, 0))?;
        (self.current, self.data, self.told) = (part, 0, 0);
        self.files.push(path);
        Ok(())
    }

    /// The next name that nobody has: `call-2.wav` after `call.wav`.
    fn next_part(&mut self) -> io::Result<(PathBuf, Box<dyn Medium>)> {
        let stem = self.path.file_stem().unwrap_or_default().to_string_lossy().into_owned();
        while self.number < MOST_PARTS {
            self.number += 1;
            let path = self.path.with_file_name(format!("{stem}-{}.wav", self.number));
            match (self.open)(&path) {
                Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {}
                opened => return opened.map(|part| (path, part)),
            }
        }
        Err(io::Error::other(format!("{MOST_PARTS} parts are enough")))
    }
}

fn write_counted(out: &mut dyn Medium, mut bytes: &[u8]) -> (usize, io::Result<()>) {
    let all = bytes.len();
    while !bytes.is_empty() {
        match out.write(bytes) {
            Ok(0) => return (all - bytes.len(), Err(io::ErrorKind::WriteZero.into())),
            Ok(written) => bytes = &bytes[written..],
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return (all - bytes.len(), Err(error)),
        }
    }
    (all, Ok(()))
}
