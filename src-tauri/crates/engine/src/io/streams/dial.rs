//! A stream's session at a WHIP or WHEP endpoint, from the look at the endpoint to the goodbye. A task for each attempt.

use super::{
    Ask, Asker, Key, Tracks,
    own_sockets::OwnSockets,
    peers::{Adopted, Role, Side, Use, expected},
    relays::Connector,
    servers::{is_among, look_up},
    trusts::Trusts,
};
use crate::io::{
    clock,
    dns::Names,
    http::{Began, Problem, Session},
    names::local_address_towards,
};
use sidetone_peer::{
    BitrateLimits, Certificate, Config, IceServer, IceServerKind, Peer, PeerError, Wanted,
    whip::{self, Endpoint, Fragment},
};
use std::{
    fmt, io,
    net::{IpAddr, SocketAddr},
    sync::{
        Arc, OnceLock,
        atomic::{AtomicUsize, Ordering::SeqCst},
    },
    time::{Duration, Instant},
};
use tokio::sync::{mpsc, oneshot};
use url::Url;

/// Candidates that come within this go out together.
const TOGETHER: Duration = Duration::from_millis(50);
const WISHES: usize = 64;

/// What all streams at endpoints share.
#[derive(Clone)]
pub(crate) struct Dialler {
    pub(crate) asker: Asker,
    pub(crate) names: Arc<Names>,
    pub(crate) certificate: Arc<OnceLock<Certificate>>,
    /// Attempts that are not over, goodbyes included.
    active: Arc<AtomicUsize>,
    trusts: Trusts,
}

impl Dialler {
    /// Inside of the runtime.
    pub(crate) fn new(asker: Asker, names: Arc<Names>, certificate: Arc<OnceLock<Certificate>>) -> Self {
        let trusts = Trusts::default();
        asker.ask(Ask::Connector(Connector::new(asker.clone(), trusts.clone())));
        Self { asker, names, certificate, active: Arc::default(), trusts }
    }

    /// Every session has been ended at its endpoint.
    pub(crate) fn is_idle(&self) -> bool {
        self.active.load(SeqCst) == 0
    }
}

impl fmt::Debug for Dialler {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Dialler")
    }
}

/// One attempt.
pub(crate) struct Call {
    pub(crate) stream: Key,
    pub(crate) endpoint: Endpoint,
    pub(crate) wanted: Wanted,
    pub(crate) bitrate: BitrateLimits,
    /// Of the settings; those of the endpoint are added.
    pub(crate) servers: Vec<whip::IceServer>,
    pub(crate) relay_only: bool,
    /// PEM.
    pub(crate) trusted_ca: Option<String>,
    pub(crate) role: Role,
}

/// What became of it.
#[derive(Debug)]
pub(crate) enum Told {
    /// The endpoint's address, and ours towards it.
    Reached { remote: SocketAddr, local: IpAddr },
    /// A STUN or TURN server cannot be asked.
    ServerFailed { url: String, reason: String },
    /// It was agreed on what flows.
    Agreed(Tracks),
    /// Nothing came of it, or it cannot go on.
    Failed { info: String, may_pass: bool, retry_after: Option<Duration> },
    /// The session has been ended at the endpoint, where there was one.
    Over,
}

#[derive(Debug)]
enum Wish {
    Candidate {
        mid: String,
        candidate: String,
    },
    GatheringDone,
    /// Our address is another one.
    Move,
}

/// A session that is being opened or stands. Dropped, it is ended at the endpoint.
#[derive(Debug)]
pub(crate) struct Dialled(mpsc::Sender<Wish>);

impl Dialled {
    pub(crate) fn candidate(&self, mid: String, candidate: String) {
        let _ = self.0.try_send(Wish::Candidate { mid, candidate });
    }

    pub(crate) fn gathering_done(&self) {
        let _ = self.0.try_send(Wish::GatheringDone);
    }

    pub(crate) fn move_on(&self) {
        let _ = self.0.try_send(Wish::Move);
    }
}

