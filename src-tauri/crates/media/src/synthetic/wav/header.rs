//! The RIFF header of a wav file (Microsoft and IBM, Multimedia Programming Interface 1.0; RFC 2361 for tags).
//!
//! Written out here because files that users have break the common readers: odd chunks with their pad byte, a
//! length of zero or 4 GiB left by a recorder that was killed or wrote into a pipe, G.711.

use std::io::{self, Read, Seek, SeekFrom};

/// How one sample is stored.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Encoding {
    /// Offset binary, 8 bits.
    Unsigned8,
    /// Two's complement, little-endian, left-justified in this many bytes (2, 3 or 4).
    Signed(u8),
    Float32,
    Float64,
    ALaw,
    MuLaw,
}

/// What a player needs to know.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Header {
    pub(super) encoding: Encoding,
    pub(super) channels: u16,
    pub(super) sample_rate: u32,
    /// Offset of the first sample.
    pub(super) data_start: u64,
    /// Bytes of samples; `None` if the header does not tell: up to the end of the file.
    pub(super) data_len: Option<u64>,
}

impl Encoding {
    pub(super) fn bytes(self) -> usize {
        match self {
            Self::Unsigned8 | Self::ALaw | Self::MuLaw => 1,
            Self::Signed(bytes) => usize::from(bytes),
            Self::Float32 => 4,
            Self::Float64 => 8,
        }
    }
}

const MAX_CHANNELS: u16 = 32;
const TAG_PCM: u16 = 1;
const TAG_FLOAT: u16 = 3;
const TAG_ALAW: u16 = 6;
const TAG_MULAW: u16 = 7;
const TAG_EXTENSIBLE: u16 = 0xFFFE;
/// Chunks looked at before the samples; a hostile file could hold millions of empty ones.
const MAX_CHUNKS: usize = 1_000;

impl Header {
    /// Reads up to the first sample. The error names what is wrong.
    pub(super) fn read(file: &mut (impl Read + Seek)) -> Result<Self, String> {
        let riff: [u8; 12] = take(file, "RIFF header")?;
        if &riff[..4] != b"RIFF" {
            return Err(if &riff[..4] == b"RF64" {
                "RF64 (64-bit) files are not supported"
            } else {
                "it does not begin with RIFF"
            }
            .into());
        }
        if &riff[8..] != b"WAVE" {
            return Err("the RIFF type is not WAVE".into());
        }
        let mut format = None;
        for _ in 0..MAX_CHUNKS {
            let head: [u8; 8] = take(file, if format.is_some() { "data chunk" } else { "fmt chunk" })?;
            let len = u32_at(&head, 4);
            match &head[..4] {
                b"fmt " => format = Some(read_format(file, len)?),
                b"data" => {
                    let Some((encoding, channels, sample_rate)) = format else {
                        return Err("the data chunk comes before the fmt chunk".into());
                    };
                    let data_start = file.stream_position().map_err(|e| e.to_string())?;
                    let data_len = (len != 0 && len != u32::MAX).then_some(u64::from(len));
                    return Ok(Self { encoding, channels, sample_rate, data_start, data_len });
                }
                _ => skip(file, u64::from(len) + u64::from(len % 2))?,
            }
        }
        Err(format!("no data chunk among the first {MAX_CHUNKS} chunks"))
    }
}

fn read_format(file: &mut (impl Read + Seek), len: u32) -> Result<(Encoding, u16, u32), String> {
    if len < 16 {
        return Err(format!("fmt chunk of {len} bytes, at least 16 expected"));
    }
    let head: [u8; 16] = take(file, "fmt chunk")?;
    let mut tag = u16_at(&head, 0);
    let channels = u16_at(&head, 2);
    let sample_rate = u32_at(&head, 4);
    let block_align = u16_at(&head, 12);
    let bits = u16_at(&head, 14);
    let mut read = 16;
    if tag == TAG_EXTENSIBLE {
        if len < 40 {
            return Err(format!("extensible fmt chunk of {len} bytes, at least 40 expected"));
        }
        // cbSize, valid bits and channel mask, then the GUID, which begins with the tag.
        let extension: [u8; 24] = take(file, "fmt chunk")?;
        tag = u16_at(&extension, 8);
        read = 40;
    }
    skip(file, u64::from(len) + u64::from(len % 2) - read)?;
    if channels == 0 || channels > MAX_CHANNELS {
        return Err(format!("channels: {channels} is not within 1 to {MAX_CHANNELS}"));
    }
    if !(4_000..=384_000).contains(&sample_rate) {
        return Err(format!("sample rate: {sample_rate} Hz is not within 4000 to 384000"));
    }
    if !block_align.is_multiple_of(channels) {
        return Err(format!("block align: {block_align} is no multiple of {channels} channels"));
    }
    let container = block_align / channels;
    let encoding = match (tag, container, bits) {
        (TAG_PCM, 1, 1..=8) => Encoding::Unsigned8,
        (TAG_PCM, 2..=4, _) if bits >= 1 && bits <= container * 8 => Encoding::Signed(container as u8),
        (TAG_FLOAT, 4, 32) => Encoding::Float32,
        (TAG_FLOAT, 8, 64) => Encoding::Float64,
        (TAG_ALAW, 1, 8) => Encoding::ALaw,
        (TAG_MULAW, 1, 8) => Encoding::MuLaw,
        (TAG_PCM | TAG_FLOAT | TAG_ALAW | TAG_MULAW, ..) => {
            return Err(format!("bits per sample: {bits} in {container} bytes is not supported"));
        }
        _ => return Err(format!("format tag {tag:#06x} is not supported; PCM, float, A-law and mu-law are")),
    };
    Ok((encoding, channels, sample_rate))
}

fn take<const N: usize>(file: &mut impl Read, what: &str) -> Result<[u8; N], String> {
    let mut bytes = [0; N];
    file.read_exact(&mut bytes).map_err(|error| match error.kind() {
        io::ErrorKind::UnexpectedEof => format!("the file ends before its {what}"),
        _ => error.to_string(),
    })?;
    Ok(bytes)
}

fn skip(file: &mut impl Seek, bytes: u64) -> Result<(), String> {
    // At most 4 GiB and 1, so the conversion holds.
    file.seek(SeekFrom::Current(bytes as i64)).map(drop).map_err(|e| e.to_string())
}

fn u16_at(bytes: &[u8], at: usize) -> u16 {
    u16::from_le_bytes([bytes[at], bytes[at + 1]])
}

fn u32_at(bytes: &[u8], at: usize) -> u32 {
    u32::from_le_bytes([bytes[at], bytes[at + 1], bytes[at + 2], bytes[at + 3]])
}
