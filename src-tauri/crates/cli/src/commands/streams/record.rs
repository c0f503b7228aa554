//! `--record`: a stream's encoded media to a file, on a thread of its own.

use super::follow::Stream;
use crate::{
    client::Client,
    exit::{Error, Exit},
};
use sidetone_engine::{Unit, UnitMedia, Units};
use sidetone_media::video::record::{Expects, RecordingStatus, StreamRecorder};
use std::path::PathBuf;
use tokio::task::{JoinHandle, spawn_blocking};

/// A recording that ends with its stream.
pub(super) struct Recording(JoinHandle<RecordingStatus>);

/// # Errors
/// Exit code 6 where the file is there already.
pub(super) async fn begin(
    client: &Client,
    stream: &Stream,
    path: Option<PathBuf>,
) -> Result<Option<Recording>, Error> {
    let Some(path) = path else { return Ok(None) };
    // It may have ended already, and says why.
    let Ok(units) = client.handle().units(stream.id.clone()).await else { return Ok(None) };
    Ok(Some(Recording(spawn_blocking(move || record(units, &path)))))
}

fn record(mut units: Units, path: &std::path::Path) -> RecordingStatus {
    let expects = Expects { video: units.has_video(), audio: units.has_audio() };
    let mut recorder = StreamRecorder::new(path, expects);
    while let Some(Unit { media, at }) = units.blocking_next() {
        match media {
            UnitMedia::Video(encoded) => recorder.video(&encoded, at),
            UnitMedia::Audio { codec, timestamp, payload } => recorder.audio(codec, timestamp, &payload, at),
        }
    }
    recorder.finish()
}

/// After the stream's end: says what was written.
///
/// # Errors
/// Exit code 6 where not all of it could be.
pub(super) async fn end(client: &mut Client, recording: Option<Recording>) -> Result<(), Error> {
    let Some(Recording(thread)) = recording else { return Ok(()) };
    let status = thread.await.map_err(|error| Error::new(Exit::Internal, error.to_string()))?;
    let files: Vec<_> = status.files.iter().map(|file| file.display().to_string()).collect();
    if !files.is_empty() {
        client.say(&format!("recorded {} s to {}", status.seconds, files.join(", ")));
    }
    match status.problem {
        Some(problem) => Err(Error::new(Exit::Device, format!("--record: {problem}"))),
        None => Ok(()),
    }
}
