//! The connection: opened, accepted, lost, opened again.

use super::{
    super::{Errand, Owner, text},
    PATIENCE, Told, introduction,
};
use crate::{
    hooks::{Fields, Hook, Verdict},
    io::{
        clock,
        http::Schedule,
        wcs::{Call, News, open},
    },
};
use serde_json::{Map, Value};
use sidetone_api::{
    CallStatus, ConnectionStatus, Event, Failure, RegistrationStatus, Reply, RoomStatus, Secret,
    SessionDebugStatus, SessionId, SignallingView, StreamStatus, Transport,
};
use std::{
    net::{IpAddr, SocketAddr},
    time::Instant,
};

const STOPPED: &str = "Stopped by session disconnect";
const LOST: &str = "the connection to the server was lost";
/// Of what names a session at the server.
const LONGEST_TOKEN: usize = 1024;

impl Owner {
    /// Makes an attempt.
    pub(in super::super) fn open_wcs(&mut self, id: &SessionId) {
        let finder = self.phone.finder();
        let errands = self.errands.clone();
        let Some(session) = self.sessions.get_mut(id).filter(|session| !session.is_closing()) else { return };
        // Asked for anew: what nobody uses for long is forgotten.
        session.authority = finder.authorities.of_account(session.link.clone());
        let Some(terms) = finder.authorities.terms(session.authority) else { return };
        let Some(connection) = session.wcs.as_deref() else { return };
        let first = introduction(session, connection);
        let Some(connection) = session.wcs.as_deref_mut() else { return };
        connection.attempt += 1;
        let attempt = connection.attempt;
        (connection.retry_at, connection.refusal) = (None, None);
        connection.due = Some(Instant::now() + PATIENCE);
        let (url, shows_origin) = (connection.url.clone(), connection.shows_origin);
        let call = Call { url, trust: terms.trust, names: finder.names, shows_origin, first };
        let session = id.clone();
        let tell = move |news: News| {
            let told = Told { session: session.clone(), attempt, news };
            let errands = errands.clone();
            async move { errands.send(Errand::Wcs(Box::new(told))).await.is_ok() }
        };
        connection.door = Some(open(call, tell));
        connection.is_open = true;
        self.publish_session(id);
    }

    pub(super) fn on_wcs_open(
        &mut self,
        id: &SessionId,
        remote: SocketAddr,
        local: IpAddr,
        proof: Option<String>,
    ) {
        let Some(session) = self.sessions.get_mut(id) else { return };
        session.signalling = Some(SignallingView {
            transport: if proof.is_some() { Transport::Wss } else { Transport::Ws },
            remote: remote.to_string(),
            secure: proof.is_some(),
            info: proof.unwrap_or_else(|| "not encrypted".into()),
        });
        let Some(connection) = session.wcs.as_deref_mut() else { return };
        (connection.remote, connection.local) = (Some(remote), Some(local));
    }

    /// The session stands.
    pub(super) fn on_wcs_accepted(&mut self, id: &SessionId, fields: &Map<String, Value>) {
        let Some(connection) = self.wcs(id) else { return };
        if std::mem::replace(&mut connection.stands, true) {
            return;
        }
        connection.due = None;
        let said = |key: &str| fields.get(key).and_then(Value::as_str).unwrap_or_default();
        let token = said("authToken");
        connection.auth_token =
            (!token.is_empty() && token.len() <= LONGEST_TOKEN).then(|| Secret::new(token));
        connection.login = text::shown(said("sipLogin"));
        connection.schedule.live(Instant::now());
        let info = format!("{} accepted the session", connection.url.text());
        self.set_connection(id, ConnectionStatus::Established, &info);
        self.publish_session(id);
        self.join_far_rooms_of(id);
        self.reconnect_streams_of(id);
    }

    /// It is lost, or did not come about.
    pub(super) fn lose_wcs(&mut self, id: &SessionId, reason: &str) {
        let Some(connection) = self.wcs(id) else { return };
        let stood = std::mem::take(&mut connection.stands);
        connection.attempt += 1;
        (connection.door, connection.is_open, connection.due) = (None, false, None);
        connection.debug = false;
        let refusal = connection.refusal.take();
        let was_kept = refusal.is_some() && connection.auth_token.take().is_some();
        let random = clock::random().map(u32::from_be_bytes).unwrap_or(u32::MAX / 2);
        let now = Instant::now();
        if was_kept && !stood {
            // The server does not keep our session any more: another one is begun.
            return self.open_wcs(id);
        }
        let is_refused = refusal.is_some() && !stood;
        if !is_refused {
            let due = connection.schedule.failed(now, None, random);
            let wait = u64::try_from(due.saturating_duration_since(now).as_millis()).unwrap_or(u64::MAX);
            connection.retry_at = Some(clock::wallclock_ms().saturating_add(wait));
        } else {
            connection.schedule = Schedule::default();
        }
        let info = refusal.as_deref().unwrap_or(reason).to_owned();
        self.drop_what_waits(id, &info);
        self.lose_connection(id, &info);
        self.unregister_wcs(id, &info);
        self.publish_session(id);
        if is_refused {
            self.end_far_rooms_of(id, RoomStatus::Failed, &info);
        } else {
            self.lose_far_rooms_of(id, &info);
        }
        if stood {
            self.end_wcs_calls(id, CallStatus::Failed, LOST);
            self.lose_streams_of(id, LOST);
        }
        if is_refused {
            self.fail_streams_of(id, &info);
        }
    }

