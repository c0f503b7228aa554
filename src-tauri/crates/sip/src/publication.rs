//! One publication of our own state, kept alive: RFC 3903. A state machine without messages on the wire.

use std::time::{Duration, Instant};

use crate::message::{HeaderName, Method, NameAddr, Request, Response, Uri};
use crate::registration::{LONGEST, longer, pause, retry_after};
use crate::user_agent::request::{Thread, outside};
use crate::user_agent::{Cause, Config, Outcome, Side, Way};

/// Answers of 412 and 423 taken in a row.
const MAX_CORRECTIONS: u8 = 3;
/// Longest entity tag that is kept, in bytes.
const MAX_ETAG: usize = 256;

/// What to publish, and where: usually the presence of `from` at its own address.
#[derive(Debug, Clone)]
pub struct Settings {
    pub event: String,
    pub from: NameAddr,
    pub to: Uri,
    pub way: Way,
    pub content_type: String,
    pub body: Vec<u8>,
    /// how long each publication is to last; the server may say otherwise
    pub expires: Duration,
}

impl Settings {
    /// For an hour, at the address of `from`.
    pub fn new(
        event: impl Into<String>,
        from: NameAddr,
        content_type: impl Into<String>,
        body: Vec<u8>,
    ) -> Self {
        Self {
            event: event.into(),
            to: from.uri.clone(),
            from,
            way: Way::default(),
            content_type: content_type.into(),
            body,
            expires: Duration::from_secs(3600),
        }
    }
}

/// What its owner is told of a publication.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum PublicationState {
    /// The server has what was given last.
    Published { expires: Duration },
    /// With `retry_in` it is tried again by itself; without it the id is gone.
    Ended { cause: Cause, retry_in: Option<Duration> },
}

#[derive(Debug)]
pub(crate) enum Verdict {
    Nothing,
    /// send the next PUBLISH now
    Again,
    Tell(PublicationState),
    /// forget it, with these last words
    Gone(Cause),
}

#[derive(Debug)]
pub(crate) struct Publication {
    settings: Settings,
    call_id: String,
    from_tag: String,
    cseq: u32,
    etag: Option<String>,
    busy: bool,
    /// the server does not have the body yet
    changed: bool,
    leaving: bool,
    until: Option<Instant>,
    due: Option<Instant>,
    failures: u32,
    corrections: u8,
    min_expires: Duration,
}

impl Publication {
    pub(crate) fn new(mut settings: Settings, call_id: String, from_tag: String) -> Self {
        settings.expires = settings.expires.clamp(Duration::from_secs(1), LONGEST);
        Self {
            settings,
            call_id,
            from_tag,
            cseq: 0,
            etag: None,
            busy: false,
            changed: true,
            leaving: false,
            until: None,
            due: None,
            failures: 0,
            corrections: 0,
            min_expires: Duration::ZERO,
        }
    }

    pub(crate) fn settings(&self) -> &Settings {
        &self.settings
    }

    pub(crate) fn next_deadline(&self) -> Option<Instant> {
        self.due
    }

    /// Whether it is to be sent now.
    pub(crate) fn replace(&mut self, body: Vec<u8>) -> bool {
        self.settings.body = body;
        self.changed = true;
        !self.busy && !self.leaving
    }

    /// Whether a PUBLISH that removes it has to go out now; `None`: there is nothing to wait for.
    pub(crate) fn leave(&mut self) -> Option<bool> {
        if self.leaving {
            return Some(false);
        }
        self.leaving = true;
        self.due = None;
        match (self.busy, &self.etag) {
            (true, _) => Some(false),
            (false, Some(_)) => Some(true),
            (false, None) => None,
        }
    }

    /// The next PUBLISH, without Via and credentials: RFC 3903 section 4.1, table 1.
    pub(crate) fn request(&mut self, now: Instant) -> Request {
        self.busy = true;
        self.due = None;
        self.cseq += 1;
        if self.until.is_some_and(|until| until <= now) {
            self.etag = None;
        }
        let settings = &self.settings;
        let thread = Thread { call_id: &self.call_id, from_tag: &self.from_tag, cseq: self.cseq };
        let mut request =
            outside(Method::Publish, &settings.from, &settings.to, &settings.way.route, &thread);
        let expires = if self.leaving { Duration::ZERO } else { self.wanted() };
        request.headers.push(HeaderName::EVENT, &settings.event);
        request.headers.push(HeaderName::EXPIRES, expires.as_secs());
        if let Some(etag) = &self.etag {
            request.headers.push(HeaderName::SIP_IF_MATCH, etag);
        }
        if !self.leaving && (self.changed || self.etag.is_none()) {
            request.set_body(&settings.content_type, settings.body.clone());
            self.changed = false;
        }
        request
    }

