//! Bug reports: collected from the journal, looked at, stored. Files are written on a thread of their own.

use super::{Owner, kept::Answer, text::shown, view};
use crate::{
    hooks::{Fields, Hook, Verdict},
    io::clock,
    redact,
    report::{BEGIN, Folder, LONGEST_SCREENSHOT, OF_PAGE, judge},
};
use base64::{Engine as _, prelude::BASE64_STANDARD};
use serde::Serialize;
use serde_json::json;
use sidetone_api::{Event, Failure, FailureCode, Reply, ReportContents, ReportFact, ReportView, Snapshot};

/// What the backend's answers are about.
pub(super) const OBJECT: &str = "bug reports";
const LONGEST_WORDS: usize = 10_000;
const MOST_LEFT_OUT: usize = 32;
const PNG: &[u8] = b"\x89PNG\r\n\x1a\n";

impl Owner {
    /// The last minutes, without what is secret.
    pub(super) fn collect_report(&mut self) -> ReportContents {
        let secrets = self.known_secrets();
        let snapshot = self.snapshot();
        let clean = |text: &str| redact::text(text, &secrets);
        let mut contents = ReportContents {
            format: 1,
            report: ReportView { created_at: clock::wallclock_ms(), ..ReportView::default() },
            version: snapshot.version.clone(),
            system: format!("{} {}", std::env::consts::OS, std::env::consts::ARCH),
            messages: self.journal.tap().messages().iter().map(|message| (**message).clone()).collect(),
            events: self.journal.events().cloned().collect(),
            samples: self.journal.samples().cloned().collect(),
            facts: facts(&snapshot, &secrets),
            has_screenshot: false,
        };
        if !secrets.is_empty() {
            for message in &mut contents.messages {
                message.text = clean(&message.text);
            }
            for event in &mut contents.events {
                event.info = clean(&event.info);
            }
        }
        contents.report.verdicts = judge(&contents);
        contents
    }

    pub(super) fn prepare_report(&mut self) -> Result<Reply, Failure> {
        let contents = self.collect_report();
        self.draft = Some(contents.clone());
        Ok(Reply::Report { report: Box::new(contents) })
    }

    pub(super) fn submit_report(
        &mut self,
        words: &str,
        leave_out: &[String],
        screenshot: Option<String>,
        answer: Answer,
    ) {
        let taken = self.take_report(words, leave_out, screenshot);
        let (contents, screenshot) = match taken {
            Ok(taken) => taken,
            Err(failure) => {
                let _ = answer.send(Err(failure));
                return;
            }
        };
        let fields = Fields::from_iter([("text".to_owned(), json!(contents.report.words))]);
        self.gate(Hook::SubmitBugReport, "", OBJECT, fields, move |owner, verdict| match verdict {
            Verdict::Go(_) => owner.keep_report(contents, screenshot, answer),
            Verdict::Refused { info } => {
                let refused = Failure::new(FailureCode::WrongState, shown(&info));
                owner.on_report_kept(Err(refused), contents, answer);
            }
        });
    }

    fn keep_report(&mut self, contents: ReportContents, screenshot: Option<Vec<u8>>, answer: Answer) {
        let kept = contents.clone();
        self.store_report(contents, screenshot, move |owner, stored| {
            owner.on_report_kept(stored, kept, answer);
        });
    }

    fn on_report_kept(&mut self, stored: Result<ReportView, Failure>, kept: ReportContents, answer: Answer) {
        let (status, info) = match &stored {
            Ok(report) => (report.file.clone(), String::new()),
            Err(failure) => ("FAILED".to_owned(), failure.message.clone()),
        };
        // Who has looked at it can try again.
        if stored.is_err() {
            self.draft.get_or_insert(kept);
        }
        self.publish(Event::BugReportStatusEvent { status, info });
        let _ = answer.send(stored.map(|report| Reply::ReportStored { report }));
    }

