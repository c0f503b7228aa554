//! Recording of a stream to a file that plays, as it was sent: nothing is encoded again.
//!
//! H.264 with Opus becomes fragmented MP4 (ISO/IEC 14496-12, 14496-15; Opus in ISOBMFF), VP8 with Opus becomes WebM. What came in
//! half a second is written in one piece, so that a killed program leaves a file that plays up to then.

mod file;
mod mp4;
mod part;
#[cfg(test)]
mod tests;
mod timeline;
mod webm;

use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use bytes::Bytes;

use super::codec::{Encoded, VIDEO_CLOCK_RATE, VideoCodec};
use crate::codec::Codec;
use file::{Files, words};
use part::{Part, Tracks};
use timeline::Timeline;

/// What belongs to the stream may come so long after what came first.
const TOGETHER: Duration = Duration::from_secs(2);
/// Sound that waits for the first key frame, in packets.
const MOST_WAITING: usize = 500;

/// Writes a stream to a file, and to further ones (`tv-2.mp4` after `tv.mp4`) where its size or codec changes. The first picture in
/// each is a key frame. What goes wrong ends the recording, stays in [`RecordingStatus::problem`], and leaves what was written.
pub struct StreamRecorder {
    files: Files,
    part: Option<Part>,
    waiting: Waiting,
    expects: Expects,
    video: Timeline,
    audio: Timeline,
    /// Of the parts before.
    written: Duration,
    problem: Option<String>,
    ended: bool,
}

/// What a stream is known to have.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Expects {
    pub video: bool,
    pub audio: bool,
}

/// How a recording stands.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct RecordingStatus {
    /// In order; empty until media has come.
    pub files: Vec<PathBuf>,
    /// In the files.
    pub seconds: u32,
    /// What is missing in them, or why it ended early, in words.
    pub problem: Option<String>,
    /// It has ended early.
    pub ended: bool,
}

/// Sound since the recording began, until there is a key frame.
#[derive(Default)]
struct Waiting {
    since: Option<Instant>,
    picture: Vec<(Encoded, Instant)>,
    sound: Vec<(Bytes, Instant)>,
}

impl StreamRecorder {
    /// The file's ending is made to fit what comes, and nothing is created until then. A file that is there is never touched: the
    /// next free number is taken.
    pub fn new(path: &Path, expects: Expects) -> Self {
        Self::with(Files::new(path), expects)
    }

    fn with(files: Files, expects: Expects) -> Self {
        Self {
            files,
            part: None,
            waiting: Waiting::default(),
            expects,
            video: Timeline::new(VIDEO_CLOCK_RATE),
            audio: Timeline::new(Codec::Opus.clock_rate()),
            written: Duration::ZERO,
            problem: None,
            ended: false,
        }
    }

    /// A picture, in decoding order; `at` is of the clock that the sound has too.
    pub fn video(&mut self, encoded: &Encoded, at: Instant) {
        if self.ended {
            return;
        }
        if !matches!(encoded.codec, VideoCodec::H264 | VideoCodec::Vp8) {
            let problem = || format!("its picture is {}, which is not recorded", encoded.codec);
            self.problem.get_or_insert_with(problem);
            return;
        }
        let at = self.video.place(at, encoded.timestamp);
        let result = match &mut self.part {
            Some(part) if !encoded.key || part.fits(encoded, self.expects.audio) => part.picture(encoded, at),
            Some(_) => {
                let ended = self.end_part();
                self.wait_for_picture(encoded, at);
                ended
            }
            None => {
                self.wait_for_picture(encoded, at);
                Ok(())
            }
        };
        let result = result.and_then(|()| self.advance(at));
        self.fail_on(result);
    }

