//! What pages send for whoever looks into their troubles: reports, which are kept here with what happened in the last minutes; lines
//! of their logs, which are the backend's.

use super::{
    data::{LONGEST_PAYLOAD, is_longer},
    hooked::with_status,
};
use crate::{
    clients::ClientNews,
    hooks::{Fields, Hook, Verdict},
    owner::{Owner, text::shown},
    redact,
};
use serde_json::json;
use sidetone_api::{ReportFact, ReportView, SessionId};
use std::time::{Duration, Instant};

const REPORT: &str = "BugReportStatusEvent";
const DEBUG: &str = "SessionDebugStatusEvent";
const NO_LOGS: &str = "debug logs are not kept here";
const TOO_MANY_REPORTS: &str = "too many bug reports in this minute";
/// Of all sessions.
const REPORTS_A_MINUTE: usize = 10;
/// Bytes of log lines in a second, of all sessions.
const LOGS_A_SECOND: usize = 256 * 1024;

/// What went out of the log lines of all sessions in this second, or how many reports came in this minute.
#[derive(Debug, Default)]
pub(super) struct Share {
    since: Option<Instant>,
    bytes: usize,
}

impl Share {
    fn admits_report(&mut self, now: Instant) -> bool {
        self.admits_within(now, 1, (REPORTS_A_MINUTE, Duration::from_secs(60)))
    }

    fn admits(&mut self, now: Instant, bytes: usize) -> bool {
        self.admits_within(now, bytes, (LOGS_A_SECOND, Duration::from_secs(1)))
    }

    fn admits_within(&mut self, now: Instant, count: usize, (most, time): (usize, Duration)) -> bool {
        if self.since.is_none_or(|since| now.duration_since(since) >= time) {
            *self = Self { since: Some(now), bytes: 0 };
        }
        let admitted = self.bytes + count <= most;
        self.bytes += if admitted { count } else { 0 };
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
        let page = report.clone();
        let (object, session) = (format!("reports of {session}"), session.clone());
        self.gate(Hook::SubmitBugReport, session.clone().as_str(), &object, report, move |owner, verdict| {
            match verdict {
                Verdict::Go(_) => owner.keep_report_of(&session, &page),
                Verdict::Refused { info } => owner.tell_of_report(&session, &shown(&info)),
            }
        });
    }

    /// With what happened here in the last minutes.
    fn keep_report_of(&mut self, session: &SessionId, page: &Fields) {
        if !self.clients.reports.admits_report(Instant::now()) {
            return self.tell_of_report(session, TOO_MANY_REPORTS);
        }
        let mut contents = self.collect_report();
        let said = ["text", "description", "message"].into_iter().find_map(|name| page.get(name)?.as_str());
        contents.report.words = redact::text(said.unwrap_or_default(), &[]);
        contents.report.from = session.as_str().to_owned();
        let page = serde_json::to_value(page).unwrap_or_default();
        let text = serde_json::to_string_pretty(&redact::json(page, &[])).unwrap_or_default();
        contents.facts.push(ReportFact { section: "page".into(), text });
        let session = session.clone();
        self.store_report(contents, None, move |owner, stored| match stored {
            Ok(ReportView { file, .. }) => {
                let mut fields = with_status(Fields::new(), &file, "");
                fields.insert("filename".into(), json!(file));
                owner.tell(
                    Hook::BugReportStatusEvent,
                    session.as_str(),
                    &format!("reports of {session}"),
                    fields,
                );
                owner.tell_client(&session, ClientNews::Reported { file });
            }
            Err(failure) => owner.tell_of_report(&session, &failure.message),
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
