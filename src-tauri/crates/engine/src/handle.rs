use crate::clients::{ClientAsk, ClientOpened, ClientOpening, ClientRefused};
use crate::ingest::{StreamAccepted, StreamDeclined, StreamOffer, StreamPatch, StreamPatched};
use crate::io::streams::{Pictures, Units};
use crate::preview::{Preview, SourcePreview};
use crate::rest::{RestAsk, RestReply};
use sidetone_api::{
    Command, Envelope, Event, Failure, FailureCode, Reply, Secret, SessionId, SharingView, Snapshot,
    StreamId, StreamSources,
};
use std::{collections::VecDeque, sync::Arc, sync::Mutex};
use tokio::sync::{Notify, mpsc, oneshot};

/// How many events wait for one reader before it has lagged.
const QUEUE: usize = 1024;

/// A client's way to the engine. Cheap to clone.
#[derive(Debug, Clone)]
pub struct Handle {
    requests: mpsc::Sender<Request>,
}

/// What the owner is asked.
#[derive(Debug)]
pub(crate) enum Request {
    Command(Command, oneshot::Sender<Result<Reply, Failure>>),
    Attach(oneshot::Sender<(Snapshot, Events)>),
    HttpListening(Option<String>, String),
    Shared(Option<SharingView>),
    Pictures(StreamId, oneshot::Sender<Result<Pictures, Failure>>),
    /// Sources to be looked at before they are published.
    Preview(StreamSources, oneshot::Sender<Result<Preview, Failure>>),
    ChangePreview(StreamId, StreamSources, oneshot::Sender<Result<(), Failure>>),
    Units(StreamId, oneshot::Sender<Result<Units, Failure>>),
    OfferStream(StreamOffer, oneshot::Sender<Result<StreamAccepted, StreamDeclined>>),
    PatchStream(StreamPatch, oneshot::Sender<Result<StreamPatched, StreamDeclined>>),
    /// The session of this resource, with the token that was shown.
    EndStream(String, Option<Secret>, oneshot::Sender<Result<(), StreamDeclined>>),
    OpenClient(ClientOpening, oneshot::Sender<Result<ClientOpened, ClientRefused>>),
    /// Of a session, by its connection of this number.
    AskClient(SessionId, u64, ClientAsk),
    Rest(RestAsk, oneshot::Sender<Result<RestReply, Failure>>),
    ShutDown(oneshot::Sender<()>),
}

impl Handle {
    pub(crate) fn new(requests: mpsc::Sender<Request>) -> Self {
        Self { requests }
    }

    /// Carries a command to the owner, which answers at once: an id or a failure, never the network's result.
    ///
    /// # Errors
    /// The [`Failure`] of the command; `stopped` when the engine has gone.
    pub async fn command(&self, command: Command) -> Result<Reply, Failure> {
        let (reply, answer) = oneshot::channel();
        self.requests.send(Request::Command(command, reply)).await.map_err(|_| stopped())?;
        answer.await.map_err(|_| stopped())?
    }

    /// The whole state, and every event after it, without a gap.
    ///
    /// # Errors
    /// `stopped` when the engine has gone.
    pub async fn attach(&self) -> Result<(Snapshot, Events), Failure> {
        let (reply, answer) = oneshot::channel();
        self.requests.send(Request::Attach(reply)).await.map_err(|_| stopped())?;
        answer.await.map_err(|_| stopped())
    }

    /// The pictures of a stream that is published or played here; the newest wins.
    ///
    /// # Errors
    /// `notFound` where there is no such stream (any more).
    pub async fn pictures(&self, stream: StreamId) -> Result<Pictures, Failure> {
        let (reply, answer) = oneshot::channel();
        self.requests.send(Request::Pictures(stream, reply)).await.map_err(|_| stopped())?;
        answer.await.map_err(|_| stopped())?
    }

    /// Opens sources as publishing them would, for whoever is to see and hear them first. Nothing is sent, and no event tells of it.
    ///
    /// # Errors
    /// Names the source that cannot be; `limit` where too many are looked at.
    pub async fn preview(&self, sources: StreamSources) -> Result<SourcePreview, Failure> {
        let (reply, answer) = oneshot::channel();
        self.requests.send(Request::Preview(sources, reply)).await.map_err(|_| stopped())?;
        Ok(SourcePreview::new(answer.await.map_err(|_| stopped())??, self.clone()))
    }

