//! Sessions of clients: opened, taken up again, closed.

use super::{
    Client, MOST_CLIENTS,
    account::sip_account,
    check_kept,
    hooked::{Left, changed_opening, with_status},
};
use crate::{
    clients::{ClientNews, ClientNewsReader, ClientOpened, ClientOpening, ClientRefused, MOST_NEWS},
    hooks::{Fields, Hook, Verdict},
    io::clock,
    owner::{Errand, Owner, session::CLIENT, text, view::new_id},
};
use serde_json::{Map, Value, json};
use sidetone_api::{AccountId, ConnectionStatus, RegistrationStatus, Reply, Secret, SessionId};
use std::{
    collections::{BTreeMap, VecDeque},
    time::{Duration, Instant},
};
use tokio::sync::{mpsc, oneshot};

/// How long a session waits for a client that asked to be kept.
const KEPT: Duration = Duration::from_secs(120);

/// Where streams need a token that was not shown.
pub(super) const RESTRICTED: &str = "Restricted access";

/// Bytes of what names an application.
const LONGEST_APP_KEY: usize = 256;

/// The session that somebody wants.
enum Wanted {
    New(SessionId),
    /// That waits for its client.
    Kept(SessionId),
}

type OpenReply = oneshot::Sender<Result<ClientOpened, ClientRefused>>;

impl Owner {
    pub(in super::super) fn open_client(&mut self, mut opening: ClientOpening, reply: OpenReply) {
        let invited = opening.is_guest.then(|| self.invited(&mut opening)).transpose();
        let guest_of = match invited {
            Ok(room) => room,
            Err(info) => return self.finish_opening(Err(ClientRefused { info }), &opening, reply),
        };
        let session = match self.may_open_client(&opening) {
            Ok(Wanted::New(session)) => return self.ask_to_open_client(session, opening, guest_of, reply),
            Ok(Wanted::Kept(session)) => Ok(session),
            Err(refused) => Err(refused),
        };
        self.finish_opening(session, &opening, reply);
    }

    /// The backend decides on a session that is new.
    fn ask_to_open_client(
        &mut self,
        session: SessionId,
        mut opening: ClientOpening,
        guest_of: Option<String>,
        reply: OpenReply,
    ) {
        let connection = self.connection_of(&session, &opening);
        let mut fields = connection.clone();
        for tunnel in ["useWsTunnel", "useWsTunnelPacketization2", "useBase64BinaryEncoding"] {
            fields.insert(tunnel.to_owned(), Value::Bool(false));
        }
        let asked = fields.clone();
        self.clients.arriving.insert(session.clone(), opening.app_key.clone());
        let id = session.as_str().to_owned();
        self.gate(Hook::Connect, &id, &id, fields, move |owner, verdict| {
            let result = match verdict {
                Verdict::Go(answer) => {
                    changed_opening(&mut opening.fields, &asked, &answer);
                    // It may be too late, or one too many, by now.
                    owner
                        .may_open_client(&opening)
                        .and_then(|_| owner.new_client(&session, &opening, guest_of))
                }
                Verdict::Refused { info } => Err(ClientRefused { info: text::shown(&info) }),
            };
            if let Err(ClientRefused { info }) = &result {
                let failed = with_status(Fields::new(), ConnectionStatus::Failed.as_str(), info);
                owner.tell(Hook::ConnectionStatusEvent, session.as_str(), session.as_str(), failed);
                owner.hooks.forget_session(&session);
            }
            owner.clients.arriving.remove(&session);
            owner.finish_opening(result.map(|()| session), &opening, reply);
        });
    }

    fn finish_opening(
        &mut self,
        session: Result<SessionId, ClientRefused>,
        opening: &ClientOpening,
        reply: OpenReply,
    ) {
        let opened = session.and_then(|session| self.opened_client(session, opening));
        let session = opened.as_ref().ok().map(|opened| opened.session_id.clone());
        if reply.send(opened).is_err()
            && let Some(session) = session
        {
            self.close_client(&session);
        }
    }

