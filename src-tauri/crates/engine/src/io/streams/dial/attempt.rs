//! An attempt: its session from the look at the endpoint to the goodbye.

use super::{Call, Dialler, Place, Told, Wish, place::hosts, plan::PeerPlan};
use crate::io::{
    http::{Began, Problem, Session},
    names::local_address_towards,
    streams::{
        Ask, Key, Tracks,
        own_sockets::OwnSockets,
        peers::{Adopted, Role, Side, Use, expected},
        servers::is_among,
    },
};
use sidetone_peer::{
    IceServer, IceServerKind, Peer, PeerError,
    whip::{Endpoint, Fragment},
};
use std::{io, net::SocketAddr, sync::Arc, time::Duration};
use tokio::sync::{mpsc, oneshot};

/// Candidates that come within this go out together.
const TOGETHER: Duration = Duration::from_millis(50);

pub(super) struct Attempt {
    pub(super) sockets: OwnSockets,
    pub(super) dialler: Dialler,
    pub(super) stream: Key,
    pub(super) wished: mpsc::Receiver<Wish>,
    pub(super) tell: Arc<dyn Fn(Told) + Send + Sync>,
    pub(super) is_wanted: bool,
    /// Where the endpoint was found.
    pub(super) remote: Option<SocketAddr>,
}

/// Why an attempt came to nothing.
pub(super) struct Failure(pub(super) String, pub(super) bool, pub(super) Option<Duration>);

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
    pub(super) async fn run(mut self, call: Call) {
        let failed = match call.place.clone() {
            Place::Endpoint(endpoint) => match self.open(call, endpoint).await {
                Ok(Some(standing)) => return self.stand(standing).await,
                // Nobody wants it any more: what was opened is deleted by being dropped.
                Ok(None) => return,
                Err(failure) => Err(failure),
            },
            Place::Server(remote) => self.run_at_server(call, remote).await,
        };
        if let Err(failure) = failed {
            self.fail(failure);
        }
    }

    fn fail(&self, Failure(info, may_pass, retry_after): Failure) {
        (self.tell)(Told::Failed { info, may_pass, retry_after });
    }

    async fn open(&mut self, call: Call, endpoint: Endpoint) -> Result<Option<Standing>, Failure> {
        let Call { stream, wanted, bitrate, servers, relay_only, trusted_ca, role, .. } = call;
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

    pub(super) fn adopt(&mut self, peer: Box<Peer>, role: Role, tracks: Tracks) -> Result<(), Failure> {
        let sockets = self.sockets.give().map_err(|error| Failure(error.to_string(), true, None))?;
        let (key, of) = (self.stream, Use::Own(self.stream));
        let adopted =
            Adopted { key, peer, of, sockets, role, tracks, watched: false, session: None, taken: None };
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

    pub(super) async fn answered(&self, sdp: &str) -> Result<Tracks, Failure> {
        let (done, tracks) = oneshot::channel();
        self.dialler.asker.ask(Ask::Answered { peer: self.stream, sdp: sdp.to_owned(), done });
        match tracks.await {
            Ok(tracks) => Ok(tracks?),
            // The peer has gone meanwhile, and said why.
            Err(_) => Err(Failure("Failed by ICE error".into(), true, None)),
        }
    }
}

fn ice_of(sdp: &str) -> Fragment {
    Fragment::parse(sdp).unwrap_or_default().of_transport().without_candidates()
}
