use super::encoded::Encodings;
use crate::door::{Attached, Door, EncodedSource, EventSource, PictureSource};
use futures_util::future::BoxFuture;
use sidetone_api::{
    CallId, Command, DevicesView, Envelope, Event, Failure, GatewayView, Level, Reply, Secret, SessionId,
    Settings, SharingView, Snapshot, StreamId, StreamSources,
};
use sidetone_engine::{
    ClientAsk, ClientNews, ClientNewsReader, ClientOpened, ClientOpening, ClientRefused, Next, RestAsk,
    RestReply, StreamAccepted, StreamDeclined, StreamOffer, StreamPatch, StreamPatched,
    whip::{Condition, EntityTag, Kind, Link, Wanted},
};
use sidetone_media::video::Picture;
use std::sync::{
    Arc, Mutex,
    atomic::{AtomicBool, Ordering::Relaxed},
};
use tokio::sync::{mpsc, watch};

/// An engine that knows the call "c1" and the stream session "s1", and sends what the test publishes.
pub(crate) struct Fake {
    readers: Mutex<Vec<mpsc::UnboundedSender<Next>>>,
    pub(super) gateway: Mutex<GatewayView>,
    pub(super) settings: Mutex<Settings>,
    pub(super) commands: Mutex<Vec<Command>>,
    pub(super) offers: Mutex<Vec<StreamOffer>>,
    pub(super) patches: Mutex<Vec<StreamPatch>>,
    /// Sessions that were ended.
    pub(super) ended: Mutex<Vec<String>>,
    /// Of the stream "st1"; it ends when this is `None`.
    pub(super) pictures: Mutex<Option<watch::Sender<Option<Picture>>>>,
    pub(super) listening: watch::Sender<Vec<(Option<String>, String)>>,
    /// What others of this network reach.
    pub(super) shared: watch::Sender<Option<SharingView>>,
    pub(super) preview: Arc<Preview>,
    /// Of the stream "st1" too.
    pub(super) encoded: Arc<Encodings>,
    /// Of what is published.
    pub(super) levels: Mutex<Vec<Level>>,
    /// What clients introduced themselves with.
    pub(crate) openings: Mutex<Vec<ClientOpening>>,
    /// What clients asked for.
    pub(crate) asks: Mutex<Vec<ClientAsk>>,
    /// What programs asked for, and what they are answered.
    pub(crate) rest_asks: Mutex<Vec<RestAsk>>,
    pub(crate) rest_reply: Mutex<Result<RestReply, Failure>>,
    /// To the clients, in the order of their coming.
    pub(crate) news: Mutex<Vec<mpsc::Sender<ClientNews>>>,
}

