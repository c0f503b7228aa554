//! One file: what came is collected and written in pieces.

use std::io;
use std::time::{Duration, Instant};

use bytes::Bytes;

use super::file::{Files, Medium};
use super::{mp4::Mp4, webm::WebM};
use crate::video::codec::{Encoded, VideoCodec};
use crate::video::picture::Size;

/// Between two pieces.
const BETWEEN: Duration = Duration::from_millis(500);
/// A piece with so many bytes is written at once.
const LARGEST: usize = 8 << 20;
/// How long the last picture and the last packet of sound are taken to last, where nothing tells it.
const LAST_PICTURE: Duration = Duration::from_millis(33);
const PACKET: Duration = Duration::from_millis(20);
/// 20 ms of silence: a full-band CELT frame that says nothing (RFC 6716 section 3.1).
const SILENCE: &[u8] = &[0xF8, 0xFF, 0xFE];
/// Sound that begins later than this is preceded by nothing, not by silence.
const LONGEST_SILENCE: Duration = Duration::from_secs(5);

/// What a file has.
pub(super) struct Tracks<'a> {
    /// Its first picture.
    pub(super) video: Option<&'a Encoded>,
    pub(super) audio: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    Video,
    Audio,
}

/// A picture or a packet of sound.
#[derive(Debug, Clone)]
pub(super) struct Sample {
    pub(super) data: Bytes,
    /// Since the file's beginning.
    pub(super) at: Duration,
    /// Until the next one of its kind.
    pub(super) lasts: Duration,
    pub(super) key: bool,
}

/// What a piece has, each in order.
#[derive(Debug, Default)]
pub(super) struct Piece {
    pub(super) video: Vec<Sample>,
    pub(super) audio: Vec<Sample>,
}

/// A kind of file.
pub(super) trait Container: Send {
    /// Appends a whole piece.
    fn write(&mut self, piece: &Piece) -> io::Result<()>;

    /// Adds what players seek by, and brings all to the disk; what was only half written is cut off.
    fn finish(&mut self, written: Duration) -> io::Result<()>;
}

pub(super) struct Part {
    container: Box<dyn Container>,
    begin: Instant,
    video: Option<(VideoCodec, Size)>,
    audio: bool,
    piece: Piece,
    bytes: usize,
    flushed: Instant,
    written: Duration,
    is_new: bool,
}

impl Part {
    pub(super) fn begin(files: &mut Files, tracks: &Tracks<'_>, begin: Instant) -> io::Result<Self> {
        let codec = tracks.video.map(|encoded| encoded.codec);
        let container: Box<dyn Container> = match (codec, tracks.video) {
            (Some(VideoCodec::Vp8), Some(first)) => {
                Box::new(WebM::begin(files.next("webm")?, first.size, tracks.audio)?)
            }
            (_, first) => Box::new(Mp4::new(files.next("mp4")?, first)?),
        };
        Ok(Self {
            container,
            begin,
            video: tracks.video.map(|encoded| (encoded.codec, encoded.size)),
            audio: tracks.audio,
            piece: Piece::default(),
            bytes: 0,
            flushed: begin,
            written: Duration::ZERO,
            is_new: true,
        })
    }

    /// Whether a key frame can go on in this file.
    pub(super) fn fits(&self, key: &Encoded, with_sound: bool) -> bool {
        self.video == Some((key.codec, key.size)) && (self.audio || !with_sound)
    }

    pub(super) fn written(&self) -> Duration {
        self.written
    }

    pub(super) fn picture(&mut self, encoded: &Encoded, at: Instant) -> io::Result<()> {
        if self.video.is_none_or(|(codec, _)| codec != encoded.codec) {
            return Ok(());
        }
        let at = at.saturating_duration_since(self.begin);
        self.push(
            Kind::Video,
            Sample { data: encoded.data.clone(), at, lasts: LAST_PICTURE, key: encoded.key },
        );
        Ok(())
    }

    pub(super) fn sound(&mut self, payload: &Bytes, at: Instant) -> io::Result<()> {
        // What was heard before the first picture is left out.
        if !self.audio || at + PACKET / 2 < self.begin {
            return Ok(());
        }
        let at = at.saturating_duration_since(self.begin);
        if self.is_new && self.piece.audio.is_empty() {
            let mut silent = Duration::ZERO;
            while silent + PACKET <= at.min(LONGEST_SILENCE) {
                let data = Bytes::from_static(SILENCE);
                self.push(Kind::Audio, Sample { data, at: silent, lasts: PACKET, key: true });
                silent += PACKET;
            }
        }
        let is_first = self.is_new && self.piece.audio.is_empty();
        let at = if is_first { Duration::ZERO } else { at };
        self.push(Kind::Audio, Sample { data: payload.clone(), at, lasts: PACKET, key: true });
        Ok(())
    }

    fn push(&mut self, kind: Kind, sample: Sample) {
        let track = match kind {
            Kind::Video => &mut self.piece.video,
            Kind::Audio => &mut self.piece.audio,
        };
        if let Some(last) = track.last_mut() {
            last.lasts = sample.at.saturating_sub(last.at);
        }
        self.bytes += sample.data.len();
        track.push(sample);
    }

    /// Writes what has come, where it is time to.
    pub(super) fn advance(&mut self, now: Instant) -> io::Result<()> {
        if now.saturating_duration_since(self.flushed) < BETWEEN && self.bytes < LARGEST {
            return Ok(());
        }
        self.flushed = now;
        self.flush(false)
    }

    /// All but the last of each kind, which lasts until the next one; at the end, and at the beginning where a kind must not be
    /// missing, those too.
    fn flush(&mut self, all: bool) -> io::Result<()> {
        let is_new = self.is_new;
        let take = |track: &mut Vec<Sample>| {
            let keep = usize::from(!(all || (is_new && track.len() == 1)));
            let later = track.split_off(track.len().saturating_sub(keep));
            std::mem::replace(track, later)
        };
        let piece = Piece { video: take(&mut self.piece.video), audio: take(&mut self.piece.audio) };
        if piece.video.is_empty() && piece.audio.is_empty() {
            return Ok(());
        }
        self.container.write(&piece)?;
        self.is_new = false;
        let left = self.piece.video.iter().chain(&self.piece.audio);
        self.bytes = left.map(|sample| sample.data.len()).sum();
        let end = |track: &[Sample]| track.last().map_or(Duration::ZERO, |last| last.at + last.lasts);
        self.written = self.written.max(end(&piece.video)).max(end(&piece.audio));
        Ok(())
    }

    /// How much is in it.
    pub(super) fn end(mut self) -> (Duration, io::Result<()>) {
        let flushed = self.flush(true);
        // What is there is made whole even so.
        let finished = self.container.finish(self.written);
        (self.written, flushed.and(finished))
    }
}

/// Bytes at the end of a medium, and how many of them make whole pieces.
pub(super) struct Tail {
    pub(super) medium: Box<dyn Medium>,
    pub(super) length: u64,
}

impl Tail {
    pub(super) fn new(medium: Box<dyn Medium>) -> Self {
        Self { medium, length: 0 }
    }

    pub(super) fn append(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.medium.write_all(bytes)?;
        self.medium.flush()?;
        self.length += bytes.len() as u64;
        Ok(())
    }

    /// Writes over what is there.
    pub(super) fn patch(&mut self, at: u64, bytes: &[u8]) -> io::Result<()> {
        self.medium.seek(io::SeekFrom::Start(at))?;
        let written = self.medium.write_all(bytes);
        self.medium.seek(io::SeekFrom::Start(self.length))?;
        written
    }
}
