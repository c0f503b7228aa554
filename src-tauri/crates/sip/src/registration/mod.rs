//! One registration at a registrar, kept alive: RFC 3261 section 10.2. A state machine without messages on the wire: it writes the
//! REGISTER and judges the outcome.

mod outcome;
mod retry;

use std::time::{Duration, Instant};

use crate::digest::Credentials;
use crate::message::{CSeq, HeaderName, Method, NameAddr, Request, Scheme, Uri};
use crate::user_agent::{Authority, Hop, Transport};

pub(crate) use outcome::Verdict;
pub(crate) use retry::{LONGEST, longer, pause, retry_after};

/// A connection that lasted this long after its REGISTER is not one of a server that throws us out.
const STEADY: Duration = Duration::from_secs(30);

/// An address of record to register, and where.
#[derive(Debug, Clone)]
pub struct Settings {
    pub aor: NameAddr,
    /// the Request-URI: the domain, without a user
    pub registrar: Uri,
    pub outbound_proxy: Option<Uri>,
    pub transport: Option<Transport>,
    pub authority: Authority,
    pub credentials: Option<Credentials>,
    /// how long each registration is to last; the registrar may say otherwise
    pub expires: Duration,
    /// UUID of this device, the same over all its starts: asks for a GRUU (RFC 5627) and is needed for `outbound`
    pub instance: Option<String>,
    /// ask for RFC 5626: the registrar reaches us over the flow that we registered by
    pub outbound: bool,
    /// keep that flow open, and register anew when it is dead
    pub keep_alive: bool,
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
    /// connections that were lost soon after they had brought a binding, in a row
    lost_soon: u32,
    min_expires: Duration,
    /// `unregister` was asked for while a REGISTER was on its way
    leaving: bool,
    /// when and over what the binding was made, and until when it lasts
    bound: Option<Bound>,
    granted: Granted,
}

/// What the registrar gave us besides.
#[derive(Debug, Default)]
struct Granted {
    service_route: Vec<Uri>,
    flow_timer: Option<Duration>,
    outbound: bool,
    pub_gruu: Option<Uri>,
    temp_gruu: Option<Uri>,
}

#[derive(Debug, Clone, Copy)]
struct Bound {
    at: Instant,
    until: Instant,
    hop: Hop,
    /// the connection is gone
    lost: bool,
}

impl Registration {
    pub(crate) fn new(mut settings: Settings, sip_id: String, from_tag: String, line: String) -> Self {
        settings.expires = settings.expires.clamp(Duration::from_secs(1), LONGEST);
        settings.instance = settings.instance.filter(|instance| is_uuid(instance));
        settings.outbound &= settings.instance.is_some();
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
            lost_soon: 0,
            min_expires: Duration::ZERO,
            leaving: false,
            bound: None,
            granted: Granted::default(),
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

    pub(crate) fn is_bound(&self, now: Instant) -> bool {
        self.bound.is_some_and(|bound| bound.until > now)
    }

    pub(crate) fn service_route(&self) -> &[Uri] {
        &self.granted.service_route
    }

    /// How often the registrar wants to hear of us (RFC 5626 section 10).
    pub(crate) fn flow_timer(&self) -> Option<Duration> {
        self.granted.flow_timer
    }

    /// The registrar uses our flow.
    pub(crate) fn has_outbound(&self) -> bool {
        self.granted.outbound
    }

    pub(crate) fn gruu(&self, temporary: bool) -> Option<&Uri> {
        if temporary { self.granted.temp_gruu.as_ref() } else { self.granted.pub_gruu.as_ref() }
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
        request.headers.push(HeaderName::SUPPORTED, self.supported());
        request.headers.push(HeaderName::EXPIRES, expires.as_secs().min(u64::from(u32::MAX)));
        request
    }

    fn supported(&self) -> &'static str {
        match (&self.settings.instance, self.settings.outbound) {
            (Some(_), true) => "path, outbound, gruu",
            (Some(_), false) => "path, gruu",
            (None, _) => "path",
        }
    }

    /// Whether there is something to remove at the registrar. Otherwise, or once it is done, the registration is gone.
    pub(crate) fn leave(&mut self, now: Instant) -> bool {
        self.leaving = true;
        self.due = None;
        self.bound.is_some_and(|bound| bound.until > now)
    }

    /// The connection that the registrar reaches us by is gone: register over a new one at once, but not in a tight loop.
    pub(crate) fn on_flow_closed(&mut self, now: Instant, hop: &Hop) {
        let Some(bound) = self.bound.as_mut().filter(|bound| !bound.lost && bound.hop.same_flow(hop)) else {
            return;
        };
        if self.state == State::Registered {
            bound.lost = true;
            let has_lasted = now.saturating_duration_since(bound.at) > STEADY;
            let pause = if has_lasted { Duration::ZERO } else { pause_after(self.lost_soon) };
            self.lost_soon = if has_lasted { 0 } else { self.lost_soon.saturating_add(1) };
            let soon = now + pause;
            self.due = Some(self.due.map_or(soon, |due| due.min(soon)));
        }
    }

    pub(crate) fn is_leaving(&self) -> bool {
        self.leaving
    }
}

/// A server that restarts is found again soon; one that keeps throwing us out is not stormed.
fn pause_after(lost_soon: u32) -> Duration {
    Duration::from_secs(1 << lost_soon.min(5)).min(STEADY)
}

/// RFC 9562: what would not fit into `urn:uuid:` could end the header.
fn is_uuid(text: &str) -> bool {
    let lengths = text.split('-').map(str::len);
    lengths.eq([8, 4, 4, 4, 12]) && text.bytes().all(|byte| byte == b'-' || byte.is_ascii_hexdigit())
}

/// What a REGISTER is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Registering {
    Bind,
    Remove,
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
            authority: Authority::default(),
            credentials: None,
            expires: Duration::from_secs(600),
            instance: None,
            outbound: false,
            keep_alive: false,
        }
    }
}
