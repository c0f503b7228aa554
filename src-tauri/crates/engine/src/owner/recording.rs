//! Recording of calls: one WAV file a call, a channel a party.

use super::{Errand, Owner, call::Call, kept::Answer, text};
use crate::io::{
    clock,
    media::{Ask, LegId},
};
use sidetone_api::{CallId, Failure, FailureCode, NoticeLevel, RecordingView, Reply};
use sidetone_media::{MediaError, Recorded, Recorder, RecorderStatus};
use std::path::{Path, PathBuf};

/// Of the far end's name in a file's.
const LONGEST_NAME: usize = 64;
/// Recordings of one far end that begin in the same second.
const TRIES: u32 = 100;

/// A file that was created for a call, or why it was not.
pub(super) struct Created {
    call: CallId,
    result: Result<(Box<Recorder>, PathBuf), MediaError>,
    answer: Answer,
}

impl std::fmt::Debug for Created {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Created").field("call", &self.call).finish_non_exhaustive()
    }
}

/// The recording of a call.
#[derive(Debug)]
pub(super) enum Recording {
    /// The file is being created.
    Beginning,
    Running {
        /// The leg that it was begun with; the call may have another one since.
        leg: LegId,
        path: PathBuf,
        status: RecorderStatus,
    },
}

impl Recording {
    pub(super) fn view(&self) -> Option<RecordingView> {
        let Self::Running { path, status, .. } = self else { return None };
        Some(RecordingView {
            path: path.display().to_string(),
            paused: status.paused,
            seconds: status.seconds,
            problem: status.problem.clone(),
        })
    }

    fn status_of(&mut self, wanted: LegId) -> Option<&mut RecorderStatus> {
        match self {
            Self::Running { leg, status, .. } if *leg == wanted => Some(status),
            _ => None,
        }
    }

    fn is_over(&self) -> bool {
        matches!(self, Self::Running { status, .. } if status.ended)
    }
}

impl Owner {
    /// Begins to record; answered when the file is there.
    pub(super) fn start_recording(&mut self, id: &CallId, answer: Answer) {
        let plan = match self.recording_plan(id) {
            Ok(plan) => plan,
            Err(failure) => return drop(answer.send(Err(failure))),
        };
        let channels = u16::try_from(self.conference_legs(id).len()).unwrap_or(u16::MAX).saturating_add(2);
        if let Some(call) = self.calls.get_mut(id) {
            call.recording = Some(Recording::Beginning);
        }
        let (errands, call) = (self.errands.clone(), id.clone());
        tokio::task::spawn_blocking(move || {
            let result = create(&plan, channels.min(sidetone_media::record::MAX_CHANNELS));
            let _ = errands.blocking_send(Errand::Recording(Created { call, result, answer }));
        });
    }

    /// Where to record this call: the folder and the file's name without its ending.
    fn recording_plan(&self, id: &CallId) -> Result<PathBuf, Failure> {
        let call = self.calls.get(id).ok_or_else(|| Failure::not_found("call", id.as_str()))?;
        if !call.is_established() || call.hung_up {
            return Err(wrong_state("only a call that has been answered can be recorded"));
        }
        if call.recording.as_ref().is_some_and(|recording| !recording.is_over()) {
            return Err(wrong_state("this call is being recorded"));
        }
        let named = &self.settings.get().calls.recordings;
        let folder = match (named.is_empty(), &self.recordings) {
            (false, _) => PathBuf::from(named),
            (true, Some(folder)) => folder.clone(),
            (true, None) => {
                let message = "no folder for recordings is set: calls.recordings";
                return Err(Failure::invalid("calls.recordings", message));
            }
        };
        let far = call.far();
        let name = far.uri.user_text().unwrap_or_else(|| far.uri.to_string());
        Ok(folder.join(format!("{} {}", timestamp(clock::wallclock_ms()), file_name(&name))))
    }

    pub(super) fn on_recording_created(&mut self, created: Created) {
        let Created { call: id, result, answer } = created;
        let others = self.conference_legs(&id);
        let announced = self.settings.get().calls.recording_tone;
        let found = self.calls.get_mut(&id);
        let Some((leg, call)) = found.and_then(|call| Some((call.leg.as_ref()?.id, call))) else {
            // The call has ended meanwhile: an empty file is of no use.
            if let Ok((recorder, path)) = result {
                tokio::task::spawn_blocking(move || {
                    drop(recorder);
                    let _ = std::fs::remove_file(path);
                });
            }
            return drop(answer.send(Err(wrong_state("the call has ended"))));
        };
        let outcome = match result {
            Ok((recorder, path)) => {
                let status = RecorderStatus::default();
                call.recording = Some(Recording::Running { leg, path: path.clone(), status });
                self.media.ask(Ask::Record { leg, others, recorder, announced });
                self.set_recording(&id, path.display().to_string());
                self.recorded.insert(path, id.clone());
                Ok(Reply::Done)
            }
            Err(error) => {
                call.recording = None;
                Err(Failure::new(FailureCode::Storage, text::shown(&error.to_string())))
            }
        };
        self.publish_call(&id);
        let _ = answer.send(outcome);
    }

    pub(super) fn pause_recording(&mut self, id: &CallId, paused: bool) -> Result<Reply, Failure> {
        let leg = self.recorded_leg(id)?;
        self.media.ask(Ask::PauseRecording { leg, paused });
        if let Some(Recording::Running { status, .. }) =
            self.calls.get_mut(id).and_then(|call| call.recording.as_mut())
        {
            status.paused = paused;
        }
        self.publish_call(id);
        Ok(Reply::Done)
    }

