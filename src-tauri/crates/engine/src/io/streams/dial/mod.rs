//! A stream's session at a WHIP or WHEP endpoint, from the look at the endpoint to the goodbye. A task for each attempt.

mod attempt;
mod place;
mod plan;
mod server;

pub(crate) use plan::certificate;

use super::{
    Ask, Asker, Key, Tracks, own_sockets::OwnSockets, peers::Role, relays::Connector, trusts::Trusts,
};
use crate::io::dns::Names;
use attempt::Attempt;
use sidetone_peer::{
    BitrateLimits, Certificate, Wanted,
    whip::{self, Endpoint},
};
use std::{
    fmt,
    net::{IpAddr, SocketAddr},
    sync::{
        Arc, OnceLock,
        atomic::{AtomicUsize, Ordering::SeqCst},
    },
    time::Duration,
};
use tokio::sync::{mpsc, oneshot};

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

/// Where a stream is.
#[derive(Debug, Clone)]
pub(crate) enum Place {
    Endpoint(Endpoint),
    /// At a Web Call Server, which is here.
    Server(SocketAddr),
}

/// One attempt.
pub(crate) struct Call {
    pub(crate) stream: Key,
    pub(crate) place: Place,
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
    /// For a Web Call Server: what it says to this comes back.
    Offered { sdp: String, reply: oneshot::Sender<Result<String, String>> },
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
