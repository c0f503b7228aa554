//! A phone, its far end and its backend; and how each gate is made to be asked.

use super::{EXTRAS, GATES, change};
use crate::{
    backend::Backend,
    hooks_calls::hooked,
    kit::Phone,
    peer::{Peer, sdp},
    streams::bars_and_tone,
};
use sidetone_api::{
    CallId, CallStatus, Command, ConnectionStatus, DataStatus, Event, HookPolicy, HookSettings, Snapshot,
    StreamId, StreamStatus, TransferStatus,
};
use sidetone_sip::message::{NameAddr, Uri};
use sidetone_sip::{CallEvent, Event as SipEvent, MessageRequest, Refer};
use std::time::Instant;

/// The same gate in the other direction.
pub(super) const INCOMING_DATA: &str = "OnDataEvent (incoming)";

/// What is expected of an attempt.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum Expected<'a> {
    On,
    /// With this for the client; empty: with any words.
    Refused(&'a str),
}

/// A phone whose account is at `bob`, with a stream that is published.
pub(super) struct Scene {
    pub(super) phone: Phone,
    pub(super) bob: Peer,
    pub(super) backend: Backend,
    /// What plays, for what is asked of streams that are played.
    player: Option<StreamId>,
    names: u32,
    _folder: tempfile::TempDir,
}

impl Scene {
    pub(super) async fn new(policy: &HookPolicy) -> Self {
        let (mut bob, mut backend) = (Peer::new().await, Backend::start().await);
        let folder = tempfile::tempdir().unwrap();
        let mut settings = hooked(&bob, &backend);
        settings.network.sip_port = sidetone_testkit::free_port(crate::kit::LOOPBACK).unwrap();
        settings.video.folder = folder.path().display().to_string();
        (settings.video.width, settings.video.height) = (320, 180);
        settings.hooks.timeout_ms = 15_000;
        let gates = GATES.iter().chain(&EXTRAS);
        settings.hooks.policies = gates.map(|gate| ((*gate).to_owned(), policy.clone())).collect();
        let mut phone = Phone::start(settings).await;
        bob.serve_while(backend.hears_status("ConnectionStatusEvent", "ESTABLISHED")).await;
        bob.serve_while(phone.published("tv")).await;
        Self { phone, bob, backend, player: None, names: 0, _folder: folder }
    }

    /// How long gates wait from now on.
    pub(super) async fn set_limit(&mut self, timeout_ms: u32) {
        let hooks = HookSettings { timeout_ms, ..self.phone.state().settings.hooks.clone() };
        let command = change(hooks);
        self.bob.serve_while(self.phone.done(command)).await;
        let is_set = |state: &Snapshot| state.settings.hooks.timeout_ms == timeout_ms;
        self.bob.serve_while(self.phone.until("the limit", is_set)).await;
    }

    fn name(&mut self) -> String {
        self.names += 1;
        format!("stream-{}", self.names)
    }

    async fn done(&mut self, command: Command) {
        self.bob.serve_while(self.phone.done(command)).await;
    }

    async fn error(&mut self, gate: &str, info: &str) {
        let told = self.phone.wait(gate, |event| match event {
            Event::ErrorEvent { hook, info, .. } if hook == gate => Some(info.clone()),
            _ => None,
        });
        says(&self.bob.serve_while(told).await, info);
    }

    async fn call_status(&mut self, call: &CallId, status: CallStatus) -> String {
        self.bob.serve_while(self.phone.status(call, status)).await
    }

    async fn established(&mut self) -> (CallId, sidetone_sip::CallId) {
        let call = self.phone.call(&self.bob.uri("bob")).await;
        let (sip, _) = self.bob.called().await;
        self.bob.answer(sip, &sdp("0 101", "sendrecv"));
        self.call_status(&call, CallStatus::Established).await;
        (call, sip)
    }

    async fn hang_up(&mut self, call: &CallId) {
        self.done(Command::Hangup { call_id: call.clone() }).await;
        self.call_status(call, CallStatus::Finish).await;
    }

    async fn rung(&mut self) -> (sidetone_sip::CallId, String) {
        let here = format!("sip:alice@{}", self.phone.address());
        let offer = sdp("0 101", "sendrecv");
        (self.bob.invite("<sip:bob@example.com>", &here, Some(&offer)), here)
    }

    async fn player(&mut self) -> StreamId {
        if self.player.is_none() {
            self.player = Some(self.bob.serve_while(self.phone.played("tv")).await);
        }
        self.player.clone().expect("a player")
    }

    async fn stream_fails(&mut self, stream: &StreamId, info: &str) {
        let failed = self.phone.stream_status(stream, StreamStatus::Failed);
        says(&self.bob.serve_while(failed).await, info);
    }

