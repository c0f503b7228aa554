//! One WebRTC peer: whose it is, and what its tracks are to the router.

use super::super::{
    Own,
    fit::Fit,
    packet::Kind,
    receive::Sink,
    router::{AudioTrack, Key, Tracks, VideoTrack},
    send::Control,
    worker::Measured,
};
use super::socket::Use;
use sidetone_peer::{Codec, Direction, Peer, ReceivingTrack, TrackId, Wanted};
use std::{
    collections::HashMap,
    fmt,
    net::{SocketAddr, UdpSocket},
    sync::Arc,
    time::Instant,
};
use tokio::sync::oneshot;

/// A peer that has been negotiated and is to be run from now on.
pub(crate) struct Adopted {
    pub(crate) key: Key,
    pub(crate) peer: Box<Peer>,
    pub(crate) of: Use,
    /// Of a stream of our own.
    pub(crate) sockets: Vec<(SocketAddr, UdpSocket)>,
    pub(crate) role: Role,
    /// What was agreed on, where that is known, of a stream of our own.
    pub(crate) tracks: Tracks,
    /// Of the gateway: the rate of its video is told each second.
    pub(crate) watched: bool,
    /// Of the gateway: whose it is, where it is one of several.
    pub(crate) session: Option<Arc<str>>,
    /// What was taken of the negotiation: whether the name could be had.
    pub(crate) taken: Option<oneshot::Sender<Result<(), super::super::router::Refused>>>,
}

impl fmt::Debug for Adopted {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Adopted").field("key", &self.key).field("role", &self.role).finish_non_exhaustive()
    }
}

pub(crate) enum Role {
    /// Publishes at the gateway. The layers are named as in its offer.
    Publisher { name: String, tracks: Tracks, layers: Vec<String> },
    /// Plays at the gateway.
    Player { name: String },
    /// We publish elsewhere.
    Sender { own: Own, control: Control },
    /// We play from elsewhere.
    Receiver { own: Own, sink: Sink },
}

impl Role {
    /// The same for another peer of the stream.
    pub(crate) fn again(&self) -> Self {
        match self {
            Self::Publisher { name, tracks, layers } => {
                Self::Publisher { name: name.clone(), tracks: tracks.clone(), layers: layers.clone() }
            }
            Self::Player { name } => Self::Player { name: name.clone() },
            Self::Sender { own, control } => Self::Sender { own: own.clone(), control: control.clone() },
            Self::Receiver { own, sink } => Self::Receiver { own: own.clone(), sink: sink.clone() },
        }
    }
}

impl fmt::Debug for Role {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Publisher { .. } => "Publisher",
            Self::Player { .. } => "Player",
            Self::Sender { .. } => "Sender",
            Self::Receiver { .. } => "Receiver",
        })
    }
}

pub(in super::super) struct Session {
    pub(in super::super) peer: Box<Peer>,
    pub(in super::super) of: Use,
    pub(in super::super) role: Role,
    pub(in super::super) due: Option<Instant>,
    pub(in super::super) is_dirty: bool,
    pub(in super::super) connected: bool,
    /// Of the far end's streams.
    pub(in super::super) incoming: HashMap<TrackId, Incoming>,
    pub(in super::super) heard: Option<Instant>,
    pub(in super::super) ufrag: String,
    /// The one before the last restart, with which checks may still be under way.
    pub(in super::super) former_ufrag: Option<String>,
    pub(in super::super) connected_at: Option<Instant>,
    /// When media of the far end came last.
    pub(in super::super) media: Option<Instant>,
    /// Its media has begun to flow.
    pub(in super::super) flows: bool,
    /// Nothing is awaited of it.
    pub(in super::super) paused: bool,
    /// Its pictures wait for the path to have room.
    pub(in super::super) is_behind: bool,
    /// What was agreed on, of our own streams.
    pub(in super::super) tracks: Tracks,
    pub(in super::super) watched: bool,
    /// Of its video, since its rate was told last.
    pub(in super::super) video_octets: u64,
    /// Whose it is, where it is one of several.
    pub(in super::super) client: Option<Arc<str>>,
    pub(in super::super) measured: Measured,
    pub(in super::super) fit: Fit,
}

#[derive(Debug, Clone, Copy)]
pub(in super::super) struct Incoming {
    pub(in super::super) kind: Kind,
    pub(in super::super) layer: u8,
    pub(in super::super) codec: Codec,
}

