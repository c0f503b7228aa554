//! Sessions at Web Call Servers: each has one connection, over which streams, calls and data are asked for. What is negotiated there
//! flows as everywhere: streams through the stream thread's peers, calls through legs of the media thread.

mod account;
mod calling;
mod connection;
mod data;
mod rooms;
mod stream;

pub(super) use account::introduction;

use super::{Owner, text};
use crate::{
    io::{
        http::Schedule,
        streams::router::NOT_FOUND,
        transport::WebSocketUrl,
        wcs::{Door, News},
    },
    wcs::{SaidOfCall, ServerAsk, ServerSaid},
};
use sidetone_api::{Account, CallId, DataId, Failure, NoticeLevel, Secret, SessionId, StreamId};
use std::{
    collections::{BTreeMap, BTreeSet},
    net::{IpAddr, SocketAddr},
    time::{Duration, Instant},
};
use tokio::sync::oneshot;

/// Within this a server says something to what it is asked.
const PATIENCE: Duration = Duration::from_secs(20);
/// Descriptions and calls that wait for each other.
const MOST_EARLY: usize = 16;
/// Complaints about one connection that the user reads.
const MOST_NOTICES: u32 = 5;

/// What an offer of ours came to.
pub(super) type OfferReply = oneshot::Sender<Result<String, String>>;

/// The way of a session to its server.
pub(super) struct Connection {
    pub(super) url: WebSocketUrl,
    app_key: String,
    custom: Option<String>,
    /// As rooms there know us, where `custom` does not say it.
    login_of_rooms: Option<String>,
    /// To a listener for guests alone, which takes pages of its own.
    shows_origin: bool,
    /// The account has an address, which the server speaks SIP for.
    pub(super) has_address: bool,
    pub(super) password: Option<Secret>,
    /// Of the session that the server keeps for us.
    pub(super) auth_token: Option<Secret>,
    door: Option<Door>,
    /// What an earlier attempt tells is of no interest.
    attempt: u64,
    /// The last attempt's task is not over.
    pub(super) is_open: bool,
    /// It has been accepted.
    stands: bool,
    /// Until when it is accepted.
    due: Option<Instant>,
    schedule: Schedule,
    /// Milliseconds since 1970.
    pub(super) retry_at: Option<u64>,
    /// Why the server does not want us, said before it closes.
    refusal: Option<String>,
    remote: Option<SocketAddr>,
    local: Option<IpAddr>,
    /// As the server knows us.
    login: String,
    notices: u32,
    /// Streams by the ids that the server knows.
    streams: BTreeMap<String, StreamId>,
    /// Of them, those whose offer has no answer yet.
    offers: BTreeMap<String, OfferReply>,
    /// Snapshots that were asked for: of whom, and until when.
    snapshots: BTreeMap<String, (StreamId, Instant)>,
    /// Descriptions of calls that have not been told of, and calls without a description.
    described: BTreeMap<String, String>,
    announced: BTreeMap<String, SaidOfCall>,
    /// Calls that the backend decides on.
    expected: BTreeSet<String>,
    /// Calls of ours without a first word of the server.
    calling: BTreeMap<CallId, Instant>,
    /// Messages without an answer.
    sent: BTreeMap<DataId, Instant>,
    /// The server keeps logs, and wants ours.
    debug: bool,
    /// Lines of ours that went to the server, until the backend hears of them.
    logged: String,
    logged_due: Option<Instant>,
}

/// Bytes of lines that the backend hears of at a time, and the time between.
const MOST_LOGGED: usize = 16 * 1024;
const BETWEEN_LOGS: Duration = Duration::from_secs(1);

/// What a connection tells.
#[derive(Debug)]
pub(super) struct Told {
    pub(super) session: SessionId,
    pub(super) attempt: u64,
    pub(super) news: News,
}

impl Connection {
    /// `None` where the account has no such server.
    ///
    /// # Errors
    /// Names the field of the account that is wrong.
    pub(super) fn of(account: &Account) -> Result<Option<Self>, Failure> {
        let Some(server) = &account.wcs else { return Ok(None) };
        let (url, custom) = account::check(server)?;
        Ok(Some(Self {
            url,
            app_key: server.app_key.clone().unwrap_or_else(|| account::DEFAULT_APP.into()),
            custom,
            login_of_rooms: None,
            shows_origin: false,
            has_address: !account.aor.trim().is_empty(),
            password: None,
            auth_token: None,
            door: None,
            attempt: 0,
            is_open: false,
            stands: false,
            due: None,
            schedule: Schedule::default(),
            retry_at: None,
            refusal: None,
            remote: None,
            local: None,
            login: String::new(),
            notices: 0,
            streams: BTreeMap::new(),
            offers: BTreeMap::new(),
            snapshots: BTreeMap::new(),
            described: BTreeMap::new(),
            announced: BTreeMap::new(),
            expected: BTreeSet::new(),
            calling: BTreeMap::new(),
            sent: BTreeMap::new(),
            debug: false,
            logged: String::new(),
            logged_due: None,
        }))
    }

