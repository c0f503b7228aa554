//! Recording of streams, each on a thread of its own.

use super::{
    super::{
        Errand, Owner,
        recording::{file_name, timestamp},
        text,
    },
    wrong_state,
};
use crate::io::{
    clock,
    streams::{Closer, Unit, UnitMedia, Units},
};
use sidetone_api::{Failure, FailureCode, NoticeLevel, RecordingView, Reply, StreamId};
use sidetone_media::video::record::{Expects, RecordingStatus, StreamRecorder};
use std::time::{Duration, Instant};
use tokio::sync::mpsc;

/// Between two tellings of how it stands.
const BETWEEN: Duration = Duration::from_secs(1);

/// The recording of a stream that has not ended.
#[derive(Debug)]
pub(in super::super) struct Recording {
    /// Ends it.
    closer: Closer,
    number: u64,
}

/// How a recording stands, or what it became.
#[derive(Debug)]
pub(in super::super) struct Recorded {
    id: StreamId,
    number: u64,
    status: RecordingStatus,
    is_over: bool,
}

impl Owner {
    pub(in super::super) fn record_stream(&mut self, id: &StreamId, on: bool) -> Result<Reply, Failure> {
        let stream = self.stream(id)?;
        match (on, stream.recorder.take()) {
            (true, Some(recording)) => {
                stream.recorder = Some(recording);
                Err(wrong_state("this stream is being recorded"))
            }
            (true, None) => self.begin_stream_recording(id),
            (false, Some(recording)) => {
                recording.closer.close();
                Ok(Reply::Done)
            }
            (false, None) => Err(wrong_state("this stream is not being recorded")),
        }
    }

    fn begin_stream_recording(&mut self, id: &StreamId) -> Result<Reply, Failure> {
        let folder = self.stream_folder()?;
        let units = self.stream_units(id)?;
        let number = self.streams.new_recording();
        let stream = self.stream(id)?;
        let path = folder.join(format!("{} {}", timestamp(clock::wallclock_ms()), file_name(&stream.name)));
        let view = RecordingView { path: String::new(), paused: false, seconds: 0, problem: None };
        let closer = units.closer();
        let expects = Expects { video: units.has_video(), audio: units.has_audio() };
        let (errands, of) = (self.errands.clone(), id.clone());
        let write = move || {
            let recorder = StreamRecorder::new(&path, expects);
            record(&of, number, units, recorder, &errands);
        };
        std::thread::Builder::new().name("stream recording".into()).spawn(write).map_err(|error| {
            Failure::new(FailureCode::Storage, format!("no thread to record with: {error}"))
        })?;
        let stream = self.stream(id)?;
        stream.recorder = Some(Recording { closer, number });
        stream.recording = Some(view);
        self.streams.recordings += 1;
        self.publish_stream_view(id);
        Ok(Reply::Done)
    }

    pub(in super::super) fn on_stream_recorded(&mut self, recorded: Recorded) {
        let Recorded { id, number, status, is_over } = recorded;
        let path = status.files.last().map(|path| path.display().to_string()).unwrap_or_default();
        if is_over {
            self.streams.recordings = self.streams.recordings.saturating_sub(1);
            self.tell_recorded(&status);
        }
        let Some(stream) = self.streams.all.get_mut(&id) else { return };
        let is_current = stream.recorder.as_ref().is_none_or(|recording| recording.number == number);
        if !is_current {
            return;
        }
        if is_over {
            (stream.recorder, stream.recording) = (None, None);
            if let Some(room) = self.composed_room(&id) {
                self.on_composed_recorded(&room, &id);
            }
        } else {
            let problem = status.problem.map(|problem| text::shown(&problem));
            stream.recording = Some(RecordingView { path, paused: false, seconds: status.seconds, problem });
        }
        self.publish_stream_view(&id);
    }

    fn tell_recorded(&mut self, status: &RecordingStatus) {
        let files: Vec<_> = status.files.iter().map(|file| file.display().to_string()).collect();
        let info = match (&status.problem, files.is_empty()) {
            (Some(problem), true) => format!("recording: {problem}"),
            (Some(problem), false) => {
                format!("recorded {} s to {}, not whole: {problem}", status.seconds, files.join(", "))
            }
            (None, _) => format!("recorded {} s to {}", status.seconds, files.join(", ")),
        };
        let level = if status.problem.is_some() { NoticeLevel::Error } else { NoticeLevel::Info };
        self.notice(level, &info, None);
    }
}

/// Until the stream or the recording ends.
fn record(
    id: &StreamId,
    number: u64,
    mut units: Units,
    mut recorder: StreamRecorder,
    errands: &mpsc::Sender<Errand>,
) {
    let tell = |status: RecordingStatus, is_over| {
        Errand::StreamRecorded(Recorded { id: id.clone(), number, status, is_over })
    };
    let mut told = Instant::now();
    while let Some(Unit { media, at }) = units.blocking_next() {
        match media {
            UnitMedia::Video(encoded) => recorder.video(&encoded, at),
            UnitMedia::Audio { codec, timestamp, payload } => recorder.audio(codec, timestamp, &payload, at),
        }
        if told.elapsed() < BETWEEN {
            continue;
        }
        told = Instant::now();
        let status = recorder.status();
        if status.ended {
            break;
        }
        // Where the owner is busy the next one tells the same.
        let _ = errands.try_send(tell(status, false));
    }
    let _ = errands.blocking_send(tell(recorder.finish(), true));
}
