use crate::door::{Attached, Door, EventSource};
use futures_util::future::BoxFuture;
use sidetone_api::{
    CallId, Command, DevicesView, Envelope, Event, Failure, GatewayView, Reply, Settings, Snapshot,
};
use sidetone_engine::Next;
use std::sync::{Arc, Mutex};
use tokio::sync::{mpsc, watch};

/// An engine that knows the call "c1" and sends what the test publishes.
pub(super) struct Fake {
    readers: Mutex<Vec<mpsc::UnboundedSender<Next>>>,
    pub(super) gateway: Mutex<GatewayView>,
    pub(super) commands: Mutex<Vec<Command>>,
    pub(super) listening: watch::Sender<Vec<(Option<String>, String)>>,
}

impl Default for Fake {
    fn default() -> Self {
        let gateway = GatewayView { sip_address: Some("127.0.0.1:5060".into()), ..GatewayView::default() };
        Self {
            readers: Mutex::default(),
            gateway: Mutex::new(gateway),
            commands: Mutex::default(),
            listening: watch::Sender::new(Vec::new()),
        }
    }
}

impl Fake {
    pub(super) fn publish(&self, seq: u64, event: Event) {
        let envelope = Arc::new(Envelope { seq, time: 0, event });
        self.send(&Next::Event(envelope));
    }

    pub(super) fn send(&self, next: &Next) {
        self.readers.lock().unwrap().retain(|reader| reader.send(next.clone()).is_ok());
    }

    /// What an engine does when it stops.
    pub(super) fn end(&self) {
        self.readers.lock().unwrap().clear();
    }

    pub(super) fn readers(&self) -> usize {
        self.readers.lock().unwrap().iter().filter(|reader| !reader.is_closed()).count()
    }
}

struct Reader(mpsc::UnboundedReceiver<Next>);

impl EventSource for Reader {
    fn next(&mut self) -> BoxFuture<'_, Option<Next>> {
        Box::pin(self.0.recv())
    }
}

impl Door for Fake {
    fn command(&self, command: Command) -> BoxFuture<'_, Result<Reply, Failure>> {
        let reply = match &command {
            Command::Call { .. } => Ok(Reply::Call { call_id: CallId::new("c1") }),
            Command::Answer { call_id } if call_id.as_str() != "c1" => {
                Err(Failure::not_found("call", call_id.as_str()))
            }
            _ => Ok(Reply::Done),
        };
        self.commands.lock().unwrap().push(command);
        Box::pin(async { reply })
    }

    fn attach(&self) -> BoxFuture<'_, Result<Attached, Failure>> {
        let (sender, receiver) = mpsc::unbounded_channel();
        self.readers.lock().unwrap().push(sender);
        let snapshot = Snapshot {
            streams: Vec::new(),
            seq: 7,
            version: "1".into(),
            sessions: Vec::new(),
            calls: Vec::new(),
            history: Vec::new(),
            missed_calls: 0,
            contacts: Vec::new(),
            contact_states: Vec::new(),
            devices: DevicesView::default(),
            gateway: self.gateway.lock().unwrap().clone(),
            settings: Settings::default(),
        };
        Box::pin(async { Ok((snapshot, Box::new(Reader(receiver)) as Box<dyn EventSource>)) })
    }

    fn http_listening(&self, address: Option<String>, info: String) -> BoxFuture<'_, ()> {
        self.listening.send_modify(|all| all.push((address, info)));
        Box::pin(async {})
    }
}