/// Begins an attempt; `tell` is called for each thing that becomes of it.
pub(crate) fn dial(dialler: Dialler, call: Call, tell: impl Fn(Told) + Send + Sync + 'static) -> Dialled {
    let (wishes, wished) = mpsc::channel(WISHES);
    let (active, tell) = (Arc::clone(&dialler.active), Arc::new(tell));
    active.fetch_add(1, SeqCst);
    tokio::spawn(async move {
        let attempt = Attempt {
            sockets: OwnSockets::new(call.stream, dialler.asker.clone()),
            dialler,
            stream: call.stream,
            wished,
            tell: Arc::clone(&tell) as Arc<dyn Fn(Told) + Send + Sync>,
            is_wanted: true,
            remote: None,
        };
        attempt.run(call).await;
        active.fetch_sub(1, SeqCst);
        tell(Told::Over);
    });
    Dialled(wishes)
}

struct Attempt {
    sockets: OwnSockets,
    dialler: Dialler,
    stream: Key,
    wished: mpsc::Receiver<Wish>,
    tell: Arc<dyn Fn(Told) + Send + Sync>,
    is_wanted: bool,
    /// Where the endpoint was found.
    remote: Option<SocketAddr>,
}

/// Why an attempt came to nothing.
struct Failure(String, bool, Option<Duration>);

impl From<Problem> for Failure {
    fn from(problem: Problem) -> Self {
        Self(problem.to_string(), problem.may_pass(), problem.retry_after())
    }
}

impl From<PeerError> for Failure {
    fn from(error: PeerError) -> Self {
        Self(error.to_string(), false, None)
    }
}

/// What is needed of a session to change its ICE.
struct Standing {
    session: Session,
    /// Our side's ICE, without candidates.
    ours: Fragment,
    /// The endpoint's description.
    theirs: String,
}

impl Attempt {
    async fn run(mut self, call: Call) {
        match self.open(call).await {
            Ok(Some(standing)) => self.stand(standing).await,
            // Nobody wants it any more: what was opened is deleted by being dropped.
            Ok(None) => {}
            Err(failure) => self.fail(failure),
        }
    }

    fn fail(&self, Failure(info, may_pass, retry_after): Failure) {
        (self.tell)(Told::Failed { info, may_pass, retry_after });
    }

    async fn open(&mut self, call: Call) -> Result<Option<Standing>, Failure> {
        let Call { stream, endpoint, wanted, bitrate, servers, relay_only, trusted_ca, role } = call;
        let network = |reason: String| Failure(reason, true, None);
        let client = self
            .dialler
            .trusts
            .client(trusted_ca.as_deref())
            .await
            .map_err(|reason| Failure(reason, false, None))?;
        let remote = self.find(&endpoint).await.map_err(network)?;
        let local = local_address_towards(remote, None)
            .and_then(|ip| self.sockets.at(ip))
            .map_err(|error| network(format!("there is no way to {}: {error}", endpoint.place())))?;
        (self.tell)(Told::Reached { remote, local: local.ip() });
        let told = Session::ice_servers(&client, &endpoint).await;
        let ice_servers = self.look_up(servers.into_iter().chain(told), local.ip()).await;
        let plan = PeerPlan {
            certificate: Arc::clone(&self.dialler.certificate),
            hosts: hosts(local, &ice_servers),
            ice_servers,
            relay_only,
            bitrate,
            wanted,
        };
        let role_again = role.again();
        let (peer, offer) = plan.offer().await?;
        // A peer that comes late would take the place of the next attempt's.
        if self.wished.is_closed() {
            return Ok(None);
        }
        self.adopt(peer, role, Tracks::default())?;
        let opening = Session::open(client, endpoint, offer.clone());
        let Began { mut session, sdp, countered, ice_servers, .. } = opening.await?;
        let mut more = self.look_up(ice_servers.into_iter(), local.ip()).await;
        more.retain(|server| !is_among(&plan.ice_servers, server));
        if self.wished.is_closed() {
            let _ = session.delete().await;
            return Ok(None);
        }
        let is_turn = |server: &IceServer| server.kind == IceServerKind::Turn;
        if relay_only && !plan.ice_servers.iter().chain(&more).any(is_turn) {
            let _ = session.delete().await;
            let words = "streams are to go by a TURN server alone, and none can be used";
            return Err(Failure(words.into(), false, None));
        }
        let (ours, tracks) = if countered {
            let (peer, answer) = plan.answer(&sdp).await?;
            if self.wished.is_closed() {
                let _ = session.delete().await;
                return Ok(None);
            }
            let tracks = expected(&answer, Side::Offerer).0;
            self.adopt(peer, role_again, tracks.clone())?;
            session.answer(&answer).await?;
            (answer, tracks)
        } else {
            (offer, self.answered(&sdp).await?)
        };
        if !more.is_empty() {
            self.dialler.asker.ask(Ask::Servers { peer: stream, servers: more });
        }
        if tracks == Tracks::default() {
            let _ = session.delete().await;
            return Err(PeerError::NoCommonCodecs.into());
        }
        (self.tell)(Told::Agreed(tracks));
        let ours = ice_of(&ours);
        Ok(Some(Standing { session, ours, theirs: sdp }))
    }

