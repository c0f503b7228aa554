//! Watched contacts: the busy lamp (RFC 4235) and the presence (RFC 3856) of each.

use super::{
    super::{Owner, dialplan::DialPlan, session::Session, target::Target, text},
    About,
};
use sidetone_api::{Contact, ContactId, ContactState, Event, LineState, RegistrationStatus, SessionId};
use sidetone_sip::body::{Applied, DialogInfo, Line, Lit, Presence};
use sidetone_sip::message::Uri;
use sidetone_sip::{Subscription, SubscriptionState};
use std::time::Instant;

/// Contacts that are asked about at a time; the others say so.
const MAX_WATCHED: usize = 512;

pub(super) struct Watched {
    id: ContactId,
    /// its first address, as it was when the watching began
    address: String,
    /// `None` while no account can ask
    session: Option<SessionId>,
    line: Option<Line>,
    available: Option<bool>,
    /// what the person says
    words: Option<String>,
    /// why the line or the presence is not told
    trouble: [Option<String>; 2],
    /// as many others are watched as can be
    left_out: bool,
}

impl Watched {
    fn new(contact: &Contact, address: String) -> Self {
        Self::unasked(contact.id.clone(), address)
    }

    fn unasked(id: ContactId, address: String) -> Self {
        Self {
            id,
            address,
            session: None,
            line: None,
            available: None,
            words: None,
            trouble: [None, None],
            left_out: false,
        }
    }

    pub(super) fn state(&self) -> ContactState {
        let line = match self.line.as_ref().map(Line::lit) {
            None => LineState::Unknown,
            Some(Lit::Idle) => LineState::Idle,
            Some(Lit::Ringing) => LineState::Ringing,
            Some(Lit::Busy) => LineState::Busy,
        };
        let nothing_known = self.line.is_none() && self.available.is_none();
        let trouble = || {
            let found = self.trouble.iter().flatten().next().cloned();
            nothing_known.then(|| match (&self.session, found) {
                (_, Some(trouble)) => trouble,
                (None, None) if self.left_out => {
                    format!("{MAX_WATCHED} contacts are watched, which is the most")
                }
                (None, None) => "no account is registered that could ask".to_owned(),
                (Some(_), None) => String::new(),
            })
        };
        let note = self.words.clone().or_else(trouble).unwrap_or_default();
        ContactState { contact_id: self.id.clone(), line, available: self.available, note }
    }
}

impl Owner {
    /// Begins to watch every contact that is to be watched and is not.
    pub(in super::super) fn watch_contacts(&mut self) {
        let wanted: Vec<Contact> = self.contacts.values().filter(|contact| contact.watch).cloned().collect();
        wanted.iter().for_each(|contact| self.watch_contact(contact));
    }

    /// A contact is new or has changed: it is watched, watched at another address, or not any more.
    pub(in super::super) fn watch_contact(&mut self, contact: &Contact) {
        let address = contact.addresses.first().map(|first| first.address.clone()).filter(|_| contact.watch);
        let Some(address) = address else { return self.unwatch_contact(&contact.id) };
        if self.services.watched.get(&contact.id).is_some_and(|watched| watched.address != address) {
            self.unwatch_contact(&contact.id);
        }
        let before = self.services.watched.get(&contact.id).map(Watched::state);
        let new = || Watched::new(contact, address);
        self.services.watched.entry(contact.id.clone()).or_insert_with(new);
        self.ask_about(&contact.id, None);
        if self.services.watched.get(&contact.id).map(Watched::state) != before {
            self.tell_state(&contact.id);
        }
    }

    pub(in super::super) fn unwatch_contact(&mut self, id: &ContactId) {
        let Some(mut watched) = self.services.watched.remove(id) else { return };
        self.services.asked_about -= usize::from(watched.session.is_some());
        self.unsubscribe_from(|about| matches!(about, About::Line(of) | About::Presence(of) if of == id));
        (watched.line, watched.available, watched.words) = (None, None, None);
        if self.contacts.contains_key(id) {
            let state = ContactState { note: String::new(), ..watched.state() };
            self.publish(Event::ContactStateChanged { state });
        }
        self.ask_about_those_left_out(None);
    }

    /// The session cannot ask any more: another one may.
    pub(super) fn unwatch_by(&mut self, session: &SessionId) {
        let of = |watched: &&mut Watched| watched.session.as_ref() == Some(session);
        let mut lost = Vec::new();
        for watched in self.services.watched.values_mut().filter(of) {
            *watched = Watched::unasked(watched.id.clone(), std::mem::take(&mut watched.address));
            lost.push(watched.id.clone());
        }
        self.services.asked_about -= lost.len();
        for id in lost {
            self.unsubscribe_from(
                |about| matches!(about, About::Line(of) | About::Presence(of) if *of == id),
            );
            self.ask_about(&id, Some(session));
            self.tell_state(&id);
        }
        self.ask_about_those_left_out(Some(session));
    }

    /// There is room for some, or nobody any more who could ask.
    fn ask_about_those_left_out(&mut self, except: Option<&SessionId>) {
        let left_out = self.services.watched.values().filter(|watched| watched.left_out);
        for id in left_out.map(|watched| watched.id.clone()).collect::<Vec<_>>() {
            self.ask_about(&id, except);
            if self.services.watched.get(&id).is_some_and(|watched| watched.left_out) {
                return;
            }
            self.tell_state(&id);
        }
    }

