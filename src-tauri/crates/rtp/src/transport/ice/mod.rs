//! ICE for one component (RFC 8445), with consent (RFC 7675).
//!
//! The component has one socket, so a pair is told by its remote candidate alone: from which of the machine's
//! addresses a check leaves is the routing's choice, and all our host candidates share the socket as their base.

mod answering;
mod check;
mod consent;
mod gathering;

use std::collections::VecDeque;
use std::fmt;
use std::net::SocketAddr;
use std::time::{Duration, Instant};

use zeroize::Zeroizing;

use super::random::Random;
use super::stun::{self, Binding, Class, Role};
use check::{Check, State};
use consent::Consent;

pub(super) use gathering::Gathering;

/// Between two new checks (Ta of RFC 8445 section 14.2).
const PACE: Duration = Duration::from_millis(50);
/// First repetition of a check; doubled each time.
const REPEAT: Duration = Duration::from_millis(500);
/// Times that a check is sent.
const TRIES: u8 = 7;
/// How long a better pair is waited for when one works.
const BETTER: Duration = Duration::from_millis(300);
/// How long a path is looked for.
const PATIENCE: Duration = Duration::from_secs(40);
/// Candidates of the peer; those beyond are not checked.
const SIGNALLED: usize = 32;
/// Addresses that show themselves in authentic checks.
const DISCOVERED: usize = 8;

/// User name fragment and password of one side. Never printed, wiped when dropped.
#[derive(Clone, PartialEq, Eq)]
pub struct Credentials {
    ufrag: String,
    pwd: Zeroizing<String>,
}

/// A candidate of the peer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RemoteCandidate {
    /// 1 for RTP, 2 for RTCP.
    pub component: u16,
    pub priority: u32,
    pub address: SocketAddr,
}

/// What the signalling agreed on. Other remote credentials than before are a restart.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct IceParameters {
    pub local: Credentials,
    pub remote: Credentials,
    pub candidates: Vec<RemoteCandidate>,
    /// We choose the pair, at first.
    pub controlling: bool,
}

impl Credentials {
    pub fn new(ufrag: &str, pwd: &str) -> Self {
        Self { ufrag: ufrag.to_owned(), pwd: Zeroizing::new(pwd.to_owned()) }
    }
}