impl Session {
    pub(in super::super) fn new(adopted: Adopted) -> Self {
        let ufrag = adopted.peer.local_ufrag().to_owned();
        Self {
            peer: adopted.peer,
            of: adopted.of,
            role: adopted.role,
            due: None,
            is_dirty: false,
            connected: false,
            incoming: HashMap::new(),
            heard: None,
            ufrag,
            former_ufrag: None,
            connected_at: None,
            media: None,
            flows: false,
            paused: false,
            is_behind: false,
            tracks: adopted.tracks,
            watched: adopted.watched,
            video_octets: 0,
            client: adopted.session,
            measured: Measured::default(),
            fit: Fit::default(),
        }
    }

    /// A stream of this engine, not of the gateway.
    pub(in super::super) fn is_own(&self) -> bool {
        matches!(self.role, Role::Sender { .. } | Role::Receiver { .. })
    }

    /// Its media is no news while it is paused; afterwards it is waited for as in the beginning.
    pub(in super::super) fn pause(&mut self, now: Instant, paused: bool) {
        self.paused = paused;
        if !matches!(self.role, Role::Sender { .. }) {
            self.flows = false;
        }
        if let (Role::Receiver { .. }, false) = (&self.role, paused) {
            self.media = None;
            self.connected_at = self.connected_at.and(Some(now));
        }
    }

    /// What a later offer of the far end may become.
    pub(in super::super) fn wanted(&self) -> Wanted {
        Wanted::both(match self.role {
            Role::Publisher { .. } | Role::Receiver { .. } => Direction::Receive,
            Role::Player { .. } | Role::Sender { .. } => Direction::Send,
        })
    }

    /// Which layer a track of ours is.
    pub(in super::super) fn layer_of(&self, track: TrackId) -> u8 {
        let mut videos = self.peer.sending().iter().filter(|it| kind_of(it.kind) == Kind::Video);
        videos.position(|it| it.id == track).and_then(|layer| u8::try_from(layer).ok()).unwrap_or(0)
    }

    /// A stream of the far end begins; what is known of its tracks now.
    pub(in super::super) fn begin(&mut self, track: &ReceivingTrack) -> Tracks {
        let layers: &[String] = match &self.role {
            Role::Publisher { layers, .. } => layers,
            Role::Player { .. } | Role::Sender { .. } | Role::Receiver { .. } => &[],
        };
        let layer = track.rid.as_ref().and_then(|rid| layers.iter().position(|other| other == rid));
        let incoming = Incoming {
            kind: kind_of(track.kind),
            layer: layer.and_then(|layer| u8::try_from(layer).ok()).unwrap_or(0),
            codec: track.codec.codec,
        };
        self.incoming.insert(track.id, incoming);
        self.tracks()
    }

    /// What was predicted from the negotiation, corrected by what has come.
    fn tracks(&self) -> Tracks {
        let mut tracks = match &self.role {
            Role::Publisher { tracks, .. } => tracks.clone(),
            Role::Player { .. } | Role::Sender { .. } | Role::Receiver { .. } => Tracks::default(),
        };
        for incoming in self.incoming.values() {
            let codec = incoming.codec.name().to_owned();
            match incoming.kind {
                Kind::Audio => {
                    tracks.audio = Some(AudioTrack { codec, clock_rate: incoming.codec.clock_rate() });
                }
                Kind::Video => {
                    let layers = tracks.video.map_or(1, |video| video.layers);
                    tracks.video = Some(VideoTrack { codec, layers });
                }
            }
        }
        tracks
    }

    /// The far end's stream of this layer.
    pub(in super::super) fn incoming_video(&self, layer: u8) -> Option<TrackId> {
        let mut videos = self.incoming.iter().filter(|(_, it)| it.kind == Kind::Video);
        videos.find(|(_, it)| it.layer == layer).map(|(track, _)| *track)
    }

    /// What we send of this kind and layer, with the payload type of `codec` where it takes that.
    pub(in super::super) fn outgoing(
        &self,
        kind: Kind,
        layer: u8,
        codec: Option<&str>,
    ) -> Option<(TrackId, u8)> {
        let mut of_kind = self.peer.sending().iter().filter(|track| kind_of(track.kind) == kind);
        let track = of_kind.nth(usize::from(layer))?;
        let fits = |name: &str| codec.is_none_or(|codec| codec.eq_ignore_ascii_case(name));
        let codec = track.codecs.iter().find(|it| fits(it.codec.name()))?;
        Some((track.id, codec.payload_type))
    }
}

pub(super) fn kind_of(kind: sidetone_peer::Kind) -> Kind {
    match kind {
        sidetone_peer::Kind::Audio => Kind::Audio,
        sidetone_peer::Kind::Video => Kind::Video,
    }
}
