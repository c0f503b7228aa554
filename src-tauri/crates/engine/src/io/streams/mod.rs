//! The streams' data plane: one thread with the router and the sockets of all WebRTC peers, and for each stream of our own a
//! thread that encodes or decodes its pictures. Their sound is on the media thread.
//!
//! ```text
//!  send:    source ─▶ encoder ─▶ packets ─┐                       ┌─▶ receive: jitter buffer ─▶ decoder ─▶ pictures
//!  media thread: microphone, mix ─▶ Opus ─┴▶ stream thread ─▶ ... ┴─▶ media thread: jitter buffer ─▶ speaker
//!                              WebRTC peers ─▶ router, peers ─▶ WebRTC peers
//! ```

mod counters;
pub(crate) mod dial;
mod encoded;
mod fit;
pub(crate) mod inlet;
mod limits;
mod measure;
mod own_sockets;
pub(crate) mod packet;
pub(crate) mod peers;
mod pictures;
pub(crate) mod receive;
pub(crate) mod relays;
pub(crate) mod router;
pub(crate) mod send;
mod servers;
pub(crate) mod stage;
mod tap;
mod timeline;
pub(crate) mod trusts;
mod worker;

pub(crate) use counters::{Counters, Sounding};
pub use encoded::EncodedPictures;
pub(crate) use inlet::Inlet;
pub(crate) use packet::{Clock, Kind, Packet};
pub use pictures::Pictures;
pub(crate) use router::{Key, Listed, PUBLISHER_STOPPED, Tracks};
pub(crate) use tap::{Closer, Taps};
pub use tap::{Unit, UnitMedia, Units};
use timeline::Timeline;
pub(crate) use worker::Done;

use super::door;
use bytes::Bytes;
use encoded::Displays;
use router::AudioTrack;
use sidetone_api::StreamStatistics;
use sidetone_media::{
    Codec,
    video::{Picture, codec::VIDEO_CLOCK_RATE},
};
use std::{
    net::{SocketAddr, UdpSocket},
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicUsize, Ordering::Relaxed},
    },
    time::Instant,
};
use tokio::sync::{mpsc, oneshot, watch};

pub(crate) enum Ask {
    /// Publishes what comes through the stream's [`Inlet`] under a name.
    Publish { stream: Key, name: String, tracks: Tracks, own: Own, control: send::Control },
    /// Plays a name.
    Play { stream: Key, name: String, own: Own, sink: receive::Sink },
    /// A peer that was negotiated elsewhere is run from now on.
    Adopt(Box<peers::Adopted>),
    /// Who opens connections to TURN servers.
    Connector(relays::Connector),
    /// What came of such a connection: it stands, or there is none, and why.
    Connected { line: relays::Line, attempt: u64, result: Result<relays::Opened, String> },
    /// More STUN and TURN servers for a peer.
    Servers { peer: Key, servers: Vec<sidetone_peer::IceServer> },
    /// A socket for peers.
    Socket { of: peers::Use, local: SocketAddr, socket: UdpSocket },
    /// What the gateway's streams may take of the network.
    Limits(crate::MediaLimits),
    /// What is published under a name, if anything.
    Look { name: String, done: oneshot::Sender<Option<Tracks>> },
    /// The far end has answered our offer; what will flow comes back.
    Answered { peer: Key, sdp: String, done: Done<Tracks> },
    /// The far end offers anew; our answer comes back.
    Offered { peer: Key, sdp: String, done: Done<String> },
    /// Our offer with new ICE comes back.
    Restart { peer: Key, hosts: Vec<SocketAddr>, done: Done<String> },
    /// The far end's candidates.
    Trickle { peer: Key, candidates: Vec<String> },
    /// A stream of our own at an endpoint, before its peer is adopted.
    Own { stream: Key, own: Own, published: Option<send::Control>, sink: Option<receive::Sink> },
    /// The peer of a stream of our own is given up; the stream goes on with another one.
    Disconnect { stream: Key },
    /// Ends what was published or played, and sessions of the gateway.
    End { stream: Key },
    /// A played stream: nothing comes while it is paused.
    Pause { stream: Key, paused: bool },
    /// A played stream: which picture of it is wanted, so many layers below the best, or none; its sound goes on.
    Watch { stream: Key, picture: Option<u8> },
    /// A published stream: nothing of its sound is passed on.
    Silence { stream: Key, on: bool },
    /// A published stream: its players are told.
    Mute { stream: Key, audio: bool, video: bool },
}

/// What a stream of ours shares between its threads.
#[derive(Debug, Clone)]
pub(crate) struct Own {
    pub(crate) counters: Arc<Counters>,
    pub(crate) taps: Arc<Taps>,
    pub(crate) displays: Arc<Displays>,
    timeline: Arc<Timeline>,
    /// Who wants decoded pictures.
    looking: Arc<AtomicUsize>,
    shown: Arc<watch::Sender<Option<Picture>>>,
    closed: Arc<AtomicBool>,
    /// Its players look away: nothing need be encoded for them.
    unseen: Arc<AtomicBool>,
}

impl Default for Own {
    fn default() -> Self {
        let shown = Arc::new(watch::channel(None).0);
        Self {
            counters: Arc::default(),
            taps: Arc::default(),
            displays: Arc::default(),
            timeline: Arc::default(),
            looking: Arc::default(),
            shown,
            closed: Arc::default(),
            unseen: Arc::default(),
        }
    }
}

