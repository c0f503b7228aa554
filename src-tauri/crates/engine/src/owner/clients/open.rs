//! Sessions of clients: opened, taken up again, closed.

use super::{Client, MOST_CLIENTS, account::sip_account};
use crate::{
    clients::{ClientNews, ClientNewsReader, ClientOpened, ClientOpening, ClientRefused, MOST_NEWS},
    io::clock,
    owner::{Errand, Owner, session::CLIENT, text, view::new_id},
};
use serde_json::{Map, Value, json};
use sidetone_api::{AccountId, RegistrationStatus, Reply, Secret, SessionId};
use std::{
    collections::BTreeMap,
    time::{Duration, Instant},
};
use tokio::sync::{mpsc, oneshot};

/// How long a session waits for a client that asked to be kept.
const KEPT: Duration = Duration::from_secs(120);

type OpenReply = oneshot::Sender<Result<ClientOpened, ClientRefused>>;

impl Owner {
    pub(in super::super) fn open_client(&mut self, opening: ClientOpening, reply: OpenReply) {
        let opened = self.opened_client(opening);
        let session = opened.as_ref().ok().map(|opened| opened.session_id.clone());
        if reply.send(opened).is_err()
            && let Some(session) = session
        {
            self.close_client(&session);
        }
    }

    fn opened_client(&mut self, opening: ClientOpening) -> Result<ClientOpened, ClientRefused> {
        let refused = |info: &str| ClientRefused { info: info.to_owned() };
        if self.farewell.is_some() {
            return Err(refused("the engine is stopping"));
        }
        let gateway = &self.settings.get().gateway;
        if !gateway.enabled {
            return Err(refused("the gateway is switched off"));
        }
        if gateway.stream_token && !self.shows_token(&opening.fields) {
            return Err(refused("Restricted access"));
        }
        let session = match &opening.auth_token {
            Some(token) => self.client_of_token(token).ok_or_else(|| refused("Session does not exist"))?,
            None => self.new_client(&opening)?,
        };
        // Of the connection before, which may be half open.
        self.end_client_streams(&session);
        self.end_client_calls(&session);
        let (news, told) = mpsc::channel(MOST_NEWS);
        self.clients.connections += 1;
        let connection = self.clients.connections;
        let client = self.clients.all.get_mut(&session).ok_or_else(|| refused("Session does not exist"))?;
        (client.connected, client.until) = (connection, None);
        client.keep_alive = opening.keep_alive;
        let (errands, id) = (self.errands.clone(), session.clone());
        let (present, gone) = oneshot::channel();
        tokio::spawn(async move {
            let _ = gone.await;
            let _ = errands.send(Errand::ClientLeft(id, connection)).await;
        });
        client.news = Some(news);
        client.remote = opening.remote;
        client.address = opening.remote.to_string();
        let registered = client.sip.clone().filter(|_| client.registers);
        let (news, connection) = (ClientNewsReader::watched(told, present), client.connection.clone());
        let registered = registered.and_then(|sip| self.sessions.get(&sip));
        if registered.is_some_and(|sip| sip.registered == Some(RegistrationStatus::Registered)) {
            self.tell_client(&session, ClientNews::Registered);
        }
        self.publish_gateway();
        Ok(ClientOpened { session_id: session, connection, news })
    }

    /// Where streams need a token, clients show it as `custom.token`.
    fn shows_token(&self, fields: &Map<String, Value>) -> bool {
        let shown = fields.get("custom").and_then(|custom| custom.get("token")).and_then(Value::as_str);
        shown.is_some_and(|shown| self.stream_token() == Some(&Secret::new(shown)))
    }

    fn client_of_token(&self, token: &str) -> Option<SessionId> {
        let mut all = self.clients.all.iter();
        all.find(|(_, client)| client.auth_token == token).map(|(session, _)| session.clone())
    }