    /// Who we are where the account has no address.
    pub(super) fn guest(&self) -> String {
        let host = &self.url.host;
        if host.contains(':') { format!("sip:guest@[{host}]") } else { format!("sip:guest@{host}") }
    }

    /// False where nobody hears it.
    fn say(&mut self, ask: &ServerAsk) -> bool {
        let said = self.door.as_ref().is_some_and(|door| door.say(ask));
        if said && self.debug && !matches!(ask, ServerAsk::Logs { .. }) {
            self.log(&format!("sent {}", ask.name()));
        }
        said
    }

    /// A line of ours in the server's logs.
    fn log(&mut self, line: &str) {
        let Some(door) = self.door.as_ref().filter(|_| self.debug) else { return };
        let logs = format!("{line}\n");
        if self.logged.len() + logs.len() <= MOST_LOGGED {
            self.logged.push_str(&logs);
        }
        self.logged_due.get_or_insert_with(|| Instant::now() + BETWEEN_LOGS);
        let _ = door.say(&ServerAsk::Logs { logs });
    }

    /// Where streams and calls go.
    fn place(&self) -> Option<(SocketAddr, IpAddr)> {
        self.remote.zip(self.local).filter(|_| self.stands)
    }

    fn next_due(&self) -> Option<Instant> {
        let snapshots = self.snapshots.values().map(|(_, due)| *due);
        let sent = self.sent.values().copied();
        let calling = self.calling.values().copied();
        let own = [self.due, self.schedule.due(), self.logged_due].into_iter().flatten();
        snapshots.chain(sent).chain(calling).chain(own).min()
    }
}

impl Owner {
    fn wcs(&mut self, id: &SessionId) -> Option<&mut Connection> {
        self.sessions.get_mut(id)?.wcs.as_deref_mut()
    }

    /// # Errors
    /// There is no such session, or it does not stand.
    fn standing_wcs(&mut self, id: &SessionId) -> Result<&mut Connection, Failure> {
        self.check_allowed(id)?;
        self.open_session(id)?;
        let connection = self.wcs(id).ok_or_else(|| {
            Failure::invalid("sessionId", "sessionId: this session is not at a Web Call Server")
        })?;
        if connection.stands {
            return Ok(connection);
        }
        let message = "the session's server is not connected";
        Err(Failure::new(sidetone_api::FailureCode::WrongState, message))
    }

    pub(super) fn say_to_server(&mut self, id: &SessionId, ask: &ServerAsk) -> bool {
        let Some(connection) = self.wcs(id) else { return false };
        let said = connection.say(ask);
        if !said && connection.stands {
            self.lose_wcs(id, "the server does not read");
        }
        said
    }

    pub(super) fn on_wcs_told(&mut self, told: Told) {
        let Told { session: id, attempt, news } = told;
        let Some(session) = self.sessions.get_mut(&id) else { return };
        let is_closing = session.is_closing();
        let Some(connection) = session.wcs.as_deref_mut().filter(|it| it.attempt == attempt) else { return };
        match news {
            News::Over(_) if is_closing => {
                connection.is_open = false;
                self.close_when_left(&id);
            }
            _ if is_closing => {}
            News::Open { remote, local, proof } => self.on_wcs_open(&id, remote, local, proof),
            News::Said(said) => self.on_server_said(&id, said),
            News::Unreadable(unreadable) => {
                let words = unreadable.to_string();
                if !connection.stands {
                    return self.lose_wcs(&id, &words);
                }
                self.complain(&id, &words);
                if let Some(object) = unreadable.id {
                    self.fail_object(&id, &object, &words);
                }
            }
            News::Over(reason) => {
                connection.is_open = false;
                self.lose_wcs(&id, &reason);
            }
        }
    }