    /// What is looked at is made of these now.
    pub(crate) async fn change_preview(&self, id: StreamId, sources: StreamSources) -> Result<(), Failure> {
        let (reply, answer) = oneshot::channel();
        self.requests.send(Request::ChangePreview(id, sources, reply)).await.map_err(|_| stopped())?;
        answer.await.map_err(|_| stopped())?
    }

    /// The encoded media of a stream that is published or played here, from the next key frame on.
    ///
    /// # Errors
    /// `notFound` where there is no such stream (any more), `limit` where too many read it.
    pub async fn units(&self, stream: StreamId) -> Result<Units, Failure> {
        let (reply, answer) = oneshot::channel();
        self.requests.send(Request::Units(stream, reply)).await.map_err(|_| stopped())?;
        answer.await.map_err(|_| stopped())?
    }

    /// Tells where the embedded server's pages are, or (`None`) why they are not.
    pub async fn http_listening(&self, address: Option<String>, info: String) {
        let _ = self.requests.send(Request::HttpListening(address, info)).await;
    }

    /// What the gateway shows to others of this network; `None`: nothing.
    pub async fn shared(&self, view: Option<SharingView>) {
        let _ = self.requests.send(Request::Shared(view)).await;
    }

    /// Opens a session of a stream at the gateway, for a WHIP or WHEP client.
    ///
    /// # Errors
    /// [`StreamDeclined`].
    pub async fn offer_stream(&self, offer: StreamOffer) -> Result<StreamAccepted, StreamDeclined> {
        let (reply, answer) = oneshot::channel();
        self.ask(Request::OfferStream(offer, reply), answer).await
    }

    /// Trickles candidates into a session, or restarts its ICE.
    ///
    /// # Errors
    /// [`StreamDeclined`].
    pub async fn patch_stream(&self, patch: StreamPatch) -> Result<StreamPatched, StreamDeclined> {
        let (reply, answer) = oneshot::channel();
        self.ask(Request::PatchStream(patch, reply), answer).await
    }

    /// Ends a session.
    ///
    /// # Errors
    /// [`StreamDeclined::SessionNotFound`] where it has ended already.
    pub async fn end_stream(&self, resource: String, token: Option<Secret>) -> Result<(), StreamDeclined> {
        let (reply, answer) = oneshot::channel();
        self.ask(Request::EndStream(resource, token, reply), answer).await
    }

    async fn ask<T>(
        &self,
        request: Request,
        answer: oneshot::Receiver<Result<T, StreamDeclined>>,
    ) -> Result<T, StreamDeclined> {
        self.requests.send(request).await.map_err(|_| StreamDeclined::Stopped)?;
        answer.await.map_err(|_| StreamDeclined::Stopped)?
    }

    /// Opens a session for a client that has connected to the gateway, or gives it back the one that it had.
    ///
    /// # Errors
    /// [`ClientRefused`], which is for the client to read.
    pub async fn open_client(&self, opening: ClientOpening) -> Result<ClientOpened, ClientRefused> {
        let (reply, answer) = oneshot::channel();
        let stopped = |info: &str| ClientRefused { info: info.to_owned() };
        let sent = self.requests.send(Request::OpenClient(opening, reply)).await;
        sent.map_err(|_| stopped("the engine has stopped"))?;
        answer.await.unwrap_or_else(|_| Err(stopped("the engine has stopped")))
    }

    /// Carries what a client asks for by its connection of this number ([`ClientOpened::connected`]); what comes of it is among the
    /// news of its session.
    pub async fn ask_client(&self, session: SessionId, connected: u64, ask: ClientAsk) {
        let _ = self.requests.send(Request::AskClient(session, connected, ask)).await;
    }

    /// Carries what a program asks for over the REST API.
    ///
    /// # Errors
    /// `notFound` where there is nothing of that name, `wrongState` where it is in use or not so far, `invalid` names the field.
    pub async fn rest(&self, ask: RestAsk) -> Result<RestReply, Failure> {
        let (reply, answer) = oneshot::channel();
        self.requests.send(Request::Rest(ask, reply)).await.map_err(|_| stopped())?;
        answer.await.map_err(|_| stopped())?
    }

    /// Hangs up, unregisters, stops. Returns when all is closed, after a few seconds at most.
    pub async fn shut_down(&self) {
        let (reply, done) = oneshot::channel();
        if self.requests.send(Request::ShutDown(reply)).await.is_ok() {
            let _ = done.await;
        }
    }
}

fn stopped() -> Failure {
    Failure::new(FailureCode::Stopped, "the engine has stopped")
}

/// What a reader of events gets.
#[derive(Debug, Clone, PartialEq)]
pub enum Next {
    Event(Arc<Envelope>),
    /// This reader was too slow and missed events: attach again.
    Lagged,
}

