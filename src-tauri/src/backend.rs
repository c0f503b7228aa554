//! The engine and its gateway, started while the window opens.

use crate::{pages, up::Up};
use sidetone_api::{Failure, FailureCode};
use sidetone_device::Hardware;
use sidetone_engine::{Directories, Engine, Events, Handle, Next, Options, secrets};
use sidetone_gateway::{FrameDoor, Gateway, GatewayError, Running};
use std::{
    collections::HashMap,
    net::Ipv4Addr,
    sync::{Arc, Mutex, PoisonError},
};
use tauri::{
    AppHandle, Manager,
    async_runtime::{JoinHandle, spawn},
    ipc::Channel,
};

pub(crate) struct Backend {
    app: AppHandle,
    state: tokio::sync::Mutex<State>,
    /// Carry events to the pages, by their windows.
    carriers: Mutex<HashMap<String, JoinHandle<()>>>,
    gateway: Arc<tokio::sync::Mutex<Option<Running>>>,
    /// Gives pictures to the page, whether or not the gateway's pages are served.
    frames: tokio::sync::Mutex<Option<FrameDoor>>,
}

enum State {
    /// Not started yet, or in vain.
    Away,
    Runs(Handle),
    Ended,
}

impl Backend {
    /// Returns at once; the page's first request waits for the engine.
    pub(crate) fn start(app: &AppHandle) {
        app.manage(Self {
            app: app.clone(),
            state: tokio::sync::Mutex::new(State::Away),
            carriers: Mutex::default(),
            gateway: Arc::default(),
            frames: tokio::sync::Mutex::default(),
        });
        let app = app.clone();
        spawn(async move {
            if let Err(failure) = app.state::<Self>().engine().await {
                tracing::error!("the engine did not start: {failure}");
            }
        });
    }

    /// The engine; where it did not start the last time, it is tried again.
    ///
    /// # Errors
    /// Why the engine does not start.
    pub(crate) async fn engine(&self) -> Result<Handle, Failure> {
        let mut state = self.state.lock().await;
        match &*state {
            State::Runs(engine) => return Ok(engine.clone()),
            State::Ended => return Err(Failure::new(FailureCode::Stopped, "the program is closing")),
            State::Away => {}
        }
        let directories = Directories::of_the_platform()?;
        let engine = start_engine(directories.clone()).await?;
        *state = State::Runs(engine.clone());
        let (gateway, app, served) = (Arc::clone(&self.gateway), self.app.clone(), engine.clone());
        // Held from here on, so that the end waits for a start under way.
        let mut gateway = gateway.lock_owned().await;
        spawn(async move { *gateway = start_gateway(&app, served, directories).await });
        Ok(engine)
    }

    /// Sends the state and all that follows to the window's page, instead of to the page that it had before.
    pub(crate) async fn attach(&self, window: &str, page: Channel<Up>) -> Result<(), Failure> {
        let engine = self.engine().await?;
        let (snapshot, events) = engine.attach().await?;
        let carrier = spawn(async move {
            if page.send(Up::State { snapshot: Box::new(snapshot) }).is_ok() {
                carry(&engine, events, &page).await;
            }
        });
        let mut carriers = self.carriers.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(former) = carriers.insert(window.to_owned(), carrier) {
            former.abort();
        }
        Ok(())
    }

    /// The window has gone.
    pub(crate) fn detach(&self, window: &str) {
        let mut carriers = self.carriers.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(carrier) = carriers.remove(window) {
            carrier.abort();
        }
    }

    /// Where the page can open one socket for pictures, once.
    ///
    /// # Errors
    /// Why there is no such place.
    pub(crate) async fn frames(&self) -> Result<String, Failure> {
        let failed = |error: GatewayError| Failure::new(FailureCode::Network, error.to_string());
        let engine = self.engine().await?;
        let mut frames = self.frames.lock().await;
        let door = match frames.take() {
            Some(door) => door,
            None => FrameDoor::open(engine).await.map_err(failed)?,
        };
        frames.insert(door).ticket().map_err(failed)
    }

    /// Closes the gateway's pages, hangs up and unregisters. Nothing starts after that; a second caller waits for the first.
    pub(crate) async fn shut_down(&self) {
        let mut state = self.state.lock().await;
        let before = std::mem::replace(&mut *state, State::Ended);
        drop(self.frames.lock().await.take());
        if let Some(gateway) = self.gateway.lock().await.take() {
            gateway.stop().await;
        }
        if let State::Runs(engine) = before {
            engine.shut_down().await;
        }
    }
}

async fn start_engine(directories: Directories) -> Result<Handle, Failure> {
    Engine::start(Options {
        directories: Some(directories),
        devices: Arc::new(Hardware::new()),
        secrets: secrets::platform(),
        settings: None,
        sip_bind: None,
        tones: true,
        one_at_a_time: true,
    })
    .await
}

/// The pages for a browser on this machine. The app works without them; why they are missing is in the gateway's view.
async fn start_gateway(app: &AppHandle, engine: Handle, directories: Directories) -> Option<Running> {
    let settings = engine.attach().await.ok()?.0.settings.gateway;
    if !settings.enabled {
        return None;
    }
    let options = sidetone_gateway::Options {
        bind: Ipv4Addr::LOCALHOST.into(),
        port: settings.http_port,
        ui: pages::of(app),
        runtime: Some(directories.runtime),
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
