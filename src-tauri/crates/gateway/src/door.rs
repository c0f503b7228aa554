//! What the listeners want of the engine; a fake stands in for it in tests.

use futures_util::future::BoxFuture;
use sidetone_api::{
    Command, Failure, FailureCode, Level, Reply, Secret, SessionId, SharingView, Snapshot, StreamId,
    StreamSources,
};
use sidetone_engine::{
    ClientAsk, ClientOpened, ClientOpening, ClientRefused, EncodedPictures, Events, Handle, Next, Pictures,
    RestAsk, RestReply, SourcePreview, StreamAccepted, StreamDeclined, StreamOffer, StreamPatch,
    StreamPatched,
};
use sidetone_media::video::{Encoded, Picture};

/// The state, and every event after it.
pub(crate) type Attached = (Snapshot, Box<dyn EventSource>);

pub(crate) trait Door: Send + Sync + 'static {
    fn command(&self, command: Command) -> BoxFuture<'_, Result<Reply, Failure>>;
    fn attach(&self) -> BoxFuture<'_, Result<Attached, Failure>>;
    fn pictures(&self, stream: StreamId) -> BoxFuture<'_, Result<Box<dyn PictureSource>, Failure>>;
    /// Sources that are not published (yet).
    fn preview(&self, sources: StreamSources) -> BoxFuture<'_, Result<Box<dyn PictureSource>, Failure>>;
    fn http_listening(&self, address: Option<String>, info: String) -> BoxFuture<'_, ()>;
    /// What others of this network reach.
    fn shared(&self, view: Option<SharingView>) -> BoxFuture<'_, ()>;
    fn offer_stream(&self, offer: StreamOffer) -> BoxFuture<'_, Result<StreamAccepted, StreamDeclined>>;
    fn patch_stream(&self, patch: StreamPatch) -> BoxFuture<'_, Result<StreamPatched, StreamDeclined>>;
    fn open_client(&self, opening: ClientOpening) -> BoxFuture<'_, Result<ClientOpened, ClientRefused>>;
    fn ask_client(&self, session: SessionId, connected: u64, ask: ClientAsk) -> BoxFuture<'_, ()>;
    fn rest(&self, ask: RestAsk) -> BoxFuture<'_, Result<RestReply, Failure>>;
    fn end_stream(
        &self,
        resource: String,
        token: Option<Secret>,
    ) -> BoxFuture<'_, Result<(), StreamDeclined>>;
}

pub(crate) trait EventSource: Send {
    fn next(&mut self) -> BoxFuture<'_, Option<Next>>;
}

/// The newest picture of a stream, or of sources that are not published.
pub(crate) trait PictureSource: Send + Sync {
    /// One that was not given yet; `None` when the stream has ended.
    fn next(&mut self) -> BoxFuture<'_, Option<Picture>>;
    fn latest(&self) -> Option<Picture>;
    /// The same stream's pictures as they come, for a page that decodes by itself.
    fn encoded(&self) -> Option<Box<dyn EncodedSource>> {
        None
    }
    /// Whether its own pictures are wanted besides.
    fn look(&mut self, _wanted: bool) {}
    /// Of each sound that is published.
    fn levels(&self) -> Vec<Level>;
    /// What is wrong with sources that are not published.
    fn problem(&self) -> Option<String> {
        None
    }
    /// Other sources, where they are not published.
    fn change(&self, _sources: StreamSources) -> BoxFuture<'_, Result<(), Failure>> {
        let message = "this is a stream: changeStream changes its sources";
        Box::pin(async move { Err(Failure::new(FailureCode::WrongState, message)) })
    }
    /// Returns when nothing is open any more that was open for this reader alone.
    fn close(self: Box<Self>) -> BoxFuture<'static, ()> {
        Box::pin(async {})
    }
}

/// A stream's encoded pictures; the first is a key frame, and so is the first after a gap.
pub(crate) trait EncodedSource: Send + Sync {
    /// Returns where there is one to take.
    fn ready(&mut self) -> BoxFuture<'_, ()>;
    fn take(&mut self) -> Option<Encoded>;
    fn waits_for_key(&self) -> bool;
    /// A key frame that is waited for is asked for once more.
    fn ask_again(&self);
    /// From the next key frame on.
    fn restart(&mut self);
}

