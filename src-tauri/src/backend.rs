//! The engine and its gateway, started while the window opens.

use crate::{pages, up::Up};
use sidetone_api::{Failure, FailureCode};
use sidetone_device::Hardware;
use sidetone_engine::{Directories, Engine, Events, Handle, Next, Options, secrets};
use sidetone_gateway::{Gateway, Running};
use std::{
    net::Ipv4Addr,
    path::PathBuf,
    sync::{Arc, Mutex, PoisonError},
};
use tauri::{
    AppHandle,
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
    gateway: Arc<tokio::sync::Mutex<Option<Running>>>,
}

impl Backend {
    /// Returns at once; the page's first request waits for the engine.
    pub(crate) fn start(app: &AppHandle) -> Self {
        let (done, started) = watch::channel(None);
        let gateway = Arc::new(tokio::sync::Mutex::new(None));
        let (app, opened) = (app.clone(), Arc::clone(&gateway));
        spawn(async move {
            let directories = Directories::of_the_platform();
            let runtime = directories.as_ref().ok().map(|directories| directories.runtime.clone());
            let mut opened = opened.lock().await;
            let result = start_engine(directories).await;
            let _ = done.send(Some(result.clone()));
            match result {
                Ok(engine) => *opened = start_gateway(&app, engine, runtime).await,
                Err(failure) => tracing::error!("the engine did not start: {failure}"),
            }
        });
        Self { started, carrier: Mutex::new(None), gateway }
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

    /// Closes the gateway's pages, hangs up and unregisters.
    pub(crate) async fn shut_down(&self) {
        if let Some(gateway) = self.gateway.lock().await.take() {
            gateway.stop().await;
        }
        if let Ok(engine) = self.engine().await {
            engine.shut_down().await;
        }
    }
}

async fn start_engine(directories: Result<Directories, Failure>) -> Started {
    Engine::start(Options {
        directories: Some(directories?),
        devices: Arc::new(Hardware::new()),
        secrets: secrets::platform(),
        settings: None,
        sip_bind: None,
        tones: true,
    })
    .await
}

/// The pages for a browser on this machine. The app works without them; why they are missing is in the gateway's view.
async fn start_gateway(app: &AppHandle, engine: Handle, runtime: Option<PathBuf>) -> Option<Running> {
    let settings = engine.attach().await.ok()?.0.settings.gateway;
    if !settings.enabled {
        return None;
    }
    let options = sidetone_gateway::Options {
        bind: Ipv4Addr::LOCALHOST.into(),
        port: settings.http_port,
        ui: pages::of(app),
        runtime,
    };
    let started = Gateway::start(engine, options).await;
    started.inspect_err(|error| tracing::warn!("the pages are not served: {error}")).ok()
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