impl Own {
    /// The newest picture, for all who look.
    fn show(&self, picture: Picture) {
        if !self.is_closed() {
            self.shown.send_replace(Some(picture));
        }
    }

    pub(crate) fn pictures(&self) -> Pictures {
        Pictures::new(self)
    }

    /// Somebody wants decoded pictures.
    fn is_looked_at(&self) -> bool {
        self.looking.load(Relaxed) > 0
    }

    /// What was shown is not what the stream shows now.
    fn forget_shown(&self) {
        self.shown.send_if_modified(|shown| {
            *shown = None;
            false
        });
    }

    /// The stream is over; its threads end, and its readers are told.
    pub(crate) fn close(&self) {
        self.closed.store(true, Relaxed);
        self.taps.close();
        self.shown.send_replace(None);
    }

    /// A packet of a played stream.
    fn count(&self, kind: Kind, octets: usize) {
        self.counters.packets.add(1);
        match kind {
            Kind::Audio => self.counters.audio_octets.add(octets as u64),
            Kind::Video => self.counters.video_octets.add(octets as u64),
        }
    }

    /// What the sender's reports say of its clock.
    fn set_clock(&self, now: Instant, kind: Kind, clock: Clock, sound: Option<&AudioTrack>) {
        let rate = match kind {
            Kind::Audio => sound.map_or(48_000, |track| track.clock_rate),
            Kind::Video => VIDEO_CLOCK_RATE,
        };
        self.timeline.set(now, kind, clock, rate);
    }

    /// Gives a packet of a played stream's sound to those who read it.
    fn tap_sound(&self, track: Option<&AudioTrack>, timestamp: u32, payload: &Bytes, at: Instant) {
        if self.taps.has_readers()
            && let Some(Ok(codec)) = track.map(|track| track.codec.parse::<Codec>())
        {
            let at = self.timeline.at(Kind::Audio, timestamp).unwrap_or(at);
            let media = UnitMedia::Audio { codec, timestamp, payload: payload.clone() };
            self.taps.offer(&Unit { media, at });
        }
    }

    fn set_unseen(&self, unseen: bool) {
        self.unseen.store(unseen, Relaxed);
    }

    /// Of what is published: it is played, and nobody looks at its pictures.
    pub(crate) fn is_unseen(&self) -> bool {
        self.unseen.load(Relaxed) && !self.taps.has_readers()
    }

    fn is_closed(&self) -> bool {
        self.closed.load(Relaxed)
    }
}

#[derive(Debug)]
pub(crate) enum News {
    /// Nothing came of it, or it has ended, and not by us.
    Ended {
        stream: Key,
        info: String,
        failed: bool,
    },
    /// Media flows, for the first time or again.
    Flowing {
        stream: Key,
    },
    /// What is played of a name: its codecs.
    Playing {
        stream: Key,
        tracks: Tracks,
    },
    Muted {
        stream: Key,
        audio: bool,
        video: bool,
    },
    /// A candidate of ours that the endpoint is to hear of.
    Candidate {
        stream: Key,
        mid: String,
        candidate: String,
    },
    GatheringDone {
        stream: Key,
    },
    /// A STUN or TURN server is of no use, or not any more.
    ServerFailed {
        stream: Key,
        url: String,
        reason: String,
    },
    /// The path to the endpoint is gone.
    Disconnected {
        stream: Key,
        info: String,
    },
    /// A session of the gateway is over, and not by us.
    Left {
        session: Key,
        info: String,
        failed: bool,
    },
    /// More comes of what a session of the gateway plays than it may be sent, kbit/s.
    NarrowPlayer {
        session: Key,
        kbit: u32,
        most: u32,
    },
    /// The pictures of what a session of the gateway plays do not fit its path, kbit/s, and are left out; or they fit again.
    Fits {
        session: Key,
        fits: bool,
        kbit: u32,
        most: u32,
    },
    /// Octets of video that watched sessions of the gateway sent or got in the last second.
    VideoRates(Vec<(Key, u64)>),
    /// Each second while it flows.
    Measured {
        stream: Key,
        statistics: Box<StreamStatistics>,
        /// Of the last picture.
        size: Option<(u32, u32)>,
        /// Of a published name.
        players: Option<u32>,
    },
    /// What is wrong with a source, in words; `None` when all is well again.
    Problem {
        stream: Key,
        problem: Option<String>,
    },
    /// What is published under which name.
    Listed(Vec<Listed>),
}

/// Of a stream that is sound alone.
pub(crate) fn tracks_of_sound(codec: Codec) -> Tracks {
    let audio = Some(AudioTrack { codec: codec.name().into(), clock_rate: codec.clock_rate() });
    Tracks { video: None, audio }
}

/// A way to the stream thread that anybody may have.
pub(crate) type Asker = door::Asker<Ask>;
/// The owner's way to the stream thread.
pub(crate) type Door = door::Door<Ask, News>;

/// Starts the stream thread.
pub(crate) fn start() -> std::io::Result<(Door, mpsc::Receiver<News>)> {
    Door::open("streams", |inbox, news| worker::Worker::new(inbox, news).run())
}
