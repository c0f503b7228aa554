//! Our own presence, published where an account wants it: RFC 3903.

use super::super::Owner;
use sidetone_api::{NoticeLevel, SessionId};
use sidetone_sip::body::Presence;
use sidetone_sip::{Publication, PublicationId, PublicationState};
use std::time::Instant;

/// What others are to know.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Own {
    in_call: bool,
    do_not_disturb: bool,
}

impl Own {
    fn document(self, entity: String) -> Vec<u8> {
        let note = match self {
            Self { do_not_disturb: true, .. } => Some("Do not disturb"),
            Self { in_call: true, .. } => Some("On the phone"),
            Self { .. } => None,
        };
        Presence::of(entity, !self.do_not_disturb, note.map(str::to_owned)).to_xml()
    }
}

impl Owner {
    pub(super) fn publish_presence(&mut self, id: &SessionId) {
        let Some(session) = self.sessions.get(id) else { return };
        let known = self.services.publications.contains_key(id);
        if known || !session.account.publish_presence || session.is_local() {
            return;
        }
        let aor = session.aor.clone();
        let body = self.own_presence().document(aor.uri.to_string());
        let wanted = Publication {
            way: self.way_of(session),
            ..Publication::new("presence", aor, Presence::CONTENT_TYPE, body)
        };
        let publication = self.phone.ua.publish(Instant::now(), wanted);
        self.services.publications.insert(id.clone(), publication);
    }

    pub(super) fn unpublish_presence(&mut self, id: &SessionId) {
        if let Some(publication) = self.services.publications.remove(id) {
            self.phone.ua.unpublish(Instant::now(), publication);
        }
    }

    pub(super) fn on_publication(&mut self, id: PublicationId, state: &PublicationState) {
        let PublicationState::Ended { cause, retry_in } = state else { return };
        tracing::debug!("presence is not published: {cause}");
        if retry_in.is_some() {
            return;
        }
        let known = self.services.publications.iter().find(|(_, known)| **known == id);
        let Some(session) = known.map(|(session, _)| session.clone()) else { return };
        self.services.publications.remove(&session);
        if let Some(name) = self.sessions.get(&session).map(|session| session.account.name.clone()) {
            let info = format!("account {name:?}: your presence is not published: {cause}");
            self.notice(NoticeLevel::Warning, &info, None);
        }
    }

    fn own_presence(&self) -> Own {
        let do_not_disturb = self.settings.get().calls.do_not_disturb;
        Own { in_call: !self.calls.is_empty(), do_not_disturb }
    }

    /// Publishes what has changed since, if anything has.
    pub(in super::super) fn update_presence(&mut self) {
        let own = self.own_presence();
        if std::mem::replace(&mut self.services.presence, own) == own {
            return;
        }
        let now = Instant::now();
        for (session, publication) in &self.services.publications {
            let Some(session) = self.sessions.get(session) else { continue };
            self.phone.ua.republish(now, *publication, own.document(session.aor.uri.to_string()));
        }
    }
}
