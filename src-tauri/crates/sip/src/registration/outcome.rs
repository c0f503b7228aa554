//! What follows from the outcome of a REGISTER.

use std::time::{Duration, Instant};

use crate::message::{Contacts, HeaderName, NameAddr, Response, Uri};
use crate::user_agent::{Cause, Config, FailureKind, Hop, Outcome, Side};

use super::retry::{back_off, longer, retry_after};
use super::{Bound, Granted, LONGEST, Registration, State};

/// Proxies of a Service-Route that are taken.
const MAX_ROUTES: usize = 16;
/// Answers of 423 taken in a row.
const MAX_BRIEF: u8 = 3;

/// What to do now.
#[derive(Debug)]
pub(crate) enum Verdict {
    Registered {
        expires: Duration,
    },
    /// send another REGISTER now
    Again,
    Failed {
        cause: Cause,
        kind: FailureKind,
        retry_in: Option<Duration>,
    },
    /// unregistered, or as good as: forget it
    Gone {
        reason: String,
    },
}

impl Registration {
    /// `cseq` is the last one used: challenges raise it. `chance` is between 0 and 1.
    pub(crate) fn on_outcome(
        &mut self,
        now: Instant,
        outcome: &Outcome,
        hop: Option<Hop>,
        cseq: u32,
        config: &Config,
        chance: f64,
    ) -> Verdict {
        self.cseq = self.cseq.max(cseq);
        let was_removing = self.state == State::Unregistering;
        self.state = State::Idle;
        if was_removing {
            return Verdict::Gone { reason: outcome_text(outcome) };
        }
        match outcome {
            Outcome::Response(response) if response.is_success() => self.on_success(now, response, hop),
            _ if self.leaving && self.bound.is_none_or(|bound| bound.until <= now) => {
                Verdict::Gone { reason: outcome_text(outcome) }
            }
            _ if self.leaving => Verdict::Again,
            Outcome::Response(response) => self.on_refusal(now, response, config, chance),
            Outcome::TimedOut | Outcome::Unreachable(_) => {
                self.fail(now, outcome.cause(), FailureKind::Unreachable, None, config, chance)
            }
        }
    }

    fn on_success(&mut self, now: Instant, response: &Response, hop: Option<Hop>) -> Verdict {
        self.failures = 0;
        self.brief = 0;
        let asked = self.settings.expires.max(self.min_expires);
        let expires = self.granted(response, hop.as_ref()).unwrap_or(asked);
        self.granted = self.grants(response);
        self.bound = hop.map(|hop| Bound { at: now, until: now + expires, hop, lost: false });
        if self.leaving {
            return Verdict::Again;
        }
        self.state = State::Registered;
        self.due = Some(now + refresh_after(expires));
        Verdict::Registered { expires }
    }

    fn grants(&self, response: &Response) -> Granted {
        let has_outbound = response
            .headers
            .require()
            .is_ok_and(|tags| tags.iter().any(|tag| tag.eq_ignore_ascii_case("outbound")));
        let contacts = match response.headers.contacts() {
            Ok(Contacts::List(contacts)) => contacts,
            _ => Vec::new(),
        };
        let own = contacts.iter().find(|contact| contact.uri.params.get("line") == Some(self.line.as_str()));
        let gruu = |name: &str| {
            let uri = Uri::parse(own?.params.get(name)?.trim()).ok()?;
            (self.settings.instance.is_some() && uri.is_sip()).then_some(uri)
        };
        let seconds =
            response.headers.get(&HeaderName::FLOW_TIMER).and_then(|value| value.trim().parse::<u32>().ok());
        let routes = response.headers.addresses(HeaderName::SERVICE_ROUTE).unwrap_or_default();
        Granted {
            service_route: routes
                .into_iter()
                .map(|route| route.uri)
                .filter(Uri::is_sip)
                .take(MAX_ROUTES)
                .collect(),
            flow_timer: seconds
                .filter(|seconds| *seconds > 0)
                .map(|seconds| Duration::from_secs(seconds.into())),
            outbound: self.settings.outbound && has_outbound,
            pub_gruu: gruu("pub-gruu"),
            temp_gruu: gruu("temp-gruu"),
        }
    }

    /// The expiry of our own Contact among all that the registrar lists, or of the whole response.
    fn granted(&self, response: &Response, hop: Option<&Hop>) -> Option<Duration> {
        let is_ours = |contact: &&NameAddr| {
            let same_line = contact.uri.params.get("line") == Some(self.line.as_str());
            let same_address =
                hop.is_some_and(|hop| (contact.uri.host.clone(), contact.uri.port) == hop.sent_by());
            same_line || same_address
        };
        let own = match response.headers.contacts() {
            Ok(Contacts::List(contacts)) => {
                let line = contacts.iter().find(|c| c.uri.params.get("line") == Some(self.line.as_str()));
                line.or_else(|| contacts.iter().find(is_ours)).and_then(NameAddr::expires)
            }
            _ => None,
        };
        let seconds = own.or_else(|| response.headers.expires().ok().flatten())?;
        Some(Duration::from_secs(seconds.into()).min(LONGEST))
    }

    fn on_refusal(&mut self, now: Instant, response: &Response, config: &Config, chance: f64) -> Verdict {
        let cause = Cause::new(response.status, response.reason.clone(), Side::Remote);
        match response.status {
            401 | 403 | 407 => {
                self.failures = 0;
                Verdict::Failed { cause, kind: FailureKind::AuthenticationFailed, retry_in: None }
            }
            // first hop lacks outbound support (RFC 5626 section 11.6)
            439 if self.settings.outbound => {
                self.settings.outbound = false;
                Verdict::Again
            }
            423 if self.brief < MAX_BRIEF => {
                match longer(response, self.settings.expires.max(self.min_expires)) {
                    Some(wanted) => {
                        self.brief += 1;
                        self.min_expires = wanted;
                        Verdict::Again
                    }
                    None => self.fail(now, cause, FailureKind::Refused, None, config, chance),
                }
            }
            _ => {
                let retry_after = retry_after(response).map(|asked| asked.min(Duration::from_secs(3600)));
                self.fail(now, cause, FailureKind::Refused, retry_after, config, chance)
            }
        }
    }

    fn fail(
        &mut self,
        now: Instant,
        cause: Cause,
        kind: FailureKind,
        retry_after: Option<Duration>,
        config: &Config,
        chance: f64,
    ) -> Verdict {
        self.brief = 0;
        let pause = back_off(config.retry_base, config.retry_limit, self.failures, chance);
        let pause = retry_after.map_or(pause, |asked| asked.max(Duration::from_secs(1)));
        self.failures = self.failures.saturating_add(1);
        self.due = Some(now + pause);
        Verdict::Failed { cause, kind, retry_in: Some(pause) }
    }
}

/// A tenth of the time, but not less than 5 s and not more than a minute, is left for the refresh; at least half is used.
fn refresh_after(expires: Duration) -> Duration {
    let margin = (expires / 10).clamp(Duration::from_secs(5), Duration::from_secs(60));
    expires.saturating_sub(margin).max(expires / 2).max(Duration::from_secs(1))
}

fn outcome_text(outcome: &Outcome) -> String {
    match outcome {
        Outcome::Response(response) => format!("{} {}", response.status, response.reason),
        Outcome::TimedOut => "408 Request Timeout".to_owned(),
        Outcome::Unreachable(reason) => reason.clone(),
    }
}