    fn adopt(&mut self, peer: Box<Peer>, role: Role, tracks: Tracks) -> Result<(), Failure> {
        let sockets = self.sockets.give().map_err(|error| Failure(error.to_string(), true, None))?;
        let (key, of) = (self.stream, Use::Own(self.stream));
        let adopted = Adopted { key, peer, of, sockets, role, tracks, taken: None };
        self.dialler.asker.ask(Ask::Adopt(Box::new(adopted)));
        Ok(())
    }

    /// Until nobody wants it any more, or it cannot go on.
    async fn stand(&mut self, mut standing: Standing) {
        while let Some(wish) = self.wished.recv().await {
            let result = match wish {
                Wish::Candidate { .. } | Wish::GatheringDone => self.trickle(&mut standing, wish).await,
                Wish::Move => self.restart(&mut standing).await,
            };
            // Whatever is wrong with this session, such as that its ICE cannot be restarted: another one may do.
            if let Err(Failure(info, _, retry_after)) = result {
                self.fail(Failure(info, true, retry_after));
                break;
            }
            if !self.is_wanted {
                break;
            }
        }
        if let Err(problem) = standing.session.delete().await {
            tracing::debug!("a session was left behind: {problem}");
        }
    }

    /// Tells candidates, as many as come together. A server that takes none finds us by our checks.
    async fn trickle(&mut self, standing: &mut Standing, first: Wish) -> Result<(), Failure> {
        let mut fragment = standing.ours.clone();
        let mut wish = Some(first);
        let until = tokio::time::Instant::now() + TOGETHER;
        let mut moves = false;
        while let Some(next) = wish.take() {
            match next {
                Wish::Candidate { mid, candidate } => {
                    let section = fragment.sections.iter_mut().find(|section| section.mid == mid);
                    if let Some(section) = section {
                        section.candidates.push(candidate);
                    }
                }
                Wish::GatheringDone => {
                    fragment.end_of_candidates = true;
                    break;
                }
                Wish::Move => {
                    moves = true;
                    break;
                }
            }
            match tokio::time::timeout_at(until, self.wished.recv()).await {
                Ok(Some(next)) => wish = Some(next),
                Ok(None) => {
                    self.is_wanted = false;
                    return Ok(());
                }
                Err(_) => {}
            }
        }
        if fragment.candidates().next().is_some()
            && let Err(problem) = standing.session.trickle(&fragment).await
        {
            tracing::debug!("candidates were not taken: {problem}");
        }
        if moves { self.restart(standing).await } else { Ok(()) }
    }

    /// Tells our new address. Media goes on meanwhile as well as it can.
    async fn restart(&mut self, standing: &mut Standing) -> Result<(), Failure> {
        let hosts = self.hosts_now().map_err(|error| Failure(error.to_string(), true, None))?;
        let (done, offer) = oneshot::channel();
        self.dialler.asker.ask(Ask::Restart { peer: self.stream, hosts, done });
        let Ok(offer) = offer.await else { return Ok(()) };
        let offer = offer?;
        let fragment = Fragment::parse(&offer).unwrap_or_default().of_transport();
        let theirs = standing.session.restart(&fragment).await?;
        standing.theirs = theirs.applied_to(&standing.theirs);
        standing.ours = ice_of(&offer);
        self.answered(&standing.theirs).await.map(drop)
    }

    fn hosts_now(&mut self) -> io::Result<Vec<SocketAddr>> {
        let remote = self.remote.ok_or(io::ErrorKind::NotConnected)?;
        let ip = local_address_towards(remote, None)?;
        self.sockets.at(ip).map(|local| vec![local])
    }

    async fn answered(&self, sdp: &str) -> Result<Tracks, Failure> {
        let (done, tracks) = oneshot::channel();
        self.dialler.asker.ask(Ask::Answered { peer: self.stream, sdp: sdp.to_owned(), done });
        match tracks.await {
            Ok(tracks) => Ok(tracks?),
            // The peer has gone meanwhile, and said why.
            Err(_) => Err(Failure("Failed by ICE error".into(), true, None)),
        }
    }