    /// A packet's payload; `timestamp` counts the codec's clock.
    pub fn audio(&mut self, codec: Codec, timestamp: u32, payload: &Bytes, at: Instant) {
        if self.ended || payload.is_empty() {
            return;
        }
        if codec != Codec::Opus {
            let problem = || format!("its sound is {}, which is not recorded", codec.name());
            self.problem.get_or_insert_with(problem);
            self.expects.audio = false;
            return;
        }
        // Where it was not expected, the next part has it.
        self.expects.audio = true;
        let at = self.audio.place(at, timestamp);
        let result = match &mut self.part {
            Some(part) => part.sound(payload, at),
            None => {
                self.waiting.since.get_or_insert(at);
                if self.waiting.sound.len() < MOST_WAITING {
                    self.waiting.sound.push((payload.clone(), at));
                }
                Ok(())
            }
        };
        let result = result.and_then(|()| self.advance(at));
        self.fail_on(result);
    }

    pub fn status(&self) -> RecordingStatus {
        let written = self.written + self.part.as_ref().map_or(Duration::ZERO, Part::written);
        RecordingStatus {
            files: self.files.created().to_vec(),
            seconds: u32::try_from(written.as_secs()).unwrap_or(u32::MAX),
            problem: self.problem.clone(),
            ended: self.ended,
        }
    }

    /// Writes the rest, and what players seek by.
    pub fn finish(mut self) -> RecordingStatus {
        let result = self.begin_part(true).and_then(|()| self.end_part());
        self.fail_on(result);
        if self.files.created().is_empty() {
            self.problem.get_or_insert_with(|| "nothing came that could be recorded".into());
        }
        self.ended = true;
        self.status()
    }

    fn wait_for_picture(&mut self, encoded: &Encoded, at: Instant) {
        self.waiting.since.get_or_insert(at);
        if encoded.key {
            self.waiting.picture.clear();
        }
        if encoded.key || !self.waiting.picture.is_empty() {
            self.waiting.picture.push((encoded.clone(), at));
        }
    }

    fn advance(&mut self, now: Instant) -> std::io::Result<()> {
        match &mut self.part {
            Some(part) => part.advance(now),
            None => {
                let since = self.waiting.since.unwrap_or(now);
                self.begin_part(now.saturating_duration_since(since) >= TOGETHER)
            }
        }
    }

    /// Begins where everything that belongs to the stream has come, or where it is `late` with what there is.
    fn begin_part(&mut self, late: bool) -> std::io::Result<()> {
        let Waiting { picture, sound, .. } = &self.waiting;
        if self.part.is_some() || (picture.is_empty() && sound.is_empty()) {
            return Ok(());
        }
        let lacks = (self.expects.video && picture.is_empty()) || (self.expects.audio && sound.is_empty());
        if lacks && !late {
            return Ok(());
        }
        let Waiting { picture, sound, .. } = std::mem::take(&mut self.waiting);
        let tracks = Tracks { video: picture.first().map(|(encoded, _)| encoded), audio: !sound.is_empty() };
        let first = picture.first().map(|(_, at)| *at).or(sound.first().map(|(_, at)| *at));
        let Some(begin) = first else { return Ok(()) };
        let mut part = Part::begin(&mut self.files, &tracks, begin)?;
        let mut result = Ok(());
        for (encoded, at) in &picture {
            result = result.and_then(|()| part.picture(encoded, *at));
        }
        for (payload, at) in &sound {
            result = result.and_then(|()| part.sound(payload, *at));
        }
        self.part = Some(part);
        result
    }

    fn end_part(&mut self) -> std::io::Result<()> {
        let Some(part) = self.part.take() else { return Ok(()) };
        let (written, result) = part.end();
        self.written += written;
        result
    }

    fn fail_on(&mut self, result: std::io::Result<()>) {
        let Err(error) = result else { return };
        self.problem = Some(words(&error));
        self.ended = true;
        // What can still be written is.
        let _ = self.end_part();
    }
}

impl std::fmt::Debug for StreamRecorder {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("StreamRecorder").field("status", &self.status()).finish_non_exhaustive()
    }
}
