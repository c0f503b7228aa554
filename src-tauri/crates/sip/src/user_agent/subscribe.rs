//! SUBSCRIBE out and NOTIFY in: RFC 6665.

use std::time::{Duration, Instant};

use crate::message::{HeaderName, Request};
use crate::subscription::{Subscription as State, SubscriptionState, Verdict, unsubscribed};

use super::attempt::{Attempt, Purpose};
use super::challenge::Login;
use super::event::{Cause, Event, RegistrationId, Side, SubscriptionId};
use super::headers::{self, Contact};
use super::hop::Hop;
use super::outcome::Outcome;
use super::{Due, UserAgent};

pub use crate::subscription::Settings as Subscription;

impl UserAgent {
    /// Subscribes and stays subscribed until `unsubscribe`, or until the notifier says that there is no use in it.
    pub fn subscribe(&mut self, now: Instant, subscription: Subscription) -> SubscriptionId {
        let id = SubscriptionId(self.new_id());
        if self.subscriptions.len() >= self.config.max_subscriptions {
            let cause = Cause::new(503, "Too many subscriptions", Side::Local);
            self.emit(Event::Subscription { id, state: SubscriptionState::Ended { cause, retry_in: None } });
            return id;
        }
        self.subscriptions.insert(id, State::new(subscription));
        self.send_subscribe(now, id);
        id
    }

    /// Ends with [`SubscriptionState::Ended`], whatever the notifier says.
    pub fn unsubscribe(&mut self, now: Instant, id: SubscriptionId) {
        let Some(subscription) = self.subscriptions.get_mut(&id) else { return };
        if subscription.is_leaving() {
            return;
        }
        if subscription.leave() {
            self.send_subscribe(now, id);
        } else if !subscription.is_busy() {
            self.forget_subscription(id, unsubscribed());
        }
    }

    /// Refreshes, or tries again, at once: the network came back.
    pub fn resubscribe(&mut self, now: Instant, id: SubscriptionId) {
        let free = |subscription: &State| !subscription.is_busy() && !subscription.is_leaving();
        if self.subscriptions.get(&id).is_some_and(free) {
            self.send_subscribe(now, id);
        }
    }

    fn send_subscribe(&mut self, now: Instant, id: SubscriptionId) {
        let allow = self.allow();
        let Some(subscription) = self.subscriptions.get(&id) else { return };
        // A presence server sends to the Contact by itself, and does not have to know what a GRUU of the registrar means.
        let contact = Contact { gruu: None, ..self.contact_of(&subscription.settings().from, false) };
        let Some(subscription) = self.subscriptions.get_mut(&id) else { return };
        if !subscription.has_dialog() {
            let (call_id, local_tag) = (self.random.token(), self.random.token());
            self.subscription_dialogs.remove(&(subscription.call_id.clone(), subscription.local_tag.clone()));
            self.subscription_dialogs.insert((call_id.clone(), local_tag.clone()), id);
            subscription.start_anew(call_id, local_tag);
        }
        let (mut request, next) = subscription.request();
        let settings = subscription.settings();
        request.headers.push(HeaderName::ALLOW, allow);
        headers::add_extra(&mut request.headers, &settings.headers);
        let way = settings.way.clone();
        let mut attempt =
            self.attempt_outside(Purpose::Subscribe(id), request, Login::Subscription(id), &way);
        if let Some(next) = next {
            attempt.next = next;
            attempt.own_route = false;
        }
        attempt.contact = Some(contact);
        attempt.transport = way.transport.filter(|_| attempt.next.transport().is_none());
        self.deadlines.set(Due::Subscription(id), None);
        let attempt_id = self.new_attempt_id();
        self.launch(now, attempt_id, attempt);
    }

    pub(super) fn on_subscribe_outcome(
        &mut self,
        now: Instant,
        id: SubscriptionId,
        attempt: &Attempt,
        outcome: &Outcome,
    ) {
        let chance = self.chance();
        let Some(subscription) = self.subscriptions.get_mut(&id) else { return };
        let verdict =
            subscription.on_outcome(now, outcome, &attempt.request, attempt.hop, &self.config, chance);
        self.carry_out(now, id, verdict);
    }

    pub(super) fn on_subscription_timer(&mut self, now: Instant, id: SubscriptionId) {
        let chance = self.chance();
        let Some(subscription) = self.subscriptions.get_mut(&id) else { return };
        let verdict = subscription.on_timer(now, &self.config, chance);
        self.carry_out(now, id, verdict);
    }

