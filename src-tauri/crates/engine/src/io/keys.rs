//! The way to the key store. It may ask the user and take minutes, so it works off the owner's loop, one question after the
//! other.

use crate::secrets::SecretStore;
use sidetone_api::Secret;
use tokio::{sync::mpsc, task::spawn_blocking};

/// Questions that may wait while the store asks the user.
const ASKS: usize = 256;

type Ask = Box<dyn FnOnce(&mut dyn SecretStore) + Send>;

pub(crate) struct Keys(mpsc::Sender<Ask>);

impl Keys {
    pub(crate) fn start(store: Box<dyn SecretStore>) -> Self {
        let (asks, inward) = mpsc::channel(ASKS);
        tokio::spawn(answer(store, inward));
        Self(asks)
    }

    /// `false` where too many questions wait already: nothing will be told.
    pub(crate) fn get(&self, name: String, tell: impl FnOnce(Option<Secret>) + Send + 'static) -> bool {
        self.ask(move |store| tell(store.get(&name)))
    }

    /// As [`Keys::get`].
    pub(crate) fn set(
        &self,
        name: String,
        secret: Secret,
        tell: impl FnOnce(Result<(), String>) + Send + 'static,
    ) -> bool {
        self.ask(move |store| tell(store.set(&name, &secret)))
    }

    /// As [`Keys::get`]. Removes what it can and tells the first failure.
    pub(crate) fn remove(
        &self,
        names: Vec<String>,
        tell: impl FnOnce(Result<(), String>) + Send + 'static,
    ) -> bool {
        self.ask(move |store| {
            let removed: Vec<_> = names.iter().map(|name| store.remove(name)).collect();
            tell(removed.into_iter().collect());
        })
    }

    fn ask(&self, ask: impl FnOnce(&mut dyn SecretStore) + Send + 'static) -> bool {
        self.0.try_send(Box::new(ask)).is_ok()
    }
}

async fn answer(mut store: Box<dyn SecretStore>, mut asks: mpsc::Receiver<Ask>) {
    while let Some(ask) = asks.recv().await {
        let asked = spawn_blocking(move || {
            ask(store.as_mut());
            store
        });
        match asked.await {
            Ok(back) => store = back,
            Err(error) => return tracing::error!("the key store is lost: {error}"),
        }
    }
}