    /// Where the endpoint is.
    async fn find(&mut self, endpoint: &Endpoint) -> Result<SocketAddr, String> {
        let place = endpoint.place();
        let url = Url::parse(&place).map_err(|error| error.to_string())?;
        let port = url.port_or_known_default().unwrap_or(443);
        let host = url.host_str().unwrap_or_default().trim_matches(['[', ']']);
        let ip = match host.parse::<IpAddr>() {
            Ok(ip) => ip,
            Err(_) => {
                let found = self.dialler.names.addresses(host).await?;
                let first = found.iter().find(|ip| ip.is_ipv4()).or(found.first());
                *first.ok_or_else(|| format!("{host} has no address"))?
            }
        };
        let remote = SocketAddr::new(ip, port);
        self.remote = Some(remote);
        Ok(remote)
    }

    /// The ICE servers' addresses; what is wrong with the others is told.
    async fn look_up(
        &mut self,
        servers: impl Iterator<Item = whip::IceServer>,
        own: IpAddr,
    ) -> Vec<IceServer> {
        let (mut found, wrong) = look_up(&self.dialler.names, servers, own).await;
        for (url, reason) in wrong {
            (self.tell)(Told::ServerFailed { url, reason });
        }
        for server in &mut found {
            // The way to it may be another than that to the endpoint.
            let local = local_address_towards(server.address, None).and_then(|ip| self.sockets.at(ip));
            server.local = local.ok();
        }
        found
    }
}

/// Our addresses: the one towards the endpoint, and those towards the servers.
fn hosts(first: SocketAddr, servers: &[IceServer]) -> Vec<SocketAddr> {
    let mut hosts = vec![first];
    for local in servers.iter().filter_map(|server| server.local) {
        if !hosts.contains(&local) {
            hosts.push(local);
        }
    }
    hosts
}

/// What peers of one attempt are made with.
struct PeerPlan {
    certificate: Arc<OnceLock<Certificate>>,
    hosts: Vec<SocketAddr>,
    ice_servers: Vec<IceServer>,
    relay_only: bool,
    bitrate: BitrateLimits,
    wanted: Wanted,
}

impl PeerPlan {
    async fn offer(&self) -> Result<(Box<Peer>, String), Failure> {
        self.make(|peer, now, wanted| peer.create_offer(now, wanted)).await
    }

    async fn answer(&self, offer: &str) -> Result<(Box<Peer>, String), Failure> {
        let offer = offer.to_owned();
        self.make(move |peer, now, wanted| peer.accept_offer(now, &offer, wanted)).await
    }

    /// On a thread of its own: keys are made.
    async fn make(
        &self,
        describe: impl FnOnce(&mut Peer, Instant, &Wanted) -> Result<String, PeerError> + Send + 'static,
    ) -> Result<(Box<Peer>, String), Failure> {
        let made = Arc::clone(&self.certificate);
        let (hosts, ice_servers) = (self.hosts.clone(), self.ice_servers.clone());
        let (bitrate, wanted, relay_only) = (self.bitrate, self.wanted.clone(), self.relay_only);
        let making = tokio::task::spawn_blocking(move || {
            let now = Instant::now();
            let seed = clock::random().map(u64::from_be_bytes).unwrap_or_default();
            let client = Config::client(certificate(&made)?, hosts, seed);
            let config = Config { ice_servers, relay_only, bitrate, ..client };
            let mut peer = Box::new(Peer::new(now, config)?);
            let sdp = describe(&mut peer, now, &wanted)?;
            Ok::<_, PeerError>((peer, sdp))
        });
        let made = making.await.map_err(|error| Failure(error.to_string(), false, None))?;
        Ok(made?)
    }
}

/// The certificate of all peers of this run, made once.
pub(crate) fn certificate(made: &OnceLock<Certificate>) -> Result<Certificate, PeerError> {
    if let Some(certificate) = made.get() {
        return Ok(certificate.clone());
    }
    let certificate = Certificate::generate()?;
    Ok(made.get_or_init(|| certificate).clone())
}

fn ice_of(sdp: &str) -> Fragment {
    Fragment::parse(sdp).unwrap_or_default().of_transport().without_candidates()
}