    fn ask_about(&mut self, id: &ContactId, except: Option<&SessionId>) {
        let Some(watched) = self.services.watched.get(id).filter(|watched| watched.session.is_none()) else {
            return;
        };
        let found = self.session_to_ask(&watched.address, except);
        let left_out = found.is_some() && self.services.asked_about >= MAX_WATCHED;
        let Some((session, to)) = found.filter(|_| !left_out) else {
            if let Some(watched) = self.services.watched.get_mut(id) {
                watched.left_out = left_out;
            }
            return;
        };
        let (now, session_id) = (Instant::now(), session.id.clone());
        let lines = ("dialog", DialogInfo::CONTENT_TYPE, About::Line(id.clone()));
        let presence = ("presence", Presence::CONTENT_TYPE, About::Presence(id.clone()));
        let wanted = [lines, presence].map(|(event, accept, about)| {
            let wanted = Subscription {
                way: self.way_of(session),
                ..Subscription::new(event, accept, session.aor.clone(), to.clone())
            };
            (wanted, about)
        });
        for (wanted, about) in wanted {
            let subscription = self.phone.ua.subscribe(now, wanted);
            self.services.subscriptions.insert(subscription, about);
        }
        if let Some(watched) = self.services.watched.get_mut(id) {
            (watched.session, watched.left_out) = (Some(session_id), false);
            self.services.asked_about += 1;
        }
    }

    /// The registered account of the address's own domain, else the first one.
    fn session_to_ask(&self, address: &str, except: Option<&SessionId>) -> Option<(&Session, Uri)> {
        let is_able = |session: &&Session| {
            session.registered == Some(RegistrationStatus::Registered)
                && !session.is_closing()
                && !session.is_local()
                && Some(&session.id) != except
        };
        // a number that must not be called can still be looked at
        let no_rules = DialPlan::default();
        let at = |session: &Session| {
            let read = |plan| Target::read(address, Some(&session.account.id), plan, "address").ok();
            [self.settings.dial_plan(), &no_rules]
                .into_iter()
                .find_map(read)?
                .uri(&session.aor.uri, "address")
                .ok()
        };
        let able = || self.sessions.values().filter(is_able);
        let own = able().find(|session| at(session).is_some_and(|uri| uri.host == session.aor.uri.host));
        let session = own.or_else(|| able().next())?;
        Some((session, at(session)?))
    }

    pub(super) fn on_line(&mut self, id: &ContactId, body: &[u8]) {
        if body.is_empty() {
            // The notifier knows of no call.
            self.change_state(id, |watched| {
                (watched.line, watched.trouble[0]) = (Some(Line::default()), None)
            });
            return;
        }
        let info = match DialogInfo::parse(body) {
            Ok(info) => info,
            Err(error) => return tracing::debug!("a line that cannot be read: {error}"),
        };
        let gap = self.change_state(id, |watched| {
            watched.trouble[0] = None;
            watched.line.get_or_insert_default().apply(&info)
        });
        // a full document comes with the answer to a refresh
        if gap == Some(Applied::Gap) {
            let about = About::Line(id.clone());
            let all = self.services.subscriptions.iter();
            let found = all.filter(|(_, known)| **known == about).map(|(id, _)| *id).next();
            if let Some(subscription) = found {
                self.phone.ua.resubscribe(Instant::now(), subscription);
            }
        }
    }

    pub(super) fn on_presence(&mut self, id: &ContactId, body: &[u8]) {
        if body.is_empty() {
            // Nobody publishes it any more.
            self.change_state(id, |watched| {
                (watched.available, watched.words, watched.trouble[1]) = (None, None, None);
            });
            return;
        }
        let presence = match Presence::parse(body) {
            Ok(presence) => presence,
            Err(error) => return tracing::debug!("a presence that cannot be read: {error}"),
        };
        self.change_state(id, |watched| {
            watched.trouble[1] = None;
            watched.available = presence.available();
            watched.words =
                presence.words().map(|words| text::shown(&words)).filter(|words| !words.is_empty());
        });
    }

    pub(super) fn on_line_state(&mut self, id: &ContactId, state: &SubscriptionState) {
        let SubscriptionState::Ended { cause, .. } = state else { return };
        let trouble = text::shown(&format!("the line does not tell: {cause}"));
        self.change_state(id, |watched| (watched.line, watched.trouble[0]) = (None, Some(trouble)));
    }

    pub(super) fn on_presence_state(&mut self, id: &ContactId, state: &SubscriptionState) {
        let SubscriptionState::Ended { cause, .. } = state else { return };
        let trouble = text::shown(&format!("the presence is not told: {cause}"));
        self.change_state(id, |watched| {
            (watched.available, watched.words, watched.trouble[1]) = (None, None, Some(trouble));
        });
    }

    /// Told only if it is another one then.
    fn change_state<T>(&mut self, id: &ContactId, change: impl FnOnce(&mut Watched) -> T) -> Option<T> {
        let watched = self.services.watched.get_mut(id)?;
        let before = watched.state();
        let result = change(watched);
        if watched.state() != before {
            self.tell_state(id);
        }
        Some(result)
    }

    fn tell_state(&mut self, id: &ContactId) {
        if let Some(state) = self.services.watched.get(id).map(Watched::state) {
            self.publish(Event::ContactStateChanged { state });
        }
    }
}