    pub(super) fn stop_recording(&mut self, id: &CallId) -> Result<Reply, Failure> {
        let leg = self.recorded_leg(id)?;
        self.media.ask(Ask::StopRecording { leg });
        Ok(Reply::Done)
    }

    fn recorded_leg(&self, id: &CallId) -> Result<LegId, Failure> {
        let call = self.calls.get(id).ok_or_else(|| Failure::not_found("call", id.as_str()))?;
        match &call.recording {
            Some(Recording::Running { leg, .. }) => Ok(*leg),
            _ => Err(wrong_state("this call is not being recorded")),
        }
    }

    /// How a recording stands: at its start and pauses, each second, and when it fails.
    pub(super) fn on_recording(&mut self, leg: LegId, status: RecorderStatus) {
        let found = self.calls.values_mut().find_map(|call| {
            let status = call.recording.as_mut().and_then(|recording| recording.status_of(leg))?;
            Some((call.id.clone(), status))
        });
        let Some((id, now)) = found else { return };
        let news = (now.problem != status.problem).then(|| status.problem.clone()).flatten();
        // A report that was on its way when it was paused knows nothing of that.
        *now = RecorderStatus { paused: now.paused, ..status };
        if let Some(problem) = news {
            self.notice(NoticeLevel::Error, &format!("recording: {problem}"), Some(&id));
        }
        self.publish_call(&id);
    }

    /// The recording is whole on disk; the call may have ended before.
    pub(super) fn on_recorded(&mut self, recorded: &Recorded) {
        let Some(id) = recorded.files.iter().find_map(|file| self.recorded.remove(file)) else { return };
        // One that failed may have been followed by another already.
        let is_over = |call: &&mut Call| matches!(&call.recording, Some(Recording::Running { path, .. }) if recorded.files.contains(path));
        if let Some(call) = self.calls.get_mut(&id).filter(is_over) {
            call.recording = None;
            self.publish_call(&id);
        }
        let files: Vec<_> = recorded.files.iter().map(|file| file.display().to_string()).collect();
        let (level, why) = match &recorded.problem {
            Some(problem) => (NoticeLevel::Error, format!(", not whole: {problem}")),
            None => (NoticeLevel::Info, String::new()),
        };
        let info = format!("recorded {} s to {}{why}", recorded.seconds, files.join(", "));
        self.notice(level, &info, Some(&id));
    }

    /// The other parties where this call is in the conference.
    fn conference_legs(&self, id: &CallId) -> Vec<LegId> {
        let in_conference = self.calls.get(id).is_some_and(|call| call.in_conference);
        let is_other = |call: &&Call| in_conference && call.in_conference && call.id != *id;
        let others = self.calls.values().filter(is_other);
        others.filter_map(|call| call.leg.as_ref().map(|leg| leg.id)).collect()
    }
}

/// A new file of this name, or with a number after it where there is one.
fn create(plan: &Path, channels: u16) -> Result<(Box<Recorder>, PathBuf), MediaError> {
    let mut number = 1;
    loop {
        let mut name = plan.as_os_str().to_owned();
        if number > 1 {
            name.push(format!(" {number}"));
        }
        name.push(".wav");
        let path = PathBuf::from(name);
        if path.exists() && number < TRIES {
            number += 1;
            continue;
        }
        return Recorder::create(&path, channels).map(|recorder| (Box::new(recorder), path));
    }
}

/// What every file system takes: a far end must not choose folders or endings.
pub(super) fn file_name(text: &str) -> String {
    let plain = |c: char| if c.is_alphanumeric() || "-_+@".contains(c) { c } else { '_' };
    let name: String = text.chars().map(plain).take(LONGEST_NAME).collect();
    if name.is_empty() { "call".into() } else { name }
}

/// `2026-11-23 014510Z`: UTC, which needs no table of time zones and sorts. Civil date from days after Howard Hinnant,
/// "chrono-Compatible Low-Level Date Algorithms".
pub(super) fn timestamp(ms: u64) -> String {
    let (days, second) = (ms / 86_400_000, ms / 1000 % 86_400);
    let z = days + 719_468;
    let era = z / 146_097;
    let day_of_era = z % 146_097;
    let year_of_era = (day_of_era - day_of_era / 1460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let march_month = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * march_month + 2) / 5 + 1;
    let month = if march_month < 10 { march_month + 3 } else { march_month - 9 };
    let year = year_of_era + era * 400 + u64::from(month <= 2);
    let (hour, minute, second) = (second / 3600, second / 60 % 60, second % 60);
    format!("{year:04}-{month:02}-{day:02} {hour:02}{minute:02}{second:02}Z")
}

fn wrong_state(message: &str) -> Failure {
    Failure::new(FailureCode::WrongState, message)
}

#[cfg(test)]
mod tests {
    use super::{file_name, timestamp};

    #[test]
    fn names_of_files_are_plain_and_sort_by_time() {
        assert_eq!(timestamp(0), "1970-01-01 000000Z");
        assert_eq!(timestamp(951_827_696_000), "2000-02-29 123456Z");
        assert_eq!(timestamp(1_795_398_310_999), "2026-11-23 014510Z");
        assert_eq!(file_name("../../etc/passwd"), "______etc_passwd");
        assert_eq!(file_name("bob.smith+1"), "bob_smith+1");
        assert_eq!(file_name("\u{202e}\0 "), "___");
        assert_eq!(file_name(""), "call");
        assert_eq!(file_name(&"é".repeat(200)).chars().count(), 64);
    }
}
