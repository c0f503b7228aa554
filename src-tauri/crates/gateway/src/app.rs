//! What every request shares, and the routes.

use crate::{
    Access, GatewayError, Limits, Network, Purpose,
    door::Door,
    frames::{self, Frames},
    guard::Refusal,
    listener::Site,
    login::{Login, random_text, same},
    pages::{self, ui::Ui},
    rest, sharing, socket, wcs, whip, wire,
};
use axum::{
    Extension, Router,
    extract::{Request, State},
    http::{HeaderMap, HeaderValue, StatusCode, header},
    middleware::{self, Next},
    response::{IntoResponse, Response},
    routing::{get, post},
};
use serde::Serialize;
use serde_json::json;
use std::{
    net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Instant,
};
use tokio::sync::{Semaphore, watch};

pub(crate) struct App {
    pub(crate) door: Arc<dyn Door>,
    pub(crate) ui: Ui,
    pub(crate) address: SocketAddr,
    pub(crate) access: Access,
    pub(crate) limits: Limits,
    /// What the one listener serves besides pages.
    alone: Alone,
    pub(crate) rest: rest::Rest,
    pub(crate) cookie_name: String,
    pub(crate) instance: String,
    /// What other programs of this user show, who can read `gateway.json`.
    pub(crate) key: String,
    /// One permit for each UI socket.
    pub(crate) sockets: Arc<Semaphore>,
    /// One permit for each connection of the Web SDK.
    pub(crate) clients: Arc<Semaphore>,
    /// One permit for each offer of a stream that is being answered.
    pub(crate) offers: Semaphore,
    pub(crate) frames: Frames,
    /// Turns true when the listeners stop.
    pub(crate) stop: watch::Sender<bool>,
    login: Mutex<Login>,
}

/// Which listeners there are besides the first.
#[derive(Debug, Clone, Copy)]
struct Alone {
    sockets: bool,
    rest: bool,
}

impl App {
    pub(crate) fn new(
        door: Arc<dyn Door>,
        ui: Ui,
        address: SocketAddr,
        network: Network,
    ) -> Result<Self, GatewayError> {
        let alone = Alone {
            sockets: !(network.ws.is_empty() && network.wss.is_empty()),
            rest: network.rest.is_some(),
        };
        let Network { access, limits, .. } = network;
        let stop = watch::Sender::new(false);
        Ok(Self {
            frames: Frames::new(Arc::clone(&door), stop.subscribe()),
            door,
            ui,
            address,
            alone,
            rest: rest::Rest::new(limits.rest_per_second),
            access,
            cookie_name: format!("sidetone-{}", address.port()),
            instance: random_text()?,
            key: random_text()?,
            sockets: Arc::new(Semaphore::new(socket::MAX_SOCKETS)),
            clients: Arc::new(Semaphore::new(limits.sessions)),
            limits,
            offers: Semaphore::new(whip::MOST_OFFERS),
            stop,
            login: Mutex::default(),
        })
    }

    pub(crate) fn login(&self) -> MutexGuard<'_, Login> {
        self.login.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn login_url(&self) -> Result<String, GatewayError> {
        let token = self.login().issue(Instant::now())?;
        Ok(format!("http://{}/?token={token}", reachable(self.address)))
    }

    /// Returns when the listeners stop.
    pub(crate) async fn stopped(&self) {
        let _ = self.stop.subscribe().wait_for(|stop| *stop).await;
    }
}

/// An address that can be connected to: where we listen at all of them, ours of loopback.
pub(crate) fn reachable(address: SocketAddr) -> SocketAddr {
    let ip = match address.ip() {
        IpAddr::V4(ip) if ip.is_unspecified() => Ipv4Addr::LOCALHOST.into(),
        IpAddr::V6(ip) if ip.is_unspecified() => Ipv6Addr::LOCALHOST.into(),
        ip => ip,
    };
    SocketAddr::new(ip, address.port())
}

