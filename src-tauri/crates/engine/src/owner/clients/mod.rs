//! Clients of the gateway with a connection of their own: browsers with the Web SDK. Each has a session, and in it streams by
//! the ids that it gave them.
//!
//! What it asks comes in at [`Owner::on_client_ask`], what it is told goes out at [`Owner::tell_client`].

mod account;
mod call;
mod data;
mod diagnostics;
mod hooked;
mod negotiate;
mod open;
mod rest;
mod rooms;
mod sip;
mod snapshot;
mod status;
mod stream;
#[cfg(test)]
mod tests;

pub(super) use data::Looked;
pub(super) use hooked::{CallOfClient, named};
pub(super) use negotiate::{Answered, Taken};
pub(super) use rest::{Injected, Opened};
pub(super) use rooms::Visitor;
pub(super) use snapshot::Pictured;

use super::Owner;
use crate::{
    clients::{ClientAsk, ClientNews},
    io::streams::Key,
};
use open::RESTRICTED;
use serde_json::Value;
use sidetone_api::{AccountId, CallId, DataId, GatewayClient, Secret, SessionId};
use sidetone_peer::whip::Kind;
use std::{
    collections::{BTreeMap, HashMap, VecDeque},
    net::SocketAddr,
    time::Instant,
};
use tokio::sync::mpsc;

/// Sessions of clients at a time, those that are kept for their clients' return among them.
pub(super) const MOST_CLIENTS: usize = 2_000;
/// Streams of one client.
const MOST_STREAMS: usize = 64;
/// Memory that may go into what a page says of itself, or of a stream or call, for its backend, bytes: it is kept with these.
const MOST_KEPT: usize = 32 * 1024;
/// Of whom the view tells.
const MOST_LISTED: usize = 100;

/// One client's session.
#[derive(Debug)]
struct Client {
    app_key: String,
    auth_token: String,
    keep_alive: bool,
    /// For streams, as it was shown by the client.
    token: Option<Secret>,
    /// What it is told of itself.
    connection: serde_json::Map<String, Value>,
    /// `None` while it is kept for a client that has gone.
    news: Option<mpsc::Sender<ClientNews>>,
    /// Of the connection that it has now: news of one that it had before mean nothing.
    connected: u64,
    /// When it goes if its client does not come back.
    until: Option<Instant>,
    streams: BTreeMap<String, stream::ClientLeg>,
    /// Ids of its streams that ended last, and when.
    ended: VecDeque<(String, Instant)>,
    calls: BTreeMap<String, call::ClientCallLeg>,
    /// Its SIP account's session.
    sip: Option<SessionId>,
    login: String,
    /// It is told of its registration.
    registers: bool,
    /// What it asks for is logged.
    is_logged: bool,
    /// Messages of its own without an answer, and how it calls them.
    sent: BTreeMap<DataId, String>,
    /// The room that somebody from another machine is invited to; it may do nothing else.
    guest_of: Option<String>,
    /// Lines of its log that nobody was told of, since the last that somebody was.
    unlogged: u32,
    remote: SocketAddr,
    address: String,
    origin: Option<String>,
    /// Milliseconds since 1970.
    since: u64,
}

impl Client {
    /// Its streams of this name that stand: who is not let in hears nothing of others.
    fn legs_of(&self, name: &str) -> impl Iterator<Item = &str> {
        let of_name = self.streams.iter().filter(move |(_, leg)| leg.stands && leg.name() == name);
        of_name.map(|(id, _)| id.as_str())
    }
}

#[derive(Debug, Default)]
pub(super) struct Clients {
    all: BTreeMap<SessionId, Client>,
    /// Ids of streams and calls, of all clients: no two have the same one.
    ids: HashMap<String, SessionId>,
    by_key: HashMap<Key, (SessionId, String)>,
    snapshots: HashMap<Key, snapshot::Taking>,
    by_call: HashMap<CallId, (SessionId, String)>,
    /// Clients by their SIP sessions, and by the accounts of these.
    by_sip: HashMap<SessionId, SessionId>,
    accounts: HashMap<AccountId, SessionId>,
    /// Sessions that the backend decides on, by their apps.
    arriving: HashMap<SessionId, String>,
    /// Sessions that are over, while their SIP accounts leave.
    leaving: HashMap<SessionId, hooked::Left>,
    connections: u64,
    logs: diagnostics::Share,
    reports: diagnostics::Share,
    negotiations: negotiate::Negotiations,
    rest: rest::Rest,
}

impl Clients {
    /// The last of them, and how many there are.
    pub(super) fn listed(&self) -> (Vec<GatewayClient>, u32) {
        let last = self.all.iter().rev().take(MOST_LISTED);
        let listed = last.map(|(session_id, client)| {
            let published = client.streams.values().filter(|leg| leg.is_published()).count();
            GatewayClient {
                session_id: session_id.clone(),
                app_key: client.app_key.clone(),
                address: client.address.clone(),
                origin: client.origin.clone(),
                connected: client.news.is_some(),
                since: client.since,
                published: count(published),
                played: count(client.streams.len() - published),
            }
        });
        (listed.collect(), count(self.all.len()))
    }
}

