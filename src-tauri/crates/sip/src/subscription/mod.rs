//! One subscription to the state of something, kept alive: RFC 6665 section 4.1. A state machine without messages on the wire: it
//! writes the SUBSCRIBE, judges its outcome and the NOTIFYs that follow.

mod notified;
mod outcome;

use std::time::{Duration, Instant};

use crate::dialog::Dialog;
use crate::message::{HeaderName, Method, NameAddr, Request, Uri};
use crate::registration::LONGEST;
use crate::user_agent::request::{Thread, outside};
use crate::user_agent::{Cause, Hop, Way};

pub(crate) use outcome::{Verdict, unsubscribed};

/// However short a notifier makes a subscription, it is not refreshed more often.
const SHORTEST_REFRESH: Duration = Duration::from_secs(10);
/// A subscription that lasted so long did not fail.
const LASTED: Duration = Duration::from_secs(60);

/// A subscription to place: to the mailbox (`message-summary`), the line (`dialog`) or the presence (`presence`) of `to`.
#[derive(Debug, Clone)]
pub struct Settings {
    /// the event package, with `;id=` where one is needed
    pub event: String,
    /// media types; a body of another one is refused with 415
    pub accept: Vec<String>,
    pub from: NameAddr,
    pub to: Uri,
    pub way: Way,
    /// further fields; those that the user agent writes itself are passed over
    pub headers: Vec<(HeaderName, String)>,
    /// how long each subscription is to last; the notifier may say otherwise
    pub expires: Duration,
}

impl Settings {
    /// For an hour, as `from`.
    pub fn new(event: impl Into<String>, accept: &str, from: NameAddr, to: Uri) -> Self {
        Self {
            event: event.into(),
            accept: vec![accept.to_owned()],
            from,
            to,
            way: Way::default(),
            headers: Vec::new(),
            expires: Duration::from_secs(3600),
        }
    }
}

/// What its owner is told of a subscription.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SubscriptionState {
    /// the notifier has not decided yet
    Pending,
    Active {
        expires: Duration,
    },
    /// With `retry_in` it comes back by itself, without it the id is gone.
    Ended {
        cause: Cause,
        retry_in: Option<Duration>,
    },
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Phase {
    /// nothing on its way; `due` says when to try again
    Idle,
    /// the first SUBSCRIBE is on its way
    Subscribing,
    /// accepted, and no NOTIFY yet: `due` is timer N
    Accepted,
    /// `due` is the refresh
    Up,
    Refreshing,
    /// SUBSCRIBE with Expires 0 is on its way
    Leaving,
    /// it was answered; the last NOTIFY may come until `due`
    Left,
}

#[derive(Debug)]
pub(crate) struct Subscription {
    settings: Settings,
    phase: Phase,
    /// of this try; each new one has its own
    pub(crate) call_id: String,
    pub(crate) local_tag: String,
    cseq: u32,
    dialog: Option<Dialog>,
    /// a NOTIFY has made the dialog, as opposed to a 2xx
    confirmed: bool,
    began: Option<Instant>,
    until: Option<Instant>,
    due: Option<Instant>,
    failures: u32,
    brief: u8,
    min_expires: Duration,
    leaving: bool,
    /// pending or active, as it was told last
    told: Option<bool>,
    hop: Option<Hop>,
}

impl Subscription {
    pub(crate) fn new(mut settings: Settings) -> Self {
        settings.expires = settings.expires.clamp(Duration::from_secs(1), LONGEST);
        Self {
            settings,
            phase: Phase::Idle,
            call_id: String::new(),
            local_tag: String::new(),
            cseq: 0,
            dialog: None,
            confirmed: false,
            began: None,
            until: None,
            due: None,
            failures: 0,
            brief: 0,
            min_expires: Duration::ZERO,
            leaving: false,
            told: None,
            hop: None,
        }
    }