    fn may_open_client(&self, opening: &ClientOpening) -> Result<Wanted, ClientRefused> {
        let refused = |info: &str| ClientRefused { info: info.to_owned() };
        if self.farewell.is_some() {
            return Err(refused("the engine is stopping"));
        }
        let gateway = &self.settings.get().gateway;
        if !gateway.enabled {
            return Err(refused("the gateway is switched off"));
        }
        let is_let_in = opening.trusted || opening.is_guest;
        if gateway.stream_token && !is_let_in && !self.is_token(shown_token(&opening.fields).as_ref()) {
            return Err(refused(RESTRICTED));
        }
        if opening.app_key.len() > LONGEST_APP_KEY {
            return Err(refused(&format!("appKey: {LONGEST_APP_KEY} bytes are the most")));
        }
        check_kept(Some(&Value::Object(public(&opening.fields)))).map_err(|info| refused(&info))?;
        if let Some(token) = &opening.auth_token {
            return self
                .client_of_token(token)
                .map(Wanted::Kept)
                .ok_or_else(|| refused("Session does not exist"));
        }
        // Those that are kept give way.
        let here = self.clients.all.values().filter(|client| client.until.is_none()).count();
        if here + self.clients.arriving.len() > MOST_CLIENTS {
            return Err(refused(&format!("{MOST_CLIENTS} sessions are open, which is the most")));
        }
        new_id("c").map(|id| Wanted::New(SessionId::new(id))).map_err(|failure| refused(&failure.message))
    }

    fn opened_client(
        &mut self,
        session: SessionId,
        opening: &ClientOpening,
    ) -> Result<ClientOpened, ClientRefused> {
        let refused = |info: &str| ClientRefused { info: info.to_owned() };
        // Of the connection before, which may be half open.
        self.leave_rooms_of_client(&session);
        self.end_client_streams(&session);
        self.end_client_calls(&session);
        let (news, told) = mpsc::channel(MOST_NEWS);
        self.clients.connections += 1;
        let connected = self.clients.connections;
        let client = self.clients.all.get_mut(&session).ok_or_else(|| refused("Session does not exist"))?;
        (client.connected, client.until) = (connected, None);
        (client.keep_alive, client.token) = (opening.keep_alive, shown_token(&opening.fields));
        let (errands, id) = (self.errands.clone(), session.clone());
        let (present, gone) = oneshot::channel();
        tokio::spawn(async move {
            let _ = gone.await;
            let _ = errands.send(Errand::ClientLeft(id, connected)).await;
        });
        client.news = Some(news);
        client.remote = opening.remote;
        client.address = opening.remote.to_string();
        let registered = client.sip.clone().filter(|_| client.registers);
        let (news, mut connection) = (ClientNewsReader::watched(told, present), client.connection.clone());
        connection.retain(|field, _| !self.hooks.hides(session.as_str(), Hook::Connect, field));
        let registered = registered.and_then(|sip| self.sessions.get(&sip));
        if registered.is_some_and(|sip| sip.registered == Some(RegistrationStatus::Registered)) {
            self.tell_client(&session, ClientNews::Registered);
        }
        self.publish_gateway();
        Ok(ClientOpened { session_id: session, connected, connection, news })
    }

    fn is_token(&self, shown: Option<&Secret>) -> bool {
        shown.is_some() && self.stream_token() == shown
    }

    /// Whether a client may have to do with streams now: sessions outlive changes of the settings.
    pub(in super::super) fn may_stream(&self, session: &SessionId) -> bool {
        let shown = self.clients.all.get(session).and_then(|client| client.token.as_ref());
        let is_guest = self.clients.all.get(session).is_some_and(|client| client.guest_of.is_some());
        !self.settings.get().gateway.stream_token || is_guest || self.is_token(shown)
    }

    fn client_of_token(&self, token: &str) -> Option<SessionId> {
        let mut all = self.clients.all.iter();
        all.find(|(_, client)| client.auth_token == token).map(|(session, _)| session.clone())
    }

    /// What is said of it to its backend and to itself.
    fn connection_of(&self, session: &SessionId, opening: &ClientOpening) -> Fields {
        let mut connection = public(&opening.fields);
        let more = [
            ("nodeId", json!(self.hooks.node_id())),
            ("appKey", json!(opening.app_key)),
            ("sessionId", json!(session)),
            ("origin", json!(opening.origin)),
            ("keepAlive", json!(opening.keep_alive)),
        ];
        connection.extend(more.into_iter().map(|(key, value)| (key.to_owned(), value)));
        connection
    }

