//! What a relay has for one far end: a permission, and a channel once it is worth one.

use std::time::{Duration, Instant};

use bytes::Bytes;

/// What waits for the permission.
const WAITING: usize = 32;
/// Most checks of ICE come to nothing: so many packets make a channel worth its request.
const WORTH: u8 = 8;
/// Renewed after this; they last for 300 and 600 s.
const PERMISSION: Duration = Duration::from_secs(200);
const CHANNEL: Duration = Duration::from_secs(300);
const CHANNEL_ENDS: Duration = Duration::from_secs(590);
const FORGOTTEN: Duration = Duration::from_secs(900);

#[derive(Debug, Default)]
pub(super) struct FarEnd {
    permitted: Option<Instant>,
    is_asked: bool,
    is_refused: bool,
    waiting: Vec<Bytes>,
    sent: u8,
    channel: Option<(u16, Instant)>,
    /// A request for a channel, new or renewed, is under way.
    is_binding: bool,
    used: Option<Instant>,
}

/// How a packet goes.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Way {
    Channel(u16),
    Indication {
        bind: bool,
    },
    /// After permission, which is to be asked for.
    Ask,
    /// Later, or not at all.
    Wait,
}

impl FarEnd {
    pub(super) fn send(&mut self, now: Instant, data: &Bytes) -> Way {
        self.used = Some(now);
        if let Some((number, _)) = self.channel.filter(|(_, at)| age(*at, now) < CHANNEL_ENDS) {
            return Way::Channel(number);
        }
        if self.permitted.is_some() {
            self.sent = self.sent.saturating_add(1);
            let bind = self.sent == WORTH && !self.is_binding;
            self.is_binding |= bind;
            return Way::Indication { bind };
        }
        if self.is_refused {
            return Way::Wait;
        }
        if self.waiting.len() < WAITING {
            self.waiting.push(data.clone());
        }
        if std::mem::replace(&mut self.is_asked, true) { Way::Wait } else { Way::Ask }
    }

    /// What has waited for it.
    pub(super) fn permitted(&mut self, now: Instant) -> Vec<Bytes> {
        (self.permitted, self.is_asked) = (Some(now), false);
        std::mem::take(&mut self.waiting)
    }

    pub(super) fn refused(&mut self) {
        (self.permitted, self.is_asked, self.is_refused) = (None, false, true);
        self.waiting.clear();
    }

    /// The next packet asks again.
    pub(super) fn unanswered(&mut self) {
        self.is_asked = false;
        self.waiting.clear();
    }

    pub(super) fn bound(&mut self, now: Instant, number: u16) {
        (self.channel, self.is_binding) = (Some((number, now)), false);
        // A channel is a permission too.
        self.permitted = Some(now);
    }

    pub(super) fn not_bound(&mut self) {
        self.is_binding = false;
    }

    pub(super) fn renew_permission(&mut self, now: Instant) -> bool {
        let is_old = self.permitted.is_some_and(|at| age(at, now) >= PERMISSION);
        let renews = is_old && self.is_used(now) && !self.is_asked && !self.is_binding;
        self.is_asked |= renews;
        renews
    }

    pub(super) fn renew_channel(&mut self, now: Instant) -> Option<u16> {
        let (number, at) = self.channel?;
        let renews = age(at, now) >= CHANNEL && self.is_used(now) && !self.is_binding;
        self.is_binding |= renews;
        renews.then_some(number)
    }

    fn is_used(&self, now: Instant) -> bool {
        self.used.is_some_and(|at| age(at, now) < PERMISSION)
    }

    /// Longer than whatever the server has for it lasts.
    pub(super) fn is_forgotten(&self, now: Instant) -> bool {
        self.used.is_none_or(|at| age(at, now) >= FORGOTTEN)
    }
}

fn age(at: Instant, now: Instant) -> Duration {
    now.saturating_duration_since(at)
}