/// # Errors
/// Where a page's own is too much to be kept.
fn check_kept(value: Option<&Value>) -> Result<(), String> {
    match value.map(memory).filter(|memory| *memory > MOST_KEPT) {
        Some(_) => Err(format!("custom: more than {MOST_KEPT} bytes of memory are too much")),
        None => Ok(()),
    }
}

/// Bytes that a value takes, roughly: what is small as JSON may be large here.
fn memory(value: &Value) -> usize {
    const VALUE: usize = 32;
    /// Room for a few fields, however many there are.
    const OBJECT: usize = 640;
    const FIELD: usize = 32;
    VALUE
        + match value {
            Value::Array(values) => values.iter().map(memory).sum(),
            Value::Object(fields) => {
                let of_fields = fields.iter().map(|(key, value)| FIELD + key.len() + memory(value));
                OBJECT + of_fields.sum::<usize>()
            }
            Value::String(text) => text.len(),
            _ => 0,
        }
}

fn count(number: usize) -> u32 {
    u32::try_from(number).unwrap_or(u32::MAX)
}

impl Owner {
    pub(super) fn on_client_ask(&mut self, session: &SessionId, connected: u64, ask: ClientAsk) {
        // News of a connection's end overtake what was asked by it.
        let is_there = |client: &Client| client.news.is_some() && client.connected == connected;
        if self.farewell.is_some() || !self.clients.all.get(session).is_some_and(is_there) {
            return;
        }
        if self.clients.all.get(session).is_some_and(|client| client.is_logged) {
            tracing::info!(%session, "asks for {}", ask.name());
        }
        let guest_of = self.clients.all.get(session).and_then(|client| client.guest_of.as_ref());
        if guest_of.is_some_and(|room| !self.is_of_meeting(room, &ask)) {
            return self.refuse_guest(session, ask);
        }
        match ask {
            ClientAsk::Publish(wanted) => self.client_publishes(session, wanted),
            ClientAsk::Play(wanted) => self.client_plays(session, wanted),
            ClientAsk::Pause { id } => self.client_pauses(session, &id),
            ClientAsk::UnPublish { id } => self.client_ends(session, &id, true),
            ClientAsk::Stop { id } => self.client_ends(session, &id, false),
            ClientAsk::Available { id, name } => self.client_looks(session, id, name),
            ClientAsk::Snapshot { id, name } => self.client_takes_snapshot(session, id, name),
            ClientAsk::StreamEvent { id, kind, payload } => {
                self.client_sends_event(session, &id, &kind, &payload);
            }
            ClientAsk::SendData { operation_id, payload } => {
                self.client_sends_data(session, operation_id, payload);
            }
            ClientAsk::Call(wanted) => self.client_calls(session, wanted),
            ClientAsk::Answer { id, sdp } => self.client_answers(session, &id, &sdp),
            ClientAsk::Hangup { id } => self.on_client_call_ask(session, &id, Self::hang_up_for_client),
            ClientAsk::Hold { id } => self.on_client_call_ask(session, &id, Self::hold),
            ClientAsk::Unhold { id } => self.on_client_call_ask(session, &id, Self::unhold),
            ClientAsk::SendDtmf { id, kind, dtmf } => self.client_sends_dtmf(session, &id, &kind, &dtmf),
            ClientAsk::Transfer { id, target } => {
                self.on_client_call_ask(session, &id, |owner, call| owner.transfer(call, &target));
            }
            ClientAsk::SubmitBugReport(report) => self.client_reports(session, report),
            ClientAsk::PushLogs { logs, left_out } => self.client_pushes_logs(session, logs, left_out),
            ClientAsk::SessionDebug { start } => self.client_debugs(session, start),
        }
    }

    fn refuse_guest(&mut self, session: &SessionId, ask: ClientAsk) {
        match ask {
            ClientAsk::Publish(wanted) => self.refuse_client_stream(session, Kind::Whip, wanted, RESTRICTED),
            ClientAsk::Play(wanted) => self.refuse_client_stream(session, Kind::Whep, wanted, RESTRICTED),
            ClientAsk::SendData { operation_id, .. } => {
                self.tell_client_data(session, operation_id, Err(RESTRICTED.into()));
            }
            _ => {
                let info = RESTRICTED.to_owned();
                self.tell_client(session, ClientNews::Failed { event: None, id: None, info });
            }
        }
    }

    /// A client that does not read what it is told is closed.
    pub(super) fn tell_client(&mut self, session: &SessionId, news: ClientNews) {
        let Some(client) = self.clients.all.get_mut(session) else { return };
        let Some(to) = &client.news else { return };
        if to.try_send(news).is_err() {
            client.news = None;
        }
    }

    fn tell_client_failed(
        &mut self,
        session: &SessionId,
        event: &'static str,
        id: Option<String>,
        info: &str,
    ) {
        self.tell_client(session, ClientNews::Failed { event: Some(event), id, info: info.to_owned() });
    }
}
