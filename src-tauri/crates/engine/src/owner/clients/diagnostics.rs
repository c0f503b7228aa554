//! What pages send for whoever looks into their troubles: reports, lines of their logs. It is the backend's: nothing of it is kept
//! here, which is what pages and backend are told.

use super::{
    data::{LONGEST_PAYLOAD, is_longer},
    hooked::with_status,
};
use crate::{
    clients::ClientNews,
    hooks::{Fields, Hook, Verdict},
    owner::{Owner, text::shown},
};
use serde_json::json;
use sidetone_api::SessionId;
use std::time::{Duration, Instant};

const REPORT: &str = "BugReportStatusEvent";
const DEBUG: &str = "SessionDebugStatusEvent";
const NO_REPORTS: &str = "bug reports are not kept here";
const NO_LOGS: &str = "debug logs are not kept here";
/// Bytes of log lines in a second, of all sessions.
const LOGS_A_SECOND: usize = 256 * 1024;

/// What went out of the log lines of all sessions in this second.
#[derive(Debug, Default)]
pub(super) struct Share {
    since: Option<Instant>,
    bytes: usize,
}

impl Share {
    fn admits(&mut self, now: Instant, bytes: usize) -> bool {
        if self.since.is_none_or(|since| now.duration_since(since) >= Duration::from_secs(1)) {
            *self = Self { since: Some(now), bytes: 0 };
        }
        let admitted = self.bytes + bytes <= LOGS_A_SECOND;
        self.bytes += if admitted { bytes } else { 0 };
        admitted
    }
}

fn named(name: &str, value: serde_json::Value) -> Fields {
    Fields::from_iter([(name.to_owned(), value)])
}

impl Owner {
    pub(super) fn client_reports(&mut self, session: &SessionId, report: Fields) {
        if is_longer(&report, LONGEST_PAYLOAD) {
            let info = format!("a bug report has {LONGEST_PAYLOAD} bytes at most");
            return self.tell_of_report(session, &info);
        }
        let (object, session) = (format!("reports of {session}"), session.clone());
        self.gate(Hook::SubmitBugReport, session.clone().as_str(), &object, report, move |owner, verdict| {
            match verdict {
                Verdict::Go(_) => owner.tell_of_report(&session, NO_REPORTS),
                Verdict::Refused { info } => owner.tell_of_report(&session, &shown(&info)),
            }
        });
    }

    fn tell_of_report(&mut self, session: &SessionId, info: &str) {
        let fields = with_status(Fields::new(), "FAILED", info);
        self.tell(Hook::BugReportStatusEvent, session.as_str(), &format!("reports of {session}"), fields);
        self.tell_client_failed(session, REPORT, None, info);
    }

    pub(super) fn client_debugs(&mut self, session: &SessionId, start: bool) {
        let fields = named("command", json!(if start { "start" } else { "stop" }));
        let (object, session) = (format!("debug of {session}"), session.clone());
        self.gate(Hook::SessionDebug, session.clone().as_str(), &object, fields, move |owner, verdict| {
            match verdict {
                Verdict::Go(_) => {
                    owner.tell_that_nothing_is_debugged(&session, NO_LOGS);
                    let info = NO_LOGS.to_owned();
                    owner.tell_client(&session, ClientNews::Debug { started: false, info });
                }
                Verdict::Refused { info } => {
                    let info = shown(&info);
                    owner.tell_that_nothing_is_debugged(&session, &info);
                    owner.tell_client_failed(&session, DEBUG, None, &info);
                }
            }
        });
    }

    fn tell_that_nothing_is_debugged(&mut self, session: &SessionId, info: &str) {
        let fields = with_status(Fields::new(), "STOPPED", info);
        self.tell(Hook::SessionDebugStatusEvent, session.as_str(), &format!("debug of {session}"), fields);
    }

    /// Nobody waits for them. What is too much is left out, and how much that was is said with the next lines.
    pub(super) fn client_pushes_logs(&mut self, session: &SessionId, mut logs: String, left_out: u32) {
        if !self.hears_of(Hook::PushLogs, session.as_str()) {
            return;
        }
        let object = format!("logs of {session}");
        let has_room = self.hooks.has_room_for_logs(&object);
        let goes = has_room && self.clients.logs.admits(Instant::now(), logs.len());
        let Some(client) = self.clients.all.get_mut(session) else { return };
        client.unlogged = client.unlogged.saturating_add(left_out);
        if !goes {
            client.unlogged = client.unlogged.saturating_add(super::count(logs.lines().count()));
            return;
        }
        match std::mem::take(&mut client.unlogged) {
            0 => {}
            unlogged => logs.push_str(&format!("{unlogged} lines were left out\n")),
        }
        self.tell(Hook::PushLogs, session.as_str(), &object, named("logs", json!(logs)));
    }
}

#[cfg(test)]
mod tests {
    use super::{LOGS_A_SECOND, Share};
    use std::time::{Duration, Instant};

    #[test]
    fn all_sessions_together_log_so_much_in_a_second() {
        let (mut share, now) = (Share::default(), Instant::now());
        assert!(share.admits(now, LOGS_A_SECOND - 1));
        assert!(!share.admits(now + Duration::from_millis(900), 2) && share.admits(now, 1));
        assert!(share.admits(now + Duration::from_secs(1), LOGS_A_SECOND));
    }
}
