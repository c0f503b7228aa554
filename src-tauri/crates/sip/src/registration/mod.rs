//! One registration at a registrar, kept alive: RFC 3261 section 10.2. A state machine without messages on the wire: it writes the
//! REGISTER and judges the outcome.

mod retry;

use std::time::{Duration, Instant};

use crate::digest::Credentials;
use crate::message::{CSeq, Contacts, HeaderName, Method, NameAddr, Request, Response, Scheme, Uri};
use crate::user_agent::{Cause, Config, FailureKind, Hop, Outcome, Side, Transport};

pub(crate) use retry::back_off;

/// What a registrar may ask for at most with 423; longer ones would never be refreshed in a sensible time.
const LONGEST: Duration = Duration::from_secs(24 * 3600);
/// Answers of 423 taken in a row.
const MAX_BRIEF: u8 = 3;

/// An address of record to register, and where.
#[derive(Debug, Clone)]
pub struct Settings {
    pub aor: NameAddr,
    /// the Request-URI: the domain, without a user
    pub registrar: Uri,
    pub outbound_proxy: Option<Uri>,
    pub transport: Option<Transport>,
    pub credentials: Option<Credentials>,
    /// how long each registration is to last; the registrar may say otherwise
    pub expires: Duration,
}

impl Settings {
    pub(crate) fn servers(&self) -> impl Iterator<Item = &Uri> {
        self.outbound_proxy.iter().chain([&self.registrar])
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    /// nothing on its way; `due` says when to try again, if ever
    Idle,
    Registering,
    Registered,
    Unregistering,
}

#[derive(Debug)]
pub(crate) struct Registration {
    settings: Settings,
    state: State,
    sip_id: String,
    from_tag: String,
    /// parameter of our Contact by which calls to it are told apart
    pub(crate) line: String,
    cseq: u32,
    due: Option<Instant>,
    failures: u32,
    brief: u8,
    min_expires: Duration,
    /// `unregister` was asked for while a REGISTER was on its way
    leaving: bool,
    /// when and over what the binding was made, and until when it lasts
    bound: Option<Bound>,
}

#[derive(Debug, Clone, Copy)]
struct Bound {
    at: Instant,
    until: Instant,
    hop: Hop,
}

/// What follows from the outcome of a REGISTER.
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
    pub(crate) fn new(mut settings: Settings, sip_id: String, from_tag: String, line: String) -> Self {
        settings.expires = settings.expires.clamp(Duration::from_secs(1), LONGEST);
        Self {
            settings,
            state: State::Idle,
            sip_id,
            from_tag,
            line,
            cseq: 0,
            due: None,
            failures: 0,
            brief: 0,
            min_expires: Duration::ZERO,
            leaving: false,
            bound: None,
        }
    }

    pub(crate) fn settings(&self) -> &Settings {
        &self.settings
    }

    pub(crate) fn next_deadline(&self) -> Option<Instant> {
        self.due
    }

    /// A REGISTER is on its way.
    pub(crate) fn is_busy(&self) -> bool {
        matches!(self.state, State::Registering | State::Unregistering)
    }

    /// Where the registrar has us bound now.
    pub(crate) fn bound_over(&self) -> Option<Hop> {
        self.bound.map(|bound| bound.hop)
    }

    /// The next REGISTER, without Via, Contact and credentials. All of one registration share Call-ID and count up.
    pub(crate) fn request(&mut self, what: Registering) -> Request {
        let expires = match what {
            Registering::Bind => self.settings.expires.max(self.min_expires),
            Registering::Remove => Duration::ZERO,
        };
        self.state = match what {
            Registering::Bind => State::Registering,
            Registering::Remove => State::Unregistering,
        };
        self.due = None;
        self.cseq += 1;
        let mut uri = self.settings.registrar.clone();
        uri.user = None;
        uri.password = None;
        uri.headers.clear();
        let mut request = Request::new(Method::Register, uri);
        if let Some(proxy) = &self.settings.outbound_proxy {
            let mut route = proxy.clone();
            if !route.is_loose_route() {
                route.params.set_flag("lr");
            }
            request.headers.push(HeaderName::ROUTE, NameAddr::new(route));
        }
        let mut from = self.settings.aor.clone();
        let to = NameAddr { params: Default::default(), ..self.settings.aor.clone() };
        from.params = Default::default();
        from.set_tag(&self.from_tag);
        request.headers.push(HeaderName::MAX_FORWARDS, 70);
        request.headers.push(HeaderName::FROM, from);
        request.headers.push(HeaderName::TO, to);
        request.headers.push(HeaderName::CALL_ID, &self.sip_id);
        request.headers.push(HeaderName::CSEQ, CSeq::new(self.cseq, Method::Register));
        request.headers.push(HeaderName::EXPIRES, expires.as_secs().min(u64::from(u32::MAX)));
        request
    }

