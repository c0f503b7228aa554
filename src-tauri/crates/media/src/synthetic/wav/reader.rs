//! A wav file as a stream of 48 kHz mono samples.

use std::fs::File;
use std::io::{BufReader, Read, Seek, SeekFrom};
use std::path::{Path, PathBuf};

use audio_codec::pcma::PcmaDecoder;
use audio_codec::pcmu::PcmuDecoder;

use super::header::{Encoding, Header};
use crate::error::MediaError;
use crate::frame::SAMPLE_RATE;
use crate::resample::Resampler;

/// What follows the end of a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Repeat {
    /// Silence.
    Once,
    /// The beginning, without a gap.
    Forever,
}

/// Reads any common wav file: 8 to 32 bit, float, G.711; 4 to 384 kHz; up to 32 channels, which are averaged.
///
/// Does disk work and allocates: for a thread of its own. Data that ends before its announced length is no
/// error, as a recorder that was killed leaves such files.
pub struct WavReader {
    file: BufReader<File>,
    path: PathBuf,
    header: Header,
    repeat: Repeat,
    left: Option<u64>,
    read_any: bool,
    ended: bool,
    bytes: Vec<u8>,
    mono: Vec<f32>,
    resampler: Resampler,
}

/// Sample frames read from the file in one go.
const BLOCK: usize = 480;

impl WavReader {
    /// Opens `path` and reads its header.
    pub fn open(path: &Path, repeat: Repeat) -> Result<Self, MediaError> {
        refuse_irregular(path)?;
        let file = File::open(path).map_err(|e| file_error(path, &e))?;
        let mut file = BufReader::with_capacity(16 * 1024, file);
        let bad = |problem: String| MediaError::Wav { path: path.to_path_buf(), problem };
        let header = Header::read(&mut file).map_err(bad)?;
        let resampler = Resampler::new(header.sample_rate, SAMPLE_RATE).map_err(|e| bad(e.to_string()))?;
        let left = header.data_len;
        let mut reader = Self {
            file,
            path: path.to_path_buf(),
            header,
            repeat,
            left,
            read_any: false,
            ended: false,
            bytes: Vec::new(),
            mono: Vec::new(),
            resampler,
        };
        if reader.next_block()? == 0 {
            return Err(bad("it holds no samples".into()));
        }
        reader.rewind()?;
        reader.read_any = false;
        Ok(reader)
    }

    /// Appends about 10 ms of 48 kHz mono samples to `output`; false after the end of a file that is played
    /// once.
    pub fn read(&mut self, output: &mut Vec<f32>) -> Result<bool, MediaError> {
        if self.ended {
            return Ok(false);
        }
        if self.next_block()? == 0 {
            if self.repeat == Repeat::Once || !self.read_any {
                self.ended = true;
                // What is still inside the filter.
                self.resampler.process(&[0.0; 32], output);
                return Ok(true);
            }
            self.rewind()?;
            self.read_any = false;
            self.next_block()?;
        }
        self.resampler.process(&self.mono, output);
        Ok(true)
    }

    fn rewind(&mut self) -> Result<(), MediaError> {
        self.left = self.header.data_len;
        self.file
            .seek(SeekFrom::Start(self.header.data_start))
            .map(drop)
            .map_err(|e| file_error(&self.path, &e))
    }

    /// Reads the next block into `mono`; gives its length, zero at the end.
    fn next_block(&mut self) -> Result<usize, MediaError> {
        let sample = self.header.encoding.bytes();
        let align = sample * usize::from(self.header.channels);
        let rate = self.header.sample_rate as usize;
        let mut wanted = (BLOCK.min(rate / 100) * align) as u64;
        if let Some(left) = self.left {
            wanted = wanted.min(left);
        }
        self.bytes.clear();
        let got = self
            .file
            .by_ref()
            .take(wanted)
            .read_to_end(&mut self.bytes)
            .map_err(|e| file_error(&self.path, &e))?;
        if let Some(left) = &mut self.left {
            *left -= got as u64;
        }
        self.mono.clear();
        let scale = 1.0 / f32::from(self.header.channels);
        let encoding = self.header.encoding;
        self.mono.extend(
            self.bytes
                .chunks_exact(align)
                .map(|frame| frame.chunks_exact(sample).map(|s| to_f32(encoding, s)).sum::<f32>() * scale),
        );
        self.read_any |= !self.mono.is_empty();
        Ok(self.mono.len())
    }
}

/// One sample, ±1; what is no number counts as silence, and float is limited to ±1.
fn to_f32(encoding: Encoding, bytes: &[u8]) -> f32 {
    let float = |value: f32| if value.is_finite() { value.clamp(-1.0, 1.0) } else { 0.0 };
    match (encoding, bytes) {
        (Encoding::Unsigned8, [a]) => (f32::from(*a) - 128.0) / 128.0,
        (Encoding::Signed(_), [a, b]) => f32::from(i16::from_le_bytes([*a, *b])) / 32_768.0,
        (Encoding::Signed(_), [a, b, c]) => i32::from_le_bytes([0, *a, *b, *c]) as f32 / 2_147_483_648.0,
        (Encoding::Signed(_), [a, b, c, d]) => i32::from_le_bytes([*a, *b, *c, *d]) as f32 / 2_147_483_648.0,
        (Encoding::Float32, [a, b, c, d]) => float(f32::from_le_bytes([*a, *b, *c, *d])),
        (Encoding::Float64, [a, b, c, d, e, f, g, h]) => {
            float(f64::from_le_bytes([*a, *b, *c, *d, *e, *f, *g, *h]) as f32)
        }
        (Encoding::ALaw, byte) => g711(&mut PcmaDecoder::new(), byte),
        (Encoding::MuLaw, byte) => g711(&mut PcmuDecoder::new(), byte),
        _ => 0.0,
    }
}

fn g711(decoder: &mut dyn audio_codec::Decoder, byte: &[u8]) -> f32 {
    let mut sample = [0i16];
    match decoder.decode_into(byte, &mut sample) {
        Ok(_) => f32::from(sample[0]) / 32_768.0,
        Err(_) => 0.0,
    }
}

/// Refuses directories, and pipes and devices, which could block for ever.
pub(super) fn refuse_irregular(path: &Path) -> Result<(), MediaError> {
    match path.metadata() {
        Ok(metadata) if !metadata.is_file() => {
            Err(MediaError::File { path: path.into(), reason: "is not a regular file".into() })
        }
        _ => Ok(()),
    }
}

pub(super) fn file_error(path: &Path, error: &std::io::Error) -> MediaError {
    MediaError::File { path: path.to_path_buf(), reason: error.to_string() }
}

#[cfg(test)]
mod tests;
