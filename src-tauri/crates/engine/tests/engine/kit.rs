//! An engine and a client of it.

use crate::mirror::{Mirror, has_ended};
use sidetone_api::{
    Account, AccountId, CallId, CallStatus, CallView, Command, Envelope, Event, Failure, NoticeLevel,
    RegistrationStatus, Reply, SessionId, Settings, Snapshot, TransferStatus,
};
use sidetone_engine::{Directories, Engine, Events, Handle, Next, Options};
use sidetone_media::Synthetic;
use std::{
    fs,
    net::{IpAddr, Ipv4Addr, SocketAddr},
    path::{Path, PathBuf},
    sync::Arc,
    time::Duration,
};
use tokio::time::{Instant, timeout_at};

/// How long anything may take that waits for no time-out of SIP. Machines that test are busy.
pub(crate) const SOON: Duration = Duration::from_secs(15);

pub(crate) const LOOPBACK: IpAddr = IpAddr::V4(Ipv4Addr::LOCALHOST);

pub(crate) struct Phone {
    pub(crate) handle: Handle,
    events: Events,
    mirror: Mirror,
    /// Everything that came, in order.
    pub(crate) seen: Vec<Arc<Envelope>>,
    /// How much of `seen` earlier waits have passed.
    passed: usize,
}

/// A silent phone without a gateway.
pub(crate) fn quiet() -> Settings {
    let mut settings = Settings::default();
    settings.audio.microphone = "silence".into();
    settings.audio.speaker = "null".into();
    settings.gateway.enabled = false;
    settings
}

/// The same with a gateway on any port.
pub(crate) fn gateway() -> Settings {
    let mut settings = quiet();
    settings.gateway.enabled = true;
    settings.gateway.sip_port = 0;
    settings
}

pub(crate) fn account(user: &str, domain: SocketAddr) -> Account {
    Account::new(AccountId::new(user), user, format!("sip:{user}@{domain}"))
}

/// An account that places and takes calls without a registrar.
pub(crate) fn unregistered(user: &str) -> Account {
    Account { register: false, ..account(user, SocketAddr::new(LOOPBACK, 9)) }
}

pub(crate) fn options(settings: Settings) -> Options {
    Options {
        exchange: Default::default(),
        sip_bind: Some(LOOPBACK),
        ..Options::in_memory(Arc::new(Synthetic), settings)
    }
}

/// What a phone keeps is below `root`.
pub(crate) fn kept_in(root: &Path) -> Options {
    Options { directories: Some(Directories::below(root)), settings: None, ..options(quiet()) }
}

/// The file of a quiet phone, so that no test of this needs the usual ports.
pub(crate) fn write_settings(root: &Path, more: &str) -> PathBuf {
    let file = root.join("config").join("settings.toml");
    fs::create_dir_all(file.parent().unwrap()).unwrap();
    let text = format!(
        "{more}\n[audio]\nmicrophone = \"silence\"\nspeaker = \"null\"\n[gateway]\nenabled = false\n"
    );
    fs::write(&file, text).unwrap();
    file
}

impl Phone {
    pub(crate) async fn start(settings: Settings) -> Self {
        Self::with(options(settings)).await
    }

    pub(crate) async fn with(options: Options) -> Self {
        Self::attached_to(Engine::start(options).await.expect("an engine")).await
    }

    pub(crate) async fn attached_to(handle: Handle) -> Self {
        let (snapshot, events) = handle.attach().await.expect("a snapshot");
        Self { handle, events, mirror: Mirror::new(snapshot), seen: Vec::new(), passed: 0 }
    }

    /// A phone whose account `user` is registered at `domain`, with these settings.
    pub(crate) async fn registered(user: &str, domain: SocketAddr, mut settings: Settings) -> Self {
        settings.accounts.push(account(user, domain));
        let mut phone = Self::start(settings).await;
        phone.is_registered().await;
        phone
    }

    /// A phone that calls, and is called at, addresses.
    pub(crate) async fn direct(user: &str, mut settings: Settings) -> Self {
        let port = sidetone_testkit::free_port(LOOPBACK).expect("a port");
        settings.network.sip_port = port;
        settings.accounts.push(unregistered(user));
        Self::start(settings).await
    }

