use crate::{
    GatewayError, Network, Purpose, Ui,
    app::{App, reachable, routes},
    door::Door,
    guard::Hosts,
    listener::{self, Site},
    runtime_file::{Record, RuntimeFile},
    sharing,
    socket::MAX_SOCKETS,
    tls,
};
use sidetone_api::Event;
use sidetone_engine::{Handle, Next};
use std::{
    fmt,
    net::{IpAddr, SocketAddr},
    path::{Path, PathBuf},
    sync::Arc,
    time::{Duration, SystemTime, UNIX_EPOCH},
};
use tokio::task::{JoinHandle, JoinSet};

/// How long [`Running::stop`] waits for the sockets to say goodbye.
const GOODBYE: Duration = Duration::from_secs(3);

/// Where to listen and what to serve.
#[derive(Debug, Clone)]
pub struct Options {
    /// A loopback address, where `network` does not say another one.
    pub bind: IpAddr,
    /// Preferred; where it is busy one of the next 20 is taken, else any. 0: any.
    pub port: u16,
    pub ui: Ui,
    /// Folder for `gateway.json`, by which the command line finds this gateway; `None`: it is not found.
    pub runtime: Option<PathBuf>,
    /// Folder of the authority that signs certificates for guests; `None`: they need one that the settings name.
    pub data: Option<PathBuf>,
    pub network: Network,
}

/// Starts listeners.
#[derive(Debug, Clone, Copy)]
pub struct Gateway;

impl Gateway {
    /// Opens the listeners and tells the engine where they are. Runs on the tokio runtime that calls it.
    ///
    /// # Errors
    /// [`GatewayError`]; the engine is told the reason, too.
    pub async fn start(handle: Handle, options: Options) -> Result<Running, GatewayError> {
        start(Arc::new(handle), options).await
    }
}

/// Listeners that are open. They close when it is dropped.
pub struct Running {
    app: Arc<App>,
    places: Vec<(Purpose, SocketAddr)>,
    task: Option<JoinHandle<()>>,
}

impl Running {
    /// Of the pages.
    pub fn address(&self) -> SocketAddr {
        self.app.address
    }

    /// Every listener, that of the pages first.
    pub fn places(&self) -> &[(Purpose, SocketAddr)] {
        &self.places
    }

    /// A link that logs one browser in, once, within ten minutes. Each call makes another one.
    ///
    /// # Errors
    /// [`GatewayError::Randomness`].
    pub fn login_url(&self) -> Result<String, GatewayError> {
        self.app.login_url()
    }

    /// Closes the listeners and every socket, and removes `gateway.json`.
    pub async fn stop(mut self) {
        self.app.stop.send_replace(true);
        if let Some(task) = self.task.take() {
            let _ = task.await;
        }
    }
}

impl fmt::Debug for Running {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Running").field("address", &self.app.address).finish_non_exhaustive()
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        self.app.stop.send_replace(true);
    }
}

pub(crate) async fn start(door: Arc<dyn Door>, options: Options) -> Result<Running, GatewayError> {
    let started = open(Arc::clone(&door), options).await;
    if let Err(error) = &started {
        door.http_listening(None, error.to_string()).await;
    }
    started
}