    fn take_report(
        &mut self,
        words: &str,
        leave_out: &[String],
        screenshot: Option<String>,
    ) -> Result<(ReportContents, Option<Vec<u8>>), Failure> {
        if words.len() > LONGEST_WORDS {
            return Err(Failure::invalid("words", format!("words has {LONGEST_WORDS} bytes at most")));
        }
        if leave_out.len() > MOST_LEFT_OUT {
            return Err(Failure::invalid("leaveOut", format!("leaveOut has {MOST_LEFT_OUT} names at most")));
        }
        let screenshot = screenshot.map(|text| picture(&text)).transpose()?;
        let mut contents = match self.draft.take() {
            Some(draft) => draft,
            None => self.collect_report(),
        };
        contents.report.words = redact::text(words, &self.known_secrets());
        for section in leave_out {
            match section.as_str() {
                "messages" => contents.messages.clear(),
                "events" => contents.events.clear(),
                "samples" => contents.samples.clear(),
                name => contents.facts.retain(|fact| fact.section != name),
            }
        }
        Ok((contents, screenshot))
    }

    /// On a thread of its own, and then on with what came of it.
    pub(super) fn store_report(
        &mut self,
        contents: ReportContents,
        screenshot: Option<Vec<u8>>,
        then: impl FnOnce(&mut Self, Result<ReportView, Failure>) + Send + 'static,
    ) {
        let begin = if contents.report.from.is_empty() { BEGIN } else { OF_PAGE };
        let name = view::new_id(begin).map(|id| format!("{id}.zip"));
        let folder = self.report_folder();
        let job = move || folder?.store(contents, &name?, screenshot.as_deref());
        self.in_background(job, then);
    }

    pub(super) fn get_reports(&mut self, answer: Answer) {
        let folder = self.report_folder();
        let job = move || Ok(folder?.list());
        self.in_background(job, move |_, listed: Result<_, Failure>| {
            let _ = answer.send(listed.map(|reports| Reply::Reports { reports }));
        });
    }

    pub(super) fn read_report(&mut self, file: String, answer: Answer) {
        let folder = self.report_folder();
        let job = move || folder?.read(&file);
        self.in_background(job, move |_, read: Result<ReportContents, Failure>| {
            let _ = answer.send(read.map(|report| Reply::Report { report: Box::new(report) }));
        });
    }

    pub(super) fn remove_report(&mut self, file: String, answer: Answer) {
        let folder = self.report_folder();
        let job = move || folder?.remove(&file);
        self.in_background(job, move |_, removed: Result<(), Failure>| {
            let _ = answer.send(removed.map(|()| Reply::Done));
        });
    }

    /// Nothing is left of what happened, nor of what was told of it.
    pub(super) fn forget_reports(&mut self) -> Result<(), Failure> {
        self.draft = None;
        self.journal.clear();
        self.reports.as_ref().map_or(Ok(()), Folder::clear)
    }

    fn report_folder(&self) -> Result<Folder, Failure> {
        let none =
            || Failure::new(FailureCode::Storage, "this run keeps no files, so it keeps no bug reports");
        self.reports.clone().ok_or_else(none)
    }

    /// Which nothing that is kept may have in it.
    fn known_secrets(&self) -> Vec<String> {
        let passwords = self.passwords.values().chain(self.secrets.all());
        passwords.map(|secret| secret.expose().to_owned()).collect()
    }
}

/// A PNG, as base64.
fn picture(text: &str) -> Result<Vec<u8>, Failure> {
    let wrong = |reason: &str| Failure::invalid("screenshot", format!("screenshot {reason}"));
    if text.len() / 4 * 3 > LONGEST_SCREENSHOT {
        return Err(wrong(&format!("has more than {} MB", LONGEST_SCREENSHOT / 1024 / 1024)));
    }
    let png = BASE64_STANDARD.decode(text).map_err(|_| wrong("is not base64"))?;
    if png.starts_with(PNG) { Ok(png) } else { Err(wrong("is not a PNG")) }
}

fn facts(snapshot: &Snapshot, secrets: &[String]) -> Vec<ReportFact> {
    fn fact(section: &str, value: &impl Serialize, secrets: &[String]) -> ReportFact {
        let value = serde_json::to_value(value).unwrap_or_default();
        let text = serde_json::to_string_pretty(&redact::json(value, secrets)).unwrap_or_default();
        ReportFact { section: section.into(), text }
    }
    vec![
        fact("settings", &snapshot.settings, secrets),
        fact("devices", &snapshot.devices, secrets),
        fact("sessions", &snapshot.sessions, secrets),
        fact("calls", &snapshot.calls, secrets),
        fact("streams", &snapshot.streams, secrets),
        fact("rooms", &snapshot.rooms, secrets),
        fact("gateway", &snapshot.gateway, secrets),
        fact("hooks", &snapshot.hooks, secrets),
    ]
}
