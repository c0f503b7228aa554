//! What an account does besides calls: messages, its mailbox, the lines and the presence of others, and its own presence.

mod data;
mod mailbox;
mod presence;
mod watch;

use super::{Owner, session::Session};
use sidetone_api::{ContactId, ContactState, DataId, MessagesWaiting, SessionId};
use sidetone_sip::message::Uri;
use sidetone_sip::{Event, MessageId, PublicationId, RegistrationId, SubscriptionId, SubscriptionState, Way};
use std::collections::{BTreeMap, HashMap};

#[derive(Default)]
pub(super) struct Services {
    /// Messages of ours without an answer.
    sent: HashMap<MessageId, Sent>,
    received: data::Allowance,
    subscriptions: HashMap<SubscriptionId, About>,
    mailboxes: HashMap<SessionId, MessagesWaiting>,
    watched: BTreeMap<ContactId, watch::Watched>,
    /// Of those that are watched.
    asked_about: usize,
    publications: HashMap<SessionId, PublicationId>,
    /// The presence that was published last.
    presence: presence::Own,
}

struct Sent {
    data_id: DataId,
    session_id: SessionId,
}

/// What a subscription is for.
#[derive(Debug, Clone, PartialEq, Eq)]
enum About {
    Mailbox(SessionId),
    Line(ContactId),
    Presence(ContactId),
}

impl Services {
    pub(super) fn messages_waiting(&self, session: &SessionId) -> Option<MessagesWaiting> {
        self.mailboxes.get(session).cloned()
    }

    pub(super) fn contact_states(&self) -> Vec<ContactState> {
        self.watched.values().map(watch::Watched::state).collect()
    }
}

impl Owner {
    pub(super) fn on_service_event(&mut self, event: Event) {
        match event {
            Event::MessageReceived(message) => self.on_message(message),
            Event::MessageAnswered { id, status, reason } => self.on_message_answered(id, status, &reason),
            Event::Subscription { id, state } => self.on_subscription(id, state),
            Event::Notified { id, body, .. } => match self.services.subscriptions.get(&id).cloned() {
                Some(About::Mailbox(session)) => self.on_mailbox(&session, &body),
                Some(About::Line(contact)) => self.on_line(&contact, &body),
                Some(About::Presence(contact)) => self.on_presence(&contact, &body),
                None => {}
            },
            Event::UnsolicitedNotify { registration, body, .. } => {
                if let Some(session) = self.open_session_of(registration) {
                    self.on_mailbox(&session, &body);
                }
            }
            Event::Publication { id, state } => self.on_publication(id, &state),
            _ => {}
        }
    }

    fn on_subscription(&mut self, id: SubscriptionId, state: SubscriptionState) {
        let Some(about) = self.services.subscriptions.get(&id).cloned() else { return };
        if matches!(state, SubscriptionState::Ended { retry_in: None, .. }) {
            self.services.subscriptions.remove(&id);
        }
        match about {
            About::Mailbox(session) => self.on_mailbox_state(&session, &state),
            About::Line(contact) => self.on_line_state(&contact, &state),
            About::Presence(contact) => self.on_presence_state(&contact, &state),
        }
    }

    /// A registrar took us, for the first time or again.
    pub(super) fn start_services(&mut self, registration: RegistrationId) {
        let Some(session) = self.open_session_of(registration) else { return };
        self.watch_mailbox(&session);
        self.publish_presence(&session);
        self.watch_contacts();
    }

    /// The proxies that requests of this session pass first: its own, and those that the registrar named (RFC 3608).
    pub(super) fn service_route_of(&self, session: &Session) -> Vec<Uri> {
        let route = session.route();
        let named = session.registration.map(|id| self.phone.ua.service_route(id)).unwrap_or_default();
        let Some(first) = named.first() else { return route };
        let proxy = session.outbound_proxy.iter().filter(|proxy| proxy.host != first.host).cloned();
        proxy.chain(named.iter().cloned()).collect()
    }

    /// By which way, and with whose credentials, this session asks for something.
    pub(super) fn way_of(&self, session: &Session) -> Way {
        Way { route: self.service_route_of(session), ..session.way() }
    }

    /// The session is closed or unregisters: nothing is asked for on its behalf any more.
    pub(super) fn stop_services(&mut self, session: &SessionId) {
        self.leave_mailbox(session);
        self.unpublish_presence(session);
        self.unwatch_by(session);
    }
}
