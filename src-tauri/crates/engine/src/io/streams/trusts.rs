//! Whom streams believe when TLS is spoken: the system's authorities, and those of the settings.

use crate::io::{http::Client, tls::Trust};
use std::{
    fmt,
    sync::{Arc, Mutex, PoisonError},
};
use tokio::sync::OnceCell;

/// One for all streams. Cheap to clone.
#[derive(Clone)]
pub(crate) struct Trusts(Arc<Mutex<Known>>);

#[derive(Clone)]
struct Known {
    pem: Option<String>,
    trust: Arc<Trust>,
    client: Arc<OnceCell<Result<Client, String>>>,
}

impl Known {
    fn new(pem: Option<String>) -> Self {
        let trust = Arc::new(Trust::of_streams(pem.as_deref()));
        Self { pem, trust, client: Arc::default() }
    }
}

impl Default for Trusts {
    fn default() -> Self {
        Self(Arc::new(Mutex::new(Known::new(None))))
    }
}

impl Trusts {
    /// A client that believes these authorities; TLS with TURN servers believes them from now on, too.
    ///
    /// # Errors
    /// In words: the system's authorities cannot be read.
    pub(crate) async fn client(&self, pem: Option<&str>) -> Result<Client, String> {
        let known = self.of(pem);
        known.client.get_or_init(|| async { Client::new(&known.trust).await }).await.clone()
    }

    /// As the last client.
    pub(super) fn trust(&self) -> Arc<Trust> {
        let known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        Arc::clone(&known.trust)
    }

    fn of(&self, pem: Option<&str>) -> Known {
        let mut known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if known.pem.as_deref() != pem {
            *known = Known::new(pem.map(str::to_owned));
        }
        known.clone()
    }
}

impl fmt::Debug for Trusts {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Trusts")
    }
}