impl Default for Fake {
    fn default() -> Self {
        let gateway = GatewayView { sip_address: Some("127.0.0.1:5060".into()), ..GatewayView::default() };
        Self {
            readers: Mutex::default(),
            gateway: Mutex::new(gateway),
            settings: Mutex::default(),
            commands: Mutex::default(),
            offers: Mutex::default(),
            patches: Mutex::default(),
            ended: Mutex::default(),
            pictures: Mutex::new(Some(watch::Sender::new(None))),
            listening: watch::Sender::new(Vec::new()),
            shared: watch::Sender::new(None),
            preview: Arc::default(),
            encoded: Arc::default(),
            levels: Mutex::default(),
            openings: Mutex::default(),
            asks: Mutex::default(),
            rest_asks: Mutex::default(),
            rest_reply: Mutex::new(Ok(RestReply::Done)),
            news: Mutex::default(),
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

    pub(super) fn show(&self, picture: Picture) {
        self.pictures.lock().unwrap().as_ref().unwrap().send_replace(Some(picture));
    }

    /// How many see the stream.
    pub(super) fn watchers(&self) -> usize {
        self.pictures.lock().unwrap().as_ref().unwrap().receiver_count()
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

struct Watcher {
    shown: watch::Receiver<Option<Picture>>,
    levels: Vec<Level>,
    preview: Option<Arc<Preview>>,
    encoded: Arc<Encodings>,
}

/// The sources that somebody looks at.
#[derive(Default)]
pub(super) struct Preview {
    pub(super) seen: Mutex<Vec<StreamSources>>,
    pub(super) closed: AtomicBool,
}

impl PictureSource for Watcher {
    fn next(&mut self) -> BoxFuture<'_, Option<Picture>> {
        Box::pin(async {
            self.shown.changed().await.ok()?;
            self.shown.borrow_and_update().clone()
        })
    }

    fn latest(&self) -> Option<Picture> {
        self.shown.borrow().clone()
    }

    fn encoded(&self) -> Option<Box<dyn EncodedSource>> {
        Some(Box::new(Arc::clone(&self.encoded)))
    }

    fn look(&mut self, wanted: bool) {
        self.encoded.looks.lock().unwrap().push(wanted);
    }

    fn levels(&self) -> Vec<Level> {
        self.levels.clone()
    }

    fn problem(&self) -> Option<String> {
        let seen = self.preview.as_ref()?.seen.lock().unwrap();
        let is_taken = seen.last()?.video.as_deref() == Some("device:taken");
        is_taken.then(|| "device:taken is taken".into())
    }

    fn change(&self, sources: StreamSources) -> BoxFuture<'_, Result<(), Failure>> {
        let result = match &sources.video {
            Some(video) if video == "nonsense" => Err(Failure::invalid("sources.video", "nonsense is none")),
            _ => Ok(()),
        };
        if let (Some(preview), Ok(())) = (&self.preview, &result) {
            preview.seen.lock().unwrap().push(sources);
        }
        Box::pin(async { result })
    }

    fn close(self: Box<Self>) -> BoxFuture<'static, ()> {
        Box::pin(async move {
            if let Some(preview) = &self.preview {
                preview.closed.store(true, Relaxed);
            }
        })
    }
}

impl Door for Fake {
    fn command(&self, command: Command) -> BoxFuture<'_, Result<Reply, Failure>> {
        let reply = match &command {
            Command::Call { .. } => Ok(Reply::Call { call_id: CallId::new("c1") }),
            Command::Answer { call_id, .. } if call_id.as_str() != "c1" => {
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
            rooms: Vec::new(),
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
            hooks: Default::default(),
            settings: self.settings.lock().unwrap().clone(),
        };
        Box::pin(async { Ok((snapshot, Box::new(Reader(receiver)) as Box<dyn EventSource>)) })
    }

    fn pictures(&self, stream: StreamId) -> BoxFuture<'_, Result<Box<dyn PictureSource>, Failure>> {
        let levels = self.levels.lock().unwrap().clone();
        let encoded = Arc::clone(&self.encoded);
        let known = self
            .pictures
            .lock()
            .unwrap()
            .as_ref()
            .filter(|_| stream.as_str() == "st1")
            .map(watch::Sender::subscribe);
        Box::pin(async move {
            let receiver = known.ok_or_else(|| Failure::not_found("stream", stream.as_str()))?;
            Ok(Box::new(Watcher { shown: receiver, levels, preview: None, encoded })
                as Box<dyn PictureSource>)
        })
    }