    fn carry_out(&mut self, now: Instant, id: SubscriptionId, verdict: Verdict) {
        let deadline = self.subscriptions.get(&id).and_then(State::next_deadline);
        self.deadlines.set(Due::Subscription(id), deadline);
        match verdict {
            Verdict::Nothing => {}
            Verdict::Again => self.send_subscribe(now, id),
            Verdict::Tell(state) => self.emit(Event::Subscription { id, state }),
            Verdict::Gone(cause) => self.forget_subscription(id, cause),
        }
    }

    fn forget_subscription(&mut self, id: SubscriptionId, cause: Cause) {
        let Some(subscription) = self.subscriptions.remove(&id) else { return };
        self.subscription_dialogs.remove(&(subscription.call_id, subscription.local_tag));
        self.logins.remove(&Login::Subscription(id));
        self.deadlines.set(Due::Subscription(id), None);
        self.emit(Event::Subscription { id, state: SubscriptionState::Ended { cause, retry_in: None } });
    }

    pub(super) fn chance(&mut self) -> f64 {
        self.random.number() as f64 / u64::MAX as f64
    }

    /// Those that used this connection are refreshed over another one, not all in the same moment.
    pub(super) fn on_subscription_flow_closed(&mut self, now: Instant, hop: &Hop) {
        for (id, subscription) in &mut self.subscriptions {
            let pause = self.random.between(Duration::from_secs(2), Duration::from_secs(8));
            subscription.on_flow_closed(now, hop, pause);
            self.deadlines.set(Due::Subscription(*id), subscription.next_deadline());
        }
    }

    /// The subscription that a NOTIFY names by Call-ID and our tag.
    pub(super) fn subscription_of(&self, notify: &Request) -> Option<SubscriptionId> {
        let to = notify.headers.to().ok()?;
        let key = (notify.headers.call_id().ok()?.to_owned(), to.tag()?.to_owned());
        self.subscription_dialogs.get(&key).copied()
    }

    /// A NOTIFY that belongs to no call.
    pub(super) fn on_notify_outside(&mut self, now: Instant, request: &Request, hop: Hop) {
        if request.body.len() > self.config.max_message_body {
            return self.respond_once(now, request, hop, 413);
        }
        let Some(id) = self.subscription_of(request) else {
            return self.on_unsolicited_notify(now, request, hop);
        };
        let chance = self.chance();
        let Some(subscription) = self.subscriptions.get_mut(&id) else { return };
        match subscription.on_notify(now, request, &self.config, chance) {
            Err(status) => self.respond_once(now, request, hop, status),
            Ok(noticed) => {
                self.respond_once(now, request, hop, 200);
                if let Some(state) = noticed.state {
                    self.emit(Event::Subscription { id, state });
                }
                if noticed.tell_body {
                    let content_type = request.headers.content_type().ok().flatten().unwrap_or_default();
                    self.emit(Event::Notified { id, content_type, body: request.body.clone() });
                }
                self.carry_out(now, id, noticed.verdict);
            }
        }
    }

    /// A mailbox that tells without being asked is believed where our registrar is.
    fn on_unsolicited_notify(&mut self, now: Instant, request: &Request, hop: Hop) {
        let has_tag = request.headers.to().is_ok_and(|to| to.tag().is_some());
        let (package, _) = request.headers.event();
        let registration = self.registration_behind(request, &hop).filter(|_| !has_tag);
        let Some(registration) = registration.filter(|_| package == "message-summary") else {
            return self.respond_once(now, request, hop, 481);
        };
        let content_type = request.headers.content_type();
        let Ok(Some(content_type)) = content_type else {
            return self.respond_once(now, request, hop, if request.body.is_empty() { 200 } else { 400 });
        };
        self.respond_once(now, request, hop, 200);
        let body = request.body.clone();
        self.emit(Event::UnsolicitedNotify { registration, event: package, content_type, body });
    }

    /// The registration that a request of its registrar is about, by our Contact or else by the user that it names.
    fn registration_behind(&self, request: &Request, hop: &Hop) -> Option<RegistrationId> {
        let from_registrar = |id: &RegistrationId| {
            let bound = self.registrations.get(id).and_then(|registration| registration.bound_over());
            bound.is_some_and(|bound| bound.remote.ip() == hop.remote.ip())
        };
        if let Some(id) = self.registration_called(&request.uri) {
            return Some(id).filter(from_registrar);
        }
        let named = |id: &&RegistrationId| {
            self.registrations.get(id).is_some_and(|known| known.settings().aor.uri.user == request.uri.user)
        };
        let mut ids: Vec<_> =
            self.registrations.keys().filter(named).filter(|id| from_registrar(id)).collect();
        ids.sort();
        ids.first().map(|id| **id)
    }
}