    /// What has to be there before the gate is asked: a call, or a stream.
    pub(super) async fn prepare(&mut self, gate: &str) -> Prepared {
        match gate {
            "sendDtmf" | "hold" | "transfer" | "OnTransferEvent" => {
                let (call, sip) = self.established().await;
                Prepared { call: Some(call), sip: Some(sip), stream: None }
            }
            "answer" => {
                let (sip, _) = self.rung().await;
                let call = self.bob.serve_while(self.phone.ringing()).await;
                Prepared { call: Some(call), sip: Some(sip), stream: None }
            }
            "pauseStream" | "snapshot" => {
                let stream = Some(self.player().await);
                Prepared { stream, ..Prepared::default() }
            }
            "connect" => {
                let session_id = self.phone.session();
                self.done(Command::Disconnect { session_id }).await;
                let closed = self.phone.until("no session", |state| state.sessions.is_empty());
                self.bob.serve_while(closed).await;
                Prepared::default()
            }
            _ => Prepared::default(),
        }
    }

    /// Makes it happen, and waits for what is expected; leaves nothing behind.
    pub(super) async fn act(&mut self, gate: &str, it: Prepared, expected: Expected<'_>) {
        match gate {
            "connect" => self.act_connect(expected).await,
            "call" | "answer" | "OnCallEvent" => self.act_call(gate, it, expected).await,
            "sendDtmf" | "hold" | "transfer" | "OnTransferEvent" => {
                let (Some(call), Some(sip)) = (it.call, it.sip) else { panic!("no call") };
                self.act_in_call(gate, &call, sip, expected).await;
                self.hang_up(&call).await;
            }
            "publishStream" | "playStream" | "pauseStream" | "snapshot" => {
                self.act_stream(gate, it.stream, expected).await;
            }
            "OnDataEvent" => self.act_data(expected).await,
            INCOMING_DATA => self.act_incoming_data(expected).await,
            other => panic!("{other} has no case"),
        }
    }

    async fn act_connect(&mut self, expected: Expected<'_>) {
        let account_id = self.phone.state().settings.accounts[0].id.clone();
        self.done(Command::Connect { account_id, password: None, auth_token: None }).await;
        let wanted = match expected {
            Expected::On => ConnectionStatus::Established,
            Expected::Refused(_) => ConnectionStatus::Failed,
        };
        let told = self.phone.wait("the connection", |event| match event {
            Event::ConnectionStatusEvent { status, info, .. } if *status == wanted => Some(info.clone()),
            _ => None,
        });
        let told = self.bob.serve_while(told).await;
        if let Expected::Refused(info) = expected {
            says(&told, info);
        }
    }

    async fn act_call(&mut self, gate: &str, it: Prepared, expected: Expected<'_>) {
        match (gate, expected, it.call) {
            ("call", Expected::On, _) => {
                let call = self.phone.call(&self.bob.uri("bob")).await;
                let (sip, _) = self.bob.called().await;
                self.bob.reject(sip, 486, "Busy Here");
                self.call_status(&call, CallStatus::Busy).await;
            }
            ("call", Expected::Refused(info), _) => {
                let call = self.phone.call(&self.bob.uri("bob")).await;
                says(&self.call_status(&call, CallStatus::Failed).await, info);
            }
            ("answer", expected, Some(call)) => {
                self.done(Command::Answer { call_id: call.clone(), video: false }).await;
                match expected {
                    Expected::On => drop(self.call_status(&call, CallStatus::Established).await),
                    Expected::Refused(info) => self.error("answer", info).await,
                }
                self.hang_up(&call).await;
            }
            (_, Expected::On, _) => {
                self.rung().await;
                let call = self.bob.serve_while(self.phone.ringing()).await;
                self.hang_up(&call).await;
            }
            (_, Expected::Refused(_), _) => {
                let (sip, _) = self.rung().await;
                let ended = self.bob.wait("the end", |event| match event {
                    SipEvent::Call { call, event: CallEvent::Ended { cause } } => {
                        (*call == sip).then_some(cause.code)
                    }
                    _ => None,
                });
                assert_eq!(ended.await, 403);
            }
        }
    }

    async fn act_in_call(
        &mut self,
        gate: &str,
        call: &CallId,
        sip: sidetone_sip::CallId,
        expected: Expected<'_>,
    ) {
        let call_id = call.clone();
        match (gate, expected) {
            ("sendDtmf", Expected::On) => {
                self.done(Command::SendDtmf { call_id: call_id.clone(), dtmf: "1".into() }).await;
                let is_sent = |state: &Snapshot| {
                    state.calls.iter().any(|view| view.call_id == call_id && view.dtmf == "1")
                };
                self.bob.serve_while(self.phone.until("the key", is_sent)).await;
            }
            ("sendDtmf", Expected::Refused(info)) => {
                self.done(Command::SendDtmf { call_id, dtmf: "1".into() }).await;
                self.error(gate, info).await;
                assert_eq!(self.phone.view(call).dtmf, "");
            }
            ("hold", Expected::On) => {
                self.done(Command::Hold { call_id }).await;
                self.bob.agree("sendonly", "recvonly").await;
                self.call_status(call, CallStatus::Hold).await;
            }
            ("hold", Expected::Refused(info)) => {
                self.done(Command::Hold { call_id }).await;
                self.error(gate, info).await;
                assert!(!self.phone.view(call).hold.local);
            }
            ("transfer", Expected::On) => {
                self.done(Command::Transfer { call_id, target: "carol".into() }).await;
                self.bob.agree("sendonly", "recvonly").await;
                let (_, target, _) = self.bob.referred().await;
                assert_eq!(target.user_text().as_deref(), Some("carol"));
            }
            ("transfer", Expected::Refused(info)) => {
                self.done(Command::Transfer { call_id, target: "carol".into() }).await;
                let failed = self.phone.transfer(call, TransferStatus::Failed);
                says(&self.bob.serve_while(failed).await, info);
            }
            (_, expected) => {
                let target = Uri::parse("sip:carol@127.0.0.1:9").unwrap();
                self.bob.ua.refer(Instant::now(), sip, Refer::blind(target));
                if matches!(expected, Expected::Refused(_)) {
                    assert_eq!(self.bob.refer_final().await, 403);
                    return;
                }
                let asked = self
                    .phone
                    .wait("a transfer", |event| matches!(event, Event::OnTransferEvent { .. }).then_some(()));
                self.bob.serve_while(asked).await;
            }
        }
    }

