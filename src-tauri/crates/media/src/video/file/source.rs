use std::fs::File;
use std::io::{BufReader, Read, Seek, SeekFrom};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use bytes::Bytes;

use super::{Demux, FileFrame, IvfReader, Mp4Reader, WebmReader, Y4mReader, file_error};
use crate::video::codec::{Encoded, VideoCodec, VideoDecoder};
use crate::video::error::VideoError;
use crate::video::picture::{FramePool, Picture, Size};
use crate::video::source::{Polled, VideoSource};

/// Most frames that one poll reads to catch up. What is still behind after that is played late.
const MAX_CATCH_UP: usize = 4;

/// How long the last picture of a file stays where there is no other to tell.
const USUAL_INTERVAL: Duration = Duration::from_millis(40);

/// A pause between two frames that is taken for a damaged time.
const LONGEST_INTERVAL: Duration = Duration::from_secs(60);

/// Plays an MP4, WebM (or Matroska), IVF or Y4M file at the speed of its timestamps.
pub struct VideoFile {
    name: String,
    demux: Box<dyn Demux>,
    decoder: Option<Box<dyn VideoDecoder>>,
    looping: bool,
    pool: FramePool,
    /// Time 0 of the file, moved on at each round.
    start: Instant,
    next: Option<(Duration, Picture)>,
    last: Duration,
    interval: Duration,
    frames_in_round: u64,
    ended: bool,
}

impl VideoFile {
    /// The first picture is due at `now`. With `looping` the file begins anew at its end.
    pub fn open(path: &Path, looping: bool, now: Instant) -> Result<Self, VideoError> {
        let file = File::open(path).map_err(file_error(path))?;
        if !file.metadata().map_err(file_error(path))?.is_file() {
            return Err(VideoError::File { path: path.to_owned(), reason: "not a file".into() });
        }
        let demux = demuxer(BufReader::new(file), path)?;
        let name = path.file_name().map(PathBuf::from).unwrap_or_default().display().to_string();
        let mut source = Self {
            name,
            demux,
            decoder: None,
            looping,
            pool: FramePool::default(),
            start: now,
            next: None,
            last: Duration::ZERO,
            interval: USUAL_INTERVAL,
            frames_in_round: 0,
            ended: false,
        };
        // What cannot be played is told here and not when it is live.
        source.read_ahead()?;
        if source.next.is_none() {
            return Err(VideoError::Format { format: "video", problem: "it has no picture".into() });
        }
        Ok(source)
    }

    fn read_ahead(&mut self) -> Result<(), VideoError> {
        // A damaged file could have frames without pictures for ever.
        for _ in 0..64 {
            if self.next.is_some() || self.ended {
                return Ok(());
            }
            match self.demux.next_frame(&self.pool)? {
                Some(FileFrame::Picture(time, picture)) => self.take(time, picture),
                Some(FileFrame::Encoded(time, codec, data)) => {
                    if let Some(picture) = self.decode(codec, data)? {
                        self.take(time, picture);
                    }
                }
                None if self.looping && self.frames_in_round > 0 => {
                    self.demux.rewind()?;
                    self.start += self.last + self.interval;
                    (self.last, self.frames_in_round) = (Duration::ZERO, 0);
                }
                None => self.ended = true,
            }
        }
        Ok(())
    }

    fn take(&mut self, time: Duration, picture: Picture) {
        // Never back, and never so far ahead that it would seem to hang.
        let time = time.clamp(self.last, self.last + LONGEST_INTERVAL);
        if self.frames_in_round > 0 && time > self.last {
            self.interval = time - self.last;
        }
        self.frames_in_round += 1;
        self.last = time;
        self.next = Some((time, picture));
    }

    fn decode(&mut self, codec: VideoCodec, data: Vec<u8>) -> Result<Option<Picture>, VideoError> {
        let decoder = match &mut self.decoder {
            Some(decoder) => decoder,
            none => none.insert(codec.decoder()?),
        };
        let encoded = Encoded {
            codec,
            data: Bytes::from(data),
            key: false,
            timestamp: 0,
            size: Size::clamped(1, 1),
            captured: self.start,
        };
        match decoder.decode(&encoded) {
            // The next key frame goes on.
            Err(VideoError::KeyFrameNeeded { .. } | VideoError::Bitstream { .. })
                if self.frames_in_round > 0 =>
            {
                Ok(None)
            }
            result => result,
        }
    }
}

impl VideoSource for VideoFile {
    fn name(&self) -> &str {
        &self.name
    }

    fn poll(&mut self, now: Instant) -> Result<Polled, VideoError> {
        let mut newest = None;
        for _ in 0..MAX_CATCH_UP {
            self.read_ahead()?;
            let Some((time, _)) = &self.next else { break };
            let due = self.start + *time;
            if now < due {
                return Ok(newest.map_or(Polled::Wait(due), Polled::Picture));
            }
            newest = self.next.take().map(|(_, picture)| picture.captured_at(now));
        }
        if let Some(picture) = newest {
            if let Some((time, _)) = &self.next {
                let behind = now.saturating_duration_since(self.start + *time);
                if behind > LONGEST_INTERVAL {
                    // The machine slept.
                    self.start += behind;
                }
            }
            return Ok(Polled::Picture(picture));
        }
        Ok(if self.ended { Polled::Ended } else { Polled::Wait(now + USUAL_INTERVAL) })
    }
}

impl std::fmt::Debug for VideoFile {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("VideoFile")
            .field("name", &self.name)
            .field("looping", &self.looping)
            .finish_non_exhaustive()
    }
}

fn demuxer<R>(mut reader: BufReader<R>, path: &Path) -> Result<Box<dyn Demux>, VideoError>
where
    R: Read + Seek + Send + 'static,
{
    let mut magic = Vec::new();
    (&mut reader).take(12).read_to_end(&mut magic).map_err(file_error(path))?;
    reader.seek(SeekFrom::Start(0)).map_err(file_error(path))?;
    match magic.as_slice() {
        [b'Y', b'U', b'V', b'4', ..] => Ok(Box::new(Y4mReader::new(reader)?)),
        [b'D', b'K', b'I', b'F', ..] => Ok(Box::new(IvfReader::new(reader)?)),
        [_, _, _, _, b'f', b't', b'y', b'p', ..] => Ok(Box::new(Mp4Reader::new(reader)?)),
        [0x1A, 0x45, 0xDF, 0xA3, ..] => Ok(Box::new(WebmReader::new(reader)?)),
        _ => {
            let problem = "neither MP4, WebM, IVF nor Y4M".into();
            Err(VideoError::Format { format: "video", problem })
        }
    }
}