    fn new_client(
        &mut self,
        session: &SessionId,
        opening: &ClientOpening,
        guest_of: Option<String>,
    ) -> Result<(), ClientRefused> {
        let refused = |info: String| ClientRefused { info };
        while self.clients.all.len() >= MOST_CLIENTS && self.close_kept_client(|_| true) {}
        let random: [u8; 16] = clock::random().map_err(|error| refused(error.to_string()))?;
        let auth_token = random.iter().fold(String::new(), |text, byte| format!("{text}{byte:02x}"));
        let mut connection = self.connection_of(session, opening);
        connection.insert("authToken".into(), json!(auth_token));
        connection.insert("status".into(), json!(ConnectionStatus::Established));
        let client = Client {
            app_key: text::shown(&opening.app_key),
            auth_token,
            keep_alive: opening.keep_alive,
            token: None,
            connection,
            news: None,
            connected: 0,
            until: None,
            streams: BTreeMap::new(),
            ended: VecDeque::new(),
            calls: BTreeMap::new(),
            sip: None,
            login: String::new(),
            registers: false,
            is_logged: false,
            sent: BTreeMap::new(),
            guest_of,
            unlogged: 0,
            remote: opening.remote,
            address: opening.remote.to_string(),
            origin: opening.origin.as_deref().map(text::shown),
            since: clock::wallclock_ms(),
        };
        self.clients.all.insert(session.clone(), client);
        if let Err(info) = self.connect_client(session, &opening.fields) {
            self.forget_client(session);
            return Err(refused(info));
        }
        tracing::info!(%session, remote = %opening.remote, "a client has connected");
        self.tell_of_client(session, ConnectionStatus::Established, "");
        Ok(())
    }

    /// The session's SIP account, where it has one.
    fn connect_client(&mut self, session: &SessionId, fields: &Map<String, Value>) -> Result<(), String> {
        let id = AccountId::new(format!("{CLIENT}{session}"));
        let Some(wanted) = sip_account(id.clone(), fields)? else { return Ok(()) };
        if self.are_clients_sessions_taken() {
            self.close_kept_client(|client| client.sip.is_some());
        }
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

    /// Where all places are taken one that nobody is connected to gives way: of those without an account, if there are any, the one
    /// that ends soonest. False where there is none.
    fn close_kept_client(&mut self, fits: impl Fn(&Client) -> bool) -> bool {
        let kept = self.clients.all.iter().filter(|(_, client)| fits(client));
        let kept = kept.filter_map(|(id, client)| Some((client.sip.is_some(), client.until?, id)));
        let Some((_, _, session)) = kept.min() else { return false };
        let session = session.clone();
        self.close_client(&session);
        true
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
        self.leave_rooms_of_client(session);
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

    pub(super) fn close_client(&mut self, session: &SessionId) {
        self.leave_rooms_of_client(session);
        self.end_client_streams(session);
        self.end_client_calls(session);
        self.tell_of_client(session, ConnectionStatus::Disconnected, "");
        self.forget_client(session);
    }

    fn forget_client(&mut self, session: &SessionId) {
        let sip = self.clients.all.get(session).and_then(|client| client.sip.clone());
        if let (Some(_), Some(client)) = (&sip, self.clients.all.get(session)) {
            let left = Left { app_key: client.app_key.clone(), connection: client.connection.clone() };
            self.clients.leaving.insert(session.clone(), left);
        }
        self.disconnect_client(session);
        match sip {
            // Its registrar may still have something to say.
            Some(sip) if self.sessions.contains_key(&sip) => {}
            Some(sip) => self.on_client_has_left(&sip),
            None => self.hooks.forget_session(session),
        }
        if self.clients.all.remove(session).is_some() {
            tracing::info!(%session, "a client has gone");
            self.publish_gateway();
        }
    }

    /// Nothing is told of a session any more.
    pub(super) fn on_client_has_left(&mut self, sip: &SessionId) {
        let Some(session) = self.clients.by_sip.remove(sip) else { return };
        if self.clients.leaving.remove(&session).is_some() {
            self.hooks.forget_session(&session);
        }
    }

    /// At the end of the engine, and where everything is deleted.
    pub(in super::super) fn end_clients(&mut self) {
        for session in self.clients.all.keys().cloned().collect::<Vec<_>>() {
            self.close_client(&session);
        }
    }
}

/// Where streams need a token, clients show it as `custom.token`.
fn shown_token(fields: &Map<String, Value>) -> Option<Secret> {
    fields.get("custom")?.get("token")?.as_str().map(Secret::new)
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