    pub(crate) fn state(&self) -> &Snapshot {
        self.mirror.state()
    }

    /// Where the gateway listens.
    pub(crate) fn gateway(&self) -> SocketAddr {
        self.state().gateway.sip_address.as_deref().expect("a gateway").parse().expect("an address")
    }

    /// Where a phone of [`Phone::direct`] is called.
    pub(crate) fn address(&self) -> SocketAddr {
        SocketAddr::new(LOOPBACK, self.state().settings.network.sip_port)
    }

    pub(crate) fn session(&self) -> SessionId {
        self.state().sessions.first().expect("a session").session_id.clone()
    }

    pub(crate) async fn ask(&self, command: Command) -> Result<Reply, Failure> {
        self.handle.command(command).await
    }

    pub(crate) async fn done(&self, command: Command) {
        let text = format!("{command:?}");
        self.ask(command).await.unwrap_or_else(|failure| panic!("{text}: {failure}"));
    }

    pub(crate) async fn call(&self, callee: &str) -> CallId {
        let command = Command::call(callee, None);
        match self.ask(command).await {
            Ok(Reply::Call { call_id }) => call_id,
            other => panic!("no call: {other:?}"),
        }
    }

    pub(crate) async fn hold(&self, call: &CallId) {
        self.done(Command::Hold { call_id: call.clone() }).await;
    }

    pub(crate) async fn unhold(&self, call: &CallId) {
        self.done(Command::Unhold { call_id: call.clone() }).await;
    }

    /// Waits for a status of a transfer; gives its `info`.
    pub(crate) async fn transfer(&mut self, call: &CallId, wanted: TransferStatus) -> String {
        self.wait(&format!("transfer {wanted:?} of {call}"), |event| match event {
            Event::TransferStatusEvent { status, call_id, info, .. } if call_id == call => {
                (*status == wanted).then(|| info.clone())
            }
            _ => None,
        })
        .await
    }

    /// All status events of transfers so far.
    pub(crate) fn transfers(&self) -> Vec<TransferStatus> {
        let of_transfer = self.seen.iter().filter_map(|envelope| match &envelope.event {
            Event::TransferStatusEvent { status, .. } => Some(*status),
            _ => None,
        });
        of_transfer.collect()
    }

    /// A call as the engine shows it.
    pub(crate) fn view(&self, call: &CallId) -> &CallView {
        let found = self.state().calls.iter().find(|view| view.call_id == *call);
        found.unwrap_or_else(|| panic!("{call} is gone"))
    }

    pub(crate) async fn hang_up(&self, call: &CallId) {
        self.done(Command::Hangup { call_id: call.clone() }).await;
    }

    /// Waits for the next ringing call and gives its id.
    pub(crate) async fn ringing(&mut self) -> CallId {
        self.wait("a ringing call", |event| match event {
            Event::CallStatusEvent { status: CallStatus::Ring, call_id, .. } => Some(call_id.clone()),
            _ => None,
        })
        .await
    }

    pub(crate) async fn answer(&mut self) -> CallId {
        let call = self.ringing().await;
        self.done(Command::Answer { call_id: call.clone(), video: false }).await;
        self.status(&call, CallStatus::Established).await;
        call
    }

    /// Waits for the next event that fits, after those of earlier waits.
    pub(crate) async fn wait<T>(&mut self, what: &str, fits: impl Fn(&Event) -> Option<T>) -> T {
        let deadline = Instant::now() + SOON;
        loop {
            while let Some(envelope) = self.seen.get(self.passed) {
                self.passed += 1;
                if let Some(found) = fits(&envelope.event) {
                    return found;
                }
            }
            self.read(deadline, what).await;
        }
    }

    /// Waits until the state is such.
    pub(crate) async fn until(&mut self, what: &str, fits: impl Fn(&Snapshot) -> bool) {
        let deadline = Instant::now() + SOON;
        while !fits(self.mirror.state()) {
            self.read(deadline, what).await;
        }
    }

