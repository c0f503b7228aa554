//! Recordings of legs that are under way.

use super::{LegId, News};
use sidetone_media::tone::RecordingTone;
use sidetone_media::{Frame, Recorder, SILENCE, Source as _};
use std::collections::BTreeMap;
use tokio::sync::mpsc;

/// Parties besides ourselves whose frames fit into one call of the recorder.
const MOST_PARTIES: usize = sidetone_media::record::MAX_CHANNELS as usize;

/// By the leg that each was asked for.
#[derive(Default)]
pub(super) struct Recordings(BTreeMap<LegId, Recording>);

struct Recording {
    recorder: Box<Recorder>,
    others: Vec<LegId>,
    tone: Option<RecordingTone>,
    /// The tone of this beat.
    beep: Box<Frame>,
    told: u32,
    failed: bool,
}

impl Recordings {
    pub(super) fn start(
        &mut self,
        leg: LegId,
        others: Vec<LegId>,
        recorder: Box<Recorder>,
        announced: bool,
        news: &mpsc::Sender<News>,
    ) {
        self.stop(leg, news);
        let tone = announced.then(RecordingTone::default);
        let recording = Recording { recorder, others, tone, beep: Box::new(SILENCE), told: 0, failed: false };
        let _ = news.try_send(News::Recording { leg, status: recording.recorder.status() });
        self.0.insert(leg, recording);
    }

    pub(super) fn pause(&mut self, leg: LegId, paused: bool, news: &mpsc::Sender<News>) {
        let Some(recording) = self.0.get_mut(&leg) else { return };
        recording.recorder.set_paused(paused);
        let _ = news.try_send(News::Recording { leg, status: recording.recorder.status() });
    }

    /// Ends a recording; its last blocks are written on a thread of their own, which then tells.
    pub(super) fn stop(&mut self, leg: LegId, news: &mpsc::Sender<News>) {
        let Some(recording) = self.0.remove(&leg) else { return };
        let news = news.clone();
        let thread = std::thread::Builder::new().name("close recording".into()).spawn(move || {
            let recorded = recording.recorder.finish();
            let _ = news.blocking_send(News::Recorded { recorded });
        });
        if let Err(error) = thread {
            // Dropped with the closure, the recorder ends by itself.
            tracing::error!("no thread to end a recording: {error}");
        }
    }

    /// At the end of everything: waits for what is to be written.
    pub(super) fn close(self) {
        for (_, recording) in self.0 {
            let recorded = recording.recorder.finish();
            if let Some(problem) = recorded.problem {
                tracing::warn!("a recording: {problem}");
            }
        }
    }

    pub(super) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Begins a beat: the tones that it sounds. True where there is any.
    pub(super) fn sound(&mut self) -> bool {
        let mut any = false;
        for recording in self.0.values_mut() {
            match &mut recording.tone {
                Some(tone) if !recording.recorder.is_paused() => {
                    tone.read(&mut recording.beep);
                    any = true;
                }
                _ => recording.beep.fill(0.0),
            }
        }
        any
    }

    /// Adds the tones of this beat that `leg` hears.
    pub(super) fn add_tones(&self, leg: LegId, frame: &mut Frame) {
        let heard = self.0.iter().filter(|(id, recording)| {
            recording.tone.is_some() && (**id == leg || recording.others.contains(&leg))
        });
        for (_, recording) in heard {
            add(frame, &recording.beep);
        }
    }

    /// Adds all tones of this beat, for our own speaker.
    pub(super) fn add_all_tones(&self, frame: &mut Frame) {
        for recording in self.0.values().filter(|recording| recording.tone.is_some()) {
            add(frame, &recording.beep);
        }
    }

    /// Writes a beat: what each leg said of ourselves, and what it was heard to say.
    pub(super) fn write<'a>(
        &mut self,
        said: impl Fn(LegId) -> Option<&'a Frame>,
        heard: impl Fn(LegId) -> Option<&'a Frame>,
        news: &mpsc::Sender<News>,
    ) {
        for (leg, recording) in &mut self.0 {
            let mut parties = [&SILENCE; MOST_PARTIES];
            parties[0] = said(*leg).unwrap_or(&SILENCE);
            let others = std::iter::once(leg).chain(&recording.others);
            for (party, other) in parties[1..].iter_mut().zip(others) {
                *party = heard(*other).unwrap_or(&SILENCE);
            }
            recording.recorder.write(&parties);
            recording.tell(*leg, news);
        }
    }
}

impl Recording {
    fn tell(&mut self, leg: LegId, news: &mpsc::Sender<News>) {
        let seconds = self.recorder.seconds();
        let ended = self.recorder.has_ended();
        if seconds != self.told || ended != self.failed {
            (self.told, self.failed) = (seconds, ended);
            let _ = news.try_send(News::Recording { leg, status: self.recorder.status() });
        }
    }
}

fn add(frame: &mut Frame, other: &Frame) {
    frame.iter_mut().zip(other).for_each(|(sample, more)| *sample += more);
}
