//! The embedded gateway's telephone exchange: a registrar, on loopback unless other is asked for, whose extensions call each other, and the services
//! `echo` and `tone`. Every local destination is a join of two legs; there is no proxy.

mod asked;
mod bridge;
mod data;
mod guests;
mod incoming;
mod message;
mod room;
mod transfer;

use super::{agent::Agent, text};
use crate::io::{
    dns::Names,
    media::Join,
    sip::{FromNetwork, Inbox, Stack},
};
use crate::options::ExchangePlace;
use bridge::{Bridge, BridgeId};
use sidetone_api::{GatewaySettings, GatewayView, RegisteredExtension, Secret, SharingView};
use sidetone_sip::{CallId, Config, Event, RegistrarConfig, Users, digest::Credentials};
use std::{
    collections::{BTreeMap, HashMap, HashSet},
    io,
    net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr},
    sync::Arc,
    time::{Duration, Instant},
};
use transfer::{Transfer, TransferId};

/// Where any name may register. Who opens the exchange to others names an address, and who may register there.
const ADDRESS: IpAddr = IpAddr::V4(Ipv4Addr::LOCALHOST);
/// Ports to try after a busy one.
const TRIES: u16 = 20;
const SERVICES: [&str; 2] = ["echo", "tone"];
/// Calls at a time, of both sides of bridges; each has two sockets.
const MAX_CALLS: usize = 128;
/// Names that are remembered after they have gone.
const MAX_KNOWN: usize = 1024;
/// Extensions at a time.
const MAX_USERS: usize = 256;
const BETWEEN_VIEWS: Duration = Duration::from_millis(100);
const FORBIDDEN: u16 = 403;
const SERVICE_UNAVAILABLE: u16 = 503;

pub(super) struct Exchange {
    agent: Option<Agent>,
    /// Where it listens.
    ip: IpAddr,
    info: String,
    http_address: Option<String>,
    shared: Option<SharingView>,
    http_info: String,
    extensions: BTreeMap<String, Vec<String>>,
    /// Every name that was registered in this run.
    known: HashSet<String>,
    calls: HashMap<CallId, Role>,
    bridges: HashMap<BridgeId, Bridge>,
    next_bridge: u64,
    /// When the view was last told, and when a later one is due.
    told: Option<Instant>,
    news: Option<Instant>,
    /// Ends of bridges that could not be told of a hold just then, and when they are told again.
    untold: Vec<(Instant, CallId)>,
    /// Calls whose end is in sight: somebody else has taken their place.
    leaving: Vec<(Instant, CallId)>,
    transfers: HashMap<TransferId, Transfer>,
    /// Those who call and wait for the backend.
    arriving: HashSet<CallId>,
    phone_calls: guests::PhoneCalls,
    messages: message::Passing,
}

/// What a call is to the exchange.
enum Role {
    /// Somebody listens to `echo` or `tone`, which is what its leg is joined to.
    Service(super::leg::Leg, Join),
    Caller(BridgeId),
    Callee(BridgeId),
    /// In a meeting.
    Room(Box<room::InRoom>),
    /// Rings because one end of a bridge wants it in its place.
    Target(TransferId),
}

impl Exchange {
    /// Never fails: a gateway that cannot run says why in its view.
    pub(super) async fn open(
        settings: &GatewaySettings,
        place: ExchangePlace,
        names: Arc<Names>,
        wires: (Inbox, crate::journal::Tap),
    ) -> Self {
        let ip = place.address.map_or(ADDRESS, |address| address.ip());
        let (agent, info) = if settings.enabled {
            match open_agent(settings, place, &names, &wires).await {
                Ok((agent, info)) => (Some(agent), info),
                Err(error) => (None, format!("the gateway's registrar does not run: {error}")),
            }
        } else {
            (None, "switched off".into())
        };
        Self {
            agent,
            ip,
            info,
            http_address: None,
            shared: None,
            http_info: String::new(),
            extensions: BTreeMap::new(),
            known: HashSet::new(),
            calls: HashMap::new(),
            bridges: HashMap::new(),
            next_bridge: 0,
            told: None,
            news: None,
            untold: Vec::new(),
            leaving: Vec::new(),
            transfers: HashMap::new(),
            arriving: HashSet::new(),
            phone_calls: guests::PhoneCalls::default(),
            messages: message::Passing::default(),
        }
    }

    /// As this machine reaches it.
    pub(super) fn sip_address(&self) -> Option<SocketAddr> {
        let ip = match self.ip {
            IpAddr::V4(ip) if ip.is_unspecified() => Ipv4Addr::LOCALHOST.into(),
            IpAddr::V6(ip) if ip.is_unspecified() => Ipv6Addr::LOCALHOST.into(),
            ip => ip,
        };
        self.agent.as_ref().map(|agent| SocketAddr::new(ip, agent.port()))
    }

