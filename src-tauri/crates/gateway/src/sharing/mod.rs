//! What others of this network reach, from when the user says so until he says no: pages for guests with an invite, by TLS alone. Nothing else
//! of the gateway is there: no window, no WHIP, no REST.
//!
//! ```text
//!  GET /guest/#INVITE     the page of a guest; the invite stays in the browser until its socket shows it
//!  ══ any path ═══════▶   its socket: a session of a guest, who may do what its invite says
//!  GET /trust             how to make a device trust our certificates
//!  GET /authority.crt     the authority that signs them
//! ```

mod announce;
pub(crate) mod authority;
mod identity;
mod page;
mod place;

use crate::{
    GatewayError, Purpose,
    app::{App, guarded},
    guard::Hosts,
    listener::{self, Site},
    wcs,
};
use announce::Announcement;
use axum::{Extension, Router, middleware, routing::get};
use identity::Identity;
use sidetone_api::{Event, SharingSettings, SharingView};
use sidetone_engine::Next;
use socket2::{Domain, Protocol, Socket, Type};
use std::{
    io,
    net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr},
    path::{Path, PathBuf},
    sync::Arc,
    time::Duration,
};
use tokio::{net::TcpListener, task::JoinSet, time::sleep};

/// How many ports after the wanted one are tried.
const MORE_PORTS: u16 = 20;
/// Whether the machine has other addresses than before.
const LOOK_EVERY: Duration = Duration::from_secs(30);

/// Opens and closes as the settings say. Returns when the engine has stopped.
pub(crate) async fn follow(app: Arc<App>, folder: Option<PathBuf>) {
    let mut now = SharingSettings::default();
    let mut shared: Option<Shared> = None;
    while let Ok((snapshot, mut events)) = app.door.attach().await {
        change(&app, folder.as_deref(), &mut now, snapshot.settings.gateway.sharing, &mut shared).await;
        loop {
            let next = tokio::select! {
                next = events.next() => next,
                () = sleep(LOOK_EVERY), if shared.is_some() => {
                    if let Some(shared) = &mut shared {
                        shared.look(&app, &now).await;
                    }
                    continue;
                }
            };
            match next {
                Some(Next::Event(envelope)) => {
                    if let Event::SettingsChanged { settings } = &envelope.event {
                        let wanted = settings.gateway.sharing.clone();
                        change(&app, folder.as_deref(), &mut now, wanted, &mut shared).await;
                    }
                }
                Some(Next::Lagged) => break,
                None => return,
            }
        }
    }
}

async fn change(
    app: &Arc<App>,
    folder: Option<&Path>,
    now: &mut SharingSettings,
    wanted: SharingSettings,
    shared: &mut Option<Shared>,
) {
    if *now == wanted {
        return;
    }
    // Its port may be wanted again.
    *shared = None;
    *now = wanted;
    if !now.on {
        return app.door.shared(None).await;
    }
    let failed = |info| Some(SharingView { info, ..SharingView::default() });
    match Shared::open(app, folder, now) {
        Ok(opened) => {
            app.door.shared(Some(opened.view(now))).await;
            *shared = Some(opened);
        }
        Err(info) => {
            tracing::warn!("nothing is shared: {info}");
            app.door.shared(failed(info)).await;
        }
    }
}

/// Listeners that are open. They close when it is dropped, and so do the connections that are no sockets.
struct Shared {
    identity: Identity,
    addresses: Vec<IpAddr>,
    port: u16,
    /// That another port was taken, or why the network is not told of us.
    info: String,
    _announcement: Option<Announcement>,
    _serving: JoinSet<()>,
}