    pub(crate) fn on_outcome(
        &mut self,
        now: Instant,
        outcome: &Outcome,
        sent: &Request,
        config: &Config,
        chance: f64,
    ) -> Verdict {
        self.busy = false;
        self.cseq = self.cseq.max(sent.headers.cseq().map_or(0, |cseq| cseq.number));
        let was_removal = sent.headers.expires() == Ok(Some(0));
        if was_removal {
            return Verdict::Gone(unpublished());
        }
        if !sent.body.is_empty() && !matches!(outcome, Outcome::Response(response) if response.is_success()) {
            self.changed = true;
        }
        match outcome {
            Outcome::Response(response) if response.is_success() => self.on_success(now, response, sent),
            _ if self.leaving && self.etag.is_none() => Verdict::Gone(unpublished()),
            _ if self.leaving => Verdict::Again,
            Outcome::Response(response) => self.on_refusal(now, response, config, chance),
            Outcome::TimedOut | Outcome::Unreachable(_) => {
                self.fail(now, outcome.cause(), None, config, chance)
            }
        }
    }

    fn on_success(&mut self, now: Instant, response: &Response, sent: &Request) -> Verdict {
        self.failures = 0;
        self.corrections = 0;
        let seconds = response.headers.expires().ok().flatten().map(u64::from).map(Duration::from_secs);
        let expires = seconds.unwrap_or(self.wanted()).clamp(Duration::from_secs(1), LONGEST);
        let etag = response.headers.get(&HeaderName::SIP_ETAG).map(str::trim);
        self.etag = etag.filter(|etag| !etag.is_empty() && etag.len() <= MAX_ETAG).map(str::to_owned);
        self.until = Some(now + expires);
        let margin = (expires / 10).clamp(Duration::from_secs(5), Duration::from_secs(60));
        let refresh = expires.saturating_sub(margin).max(expires / 2).max(Duration::from_secs(10));
        self.due = Some(now + refresh);
        match (self.leaving, self.etag.is_some()) {
            (true, true) => Verdict::Again,
            (true, false) => Verdict::Gone(unpublished()),
            _ if self.changed => Verdict::Again,
            _ if sent.body.is_empty() => Verdict::Nothing,
            _ => Verdict::Tell(PublicationState::Published { expires }),
        }
    }

    fn on_refusal(&mut self, now: Instant, response: &Response, config: &Config, chance: f64) -> Verdict {
        let cause = Cause::new(response.status, response.reason.clone(), Side::Remote);
        let may_correct = self.corrections < MAX_CORRECTIONS;
        match (response.status, longer(response, self.wanted())) {
            // the server has forgotten what we change: publish all of it again
            (412, _) if may_correct && self.etag.take().is_some() => {
                self.corrections += 1;
                Verdict::Again
            }
            (423, Some(wanted)) if may_correct => {
                self.corrections += 1;
                self.min_expires = wanted;
                Verdict::Again
            }
            (401 | 403 | 404 | 405 | 407 | 415 | 420 | 489 | 501 | 603 | 606, _) => Verdict::Gone(cause),
            _ => self.fail(now, cause, retry_after(response), config, chance),
        }
    }

    /// How long each publication is to last.
    fn wanted(&self) -> Duration {
        self.settings.expires.max(self.min_expires)
    }

    fn fail(
        &mut self,
        now: Instant,
        cause: Cause,
        retry_after: Option<Duration>,
        config: &Config,
        chance: f64,
    ) -> Verdict {
        self.corrections = 0;
        let pause = pause(config, self.failures, retry_after, chance);
        self.failures = self.failures.saturating_add(1);
        self.due = Some(now + pause);
        Verdict::Tell(PublicationState::Ended { cause, retry_in: Some(pause) })
    }
}

pub(crate) fn unpublished() -> Cause {
    Cause::new(200, "unpublished", Side::Local)
}