    pub(super) fn set_http(&mut self, address: Option<String>, info: String) {
        (self.http_address, self.http_info) = (address, info);
    }

    pub(super) fn set_shared(&mut self, view: Option<SharingView>) {
        self.shared = view;
    }

    pub(super) fn view(&self) -> GatewayView {
        let extensions = self.extensions.iter().flat_map(|(user, contacts)| {
            contacts
                .iter()
                .map(|contact| RegisteredExtension { user: text::shown(user), contact: text::shown(contact) })
        });
        let infos = [self.info.as_str(), self.http_info.as_str()];
        GatewayView {
            streams: Vec::new(),
            clients: Vec::new(),
            client_count: 0,
            running: self.agent.is_some(),
            sip_address: self.sip_address().map(|address| address.to_string()),
            http_address: self.http_address.clone(),
            sharing: self.shared.clone(),
            info: infos.into_iter().filter(|info| !info.is_empty()).collect::<Vec<_>>().join("; "),
            extensions: extensions.collect(),
            services: SERVICES.map(String::from).into(),
        }
    }

    /// Whether the view may be told now; else it is due a little later. It tells of every extension: who registers thousands must
    /// not make thousands of views of thousands.
    pub(super) fn may_tell(&mut self, now: Instant) -> bool {
        match self.told.map(|told| told + BETWEEN_VIEWS).filter(|next| *next > now) {
            Some(next) => {
                self.news = Some(next);
                false
            }
            None => {
                (self.told, self.news) = (Some(now), None);
                true
            }
        }
    }

    /// Whether a view is due, now or later; then it has to be told now.
    pub(super) fn take_news(&mut self) -> bool {
        self.news.take().is_some()
    }

    pub(super) fn has_news(&self, now: Instant) -> bool {
        self.news.is_some_and(|due| due <= now)
    }

    pub(super) fn is_idle(&self) -> bool {
        self.calls.is_empty() && self.arriving.is_empty() && self.agent.as_ref().is_none_or(Agent::is_idle)
    }

    pub(super) fn hang_up_all(&mut self) {
        if let Some(agent) = &mut self.agent {
            for call in self.calls.keys() {
                agent.ua.hang_up(Instant::now(), *call, None);
            }
            for call in self.arriving.drain() {
                agent.ua.reject(Instant::now(), call, SERVICE_UNAVAILABLE, "Service Unavailable");
            }
        }
    }

    pub(super) fn handle(&mut self, now: Instant, message: FromNetwork) {
        if let Some(agent) = &mut self.agent {
            agent.handle(now, message);
        }
    }

    pub(super) fn handle_timeout(&mut self, now: Instant) {
        if let Some(agent) = &mut self.agent {
            agent.handle_timeout(now);
        }
    }

    pub(super) fn poll_timeout(&self) -> Option<Instant> {
        let untold = self.untold.iter().chain(&self.leaving).map(|(again, _)| *again).min();
        self.agent.as_ref()?.poll_timeout().into_iter().chain(untold).chain(self.news).min()
    }

    pub(super) fn poll(&mut self) -> Option<Event> {
        self.agent.as_mut()?.poll()
    }
}

async fn open_agent(
    settings: &GatewaySettings,
    place: ExchangePlace,
    names: &Arc<Names>,
    wires: &(Inbox, crate::journal::Tap),
) -> io::Result<(Agent, String)> {
    let users = match place.users {
        users if users.is_empty() => Users::Open,
        users => {
            let own = |(user, password): (String, Secret)| Credentials::new(user, password.expose());
            Users::List(users.into_iter().map(own).collect())
        }
    };
    let config = move || {
        let registrar =
            RegistrarConfig { users: users.clone(), max_users: MAX_USERS, ..RegistrarConfig::default() };
        Config { registrar: Some(registrar), max_calls: MAX_CALLS, ..Config::default() }
    };
    if let Some(address) = place.address {
        let (ip, port) = (Some(address.ip()), address.port());
        let agent = Agent::open(Stack::Gateway, ip, port, config(), Arc::clone(names), wires.clone()).await?;
        return Ok((agent, String::new()));
    }
    let mut port = settings.sip_port;
    loop {
        match Agent::open(Stack::Gateway, Some(ADDRESS), port, config(), Arc::clone(names), wires.clone())
            .await
        {
            Ok(agent) => {
                let busy = agent.port() != settings.sip_port && settings.sip_port != 0;
                let info = format!("port {} is busy, {} is used instead", settings.sip_port, agent.port());
                return Ok((agent, if busy { info } else { String::new() }));
            }
            Err(error) if error.kind() == io::ErrorKind::AddrInUse && port != 0 => {
                let next = port.checked_add(1).filter(|next| next - settings.sip_port < TRIES);
                port = next.unwrap_or(0);
            }
            Err(error) => return Err(error),
        }
    }
}