impl Door for Handle {
    fn command(&self, command: Command) -> BoxFuture<'_, Result<Reply, Failure>> {
        Box::pin(Handle::command(self, command))
    }

    fn attach(&self) -> BoxFuture<'_, Result<Attached, Failure>> {
        Box::pin(async move {
            let (snapshot, events) = Handle::attach(self).await?;
            Ok((snapshot, Box::new(events) as Box<dyn EventSource>))
        })
    }

    fn pictures(&self, stream: StreamId) -> BoxFuture<'_, Result<Box<dyn PictureSource>, Failure>> {
        Box::pin(async move {
            let pictures = Handle::pictures(self, stream).await?;
            Ok(Box::new(pictures) as Box<dyn PictureSource>)
        })
    }

    fn preview(&self, sources: StreamSources) -> BoxFuture<'_, Result<Box<dyn PictureSource>, Failure>> {
        Box::pin(async move {
            let preview = Handle::preview(self, sources).await?;
            Ok(Box::new(preview) as Box<dyn PictureSource>)
        })
    }

    fn http_listening(&self, address: Option<String>, info: String) -> BoxFuture<'_, ()> {
        Box::pin(Handle::http_listening(self, address, info))
    }

    fn shared(&self, view: Option<SharingView>) -> BoxFuture<'_, ()> {
        Box::pin(Handle::shared(self, view))
    }

    fn offer_stream(&self, offer: StreamOffer) -> BoxFuture<'_, Result<StreamAccepted, StreamDeclined>> {
        Box::pin(Handle::offer_stream(self, offer))
    }

    fn patch_stream(&self, patch: StreamPatch) -> BoxFuture<'_, Result<StreamPatched, StreamDeclined>> {
        Box::pin(Handle::patch_stream(self, patch))
    }

    fn open_client(&self, opening: ClientOpening) -> BoxFuture<'_, Result<ClientOpened, ClientRefused>> {
        Box::pin(Handle::open_client(self, opening))
    }

    fn ask_client(&self, session: SessionId, connected: u64, ask: ClientAsk) -> BoxFuture<'_, ()> {
        Box::pin(Handle::ask_client(self, session, connected, ask))
    }

    fn rest(&self, ask: RestAsk) -> BoxFuture<'_, Result<RestReply, Failure>> {
        Box::pin(Handle::rest(self, ask))
    }

    fn end_stream(
        &self,
        resource: String,
        token: Option<Secret>,
    ) -> BoxFuture<'_, Result<(), StreamDeclined>> {
        Box::pin(Handle::end_stream(self, resource, token))
    }
}

impl EventSource for Events {
    fn next(&mut self) -> BoxFuture<'_, Option<Next>> {
        Box::pin(Events::next(self))
    }
}

impl PictureSource for Pictures {
    fn next(&mut self) -> BoxFuture<'_, Option<Picture>> {
        Box::pin(Pictures::next(self))
    }

    fn latest(&self) -> Option<Picture> {
        Pictures::latest(self)
    }

    fn encoded(&self) -> Option<Box<dyn EncodedSource>> {
        Some(Box::new(Pictures::encoded(self)))
    }

    fn look(&mut self, wanted: bool) {
        Pictures::look(self, wanted);
    }

    fn levels(&self) -> Vec<Level> {
        Pictures::levels(self)
    }
}

impl PictureSource for SourcePreview {
    fn next(&mut self) -> BoxFuture<'_, Option<Picture>> {
        Box::pin(SourcePreview::next(self))
    }

    fn latest(&self) -> Option<Picture> {
        SourcePreview::latest(self)
    }

    fn levels(&self) -> Vec<Level> {
        SourcePreview::levels(self)
    }

    fn problem(&self) -> Option<String> {
        SourcePreview::problem(self)
    }

    fn change(&self, sources: StreamSources) -> BoxFuture<'_, Result<(), Failure>> {
        Box::pin(SourcePreview::change(self, sources))
    }

    fn close(self: Box<Self>) -> BoxFuture<'static, ()> {
        Box::pin(SourcePreview::close(*self))
    }
}

impl EncodedSource for EncodedPictures {
    fn ready(&mut self) -> BoxFuture<'_, ()> {
        Box::pin(EncodedPictures::ready(self))
    }

    fn take(&mut self) -> Option<Encoded> {
        EncodedPictures::take(self)
    }

    fn waits_for_key(&self) -> bool {
        EncodedPictures::waits_for_key(self)
    }

    fn ask_again(&self) {
        EncodedPictures::ask_again(self);
    }

    fn restart(&mut self) {
        EncodedPictures::restart(self);
    }
}