    fn on_server_said(&mut self, id: &SessionId, said: ServerSaid) {
        use ServerSaid as S;
        let Some(connection) = self.wcs(id) else { return };
        match said {
            S::Accepted(fields) => return self.on_wcs_accepted(id, &fields),
            S::Failed { event, info, .. } if !connection.stands => {
                tracing::debug!(event, "a server refuses a session");
                connection.refusal = Some(if info.is_empty() { "refused".into() } else { info });
                return;
            }
            // Before it says that the session stands there is nothing that it could be about.
            _ if !connection.stands => return,
            _ => {}
        }
        match said {
            S::Failed { event, id: object, info } => self.on_wcs_failed(id, &event, &object, &info),
            S::Registered => self.on_wcs_registered(id),
            S::Description { id: object, sdp, is_answer } => {
                self.on_server_description(id, object, sdp, is_answer);
            }
            S::Stream { id: object, status, info } => self.on_server_stream(id, &object, &status, &info),
            S::StreamEvent { id: object, kind, payload } => {
                self.on_server_stream_event(id, &object, &kind, &payload);
            }
            S::IncomingCall(call) => self.on_wcs_incoming(id, call),
            S::Call(call) => self.on_wcs_call(id, call),
            S::Transfer { id: object, status, target, info } => {
                self.on_wcs_transfer(id, &object, &status, &target, &info);
            }
            S::DataStatus { operation_id, status, info } => {
                self.on_wcs_data_status(id, operation_id, &status, &info);
            }
            S::Data { payload, .. } => self.on_wcs_data(id, payload),
            S::Debug { status, info } => self.on_wcs_debug(id, &status, &info),
            S::Unknown { name } => {
                tracing::debug!("the server says {name:?}, which is not known here");
            }
            S::Ping | S::Nothing | S::Accepted(_) => {}
        }
    }

    fn on_server_description(
        &mut self,
        id: &SessionId,
        object: String,
        sdp: String,
        is_answer: Option<bool>,
    ) {
        let Some(connection) = self.wcs(id) else { return };
        if let Some(reply) = connection.offers.remove(&object) {
            let answered = match is_answer {
                Some(false) => Err("the server made an offer where it was to answer ours".into()),
                _ => Ok(sdp),
            };
            let _ = reply.send(answered);
            return;
        }
        // One that went on after a pause may be described again: what was agreed on stands.
        if !connection.streams.contains_key(&object) {
            self.on_wcs_call_description(id, object, sdp, is_answer);
        }
    }

    fn on_wcs_failed(&mut self, id: &SessionId, event: &str, object: &str, info: &str) {
        let info = if info.is_empty() { "the server gives no reason" } else { info };
        match event {
            "RegistrationStatusEvent" => self.on_wcs_registration_failed(id, info),
            "SessionDebugStatusEvent" => self.on_wcs_debug_refused(id, info),
            _ if !object.is_empty() => self.fail_object(id, object, info),
            // It has ended there before we said so.
            "StreamStatusEvent" if info == NOT_FOUND => {}
            _ => self.complain(id, &format!("{event}: {info}")),
        }
    }

    /// A stream or call of this id is over.
    fn fail_object(&mut self, id: &SessionId, object: &str, info: &str) {
        let Some(connection) = self.wcs(id) else { return };
        if connection.streams.contains_key(object) {
            self.on_server_stream(id, object, "FAILED", info);
        } else {
            self.fail_wcs_call(id, object, info);
        }
    }

    /// What the user should know, as long as there is not too much of it.
    pub(super) fn complain(&mut self, id: &SessionId, words: &str) {
        let Some(session) = self.sessions.get_mut(id) else { return };
        let name = session.account.name.clone();
        let Some(connection) = session.wcs.as_deref_mut() else { return };
        connection.notices += 1;
        if connection.notices <= MOST_NOTICES {
            let words = text::shown(words);
            self.notice(NoticeLevel::Warning, &format!("{name}: {words}"), None);
        }
    }

    pub(super) fn next_wcs(&self) -> Option<Instant> {
        let all = self.sessions.values().filter_map(|session| session.wcs.as_deref());
        all.filter_map(Connection::next_due).min()
    }

    pub(super) fn do_due_of_wcs(&mut self, now: Instant) {
        let is_due = |connection: &Connection| connection.next_due().is_some_and(|due| due <= now);
        let due: Vec<_> = self
            .sessions
            .values()
            .filter(|session| session.wcs.as_deref().is_some_and(is_due))
            .map(|session| session.id.clone())
            .collect();
        for id in due {
            let Some(connection) = self.wcs(&id) else { continue };
            if connection.due.take_if(|due| *due <= now).is_some() {
                let words = format!("the server did not accept the session within {} s", PATIENCE.as_secs());
                self.lose_wcs(&id, &words);
                continue;
            }
            if connection.schedule.take(now) {
                self.open_wcs(&id);
                continue;
            }
            if connection.logged_due.take_if(|due| *due <= now).is_some() {
                self.tell_of_logs(&id);
            }
            self.give_up_snapshots(&id, now);
            self.give_up_data(&id, now);
            self.give_up_calls(&id, now);
        }
    }
}