    async fn act_stream(&mut self, gate: &str, stream: Option<StreamId>, expected: Expected<'_>) {
        match (gate, expected, stream) {
            ("publishStream", expected, _) => {
                let name = self.name();
                let stream = self.phone.publish(&name, bars_and_tone()).await;
                match expected {
                    Expected::On => {
                        let live = self.phone.stream_status(&stream, StreamStatus::Publishing);
                        self.bob.serve_while(live).await;
                        self.done(Command::UnPublishStream { stream_id: stream }).await;
                    }
                    Expected::Refused(info) => self.stream_fails(&stream, info).await,
                }
            }
            ("playStream", Expected::On, _) => {
                let stream = self.bob.serve_while(self.phone.played("tv")).await;
                self.done(Command::StopStream { stream_id: stream }).await;
            }
            ("playStream", Expected::Refused(info), _) => {
                let stream = self.phone.play("tv").await;
                self.stream_fails(&stream, info).await;
            }
            ("pauseStream", expected, Some(stream_id)) => {
                let pause = |paused| Command::PauseStream { stream_id: stream_id.clone(), paused };
                self.done(pause(true)).await;
                match expected {
                    Expected::On => {
                        let paused = self.phone.stream_status(&stream_id, StreamStatus::Paused);
                        self.bob.serve_while(paused).await;
                        self.done(pause(false)).await;
                        let again = self.phone.stream_status(&stream_id, StreamStatus::Playing);
                        self.bob.serve_while(again).await;
                    }
                    Expected::Refused(info) => self.error(gate, info).await,
                }
            }
            (_, expected, stream) => {
                let stream_id = stream.expect("a stream");
                self.done(Command::Snapshot { stream_id }).await;
                let taken = self.phone.wait("the snapshot", |event| match event {
                    Event::SnapshotTaken { file, info, .. } => Some((file.is_some(), info.clone())),
                    _ => None,
                });
                let (is_taken, told) = self.bob.serve_while(taken).await;
                assert_eq!(is_taken, expected == Expected::On, "{told}");
                if let Expected::Refused(info) = expected {
                    says(&told, info);
                }
            }
        }
    }

    async fn act_data(&mut self, expected: Expected<'_>) {
        let (to, body) = (self.bob.uri("bob"), "hello".to_owned());
        self.phone.done(Command::SendData { to, body, content_type: None, session_id: None }).await;
        if expected == Expected::On {
            let message = self.bob.wait("a MESSAGE", |event| match event {
                SipEvent::MessageReceived(message) => Some(message.id),
                _ => None,
            });
            let message = message.await;
            self.bob.ua.reply_message(Instant::now(), message, 200, "");
        }
        let told = self.phone.wait("the outcome", |event| match event {
            Event::DataStatusEvent { status, info, .. } => Some((*status, info.clone())),
            _ => None,
        });
        let (status, told) = self.bob.serve_while(told).await;
        match expected {
            Expected::On => assert_eq!(status, DataStatus::Accepted),
            Expected::Refused(info) => {
                assert_eq!(status, DataStatus::Failed);
                says(&told, info);
            }
        }
    }

    async fn act_incoming_data(&mut self, expected: Expected<'_>) {
        let from = NameAddr::parse("<sip:peer@127.0.0.1>").unwrap();
        let to = Uri::parse(&format!("sip:alice@{}", self.phone.address())).unwrap();
        let message = MessageRequest::new(from, to, "text/plain", b"hello".to_vec());
        self.bob.ua.message(Instant::now(), message);
        let answered = self.bob.wait("the answer to a MESSAGE", |event| match event {
            SipEvent::MessageAnswered { status, .. } => Some(*status),
            _ => None,
        });
        assert_eq!(answered.await, if expected == Expected::On { 200 } else { 403 });
    }
}

#[derive(Debug, Default)]
pub(super) struct Prepared {
    call: Option<CallId>,
    sip: Option<sidetone_sip::CallId>,
    stream: Option<StreamId>,
}

fn says(told: &str, wanted: &str) {
    assert!(!told.is_empty() && (wanted.is_empty() || told == wanted), "{told:?} is not {wanted:?}");
}