/// What is served at one of the listeners.
pub(crate) fn routes(app: &Arc<App>, purpose: Purpose, site: Site) -> Router {
    let sockets = |routes: Router<Arc<App>>| {
        routes.layer(middleware::from_fn_with_state(Arc::clone(app), wcs::upgraded))
    };
    let routes = match purpose {
        Purpose::Ws | Purpose::Wss => sockets(Router::new().fallback(wcs::only_sockets)),
        Purpose::Rest | Purpose::RestTls => rest::routes(app).fallback(rest::no_path),
        Purpose::Http | Purpose::Https => {
            let routes = pages(app);
            let routes = if app.alone.rest { routes } else { routes.merge(rest::routes(app)) };
            if app.alone.sockets { routes } else { sockets(routes) }
        }
    };
    routes.layer(middleware::from_fn(guarded)).layer(Extension(site)).with_state(Arc::clone(app))
}

fn pages(app: &Arc<App>) -> Router<Arc<App>> {
    Router::new()
        .route("/", get(pages::root))
        .route("/sign-in.css", get(pages::sign_in_style))
        .route("/healthz", get(health))
        .route("/login-link", post(login_link))
        .route("/ui/socket", get(socket::upgrade))
        .route("/frames", get(frames::upgrade))
        .merge(sharing::guests_pages())
        .merge(whip::routes(app))
        .fallback(get(pages::asset).fallback(other_method))
        .method_not_allowed_fallback(other_method)
}

async fn health(State(app): State<Arc<App>>) -> Response {
    json(&json!({ "status": "ok", "instance": app.instance }))
}

/// A fresh login link for a program of this user. A page cannot ask for one: it does not know the key, and its browser would
/// show an `Origin`.
async fn login_link(State(app): State<Arc<App>>, headers: HeaderMap) -> Response {
    let key =
        headers.get(header::AUTHORIZATION).and_then(|value| value.to_str().ok()?.strip_prefix("Bearer "));
    if headers.contains_key(header::ORIGIN) {
        return Refusal::new(StatusCode::FORBIDDEN, "Origin", "no page may ask for a login link")
            .into_response();
    }
    if !key.is_some_and(|key| same(key.as_bytes(), app.key.as_bytes())) {
        let message = "the key of gateway.json is needed";
        return Refusal::new(StatusCode::UNAUTHORIZED, "Authorization", message).into_response();
    }
    match app.login_url() {
        Ok(url) => json(&json!({ "url": url })),
        Err(error) => {
            Refusal::new(StatusCode::INTERNAL_SERVER_ERROR, "token", error.to_string()).into_response()
        }
    }
}

async fn other_method() -> Response {
    let refusal = Refusal::new(StatusCode::METHOD_NOT_ALLOWED, "method", "only GET and HEAD are served here");
    ([(header::ALLOW, "GET, HEAD")], refusal).into_response()
}

/// First and last of every request: the `Host`, and the headers that bind a browser.
pub(crate) async fn guarded(Extension(site): Extension<Site>, request: Request, next: Next) -> Response {
    let host = site.hosts.check(request.headers(), request.uri());
    let (mut response, host) = match host {
        Ok(host) => (next.run(request).await, host),
        Err(refusal) => (refusal.into_response(), String::new()),
    };
    // Old WebKit does not count ws: under 'self'. An IPv6 address cannot be written in a policy.
    let scheme = if site.is_secure { "wss" } else { "ws" };
    let socket =
        if host.is_empty() || host.starts_with('[') { String::new() } else { format!(" {scheme}://{host}") };
    let policy = format!(
        "default-src 'self'; connect-src 'self'{socket}; img-src 'self' data:; object-src 'none'; base-uri 'none'; \
         form-action 'none'; frame-ancestors 'none'"
    );
    let headers = response.headers_mut();
    if let Ok(policy) = HeaderValue::from_str(&policy) {
        headers.insert(header::CONTENT_SECURITY_POLICY, policy);
    }
    headers.insert(header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    headers.insert(header::REFERRER_POLICY, HeaderValue::from_static("no-referrer"));
    headers.insert(header::X_FRAME_OPTIONS, HeaderValue::from_static("DENY"));
    headers.insert("cross-origin-resource-policy", HeaderValue::from_static("same-origin"));
    headers.insert("cross-origin-opener-policy", HeaderValue::from_static("same-origin"));
    headers.entry(header::CACHE_CONTROL).or_insert(HeaderValue::from_static("no-store"));
    response
}

impl IntoResponse for Refusal {
    fn into_response(self) -> Response {
        (self.status, json(&self.failure)).into_response()
    }
}

fn json(value: &impl Serialize) -> Response {
    ([(header::CONTENT_TYPE, "application/json")], wire::line(value)).into_response()
}
