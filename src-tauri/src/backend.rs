//! The engine and its gateway, started while the window opens.

use crate::up::Up;
use sidetone_api::{Failure, FailureCode};
use sidetone_device::Hardware;
use sidetone_engine::{Directories, Engine, Events, Handle, Next, Options, secrets};
use std::sync::{Arc, Mutex, PoisonError};
use tauri::{
    async_runtime::{JoinHandle, spawn},
    ipc::Channel,
};
use tokio::sync::watch;

type Started = Result<Handle, Failure>;

#[derive(Debug)]
pub(crate) struct Backend {
    /// `None` while the engine starts.
    started: watch::Receiver<Option<Started>>,
    /// Carries events to the page.
    carrier: Mutex<Option<JoinHandle<()>>>,
}

impl Backend {
    /// Returns at once; the page's first request waits for the engine.
    pub(crate) fn start() -> Self {
        let (done, started) = watch::channel(None);
        spawn(async move {
            let result = start().await;
            if let Err(failure) = &result {
                tracing::error!("the engine did not start: {failure}");
            }
            let _ = done.send(Some(result));
        });
        Self { started, carrier: Mutex::new(None) }
    }

    /// # Errors
    /// Why the engine did not start.
    pub(crate) async fn engine(&self) -> Started {
        let mut started = self.started.clone();
        let stopped = || Failure::new(FailureCode::Stopped, "the engine did not start");
        let result = started.wait_for(Option::is_some).await.map_err(|_| stopped())?;
        result.clone().unwrap_or_else(|| Err(stopped()))
    }

    /// Sends the state and all that follows to the page, instead of to the page that attached before.
    pub(crate) async fn attach(&self, page: Channel<Up>) -> Result<(), Failure> {
        let engine = self.engine().await?;
        let (snapshot, events) = engine.attach().await?;
        let carrier = spawn(async move {
            if page.send(Up::State { snapshot: Box::new(snapshot) }).is_ok() {
                carry(&engine, events, &page).await;
            }
        });
        let former = self.carrier.lock().unwrap_or_else(PoisonError::into_inner).replace(carrier);
        if let Some(former) = former {
            former.abort();
        }
        Ok(())
    }

    /// Hangs up and unregisters.
    pub(crate) async fn shut_down(&self) {
        if let Ok(engine) = self.engine().await {
            engine.shut_down().await;
        }
    }
}

async fn start() -> Started {
    let engine = Engine::start(Options {
        directories: Some(Directories::of_the_platform()?),
        devices: Arc::new(Hardware::new()),
        secrets: secrets::platform(),
        settings: None,
        sip_bind: None,
        tones: true,
    })
    .await?;
    Ok(engine)
}

/// Until the page or the engine has gone.
async fn carry(engine: &Handle, mut events: Events, page: &Channel<Up>) {
    while let Some(next) = events.next().await {
        let up = match next {
            Next::Event(envelope) => Up::Event(envelope),
            Next::Lagged => {
                let Ok((snapshot, fresh)) = engine.attach().await else { return };
                events = fresh;
                Up::State { snapshot: Box::new(snapshot) }
            }
        };
        if page.send(up).is_err() {
            return;
        }
    }
}
