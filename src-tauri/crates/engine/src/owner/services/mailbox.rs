//! Messages waiting: RFC 3842.

use super::{
    super::{Owner, text},
    About,
};
use sidetone_api::{MessagesWaiting, SessionId};
use sidetone_sip::body::MessageSummary;
use sidetone_sip::{Subscription, SubscriptionState};
use std::time::Instant;

impl Owner {
    /// Asks for the account's mailbox, once.
    pub(super) fn watch_mailbox(&mut self, id: &SessionId) {
        let Some(session) = self.sessions.get(id) else { return };
        let about = About::Mailbox(id.clone());
        let known = self.services.subscriptions.values().any(|known| *known == about);
        if known || !session.account.mwi || session.is_local() {
            return;
        }
        let (aor, to) = (session.aor.clone(), session.aor.uri.clone());
        let wanted = Subscription {
            way: self.way_of(session),
            ..Subscription::new("message-summary", MessageSummary::CONTENT_TYPE, aor, to)
        };
        let subscription = self.phone.ua.subscribe(Instant::now(), wanted);
        self.services.subscriptions.insert(subscription, about);
    }

    pub(super) fn leave_mailbox(&mut self, id: &SessionId) {
        self.unsubscribe_from(|about| *about == About::Mailbox(id.clone()));
        self.services.mailboxes.remove(id);
    }

    pub(super) fn on_mailbox(&mut self, id: &SessionId, body: &[u8]) {
        if body.is_empty() {
            return self.set_mailbox(id, None);
        }
        let summary = match MessageSummary::parse(body) {
            Ok(summary) => summary,
            Err(error) => return tracing::debug!("a message summary that cannot be read: {error}"),
        };
        let Some(session) = self.sessions.get(id) else { return };
        let counts = summary.voice.unwrap_or_default();
        let mailbox = session.account.voicemail.clone().or(summary.account.as_deref().map(text::shown));
        let waiting = MessagesWaiting { waiting: summary.waiting, new: counts.new, old: counts.old, mailbox };
        self.set_mailbox(id, Some(waiting));
    }

    pub(super) fn on_mailbox_state(&mut self, id: &SessionId, state: &SubscriptionState) {
        if let SubscriptionState::Ended { cause, .. } = state {
            tracing::debug!("the mailbox of {id} does not tell: {cause}");
            self.set_mailbox(id, None);
        }
    }

    fn set_mailbox(&mut self, id: &SessionId, waiting: Option<MessagesWaiting>) {
        let before = match waiting.clone() {
            Some(waiting) => self.services.mailboxes.insert(id.clone(), waiting),
            None => self.services.mailboxes.remove(id),
        };
        if before != waiting && self.open_session(id).is_ok() {
            self.publish_session(id);
        }
    }

    /// Ends the subscriptions that are about this.
    pub(super) fn unsubscribe_from(&mut self, fits: impl Fn(&About) -> bool) {
        let now = Instant::now();
        let all = self.services.subscriptions.iter();
        let ended: Vec<_> = all.filter(|(_, about)| fits(about)).map(|(id, _)| *id).collect();
        for id in ended {
            self.services.subscriptions.remove(&id);
            self.phone.ua.unsubscribe(now, id);
        }
    }
}