/// One reader's events. A slow reader loses measurements first; then it has lagged.
#[derive(Debug)]
pub struct Events {
    shared: Arc<Shared>,
}

impl Events {
    /// `None` when the engine has stopped.
    pub async fn next(&mut self) -> Option<Next> {
        loop {
            let waiting = self.shared.news.notified();
            if let Some(next) = self.shared.take() {
                return next;
            }
            waiting.await;
        }
    }
}

impl Drop for Events {
    fn drop(&mut self) {
        if let Ok(mut queue) = self.shared.queue.lock() {
            queue.closed = true;
        }
    }
}

#[derive(Debug, Default)]
struct Shared {
    queue: Mutex<Queue>,
    news: Notify,
}

#[derive(Debug, Default)]
struct Queue {
    events: VecDeque<Arc<Envelope>>,
    lagged: bool,
    /// The reader has gone.
    closed: bool,
    /// The engine has gone.
    ended: bool,
}

impl Shared {
    /// `None`: nothing yet.
    #[allow(clippy::option_option)]
    fn take(&self) -> Option<Option<Next>> {
        let mut queue = self.queue.lock().ok()?;
        if queue.lagged {
            queue.lagged = false;
            return Some(Some(Next::Lagged));
        }
        match queue.events.pop_front() {
            Some(event) => Some(Some(Next::Event(event))),
            None => queue.ended.then_some(None),
        }
    }
}

/// The owner's side: numbers the events and hands them to every reader.
#[derive(Debug, Default)]
pub(crate) struct Publisher {
    seq: u64,
    readers: Vec<Arc<Shared>>,
}

impl Publisher {
    pub(crate) fn seq(&self) -> u64 {
        self.seq
    }

    /// As of the last event.
    pub(crate) fn has_readers(&self) -> bool {
        !self.readers.is_empty()
    }

    /// Events that wait for the slowest reader.
    pub(crate) fn backlog(&self) -> usize {
        let waiting = |reader: &Arc<Shared>| reader.queue.lock().map_or(0, |queue| queue.events.len());
        self.readers.iter().map(waiting).max().unwrap_or_default()
    }

    pub(crate) fn subscribe(&mut self) -> Events {
        let shared = Arc::new(Shared::default());
        self.readers.push(Arc::clone(&shared));
        Events { shared }
    }

    pub(crate) fn publish(&mut self, time: u64, event: Event) {
        self.seq += 1;
        let envelope = Arc::new(Envelope { seq: self.seq, time, event });
        self.readers.retain(|reader| reader.offer(&envelope));
    }
}

impl Drop for Publisher {
    fn drop(&mut self) {
        for reader in &self.readers {
            if let Ok(mut queue) = reader.queue.lock() {
                queue.ended = true;
            }
            reader.news.notify_waiters();
            reader.news.notify_one();
        }
    }
}

impl Shared {
    fn offer(&self, envelope: &Arc<Envelope>) -> bool {
        let Ok(mut queue) = self.queue.lock() else { return false };
        if queue.closed {
            return false;
        }
        if queue.events.len() >= QUEUE / 2 && envelope.event.is_measurement() {
            return true;
        }
        if queue.events.len() >= QUEUE {
            queue.events.clear();
            queue.lagged = true;
        }
        queue.events.push_back(Arc::clone(envelope));
        drop(queue);
        self.news.notify_one();
        true
    }
}

#[cfg(test)]
mod tests {
    use super::{Next, Publisher, QUEUE};
    use sidetone_api::Event;

    #[tokio::test]
    async fn a_reader_gets_every_event_in_order_and_then_the_end() {
        let mut publisher = Publisher::default();
        let mut events = publisher.subscribe();
        publisher.publish(0, Event::HistoryCleared);
        publisher.publish(0, Event::HistoryCleared);
        drop(publisher);
        for seq in 1..=2 {
            assert!(matches!(events.next().await, Some(Next::Event(event)) if event.seq == seq));
        }
        assert_eq!(events.next().await, None);
    }

    #[tokio::test]
    async fn a_reader_that_is_too_slow_is_told_that_it_lagged() {
        let mut publisher = Publisher::default();
        let mut events = publisher.subscribe();
        for _ in 0..=QUEUE {
            publisher.publish(0, Event::HistoryCleared);
        }
        assert_eq!(events.next().await, Some(Next::Lagged));
        assert!(matches!(events.next().await, Some(Next::Event(_))));
    }
}
