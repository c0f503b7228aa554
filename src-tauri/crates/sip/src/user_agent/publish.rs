//! PUBLISH out: RFC 3903.

use std::time::Instant;

use crate::publication::{Publication as State, PublicationState, Verdict, unpublished};

use super::attempt::{Attempt, Purpose};
use super::challenge::Login;
use super::event::{Cause, Event, PublicationId, Side};
use super::outcome::Outcome;
use super::{Due, UserAgent, headers};

pub use crate::publication::Settings as Publication;

impl UserAgent {
    /// Publishes and keeps it published until `unpublish`, or until the server says that there is no use in it.
    pub fn publish(&mut self, now: Instant, publication: Publication) -> PublicationId {
        let id = PublicationId(self.new_id());
        let refused = if self.publications.len() >= self.config.max_publications {
            Some((503, "Too many publications"))
        } else if publication.body.len() > self.config.max_message_body {
            Some((413, "the body is too long"))
        } else if !headers::is_media_type(&publication.content_type) {
            Some((415, "the content type is not type/subtype"))
        } else {
            None
        };
        if let Some((code, text)) = refused {
            let state =
                PublicationState::Ended { cause: Cause::new(code, text, Side::Local), retry_in: None };
            self.emit(Event::Publication { id, state });
            return id;
        }
        let (call_id, from_tag) = (self.random.token(), self.random.token());
        self.publications.insert(id, State::new(publication, call_id, from_tag));
        self.send_publish(now, id);
        id
    }

    /// Publishes something else in its place.
    pub fn republish(&mut self, now: Instant, id: PublicationId, body: Vec<u8>) {
        if body.len() > self.config.max_message_body {
            return;
        }
        if self.publications.get_mut(&id).is_some_and(|publication| publication.replace(body)) {
            self.send_publish(now, id);
        }
    }

    /// Ends with [`PublicationState::Ended`], whatever the server says.
    pub fn unpublish(&mut self, now: Instant, id: PublicationId) {
        match self.publications.get_mut(&id).map(State::leave) {
            Some(Some(true)) => self.send_publish(now, id),
            Some(None) => self.forget_publication(id, unpublished()),
            Some(Some(false)) | None => {}
        }
    }

    fn send_publish(&mut self, now: Instant, id: PublicationId) {
        let Some(publication) = self.publications.get_mut(&id) else { return };
        let request = publication.request(now);
        let way = publication.settings().way.clone();
        self.deadlines.set(Due::Publication(id), None);
        let attempt = self.attempt_outside(Purpose::Publish(id), request, Login::Publication(id), &way);
        let attempt_id = self.new_attempt_id();
        self.launch(now, attempt_id, attempt);
    }

    pub(super) fn on_publish_outcome(
        &mut self,
        now: Instant,
        id: PublicationId,
        attempt: &Attempt,
        outcome: &Outcome,
    ) {
        let chance = self.chance();
        let Some(publication) = self.publications.get_mut(&id) else { return };
        let verdict = publication.on_outcome(now, outcome, &attempt.request, &self.config, chance);
        self.deadlines.set(Due::Publication(id), publication.next_deadline());
        match verdict {
            Verdict::Nothing => {}
            Verdict::Again => self.send_publish(now, id),
            Verdict::Tell(state) => self.emit(Event::Publication { id, state }),
            Verdict::Gone(cause) => self.forget_publication(id, cause),
        }
    }

    fn forget_publication(&mut self, id: PublicationId, cause: Cause) {
        self.publications.remove(&id);
        self.logins.remove(&Login::Publication(id));
        self.deadlines.set(Due::Publication(id), None);
        self.emit(Event::Publication { id, state: PublicationState::Ended { cause, retry_in: None } });
    }

    pub(super) fn on_publication_timer(&mut self, now: Instant, id: PublicationId) {
        self.send_publish(now, id);
    }
}
