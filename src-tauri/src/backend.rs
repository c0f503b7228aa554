//! The engine and its gateway, started while the window opens.

use crate::{pages, up::Up};
use sidetone_api::{Failure, FailureCode};
use sidetone_device::Hardware;
use sidetone_engine::{Directories, Engine, Events, Handle, Next, Options, secrets};
use sidetone_gateway::{FrameDoor, FrameLink, Gateway, GatewayError, Network, Running};
use std::{
    collections::HashMap,
    net::Ipv4Addr,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
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
    /// Of windows whose webview opens no socket to this machine.
    links: Mutex<HashMap<String, Arc<FrameLink>>>,
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
            links: Mutex::default(),
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
        self.close_link(window);
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
        drop(carriers);
        self.close_link(window);
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

    /// For a page that cannot reach that place: another way to pictures, instead of the one that the window had before.
    pub(crate) async fn open_link(&self, window: &str) -> Result<(), Failure> {
        let link = FrameLink::open(self.engine().await?);
        if let Some(former) = self.links().insert(window.to_owned(), Arc::new(link)) {
            former.close();
        }
        Ok(())
    }

    /// # Errors
    /// `notFound` where the window has no such way (any more).
    pub(crate) fn link(&self, window: &str) -> Result<Arc<FrameLink>, Failure> {
        self.links().get(window).cloned().ok_or_else(|| Failure::not_found("link", window))
    }

    pub(crate) fn close_link(&self, window: &str) {
        if let Some(link) = self.links().remove(window) {
            link.close();
        }
    }

    fn links(&self) -> MutexGuard<'_, HashMap<String, Arc<FrameLink>>> {
        self.links.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Closes the gateway's pages, hangs up and unregisters. Nothing starts after that; a second caller waits for the first.
    pub(crate) async fn shut_down(&self) {
        let mut state = self.state.lock().await;
        let before = std::mem::replace(&mut *state, State::Ended);
        drop(self.frames.lock().await.take());
        self.links().drain().for_each(|(_, link)| link.close());
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
        hook_secret: None,
        settings: None,
        exchange: Default::default(),
        media: Default::default(),
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
        data: Some(directories.data),
        network: Network::default(),
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
