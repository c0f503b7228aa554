//! Who forwards: the program's gateway, or Janus.

use std::io::{Read, Write};
use std::net::TcpStream;
use std::path::Path;
use std::time::{Duration, Instant};

use sidetone_peer::{Direction, PeerError};
use sidetone_testkit::{Janus, JanusSession, Result, RigError};

use crate::crowd::{Member, wanted};
use crate::program::Program;

const PATIENCE: Duration = Duration::from_secs(20);

pub(crate) trait Server {
    /// Whose processor time is measured.
    fn process(&self) -> u32;

    /// The answer to a publisher's offer.
    fn publish(&mut self, offer: &str) -> Result<String>;

    /// Negotiates for a player of what was published.
    fn play(&mut self, player: &mut Member) -> Result<()>;
}

fn failed(error: PeerError) -> RigError {
    RigError::new(error.to_string())
}

/// `sidetone-cli gateway`.
pub(crate) struct Ours {
    program: Program,
    address: String,
}

impl Ours {
    pub(crate) fn start(dir: &Path, program: &Path) -> Result<Self> {
        let (program, address) = Program::gateway(dir, program)?;
        Ok(Self { program, address: address.trim_start_matches("http://").to_owned() })
    }

    fn post(&self, kind: &str, offer: &str) -> Result<String> {
        let failed = |error| RigError::while_doing(format!("POST /{kind}/bench"), error);
        let mut stream = TcpStream::connect(&self.address).map_err(failed)?;
        stream.set_read_timeout(Some(PATIENCE)).map_err(failed)?;
        write!(
            stream,
            "POST /{kind}/bench HTTP/1.1\r\nHost: {}\r\nContent-Type: application/sdp\r\nContent-Length: {}\r\nConnection: close\r\n\r\n{offer}",
            self.address,
            offer.len()
        )
        .map_err(failed)?;
        let mut answer = String::new();
        stream.read_to_string(&mut answer).map_err(failed)?;
        match answer.split_once("\r\n\r\n") {
            Some((head, body)) if head.starts_with("HTTP/1.1 201") => Ok(body.to_owned()),
            _ => Err(RigError::new(format!("the gateway answers {answer:?}"))),
        }
    }
}

impl Server for Ours {
    fn process(&self) -> u32 {
        self.program.process()
    }

    fn publish(&mut self, offer: &str) -> Result<String> {
        self.post("whip", offer)
    }

    fn play(&mut self, player: &mut Member) -> Result<()> {
        let now = Instant::now();
        let offer = player.peer.create_offer(now, &wanted(Direction::Receive)).map_err(failed)?;
        let answer = self.post("whep", &offer)?;
        player.peer.accept_answer(now, &answer).map_err(failed)
    }
}

/// Janus' VideoRoom.
pub(crate) struct Theirs {
    janus: Janus,
    publisher: JanusSession,
    players: Vec<JanusSession>,
    feed: u64,
}

impl Theirs {
    pub(crate) fn start(dir: &Path) -> Result<Self> {
        let address = "10.77.0.1".parse().map_err(|_| RigError::new("an address"))?;
        let janus = Janus::start(dir, address)?;
        let publisher = janus.session()?;
        Ok(Self { janus, publisher, players: Vec::new(), feed: 0 })
    }
}

impl Server for Theirs {
    fn process(&self) -> u32 {
        self.janus.process()
    }

    fn publish(&mut self, offer: &str) -> Result<String> {
        let (_, feed, answer) = self.janus.publish(&self.publisher, offer)?;
        self.feed = feed;
        Ok(answer)
    }

    fn play(&mut self, player: &mut Member) -> Result<()> {
        let session = self.janus.session()?;
        let (handle, offer) = self.janus.subscribe(&session, self.feed)?;
        let answer =
            player.peer.accept_offer(Instant::now(), &offer, &wanted(Direction::Receive)).map_err(failed)?;
        self.janus.begin(&session, handle, &answer)?;
        self.players.push(session);
        Ok(())
    }
}
