//! What the listeners want of the engine; a fake stands in for it in tests.

use futures_util::future::BoxFuture;
use sidetone_api::{Command, Failure, Reply, Snapshot};
use sidetone_engine::{Events, Handle, Next};

/// The state, and every event after it.
pub(crate) type Attached = (Snapshot, Box<dyn EventSource>);

pub(crate) trait Door: Send + Sync + 'static {
    fn command(&self, command: Command) -> BoxFuture<'_, Result<Reply, Failure>>;
    fn attach(&self) -> BoxFuture<'_, Result<Attached, Failure>>;
    fn http_listening(&self, address: Option<String>, info: String) -> BoxFuture<'_, ()>;
}

pub(crate) trait EventSource: Send {
    fn next(&mut self) -> BoxFuture<'_, Option<Next>>;
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

    fn http_listening(&self, address: Option<String>, info: String) -> BoxFuture<'_, ()> {
        Box::pin(Handle::http_listening(self, address, info))
    }
}

impl EventSource for Events {
    fn next(&mut self) -> BoxFuture<'_, Option<Next>> {
        Box::pin(Events::next(self))
    }
}
