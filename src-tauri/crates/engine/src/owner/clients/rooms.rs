//! What rooms need to know of clients, and what they do to their streams.

use super::status::Verdict;
use crate::{io::streams::Key, owner::Owner};
use serde_json::Value;
use sidetone_api::{Secret, SessionId};
use std::net::SocketAddr;

/// Who a client is in rooms.
pub(in super::super) struct Visitor {
    /// As its backend let it be named.
    pub(in super::super) login: Option<String>,
    pub(in super::super) remote: SocketAddr,
    /// What it showed when it connected.
    pub(in super::super) token: Option<Secret>,
    /// The one room that somebody from another machine may come into.
    pub(in super::super) guest_of: Option<String>,
    /// It is another Sidetone, as it says.
    pub(in super::super) is_app: bool,
}

impl Owner {
    pub(in super::super) fn visitor(&self, session: &SessionId) -> Option<Visitor> {
        let client = self.clients.all.get(session)?;
        let custom = client.connection.get("custom").and_then(|custom| custom.get("login"));
        let login = custom.or_else(|| client.connection.get("sipLogin")).and_then(Value::as_str);
        let program = client.connection.get("clientBrowserVersion").and_then(Value::as_str);
        Some(Visitor {
            login: login.map(String::from),
            remote: client.remote,
            token: client.token.clone(),
            guest_of: client.guest_of.clone(),
            is_app: program.is_some_and(|program| program.starts_with("Sidetone/")),
        })
    }

    /// Notes what a client's published stream passes of its sound. Its id and name there, and whether its picture is muted.
    pub(in super::super) fn mute_client_leg(&mut self, key: Key, on: bool) -> Option<(String, String, bool)> {
        let (session, id) = self.clients.by_key.get(&key)?.clone();
        let leg = self.client_leg(&session, &id)?;
        leg.audio.muted = on;
        Some((id, leg.wanted.name.clone(), leg.video.muted))
    }

    pub(in super::super) fn end_client_leg(&mut self, key: Key, info: &str) {
        if let Some((session, id)) = self.clients.by_key.get(&key).cloned() {
            self.end_client_stream(&session, &id, Verdict::ended(info));
        }
    }

    pub(in super::super) fn plays_of_client(&self, session: &SessionId) -> Vec<(Key, String)> {
        let legs = self.clients.all.get(session).into_iter().flat_map(|client| client.streams.values());
        let plays = legs.filter(|leg| !leg.is_published());
        plays.map(|leg| (leg.key, leg.name().to_owned())).collect()
    }

    /// What a client plays by this key.
    pub(in super::super) fn name_of_client_play(&self, key: Key) -> Option<String> {
        let (session, id) = self.clients.by_key.get(&key)?;
        let leg = self.clients.all.get(session)?.streams.get(id)?;
        Some(leg.name().to_owned())
    }

    /// What it plays of these names.
    pub(in super::super) fn end_plays_of_client(
        &mut self,
        session: &SessionId,
        names: &[String],
        info: &str,
    ) {
        let Some(client) = self.clients.all.get(session) else { return };
        let plays = client.streams.iter().filter(|(_, leg)| !leg.is_published());
        let plays = plays.filter(|(_, leg)| names.iter().any(|name| name == leg.name()));
        for id in plays.map(|(id, _)| id.clone()).collect::<Vec<_>>() {
            self.end_client_stream(session, &id, Verdict::ended(info));
        }
    }
}