    /// Nobody answers any more.
    fn drop_what_waits(&mut self, id: &SessionId, info: &str) {
        let Some(connection) = self.wcs(id) else { return };
        connection.described.clear();
        connection.announced.clear();
        connection.expected.clear();
        connection.calling.clear();
        let offers = std::mem::take(&mut connection.offers);
        let snapshots = std::mem::take(&mut connection.snapshots);
        let sent = std::mem::take(&mut connection.sent);
        drop(offers);
        for (stream, _) in snapshots.into_values() {
            self.on_wcs_snapshot(&stream, Err(info.to_owned()));
        }
        for data in sent.into_keys() {
            self.tell_data_failed(id, data, info);
        }
    }

    /// By us: the streams and calls of the session end with it.
    pub(in super::super) fn close_wcs(&mut self, id: &SessionId) {
        self.end_far_rooms_of(id, RoomStatus::Left, STOPPED);
        self.end_wcs_calls(id, CallStatus::Finish, "closed");
        let ended: Vec<_> = self.streams_of_session(id);
        for (stream, is_published) in ended {
            let status = if is_published { StreamStatus::Unpublished } else { StreamStatus::Stopped };
            self.end_stream(&stream, status, STOPPED);
        }
        self.drop_what_waits(id, "closed");
        if let Some(connection) = self.wcs(id) {
            (connection.door, connection.stands, connection.due) = (None, false, None);
            (connection.schedule, connection.retry_at) = (Schedule::default(), None);
        }
    }

    /// The user does not want to wait.
    pub(in super::super) fn connect_wcs_now(&mut self, id: &SessionId) {
        let Some(connection) = self.wcs(id) else { return };
        if connection.stands || connection.is_open {
            return;
        }
        connection.schedule = Schedule::default();
        self.open_wcs(id);
    }

    pub(super) fn on_wcs_registered(&mut self, id: &SessionId) {
        self.set_registered(id, RegistrationStatus::Registered, "at the server", false);
    }

    /// Our own gateway says which status it is.
    pub(super) fn on_wcs_registration_failed(&mut self, id: &SessionId, info: &str) {
        let status = RegistrationStatus::AuthenticationFail;
        let is_wrong = info.starts_with(status.as_str()) || info.contains("401") || info.contains("403");
        let status = if is_wrong { status } else { RegistrationStatus::Unregistered };
        let named = format!("{status}: ");
        self.set_registered(id, status, info.strip_prefix(named.as_str()).unwrap_or(info), false);
    }

    fn unregister_wcs(&mut self, id: &SessionId, info: &str) {
        let registered = self.sessions.get(id).and_then(|session| session.registered);
        if registered == Some(RegistrationStatus::Registered) {
            self.set_registered(id, RegistrationStatus::Unregistered, info, false);
        }
    }

    pub(in super::super) fn debug_session(&mut self, id: &SessionId, on: bool) -> Result<Reply, Failure> {
        self.standing_wcs(id)?;
        let command = if on { "start" } else { "stop" };
        let fields = Fields::from_iter([("command".to_owned(), command.into())]);
        let (object, id) = (format!("debug of {id}"), id.clone());
        self.gate(Hook::SessionDebug, id.clone().as_str(), &object, fields, move |owner, verdict| {
            let done = match verdict {
                Verdict::Go(_) => owner.standing_wcs(&id).map(drop).map_err(|failure| failure.message),
                Verdict::Refused { info } => Err(info),
            };
            match done {
                Ok(()) => drop(owner.say_to_server(&id, &crate::wcs::ServerAsk::Debug { start: on })),
                Err(info) => owner.tell_debug(&id, &info),
            }
        });
        Ok(Reply::Done)
    }

    /// Nobody waits for them, and what has no room is left out.
    pub(super) fn tell_of_logs(&mut self, id: &SessionId) {
        let object = format!("logs of {id}");
        let has_room = self.hooks.has_room_for_logs(&object);
        let Some(connection) = self.wcs(id) else { return };
        let logs = std::mem::take(&mut connection.logged);
        if has_room {
            let fields = Fields::from_iter([("logs".to_owned(), logs.into())]);
            self.tell(Hook::PushLogs, id.as_str(), &object, fields);
        }
    }

    /// As it is, and goes on.
    fn tell_debug(&mut self, id: &SessionId, info: &str) {
        let Some(connection) = self.wcs(id) else { return };
        let is_on = connection.debug;
        let status = if is_on { SessionDebugStatus::Started } else { SessionDebugStatus::Stopped };
        let (session_id, info) = (id.clone(), text::shown(info));
        self.publish(Event::SessionDebugStatusEvent { status, session_id, info });
    }

    pub(super) fn on_wcs_debug(&mut self, id: &SessionId, status: &str, info: &str) {
        let status = if status == SessionDebugStatus::Started.as_str() {
            SessionDebugStatus::Started
        } else {
            SessionDebugStatus::Stopped
        };
        let Some(connection) = self.wcs(id) else { return };
        connection.debug = status == SessionDebugStatus::Started;
        connection.log(concat!("Sidetone ", env!("CARGO_PKG_VERSION")));
        let (session_id, info) = (id.clone(), text::shown(info));
        self.publish(Event::SessionDebugStatusEvent { status, session_id, info });
    }

    pub(super) fn on_wcs_debug_refused(&mut self, id: &SessionId, info: &str) {
        if let Some(connection) = self.wcs(id) {
            connection.debug = false;
        }
        let (session_id, info) = (id.clone(), text::shown(info));
        let status = SessionDebugStatus::Stopped;
        self.publish(Event::SessionDebugStatusEvent { status, session_id, info });
    }
}
