//! What the connection knows of calls: those that wait for their offer, for a backend, or for the server's first word.

use super::{super::Owner, MOST_EARLY, PATIENCE};
use crate::{
    ClientCall,
    wcs::{SaidOfCall, ServerAsk},
};
use sidetone_api::{CallId, CallStatus, SessionId};
use std::{net::IpAddr, time::Instant};

impl Owner {
    /// Ours towards the server, while the session stands.
    pub(in super::super) fn address_towards_wcs(&self, session: &SessionId) -> Option<IpAddr> {
        let connection = self.sessions.get(session)?.wcs.as_deref()?;
        connection.place().map(|(_, local)| local)
    }

    /// False where nobody hears it.
    pub(in super::super) fn ask_server_to_call(
        &mut self,
        session: &SessionId,
        id: &CallId,
        call: ClientCall,
    ) -> bool {
        let Some(connection) = self.wcs(session) else { return false };
        let caller = connection.login.clone();
        connection.calling.insert(id.clone(), Instant::now() + PATIENCE);
        self.say_to_server(session, &ServerAsk::Call { call, caller })
    }

    pub(in super::super) fn wcs_call_answered(&mut self, session: &SessionId, id: &CallId) {
        if let Some(connection) = self.wcs(session) {
            connection.calling.remove(id);
        }
    }

    /// It is answered, and without a word on where its media goes: that has to come.
    pub(in super::super) fn await_wcs_description(&mut self, session: &SessionId, id: &CallId) {
        if let Some(connection) = self.wcs(session) {
            connection.calling.entry(id.clone()).or_insert_with(|| Instant::now() + PATIENCE);
        }
    }

    pub(super) fn give_up_calls(&mut self, session: &SessionId, now: Instant) {
        let Some(connection) = self.wcs(session) else { return };
        let late: Vec<_> = connection.calling.extract_if(.., |_, due| *due <= now).collect();
        for (id, _) in late {
            let call = self.calls.get(&id);
            let is_answered = call.is_some_and(|call| call.is_established());
            let at_server = call.and_then(|call| call.at_server.clone());
            if let Some(at_server) = at_server {
                self.say_to_server(session, &ServerAsk::Hangup { id: at_server });
            }
            let what = if is_answered { "say where its media goes" } else { "answer" };
            let words = format!("the server did not {what} within {} s", PATIENCE.as_secs());
            self.end_call(&id, CallStatus::Failed, &words);
        }
    }

    /// Who calls, where that was told before the description; else the description waits.
    pub(in super::super) fn keep_wcs_description(
        &mut self,
        session: &SessionId,
        object: String,
        sdp: &str,
    ) -> Option<SaidOfCall> {
        let connection = self.wcs(session)?;
        let announced = connection.announced.remove(&object);
        if announced.is_none() && connection.described.len() < MOST_EARLY {
            connection.described.insert(object, sdp.to_owned());
        }
        announced
    }

    /// The same the other way round.
    pub(in super::super) fn keep_wcs_caller(
        &mut self,
        session: &SessionId,
        said: SaidOfCall,
    ) -> Option<(SaidOfCall, String)> {
        let connection = self.wcs(session)?;
        if let Some(sdp) = connection.described.remove(&said.id) {
            return Some((said, sdp));
        }
        if connection.announced.len() < MOST_EARLY {
            connection.announced.insert(said.id.clone(), said);
        }
        None
    }

    /// It ended before it rang here.
    pub(in super::super) fn forget_wcs_caller(&mut self, session: &SessionId, object: &str) {
        if let Some(connection) = self.wcs(session) {
            connection.described.remove(object);
            connection.announced.remove(object);
            connection.expected.remove(object);
        }
    }

    /// A backend is asked about it.
    pub(in super::super) fn expect_wcs_call(&mut self, session: &SessionId, object: &str) {
        if let Some(connection) = self.wcs(session) {
            connection.expected.insert(object.to_owned());
        }
    }

    /// False where the caller has gone meanwhile.
    pub(in super::super) fn take_expected_wcs_call(&mut self, session: &SessionId, object: &str) -> bool {
        self.wcs(session).is_some_and(|connection| connection.expected.remove(object))
    }
}