    fn preview(&self, sources: StreamSources) -> BoxFuture<'_, Result<Box<dyn PictureSource>, Failure>> {
        let shown = self.pictures.lock().unwrap().as_ref().unwrap().subscribe();
        let preview = Arc::clone(&self.preview);
        let levels = self.levels.lock().unwrap().clone();
        let encoded = Arc::default();
        let watcher = Box::new(Watcher { shown, levels, preview: Some(preview), encoded });
        Box::pin(async move {
            watcher.change(sources).await?;
            Ok(watcher as Box<dyn PictureSource>)
        })
    }

    fn shared(&self, view: Option<SharingView>) -> BoxFuture<'_, ()> {
        self.shared.send_replace(view);
        Box::pin(async {})
    }

    fn http_listening(&self, address: Option<String>, info: String) -> BoxFuture<'_, ()> {
        self.listening.send_modify(|all| all.push((address, info)));
        Box::pin(async {})
    }

    fn offer_stream(&self, offer: StreamOffer) -> BoxFuture<'_, Result<StreamAccepted, StreamDeclined>> {
        use StreamDeclined as D;
        let declined = match (offer.name.as_str(), offer.kind) {
            ("busy", Kind::Whip) => Some(D::NameInUse),
            ("nobody", Kind::Whep) => Some(D::StreamNotFound),
            ("private", _) if offer.token.is_none() => Some(D::TokenNeeded),
            ("private", _) if offer.token != Some(Secret::new("right")) => Some(D::TokenRefused),
            ("broken", _) => Some(D::BadOffer("line 3 cannot be read".into())),
            ("foreign", _) => Some(D::NoCommonCodecs),
            ("full", _) => Some(D::Limit("1000 streams are the most".into())),
            ("stopped", _) => Some(D::Stopped),
            _ => None,
        };
        self.offers.lock().unwrap().push(offer);
        let link = Link {
            target: "stun:stun.example".into(),
            parameters: vec![("rel".into(), "ice-server".into())],
        };
        let accepted = StreamAccepted {
            resource: "s1".into(),
            answer: "v=0\r\nanswer\r\n".into(),
            tag: EntityTag::strong("t1").unwrap(),
            links: vec![link],
        };
        Box::pin(async { declined.map_or(Ok(accepted), Err) })
    }

    fn patch_stream(&self, patch: StreamPatch) -> BoxFuture<'_, Result<StreamPatched, StreamDeclined>> {
        let tag = EntityTag::strong("t1").unwrap();
        let wanted =
            Wanted::of(patch.if_match.as_ref(), &patch.fragment, Condition { tag: &tag, ufrag: "old0" });
        let patched = match (patch.resource.as_str(), wanted) {
            ("s1", Ok(Wanted::Trickle)) => Ok(StreamPatched::Trickled),
            ("s1", Ok(Wanted::Restart)) => Ok(StreamPatched::Restarted {
                fragment: patch.fragment.clone(),
                tag: EntityTag::strong("t2").unwrap(),
            }),
            ("s1", Err(not_met)) => Err(not_met.into()),
            _ => Err(StreamDeclined::SessionNotFound),
        };
        self.patches.lock().unwrap().push(patch);
        Box::pin(async { patched })
    }

    fn open_client(&self, opening: ClientOpening) -> BoxFuture<'_, Result<ClientOpened, ClientRefused>> {
        let is_refused = opening.app_key == "refused";
        self.openings.lock().unwrap().push(opening);
        let (news, told) = mpsc::channel(8);
        self.news.lock().unwrap().push(news);
        Box::pin(async move {
            if is_refused {
                return Err(ClientRefused { info: "Forbidden".into() });
            }
            let connection = serde_json::json!({ "authToken": "t1", "sipLogin": "1001" });
            let connection = connection.as_object().cloned().unwrap_or_default();
            Ok(ClientOpened {
                session_id: SessionId::new("c1"),
                connected: 1,
                connection,
                news: ClientNewsReader::of(told),
            })
        })
    }

    fn rest(&self, ask: RestAsk) -> BoxFuture<'_, Result<RestReply, Failure>> {
        let reply = self.rest_reply.lock().unwrap().clone();
        self.rest_asks.lock().unwrap().push(ask);
        Box::pin(async { reply })
    }

    fn ask_client(&self, _: SessionId, _: u64, ask: ClientAsk) -> BoxFuture<'_, ()> {
        self.asks.lock().unwrap().push(ask);
        Box::pin(async {})
    }

    fn end_stream(&self, resource: String, _: Option<Secret>) -> BoxFuture<'_, Result<(), StreamDeclined>> {
        let known = resource == "s1";
        self.ended.lock().unwrap().push(resource);
        Box::pin(async move { known.then_some(()).ok_or(StreamDeclined::SessionNotFound) })
    }
}