async fn open(door: Arc<dyn Door>, options: Options) -> Result<Running, GatewayError> {
    let Options { bind, port, ui, runtime, data, network } = options;
    network.check()?;
    let tls = network.tls.as_ref().map(tls::acceptor).transpose()?;
    let first = match network.http {
        Some(address) => listener::listen_at(Purpose::Http, address).await?,
        None => listener::listen(bind, port).await?,
    };
    let mut listeners = vec![(Purpose::Http, first)];
    for (purpose, address) in network.exact() {
        listeners.push((purpose, listener::listen_at(purpose, address).await?));
    }
    let mut places = Vec::with_capacity(listeners.len());
    for (purpose, listener) in &listeners {
        let failed = |source| GatewayError::Listen { ip: bind, source };
        places.push((*purpose, listener.local_addr().map_err(failed)?));
    }
    let address = places.first().map(|(_, address)| *address).ok_or(GatewayError::EngineStopped)?;
    let wanted = if network.http.is_some() { 0 } else { port };
    let hosts = network.access.hosts.clone();
    let app = Arc::new(App::new(door, ui, address, network)?);
    let sip = sip_address(&app).await?;
    let file = match &runtime {
        Some(folder) => claim(folder, &app, sip).await,
        None => None,
    };
    let info = match wanted {
        wanted if wanted == 0 || wanted == address.port() => String::new(),
        wanted => format!("port {wanted} is busy; {} was taken", address.port()),
    };
    app.door.http_listening(Some(format!("http://{}", reachable(address))), info).await;
    let mut serving = JoinSet::new();
    for ((purpose, listener), (_, address)) in listeners.into_iter().zip(&places) {
        tracing::info!(%address, "{} is served", purpose.name());
        let is_secure = purpose.is_secure();
        let hosts = Arc::new(Hosts::with(*address, &hosts, is_secure));
        let routes = routes(&app, purpose, Site { address: *address, hosts, is_secure });
        serving.spawn(listener::serve(listener, routes, tls.clone().filter(|_| is_secure)));
    }
    let task = tokio::spawn(run(Arc::clone(&app), serving, file, data));
    Ok(Running { app, places, task: Some(task) })
}

async fn run(app: Arc<App>, mut serving: JoinSet<()>, file: Option<RuntimeFile>, data: Option<PathBuf>) {
    tokio::select! {
        _ = serving.join_next() => {}
        () = sharing::follow(Arc::clone(&app), data) => {}
        () = follow(&app, file) => {}
        () = app.stopped() => {}
    }
    drop(serving);
    app.stop.send_replace(true);
    let all = |most: usize| u32::try_from(most).unwrap_or(u32::MAX);
    let goodbyes = async {
        let _ = app.sockets.acquire_many(all(MAX_SOCKETS)).await;
        let _ = app.clients.acquire_many(all(app.limits.sessions)).await;
    };
    let _ = tokio::time::timeout(GOODBYE, goodbyes).await;
    app.door.http_listening(None, "the pages are closed".into()).await;
}

/// Keeps `gateway.json` true; returns when the engine has stopped. The file goes when this is dropped.
async fn follow(app: &App, mut file: Option<RuntimeFile>) {
    while let Ok((snapshot, mut events)) = app.door.attach().await {
        moved(&mut file, snapshot.gateway.sip_address.as_deref());
        loop {
            match events.next().await {
                Some(Next::Event(envelope)) => {
                    if let Event::GatewayChanged { gateway } = &envelope.event {
                        moved(&mut file, gateway.sip_address.as_deref());
                    }
                }
                Some(Next::Lagged) => break,
                None => return,
            }
        }
    }
}

fn moved(file: &mut Option<RuntimeFile>, sip: Option<&str>) {
    if let Some(Err(error)) = file.as_mut().map(|file| file.set_sip(parsed(sip))) {
        tracing::warn!(%error, "gateway.json cannot be written");
    }
}

async fn claim(folder: &Path, app: &App, sip: Option<SocketAddr>) -> Option<RuntimeFile> {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    let record = Record {
        instance: app.instance.clone(),
        key: app.key.clone(),
        sip,
        http: reachable(app.address),
        pid: std::process::id(),
        started: u64::try_from(now.as_millis()).unwrap_or(u64::MAX),
    };
    match RuntimeFile::claim(folder, record).await {
        Ok(file) => file,
        Err(error) => {
            tracing::warn!(%error, "gateway.json cannot be written: the command line will not find this gateway");
            None
        }
    }
}

async fn sip_address(app: &App) -> Result<Option<SocketAddr>, GatewayError> {
    let (snapshot, _) = app.door.attach().await.map_err(|_| GatewayError::EngineStopped)?;
    Ok(parsed(snapshot.gateway.sip_address.as_deref()))
}

fn parsed(address: Option<&str>) -> Option<SocketAddr> {
    address.and_then(|address| address.parse().ok()).map(reachable)
}