    /// Waits for a status of a call; gives its `info`.
    pub(crate) async fn status(&mut self, call: &CallId, wanted: CallStatus) -> String {
        self.wait(&format!("{wanted:?} of {call}"), |event| match event {
            Event::CallStatusEvent { status, call_id, info, .. } if call_id == call && *status == wanted => {
                Some(info.clone())
            }
            _ => None,
        })
        .await
    }

    pub(crate) async fn is_registered(&mut self) {
        self.until("the registration", |state| {
            let first = state.sessions.first();
            first.is_some_and(|session| session.registration == Some(RegistrationStatus::Registered))
        })
        .await;
    }

    pub(crate) async fn registration(&mut self, wanted: RegistrationStatus) -> (SessionId, String) {
        self.wait(&format!("{wanted:?}"), |event| match event {
            Event::RegistrationStatusEvent { status, session_id, info } if *status == wanted => {
                Some((session_id.clone(), info.clone()))
            }
            _ => None,
        })
        .await
    }

    pub(crate) async fn notice(&mut self, part: &str) -> NoticeLevel {
        self.wait(&format!("a notice of {part:?}"), |event| match event {
            Event::Notice { level, info, .. } => info.contains(part).then_some(*level),
            _ => None,
        })
        .await
    }

    /// All status events of a call so far.
    pub(crate) fn statuses(&self, call: &CallId) -> Vec<CallStatus> {
        let of_call = self.seen.iter().filter_map(|envelope| match &envelope.event {
            Event::CallStatusEvent { status, call_id, .. } if call_id == call => Some(*status),
            _ => None,
        });
        of_call.collect()
    }

    /// Takes all events up to the present, and compares what they add up to with what the engine says; checks that every call
    /// that has ended did so once and is in the history.
    pub(crate) async fn check(&mut self) {
        let Ok(Reply::Snapshot { snapshot }) = self.ask(Command::GetSnapshot).await else {
            panic!("no snapshot")
        };
        let deadline = Instant::now() + SOON;
        while self.mirror.seq() < snapshot.seq {
            self.read(deadline, "events up to the snapshot").await;
        }
        if self.mirror.seq() == snapshot.seq {
            self.mirror.assert_same(snapshot);
        }
        let ends = |call: &CallId| self.statuses(call).into_iter().filter(|s| has_ended(*s)).count();
        let mut ended = 0;
        for envelope in &self.seen {
            if let Event::HistoryAdded { entry } = &envelope.event {
                if self.statuses(&entry.call_id).is_empty() {
                    // A rule dealt with it before anybody was told.
                    continue;
                }
                assert_eq!(ends(&entry.call_id), 1, "ends of {}", entry.call_id);
                ended += 1;
            }
        }
        let all = self.seen.iter().filter(
            |envelope| matches!(&envelope.event, Event::CallStatusEvent { status, .. } if has_ended(*status)),
        );
        assert_eq!(all.count(), ended, "each end is in the history");
    }

    /// Checks, stops, and reads to the end.
    pub(crate) async fn finish(mut self) -> Vec<Arc<Envelope>> {
        self.check().await;
        self.handle.shut_down().await;
        while let Some(next) = self.events.next().await {
            let Next::Event(envelope) = next else { panic!("lagged") };
            self.seen.push(envelope);
        }
        self.seen
    }

    async fn read(&mut self, deadline: Instant, what: &str) {
        match timeout_at(deadline, self.events.next()).await {
            Ok(Some(Next::Event(envelope))) => {
                self.mirror.apply(&envelope);
                self.seen.push(envelope);
            }
            Ok(Some(Next::Lagged)) => panic!("lagged while waiting for {what}"),
            Ok(None) => panic!("the engine ended while waiting for {what}:\n{}", self.story()),
            Err(_) => panic!("{what} did not come:\n{}", self.story()),
        }
    }

    fn story(&self) -> String {
        let events = self.seen.iter().filter(|envelope| !envelope.event.is_measurement());
        events.map(|envelope| format!("{:?}\n", envelope.event)).collect()
    }
}
