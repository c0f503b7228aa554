//! What follows from the outcome of a SUBSCRIBE, and from silence.

use std::time::{Duration, Instant};

use crate::dialog::Dialog;
use crate::message::{Request, Response};
use crate::registration::{longer, pause, retry_after};
use crate::user_agent::{Cause, Config, Hop, Outcome, Side};

use super::{LASTED, Phase, Subscription, SubscriptionState};

/// Answers of 423 taken in a row.
const MAX_BRIEF: u8 = 3;
/// How long the last NOTIFY is waited for.
const LAST_NOTIFY: Duration = Duration::from_secs(5);

/// What to do now.
#[derive(Debug)]
pub(crate) enum Verdict {
    Nothing,
    /// send the next SUBSCRIBE now
    Again,
    Tell(SubscriptionState),
    /// forget it, with these last words
    Gone(Cause),
}

impl Subscription {
    /// `chance` is between 0 and 1.
    pub(crate) fn on_outcome(
        &mut self,
        now: Instant,
        outcome: &Outcome,
        sent: &Request,
        hop: Option<Hop>,
        config: &Config,
        chance: f64,
    ) -> Verdict {
        self.cseq = self.cseq.max(sent.headers.cseq().map_or(0, |cseq| cseq.number));
        let was = self.phase;
        match outcome {
            // the NOTIFY that ended it came first
            _ if was == Phase::Idle || was == Phase::Left => Verdict::Nothing,
            _ if was == Phase::Leaving => {
                self.phase = Phase::Left;
                self.due = Some(now + LAST_NOTIFY);
                match outcome {
                    Outcome::Response(response) if response.is_success() => Verdict::Nothing,
                    _ => Verdict::Gone(unsubscribed()),
                }
            }
            Outcome::Response(response) if response.is_success() => {
                self.on_success(now, response, sent, hop, config)
            }
            _ if self.leaving && !self.has_dialog() => Verdict::Gone(unsubscribed()),
            _ if self.leaving => Verdict::Again,
            Outcome::Response(response) => self.on_refusal(now, response, config, chance),
            Outcome::TimedOut | Outcome::Unreachable(_) => {
                self.on_silence(now, outcome.cause(), config, chance)
            }
        }
    }

    fn on_success(
        &mut self,
        now: Instant,
        response: &Response,
        sent: &Request,
        hop: Option<Hop>,
        config: &Config,
    ) -> Verdict {
        self.hop = hop;
        self.brief = 0;
        let asked = self.settings.expires.max(self.min_expires);
        let granted =
            response.headers.expires().ok().flatten().map(|seconds| Duration::from_secs(seconds.into()));
        let granted = granted.unwrap_or(asked);
        if self.dialog.is_none()
            && let Ok(dialog) = Dialog::of_uac(sent, response)
            && !dialog.id.remote_tag.is_empty()
        {
            self.dialog = Some(dialog);
        } else if let Some(dialog) = &mut self.dialog {
            dialog.refresh_target(&response.headers);
        }
        if self.leaving {
            return if self.has_dialog() { Verdict::Again } else { Verdict::Gone(unsubscribed()) };
        }
        self.began.get_or_insert(now);
        self.phase = if self.confirmed { Phase::Up } else { Phase::Accepted };
        self.extend(now, granted);
        if self.phase == Phase::Accepted {
            self.due = Some(now + config.timers.transaction());
        }
        Verdict::Nothing
    }

    fn on_refusal(&mut self, now: Instant, response: &Response, config: &Config, chance: f64) -> Verdict {
        let cause = Cause::new(response.status, response.reason.clone(), Side::Remote);
        let retry_after = retry_after(response);
        match response.status {
            423 if self.brief < MAX_BRIEF => {
                match longer(response, self.settings.expires.max(self.min_expires)) {
                    Some(wanted) => {
                        self.brief += 1;
                        self.min_expires = wanted;
                        Verdict::Again
                    }
                    None => self.end(now, cause, retry_after, config, chance),
                }
            }
            // the notifier does not know this event, this method or us: asking again does not change that
            401 | 403 | 405 | 407 | 420 | 489 | 501 | 603 | 606 => Verdict::Gone(cause),
            // the dialog is gone at the other side: another one takes its place
            404 | 410 | 416 | 480..=485 | 604 => self.end(now, cause, retry_after, config, chance),
            _ if retry_after.is_some() => self.end(now, cause, retry_after, config, chance),
            _ => self.on_silence(now, cause, config, chance),
        }
    }

    /// A refresh that fails leaves the subscription as it is until it expires (RFC 6665 section 4.1.2.2).
    fn on_silence(&mut self, now: Instant, cause: Cause, config: &Config, chance: f64) -> Verdict {
        let pause = pause(config, self.failures, None, chance);
        if self.phase == Phase::Refreshing && self.until.is_some_and(|until| now + pause < until) {
            self.failures = self.failures.saturating_add(1);
            self.phase = Phase::Up;
            self.due = Some(now + pause);
            return Verdict::Nothing;
        }
        self.end(now, cause, None, config, chance)
    }

    /// Over for now: another one after a pause, which grows unless this one has lasted.
    pub(super) fn end(
        &mut self,
        now: Instant,
        cause: Cause,
        retry_after: Option<Duration>,
        config: &Config,
        chance: f64,
    ) -> Verdict {
        if self.leaving {
            return Verdict::Gone(unsubscribed());
        }
        if self.began.take().is_some_and(|began| now.saturating_duration_since(began) >= LASTED) {
            self.failures = 0;
        }
        self.brief = 0;
        self.told = None;
        self.dialog = None;
        self.confirmed = false;
        self.phase = Phase::Idle;
        let pause = pause(config, self.failures, retry_after, chance);
        self.failures = self.failures.saturating_add(1);
        self.due = Some(now + pause);
        Verdict::Tell(SubscriptionState::Ended { cause, retry_in: Some(pause) })
    }

    /// Its deadline is there.
    pub(crate) fn on_timer(&mut self, now: Instant, config: &Config, chance: f64) -> Verdict {
        self.due = None;
        match self.phase {
            Phase::Left => Verdict::Gone(unsubscribed()),
            Phase::Accepted => {
                let cause = Cause::new(408, "no NOTIFY came", Side::Network);
                self.end(now, cause, None, config, chance)
            }
            Phase::Up if self.until.is_some_and(|until| until <= now) => {
                let cause = Cause::new(408, "the subscription expired", Side::Network);
                self.end(now, cause, None, config, chance)
            }
            Phase::Idle | Phase::Up => Verdict::Again,
            Phase::Subscribing | Phase::Refreshing | Phase::Leaving => Verdict::Nothing,
        }
    }
}

pub(crate) fn unsubscribed() -> Cause {
    Cause::new(200, "unsubscribed", Side::Local)
}
