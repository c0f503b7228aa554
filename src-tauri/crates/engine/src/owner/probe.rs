//! Whether a link without registration is there: asked by OPTIONS, again and again.

use super::Owner;
use sidetone_api::{ConnectionStatus, SessionId};
use sidetone_sip::{Hop, OptionsId};
use std::time::{Duration, Instant};

/// Between an answer, or its lack, and the next question.
const BETWEEN: Duration = Duration::from_secs(60);

impl Owner {
    pub(super) fn probe(&mut self, id: &SessionId, now: Instant) {
        let Some(session) = self.sessions.get_mut(id) else { return };
        session.next_probe = None;
        session.probe = Some(self.phone.ua.options(now, session.probe_wanted()));
    }

    /// Any answer says that the link is there.
    pub(super) fn on_options_answered(
        &mut self,
        probe: OptionsId,
        status: u16,
        reason: &str,
        hop: Option<&Hop>,
    ) {
        let Some(session) = self.sessions.values_mut().find(|session| session.probe == Some(probe)) else {
            return;
        };
        session.probe = None;
        let id = session.id.clone();
        if session.is_closing() {
            return;
        }
        session.next_probe = Some(Instant::now() + BETWEEN);
        let info = format!("{status} {reason}");
        match status {
            408 | 503 => self.lose_connection(&id, &info),
            _ => {
                if let Some(hop) = hop {
                    self.reached(&id, hop);
                }
                self.set_connection(&id, ConnectionStatus::Established, &info);
            }
        }
    }

    pub(super) fn next_probe(&self) -> Option<Instant> {
        self.sessions.values().filter_map(|session| session.next_probe).min()
    }

    /// Asks those whose time has come.
    pub(super) fn probe_due(&mut self, now: Instant) {
        let is_due = |at: Option<Instant>| at.is_some_and(|at| at <= now);
        let due: Vec<SessionId> = self
            .sessions
            .values_mut()
            .filter(|session| is_due(session.next_probe))
            .map(|session| {
                session.next_probe = None;
                (session.id.clone(), session.is_closing() || session.registration.is_some())
            })
            .filter_map(|(id, done)| (!done).then_some(id))
            .collect();
        for id in due {
            self.probe(&id, now);
        }
    }

    /// The link answered over `hop`.
    pub(super) fn reached(&mut self, id: &SessionId, hop: &Hop) {
        let signalling = Some(self.phone.signalling(hop));
        let Some(session) = self.sessions.get_mut(id) else { return };
        if session.signalling != signalling {
            session.signalling = signalling;
            self.publish_session(id);
        }
    }
}