impl Shared {
    fn open(app: &Arc<App>, folder: Option<&Path>, settings: &SharingSettings) -> Result<Self, String> {
        let addresses = place::addresses();
        let identity = Identity::open(folder, settings, &addresses)?;
        let listeners = listen(settings.port).map_err(|error| error.to_string())?;
        let mut serving = JoinSet::new();
        let mut port = settings.port;
        for listener in listeners {
            let address = listener.local_addr().map_err(|error| error.to_string())?;
            port = address.port();
            tracing::info!(%address, "guests are served");
            let hosts = Arc::new(Hosts::with(address, &identity.names, true));
            let site = Site { address, hosts, is_secure: true };
            let routes = routes(app, &identity, site);
            serving.spawn(listener::serve(listener, routes, Some(identity.acceptor.clone())));
        }
        let mut infos = Vec::new();
        if port != settings.port {
            infos.push(format!("port {} is busy; {port} was taken", settings.port));
        }
        let announced = Announcement::new(&place::host_label(), port);
        if let Err(error) = &announced {
            infos.push(format!("this network is not told of us: {error}"));
        }
        let info = infos.join("; ");
        Ok(Self { identity, addresses, port, info, _announcement: announced.ok(), _serving: serving })
    }

    fn view(&self, settings: &SharingSettings) -> SharingView {
        let public = settings.public.trim();
        SharingView {
            urls: self.addresses.iter().map(|ip| place::url(*ip, self.port)).collect(),
            port: self.port,
            public: (!public.is_empty()).then(|| format!("https://{public}")),
            fingerprint: self.identity.fingerprint().map(str::to_owned),
            info: self.info.clone(),
        }
    }

    /// Other addresses want another certificate, and are told of.
    async fn look(&mut self, app: &App, settings: &SharingSettings) {
        let found = place::addresses();
        if found == self.addresses {
            return;
        }
        self.addresses = found;
        if let Err(words) = self.identity.renew(&self.addresses) {
            tracing::warn!("the certificate for guests is that of other addresses: {words}");
        }
        app.door.shared(Some(self.view(settings))).await;
    }
}

/// Without a login: who has no invite gets nowhere with them.
pub(crate) fn guests_pages() -> Router<Arc<App>> {
    Router::new()
        .route("/guest", get(page::to_guest))
        .route("/guest/", get(page::guest))
        .route("/guest/assets/{*path}", get(page::asset))
        .route("/guest/favicon.svg", get(page::asset))
}

fn routes(app: &Arc<App>, identity: &Identity, site: Site) -> Router {
    Router::new()
        .route("/", get(page::root))
        .merge(guests_pages())
        .route("/trust", get(page::trust))
        .route("/page.css", get(page::style))
        .route("/authority.crt", get(page::authority))
        .fallback(page::nothing)
        .layer(Extension(page::Trust::of(identity)))
        .layer(middleware::from_fn_with_state(Arc::clone(app), wcs::upgraded_for_guests))
        .layer(middleware::from_fn(guarded))
        .layer(Extension(site))
        .with_state(Arc::clone(app))
}

/// At all addresses, of both kinds where the machine has both.
fn listen(port: u16) -> Result<Vec<TcpListener>, GatewayError> {
    let mut last = io::Error::from(io::ErrorKind::AddrInUse);
    for port in port..=port.saturating_add(MORE_PORTS) {
        match bind(SocketAddr::new(Ipv4Addr::UNSPECIFIED.into(), port)) {
            Ok(listener) => {
                let port = listener.local_addr().map_or(port, |address| address.port());
                let also = bind(SocketAddr::new(Ipv6Addr::UNSPECIFIED.into(), port));
                return Ok([Some(listener), also.ok()].into_iter().flatten().collect());
            }
            Err(error) => last = error,
        }
    }
    let address = SocketAddr::new(Ipv4Addr::UNSPECIFIED.into(), port);
    Err(GatewayError::Taken { what: Purpose::Https.name(), address, source: last })
}

fn bind(address: SocketAddr) -> io::Result<TcpListener> {
    let socket = Socket::new(Domain::for_address(address), Type::STREAM, Some(Protocol::TCP))?;
    if address.is_ipv6() {
        socket.set_only_v6(true)?;
    }
    if cfg!(not(windows)) {
        socket.set_reuse_address(true)?;
    }
    socket.set_nonblocking(true)?;
    socket.bind(&address.into())?;
    socket.listen(128)?;
    TcpListener::from_std(socket.into())
}