    fn new_client(&mut self, opening: &ClientOpening) -> Result<SessionId, ClientRefused> {
        let refused = |info: String| ClientRefused { info };
        if self.clients.all.len() >= MOST_CLIENTS {
            return Err(refused(format!("{MOST_CLIENTS} sessions are open, which is the most")));
        }
        let session = new_id("c").map_err(|failure| refused(failure.message))?;
        let random: [u8; 16] = clock::random().map_err(|error| refused(error.to_string()))?;
        let auth_token = random.iter().fold(String::new(), |text, byte| format!("{text}{byte:02x}"));
        if self.clients.node.is_empty() {
            self.clients.node = new_id("n").map_err(|failure| refused(failure.message))?;
        }
        let mut connection = public(&opening.fields);
        let more = [
            ("nodeId", json!(self.clients.node)),
            ("appKey", json!(opening.app_key)),
            ("sessionId", json!(session)),
            ("authToken", json!(auth_token)),
            ("origin", json!(opening.origin)),
            ("keepAlive", json!(opening.keep_alive)),
            ("status", json!("ESTABLISHED")),
        ];
        connection.extend(more.into_iter().map(|(key, value)| (key.to_owned(), value)));
        let client = Client {
            app_key: text::shown(&opening.app_key),
            auth_token,
            keep_alive: opening.keep_alive,
            connection,
            news: None,
            connected: 0,
            until: None,
            streams: BTreeMap::new(),
            calls: BTreeMap::new(),
            sip: None,
            login: String::new(),
            registers: false,
            sent: BTreeMap::new(),
            remote: opening.remote,
            address: opening.remote.to_string(),
            origin: opening.origin.as_deref().map(text::shown),
            since: clock::wallclock_ms(),
        };
        let session = SessionId::new(session);
        self.clients.all.insert(session.clone(), client);
        if let Err(info) = self.connect_client(&session, &opening.fields) {
            self.close_client(&session);
            return Err(refused(info));
        }
        tracing::info!(%session, remote = %opening.remote, "a client has connected");
        self.publish_gateway();
        Ok(session)
    }

    /// The session's SIP account, where it has one.
    fn connect_client(&mut self, session: &SessionId, fields: &Map<String, Value>) -> Result<(), String> {
        let id = AccountId::new(format!("{CLIENT}{session}"));
        let Some(wanted) = sip_account(id.clone(), fields)? else { return Ok(()) };
        self.clients.accounts.insert(id, session.clone());
        let connected = self.connect(wanted.account, Some(wanted.password));
        let sip = match connected.map_err(|failure| failure.message)? {
            Reply::Session { session_id } => session_id,
            _ => return Err("Failed by error".into()),
        };
        self.clients.by_sip.insert(sip.clone(), session.clone());
        if let Some(client) = self.clients.all.get_mut(session) {
            (client.sip, client.login, client.registers) = (Some(sip), wanted.login, wanted.registers);
        }
        Ok(())
    }

    /// Its SIP account goes with it.
    fn disconnect_client(&mut self, session: &SessionId) {
        let account = AccountId::new(format!("{CLIENT}{session}"));
        if let Some(sip) = self.clients.all.get_mut(session).and_then(|client| client.sip.take()) {
            let _ = self.disconnect(&sip);
        }
        if self.clients.accounts.remove(&account).is_some() {
            self.passwords.remove(&account);
        }
    }

    /// Nobody reads the news of this connection any more.
    pub(in super::super) fn on_client_left(&mut self, session: &SessionId, connection: u64) {
        let Some(client) = self.clients.all.get_mut(session) else { return };
        if client.connected != connection {
            return;
        }
        client.news = None;
        if !client.keep_alive {
            return self.close_client(session);
        }
        client.until = Some(Instant::now() + KEPT);
        self.end_client_streams(session);
        self.end_client_calls(session);
        self.publish_gateway();
    }

    pub(in super::super) fn next_client_end(&self) -> Option<Instant> {
        let kept = self.clients.all.values().filter_map(|client| client.until);
        kept.chain(self.next_client_verdict()).min()
    }

    pub(in super::super) fn close_overdue_clients(&mut self, now: Instant) {
        let is_over = |client: &Client| client.until.is_some_and(|until| until <= now);
        let over: Vec<_> =
            self.clients.all.iter().filter(|(_, it)| is_over(it)).map(|(id, _)| id.clone()).collect();
        for session in over {
            self.close_client(&session);
        }
        self.give_overdue_verdicts(now);
    }

    fn close_client(&mut self, session: &SessionId) {
        self.end_client_streams(session);
        self.end_client_calls(session);
        self.disconnect_client(session);
        if self.clients.all.remove(session).is_some() {
            tracing::info!(%session, "a client has gone");
            self.publish_gateway();
        }
    }

    /// At the end of the engine, and where everything is deleted.
    pub(in super::super) fn end_clients(&mut self) {
        for session in self.clients.all.keys().cloned().collect::<Vec<_>>() {
            self.close_client(&session);
        }
    }
}

/// What it said, without what is for the server's ears alone.
fn public(fields: &Map<String, Value>) -> Map<String, Value> {
    const TOLD: [&str; 14] = [
        "mediaProviders",
        "clientVersion",
        "clientOSVersion",
        "clientBrowserVersion",
        "custom",
        "sipLogin",
        "sipAuthenticationName",
        "sipDomain",
        "sipOutboundProxy",
        "sipProxy",
        "sipPort",
        "sipRegisterRequired",
        "sipVisibleName",
        "msePacketizationVersion",
    ];
    fields
        .iter()
        .filter(|(key, _)| TOLD.contains(&key.as_str()))
        .map(|(k, v)| (k.clone(), v.clone()))
        .collect()
}