    pub(crate) fn settings(&self) -> &Settings {
        &self.settings
    }

    pub(crate) fn next_deadline(&self) -> Option<Instant> {
        self.due
    }

    /// A SUBSCRIBE is on its way.
    pub(crate) fn is_busy(&self) -> bool {
        matches!(self.phase, Phase::Subscribing | Phase::Refreshing | Phase::Leaving)
    }

    pub(crate) fn is_leaving(&self) -> bool {
        self.leaving
    }

    /// The notifier knows of us.
    pub(crate) fn has_dialog(&self) -> bool {
        self.dialog.is_some()
    }

    /// Forgets the dialog there was: the next SUBSCRIBE makes another.
    pub(crate) fn start_anew(&mut self, call_id: String, local_tag: String) {
        self.call_id = call_id;
        self.local_tag = local_tag;
        self.cseq = 0;
        self.dialog = None;
        self.confirmed = false;
        self.until = None;
    }

    /// The next SUBSCRIBE and the URI it goes to, without Via, Contact and credentials.
    pub(crate) fn request(&mut self) -> (Request, Option<Uri>) {
        self.due = None;
        let expires = if self.leaving { Duration::ZERO } else { self.settings.expires.max(self.min_expires) };
        let (mut request, next) = match &mut self.dialog {
            Some(dialog) => {
                self.phase = if self.leaving { Phase::Leaving } else { Phase::Refreshing };
                dialog.local_cseq = dialog.local_cseq.max(self.cseq);
                let (request, next) = dialog.request(Method::Subscribe);
                self.cseq = dialog.local_cseq;
                (request, Some(next))
            }
            None => {
                self.phase = Phase::Subscribing;
                self.cseq += 1;
                let thread = Thread { call_id: &self.call_id, from_tag: &self.local_tag, cseq: self.cseq };
                let settings = &self.settings;
                (outside(Method::Subscribe, &settings.from, &settings.to, &settings.way.route, &thread), None)
            }
        };
        request.headers.push(HeaderName::EVENT, &self.settings.event);
        request.headers.push(HeaderName::ACCEPT, self.settings.accept.join(", "));
        request.headers.push(HeaderName::EXPIRES, expires.as_secs());
        (request, next)
    }

    /// Ask for less: `unsubscribe` was called. Whether a SUBSCRIBE with Expires 0 has to go out now.
    pub(crate) fn leave(&mut self) -> bool {
        self.leaving = true;
        self.has_dialog() && !self.is_busy() && self.phase != Phase::Left
    }

    /// The connection that NOTIFYs come over is gone: refresh over another one, `pause` from now.
    pub(crate) fn on_flow_closed(&mut self, now: Instant, hop: &Hop, pause: Duration) {
        if self.phase == Phase::Up && self.hop.is_some_and(|ours| ours.same_flow(hop)) {
            let soon = now + pause;
            self.due = Some(self.due.map_or(soon, |due| due.min(soon)));
        }
    }

    /// What a NOTIFY says of the time left: most notifiers count it down, which must not put the refresh off.
    fn remain(&mut self, now: Instant, expires: Duration) {
        let due = self.due;
        let before = self.until;
        self.extend(now, expires);
        if self.until <= before.map(|until| until + Duration::from_secs(5)) {
            self.due = [due, self.due].into_iter().flatten().min();
        }
    }

    /// Sets the end and the refresh of a subscription that lasts so much longer.
    fn extend(&mut self, now: Instant, expires: Duration) {
        let expires = expires.min(LONGEST);
        self.until = Some(now + expires);
        let margin = (expires / 10).clamp(Duration::from_secs(5), Duration::from_secs(60));
        let refresh = expires.saturating_sub(margin).max(expires / 2).max(SHORTEST_REFRESH);
        if !matches!(self.phase, Phase::Refreshing | Phase::Leaving | Phase::Left) {
            self.due = Some(now + refresh);
        }
    }
}