    /// Whether there is something to remove at the registrar. Otherwise, or once it is done, the registration is gone.
    pub(crate) fn leave(&mut self, now: Instant) -> bool {
        self.leaving = true;
        self.due = None;
        self.bound.is_some_and(|bound| bound.until > now)
    }

    /// The connection that the registrar reaches us by is gone: register over a new one soon, but not in a tight loop.
    pub(crate) fn on_flow_closed(&mut self, now: Instant, hop: &Hop) {
        let Some(bound) = self.bound.filter(|bound| bound.hop.same_flow(hop)) else { return };
        if self.state == State::Registered {
            let lasted = now.saturating_duration_since(bound.at);
            let pause = if lasted > Duration::from_secs(30) { 1 } else { 30 };
            let soon = now + Duration::from_secs(pause);
            self.due = Some(self.due.map_or(soon, |due| due.min(soon)));
        }
    }

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
            Outcome::TimedOut => {
                let cause = Cause::new(408, "Request Timeout", Side::Network);
                self.fail(now, cause, FailureKind::Unreachable, None, config, chance)
            }
            Outcome::Unreachable(reason) => {
                let cause = Cause::new(503, reason.clone(), Side::Network);
                self.fail(now, cause, FailureKind::Unreachable, None, config, chance)
            }
        }
    }

    pub(crate) fn is_leaving(&self) -> bool {
        self.leaving
    }

    fn on_success(&mut self, now: Instant, response: &Response, hop: Option<Hop>) -> Verdict {
        self.failures = 0;
        self.brief = 0;
        let asked = self.settings.expires.max(self.min_expires);
        let expires = self.granted(response, hop.as_ref()).unwrap_or(asked);
        self.bound = hop.map(|hop| Bound { at: now, until: now + expires, hop });
        if self.leaving {
            return Verdict::Again;
        }
        self.state = State::Registered;
        self.due = Some(now + refresh_after(expires));
        Verdict::Registered { expires }
    }

    /// The expiry of our own Contact among all that the registrar lists, or of the whole response.
    fn granted(&self, response: &Response, hop: Option<&Hop>) -> Option<Duration> {
        let is_ours = |contact: &&NameAddr| {
            let same_line = contact.uri.params.get("line") == Some(self.line.as_str());
            let same_address = hop.is_some_and(|hop| {
                contact.uri.host.ip() == Some(hop.local.ip()) && contact.uri.port == Some(hop.local.port())
            });
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
            423 if self.brief < MAX_BRIEF => {
                let wanted =
                    response.headers.min_expires().ok().flatten().map(u64::from).map(Duration::from_secs);
                match wanted.filter(|wanted| *wanted > self.settings.expires.max(self.min_expires)) {
                    Some(wanted) if wanted <= LONGEST => {
                        self.brief += 1;
                        self.min_expires = wanted;
                        Verdict::Again
                    }
                    _ => self.fail(now, cause, FailureKind::Refused, None, config, chance),
                }
            }
            _ => {
                let retry_after = response.headers.retry_after().ok().flatten().map(u64::from);
                let retry_after = retry_after.map(|seconds| Duration::from_secs(seconds.min(3600)));
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

/// What a REGISTER is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Registering {
    Bind,
    Remove,
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

impl Settings {
    /// The registrar of the address's own domain.
    pub fn of(aor: NameAddr) -> Self {
        let mut registrar = aor.uri.clone();
        registrar.user = None;
        if !registrar.is_sip() {
            registrar.scheme = Scheme::Sip;
        }
        Self {
            aor,
            registrar,
            outbound_proxy: None,
            transport: None,
            credentials: None,
            expires: Duration::from_secs(600),
        }
    }
}