impl fmt::Debug for Credentials {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Credentials({})", self.ufrag)
    }
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Transmit {
    pub(super) to: SocketAddr,
    pub(super) data: Vec<u8>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum IceEvent {
    /// Media goes to this address from now on.
    Selected(SocketAddr),
    /// Consent has run out.
    Silent,
    /// No candidate answered.
    Failed { candidates: usize },
}

pub(super) struct Agent {
    component: u16,
    local: Credentials,
    remote: Option<Credentials>,
    /// Of before a restart: the old path is kept alive until there is a new one.
    previous: Option<(Credentials, Credentials)>,
    role: Role,
    random: Random,
    checks: Vec<Check>,
    discovered: usize,
    /// Authentic checks that came before the peer's credentials.
    early: Vec<(SocketAddr, u32, bool)>,
    next_check: Instant,
    deadline: Option<Instant>,
    first_valid: Option<Instant>,
    selected: Option<SocketAddr>,
    consent: Consent,
    transmits: VecDeque<Transmit>,
    events: VecDeque<IceEvent>,
    ipv6: bool,
}

impl Agent {
    pub(super) fn new(
        now: Instant,
        component: u16,
        local: Credentials,
        ipv6: bool,
        mut random: Random,
    ) -> Self {
        let role = Role { controlling: false, tie_breaker: random.number() };
        Self {
            component,
            local,
            remote: None,
            previous: None,
            role,
            consent: Consent::new(now),
            random,
            checks: Vec::new(),
            discovered: 0,
            early: Vec::new(),
            next_check: now,
            deadline: None,
            first_valid: None,
            selected: None,
            transmits: VecDeque::new(),
            events: VecDeque::new(),
            ipv6,
        }
    }

    /// The tie-breaker is one for all components (RFC 8445 section 7.1.1).
    pub(super) fn set_tie_breaker(&mut self, tie_breaker: u64) {
        self.role.tie_breaker = tie_breaker;
    }

    pub(super) fn configure(&mut self, now: Instant, parameters: &IceParameters) {
        let restarted = self.remote.as_ref() != Some(&parameters.remote) || self.local != parameters.local;
        if restarted {
            let first = self.remote.is_none();
            let remote = self.remote.replace(parameters.remote.clone());
            let local = std::mem::replace(&mut self.local, parameters.local.clone());
            self.previous = remote.map(|remote| (local, remote));
            self.checks.clear();
            self.discovered = 0;
            self.first_valid = None;
            self.next_check = now;
            self.deadline = Some(now + PATIENCE);
            if first {
                self.role.controlling = parameters.controlling;
            }
        }
        for candidate in
            parameters.candidates.iter().filter(|candidate| candidate.component == self.component)
        {
            let fits = candidate.address.is_ipv6() == self.ipv6;
            let known = self.checks.iter().any(|check| check.remote == candidate.address);
            if fits && !known && self.checks.len() < SIGNALLED {
                self.checks.push(Check::new(candidate.address, candidate.priority));
            }
        }
        for (from, priority, nominated) in std::mem::take(&mut self.early) {
            self.trigger(now, from, priority, nominated);
        }
    }

    /// Where media goes; None before there is a path, and without the peer's consent.
    pub(super) fn target(&self) -> Option<SocketAddr> {
        self.selected.filter(|_| self.consent.is_given())
    }

    /// Whether a datagram from there may be the peer's: the path is in use, or a check went through.
    pub(super) fn knows(&self, from: SocketAddr) -> bool {
        self.selected == Some(from)
            || self.checks.iter().any(|check| check.remote == from && check.is_known())
    }

    pub(super) fn is_connected(&self) -> bool {
        self.selected.is_some()
    }

    pub(super) fn poll_transmit(&mut self) -> Option<Transmit> {
        self.transmits.pop_front()
    }

    pub(super) fn poll_event(&mut self) -> Option<IceEvent> {
        self.events.pop_front()
    }

    pub(super) fn poll_timeout(&self) -> Option<Instant> {
        self.remote.as_ref()?;
        let waiting = self.next_waiting().map(|_| self.next_check);
        let repeats = self.checks.iter().filter_map(Check::due);
        let nomination = self.nomination_due();
        let consent = self.selected.map(|_| self.consent.due());
        waiting.into_iter().chain(repeats).chain(nomination).chain(consent).chain(self.deadline).min()
    }

    pub(super) fn handle_timeout(&mut self, now: Instant) {
        if self.remote.is_none() {
            return;
        }
        self.keep_consent(now);
        for place in 0..self.checks.len() {
            let Some(check) = self.checks.get_mut(place) else { continue };
            if check.due().is_some_and(|due| due <= now) {
                if check.tries >= TRIES {
                    check.fail();
                } else {
                    self.send_check(now, place);
                }
            }
        }
        if now >= self.next_check
            && let Some(place) = self.next_waiting()
        {
            self.next_check = now + PACE;
            self.send_check(now, place);
        }
        self.nominate(now);
        if self.deadline.is_some_and(|deadline| deadline <= now) {
            self.deadline = None;
            let candidates = self.checks.len();
            self.events.push_back(IceEvent::Failed { candidates });
        }
    }

    pub(super) fn handle_datagram(&mut self, now: Instant, from: SocketAddr, datagram: &[u8]) {
        let Some(mut binding) = Binding::parse(datagram) else { return };
        match binding.class {
            Class::Request => self.on_request(now, from, &mut binding),
            Class::Success | Class::Error(_) => self.on_response(now, from, &mut binding),
        }
    }

    /// The check that goes out next: those that the peer asked for first, then by priority.
    fn next_waiting(&self) -> Option<usize> {
        if self.is_concluded() && !self.checks.iter().any(|check| check.triggered) {
            return None;
        }
        let waiting = self.checks.iter().enumerate().filter(|(_, check)| check.state == State::Waiting);
        let waiting = waiting.filter(|(_, check)| check.triggered || !self.is_concluded());
        waiting.max_by_key(|(_, check)| (check.triggered, check.priority)).map(|(place, _)| place)
    }

    /// A pair of this generation is in use.
    fn is_concluded(&self) -> bool {
        self.deadline.is_none()
    }

    fn send_check(&mut self, now: Instant, place: usize) {
        let Some(remote) = &self.remote else { return };
        let username = format!("{}:{}", remote.ufrag, self.local.ufrag);
        let Some(check) = self.checks.get_mut(place) else { return };
        if check.state == State::Waiting {
            check.id = self.random.transaction();
        }
        let priority = reflexive_priority(self.component);
        let nominate = self.role.controlling && check.nominating;
        let data = stun::check(check.id, &username, &remote.pwd, priority, self.role, nominate);
        check.sent(now);
        self.transmits.push_back(Transmit { to: check.remote, data });
    }

    fn on_response(&mut self, now: Instant, from: SocketAddr, binding: &mut Binding) {
        if self.consent.asked(&binding.id) {
            return self.on_consent(now, from, binding);
        }
        let Some(place) = self.checks.iter().position(|check| check.awaits(&binding.id)) else { return };
        let Some(remote) = &self.remote else { return };
        if !binding.is_authentic(&remote.pwd) {
            return;
        }
        let Some(check) = self.checks.get_mut(place) else { return };
        if check.remote != from {
            // RFC 8445 section 7.2.5.2.1: the path is not the same both ways.
            return check.fail();
        }
        match binding.class {
            Class::Success if binding.mapped().is_some() => {
                check.succeed();
                let (nominating, nominated) = (check.nominating, check.nominated);
                self.first_valid.get_or_insert(now);
                match self.role.controlling {
                    true if nominating => self.select(now, from),
                    true => self.nominate(now),
                    false if nominated => self.on_nominated(now, from),
                    false => {}
                }
            }
            Class::Error(487) => {
                check.wait(true);
                self.role.controlling = !self.role.controlling;
                self.checks.iter_mut().for_each(|check| check.nominating = false);
                self.next_check = self.next_check.min(now + PACE);
            }
            _ => check.fail(),
        }
    }

    /// When the pair is to be chosen that is the best so far.
    fn nomination_due(&self) -> Option<Instant> {
        let chosen = self.checks.iter().any(|check| check.nominating);
        let works = self.checks.iter().any(|check| check.state == State::Succeeded);
        if !self.role.controlling || self.is_concluded() || chosen || !works {
            return None;
        }
        self.first_valid.map(|valid| valid + BETTER)
    }

    /// Regular nomination (RFC 8445 section 8.1.1): the best pair that works, at once where none better is open.
    fn nominate(&mut self, now: Instant) {
        let Some(due) = self.nomination_due() else { return };
        let valid = self.checks.iter().enumerate().filter(|(_, check)| check.state == State::Succeeded);
        let Some((place, best)) = valid.max_by_key(|(_, check)| check.priority) else { return };
        let open = |check: &Check| matches!(check.state, State::Waiting | State::InProgress);
        let better = self.checks.iter().any(|check| open(check) && check.priority > best.priority);
        if !better || now >= due {
            if let Some(check) = self.checks.get_mut(place) {
                check.nominating = true;
                check.wait(true);
            }
            self.send_check(now, place);
        }
    }

    fn select(&mut self, now: Instant, address: SocketAddr) {
        let moved = self.selected != Some(address);
        let renewed = self.deadline.take().is_some();
        if renewed {
            self.previous = None;
            let open =
                self.checks.iter_mut().filter(|check| check.state == State::InProgress && !check.triggered);
            open.for_each(Check::fail);
        }
        if moved || renewed {
            self.selected = Some(address);
            self.consent.begin(now, &mut self.random);
            self.events.push_back(IceEvent::Selected(address));
        }
    }
}

/// Of a peer-reflexive candidate of ours, which our checks may turn out to be.
fn reflexive_priority(component: u16) -> u32 {
    110 << 24 | 0xffff << 8 | 256u32.saturating_sub(u32::from(component))
}
