//! WHIP and WHEP clients at the embedded gateway.

use super::{
    super::{
        Errand, Owner,
        hooks::{changed, of_offer},
        rooms::Whom,
        text,
        view::new_id,
    },
    guests::{BY_END, Guest},
    hosts,
};
use crate::{
    MediaPlace, StreamAccepted, StreamDeclined, StreamOffer, check_stream_name,
    hooks::{Hook, Verdict},
    io::{
        clock,
        dns::Names,
        streams::{
            self, Asker, Key, Kind as StreamKind, Tracks,
            dial::{Dialler, certificate},
            peers::{Adopted, Role, Side, Use, expected},
            router::{PUBLISHER_STOPPED, Refused},
        },
    },
};
use sidetone_api::{ConnectionStatus, Failure, FailureCode, Secret};
use sidetone_peer::{
    Certificate, Codec, Config, Direction, Media, Peer, PeerError, Wanted,
    whip::{EntityTag, Kind},
};
use std::{
    collections::{HashMap, VecDeque},
    net::SocketAddr,
    sync::{Arc, OnceLock},
    time::{Duration, Instant},
};
use tokio::sync::oneshot;

/// Sessions at a time: as many as there can be streams and players.
const MOST: usize = streams::router::MOST_STREAMS + streams::router::MOST_PLAYERS;

/// Sessions that have ended by themselves and may still be deleted, and for how long.
const MOST_LEFT: usize = 1_024;
const REMEMBERED: Duration = Duration::from_secs(60);
/// Whoever asked has gone before the answer.
const NOBODY_WAITS: &str = "nobody waited for the answer";

/// Where the answer to an offer goes.
pub(in super::super) type OfferReply = oneshot::Sender<Result<StreamAccepted, StreamDeclined>>;

/// The sessions, by their resource.
#[derive(Debug, Default)]
pub(super) struct Served {
    sessions: HashMap<String, Session>,
    /// Programs close their connection and delete the session then (RFC 9725 section 4.2 has it the other way round): what is
    /// deleted is not unknown.
    left: VecDeque<Left>,
    identity: Identity,
}

/// Where the gateway's peers are reached, and who they are.
#[derive(Debug, Clone, Default)]
pub(in super::super) struct Identity {
    hosts: Vec<SocketAddr>,
    /// The same through a NAT.
    advertised: Vec<SocketAddr>,
    /// Made when it is needed first: that takes a while.
    certificate: Arc<OnceLock<Certificate>>,
}

#[derive(Debug)]
pub(super) struct Session {
    pub(super) key: Key,
    /// The client's description of now, and its ICE user name fragment.
    pub(super) offer: String,
    pub(super) ufrag: String,
    pub(super) tag: EntityTag,
    /// Restarts that were asked for, and the last that came about.
    pub(super) restarts: (u32, u32),
    pub(super) guest: Guest,
    token: Option<Secret>,
}

#[derive(Debug)]
struct Left {
    resource: String,
    token: Option<Secret>,
    at: Instant,
}

/// An offer that was answered, or not.
pub(in super::super) struct Negotiated {
    key: Key,
    offer: StreamOffer,
    guest: Guest,
    result: Result<(Box<Peer>, String), StreamDeclined>,
    reply: OfferReply,
}

impl std::fmt::Debug for Negotiated {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Negotiated").field("key", &self.key).finish_non_exhaustive()
    }
}

impl Owner {
    /// The backend is asked first.
    pub(in super::super) fn offer_stream(&mut self, mut offer: StreamOffer, reply: OfferReply) {
        let asked = self
            .may_serve(offer.token.as_ref())
            .and_then(|()| new_id("gs").map_err(|failure| StreamDeclined::Limit(failure.message)));
        let id = match asked {
            Ok(id) => id,
            Err(declined) => return drop(reply.send(Err(declined))),
        };
        let hook = match offer.kind {
            Kind::Whip => Hook::PublishStream,
            Kind::Whep => Hook::PlayStream,
        };
        let fields = of_offer(&id, &offer);
        let (kind, asked) = (offer.kind, offer.name.clone());
        self.gate(hook, &id.clone(), &id.clone(), fields, move |owner, verdict| {
            let refused = match verdict {
                Verdict::Refused { info } => Some(StreamDeclined::Forbidden(text::shown(&info))),
                Verdict::Go(fields) => changed(&fields, "name").and_then(|name| {
                    let problem = check_stream_name(name).err();
                    offer.name = name.to_owned();
                    problem.map(|problem| StreamDeclined::Unacceptable(format!("of the backend: {problem}")))
                }),
            };
            // What is played keeps the name that the client knows.
            let name = if kind == Kind::Whip { offer.name.clone() } else { asked };
            let guest = Guest::new(id, kind, name);
            let may = |owner: &Self| {
                owner.may_serve(offer.token.as_ref())?;
                owner.check_no_room(kind, &offer.name)
            };
            match refused.map_or_else(|| may(owner), Err) {
                Ok(()) => owner.negotiate_offer(offer, guest, reply),
                Err(declined) => owner.decline_guest(&guest, declined, reply),
            }
        });
    }

    fn decline_guest(&mut self, guest: &Guest, declined: StreamDeclined, reply: OfferReply) {
        self.tell_of_declined(guest, &declined.to_string());
        let _ = reply.send(Err(declined));
    }

    /// Negotiates on a thread of its own: that costs more than all the rest.
    fn negotiate_offer(&mut self, offer: StreamOffer, guest: Guest, reply: OfferReply) {
        let key = self.streams.new_key();
        let (errands, asker, identity) =
            (self.errands.clone(), self.stream_door.asker(), self.gateway_identity());
        tokio::spawn(async move {
            let result = answered(asker, offer.kind, &offer.name, offer.sdp.clone(), identity).await;
            let negotiated = Negotiated { key, offer, guest, result, reply };
            let _ = errands.send(Errand::Negotiated(Box::new(negotiated))).await;
        });
    }

    pub(in super::super) fn gateway_identity(&self) -> Identity {
        self.streams.served.identity.clone()
    }

    fn may_serve(&self, token: Option<&Secret>) -> Result<(), StreamDeclined> {
        if self.farewell.is_some() {
            return Err(StreamDeclined::Stopped);
        }
        let gateway = &self.settings.get().gateway;
        if gateway.stream_token {
            match (self.stream_token(), token) {
                (_, None) => return Err(StreamDeclined::TokenNeeded),
                (Some(own), Some(shown)) if own == shown => {}
                // Where the key store has not given it, nobody is let in.
                _ => return Err(StreamDeclined::TokenRefused),
            }
        }
        if !gateway.enabled {
            return Err(StreamDeclined::Unacceptable("the gateway is switched off".into()));
        }
        if self.streams.served.sessions.len() >= MOST {
            return Err(StreamDeclined::Limit(format!("{MOST} sessions are the most")));
        }
        Ok(())
    }

    /// Names of rooms are for those who are in them, and nobody is by WHIP or WHEP.
    fn check_no_room(&self, kind: Kind, name: &str) -> Result<(), StreamDeclined> {
        match (self.may_have_name(kind, name, Whom::Stranger), kind) {
            (true, _) => Ok(()),
            (false, Kind::Whip) => Err(StreamDeclined::NameInUse),
            (false, Kind::Whep) => Err(StreamDeclined::StreamNotFound),
        }
    }

    pub(in super::super) fn on_negotiated(&mut self, negotiated: Negotiated) {
        let Negotiated { key, offer, guest, result, reply } = negotiated;
        let StreamOffer { kind, name, sdp, token } = offer;
        // It may have become a room's meanwhile.
        let (peer, answer) = match self.check_no_room(kind, &name).and(result) {
            Ok(done) => done,
            Err(declined) => return self.decline_guest(&guest, declined, reply),
        };
        let ufrag = peer.remote_ufrag().unwrap_or_default().to_owned();
        let (Ok(resource), Some(tag)) = (new_resource(), tag(0)) else {
            let declined = StreamDeclined::Limit("there is no randomness".into());
            return self.decline_guest(&guest, declined, reply);
        };
        let sender = if kind == Kind::Whip { Side::Offerer } else { Side::Answerer };
        let guest = guest.with(expected(&answer, sender).0);
        let role = role(kind, name, &answer);
        let (taken, was_taken) = oneshot::channel();
        let adopted = Adopted {
            key,
            peer,
            of: Use::Gateway,
            sockets: Vec::new(),
            role,
            tracks: Tracks::default(),
            watched: false,
            session: None,
            taken: Some(taken),
        };
        self.stream_door.ask(streams::Ask::Adopt(Box::new(adopted)));
        self.tell_of_connection(&guest, ConnectionStatus::Established, "");
        let session = Session { key, offer: sdp, ufrag, tag: tag.clone(), restarts: (0, 0), guest, token };
        self.streams.served.sessions.insert(resource.clone(), session);
        let errands = self.errands.clone();
        tokio::spawn(async move {
            let refused = match was_taken.await {
                Ok(Ok(())) => None,
                Ok(Err(refused)) => Some(declined(refused)),
                Err(_) => Some(StreamDeclined::Stopped),
            };
            let is_over = match refused {
                Some(declined) => {
                    let info = declined.to_string();
                    let _ = reply.send(Err(declined));
                    Some(info)
                }
                None => {
                    let resource = resource.clone();
                    let accepted = StreamAccepted { resource, answer, tag, links: Vec::new() };
                    reply.send(Ok(accepted)).err().map(|_| NOBODY_WAITS.to_owned())
                }
            };
            if let Some(info) = is_over {
                let _ = errands.send(Errand::Unserved(resource, info)).await;
            }
        });
    }

    pub(in super::super) fn end_served(
        &mut self,
        resource: &str,
        token: Option<&Secret>,
    ) -> Result<(), StreamDeclined> {
        match self.session(resource, token) {
            Ok(session) => {
                let key = session.key;
                self.stream_door.ask(streams::Ask::End { stream: key });
                if let Some(Session { guest, .. }) = self.streams.served.sessions.remove(resource) {
                    self.tell_of_leaving(guest);
                }
                Ok(())
            }
            Err(StreamDeclined::SessionNotFound) => self.streams.served.delete_left(resource, token),
            Err(declined) => Err(declined),
        }
    }

    pub(in super::super) fn on_unserved(&mut self, resource: &str, info: &str) {
        if let Some(session) = self.streams.served.sessions.remove(resource) {
            self.stream_door.ask(streams::Ask::End { stream: session.key });
            self.tell_of_end(session.guest, info, true);
        }
    }

    /// Without its token: it was shown.
    pub(super) fn known_session(&mut self, resource: &str) -> Option<&mut Session> {
        self.streams.served.sessions.get_mut(resource)
    }

    /// The far end has gone.
    pub(super) fn on_session_left(&mut self, key: Key, info: &str, failed: bool) {
        let served = &mut self.streams.served;
        let found = served.sessions.iter().find(|(_, session)| session.key == key);
        let Some(resource) = found.map(|(resource, _)| resource.clone()) else { return };
        if let Some(Session { token, guest, .. }) = served.sessions.remove(&resource) {
            served.left.push_back(Left { resource, token, at: Instant::now() });
            if served.left.len() > MOST_LEFT {
                served.left.pop_front();
            }
            // Many clients close their connection first and delete their session then: that is their wish as well.
            if failed || info == PUBLISHER_STOPPED {
                self.tell_of_end(guest, info, failed);
            } else {
                self.tell_of_leaving(guest);
            }
        }
    }

    /// Who opened a session with a token has to show it again.
    pub(super) fn session(
        &mut self,
        resource: &str,
        token: Option<&Secret>,
    ) -> Result<&mut Session, StreamDeclined> {
        let session =
            self.streams.served.sessions.get_mut(resource).ok_or(StreamDeclined::SessionNotFound)?;
        check_token(session.token.as_ref(), token)?;
        Ok(session)
    }

    /// At the end of the engine.
    pub(super) fn end_sessions(&mut self) {
        for (_, session) in std::mem::take(&mut self.streams.served.sessions) {
            self.stream_door.ask(streams::Ask::End { stream: session.key });
            self.tell_of_end(session.guest, BY_END, false);
        }
    }
}

impl Served {
    pub(super) fn sessions(&self) -> impl Iterator<Item = &Session> {
        self.sessions.values()
    }

    pub(super) fn sessions_mut(&mut self) -> impl Iterator<Item = &mut Session> {
        self.sessions.values_mut()
    }

    fn delete_left(&mut self, resource: &str, token: Option<&Secret>) -> Result<(), StreamDeclined> {
        self.left.retain(|left| left.at.elapsed() < REMEMBERED);
        let place = self.left.iter().position(|left| left.resource == resource);
        let place = place.ok_or(StreamDeclined::SessionNotFound)?;
        check_token(self.left.get(place).and_then(|left| left.token.as_ref()), token)?;
        self.left.remove(place);
        Ok(())
    }
}

fn check_token(own: Option<&Secret>, shown: Option<&Secret>) -> Result<(), StreamDeclined> {
    match (own, shown) {
        (None, _) => Ok(()),
        (Some(_), None) => Err(StreamDeclined::TokenNeeded),
        (Some(own), Some(shown)) if own == shown => Ok(()),
        (Some(_), Some(_)) => Err(StreamDeclined::TokenRefused),
    }
}

/// Answers an offer for a name: what is published or played by it is looked up, and the peer is made on a thread of its own.
pub(in super::super) async fn answered(
    asker: Asker,
    kind: Kind,
    name: &str,
    sdp: String,
    identity: Identity,
) -> Result<(Box<Peer>, String), StreamDeclined> {
    let (done, found) = oneshot::channel();
    asker.ask(streams::Ask::Look { name: name.to_owned(), done });
    let wanted = match (kind, found.await) {
        (Kind::Whip, Ok(Some(_))) => return Err(StreamDeclined::NameInUse),
        (Kind::Whip, Ok(None)) => Wanted::both(Direction::Receive),
        (Kind::Whep, Ok(Some(tracks))) => wanted(name, &tracks),
        (Kind::Whep, Ok(None)) => return Err(StreamDeclined::StreamNotFound),
        // Nobody looked.
        (_, Err(_)) => return Err(StreamDeclined::Stopped),
    };
    let making = tokio::task::spawn_blocking(move || negotiate(&sdp, &wanted, identity));
    making.await.unwrap_or(Err(StreamDeclined::Stopped))
}

/// What a peer is to the router by its answer.
pub(in super::super) fn role(kind: Kind, name: String, answer: &str) -> Role {
    match kind {
        Kind::Whip => {
            let (tracks, layers) = expected(answer, Side::Offerer);
            Role::Publisher { name, tracks, layers }
        }
        Kind::Whep => Role::Player { name },
    }
}

/// A player gets what there is.
fn wanted(name: &str, tracks: &Tracks) -> Wanted {
    let named = |name: &str| Codec::ALL.into_iter().find(|codec| codec.name().eq_ignore_ascii_case(name));
    let codecs = [StreamKind::Audio, StreamKind::Video].map(|kind| named(tracks.codec(kind)?));
    let media = codecs.into_iter().flatten();
    let media = media.map(|codec| Media { codecs: vec![codec], ..Media::new(codec.kind(), Direction::Send) });
    Wanted { media: media.collect(), stream: name.to_owned() }
}

fn negotiate(sdp: &str, wanted: &Wanted, identity: Identity) -> Result<(Box<Peer>, String), StreamDeclined> {
    let now = Instant::now();
    let seed = clock::random().map(u64::from_be_bytes).unwrap_or_default();
    let Identity { hosts, advertised, certificate: made } = identity;
    let certificate = certificate(&made).map_err(|error| refusal(&error))?;
    let config = Config { advertised, ..Config::gateway(certificate, hosts, seed) };
    let mut peer = Box::new(Peer::new(now, config).map_err(|error| refusal(&error))?);
    let answer = peer.accept_offer(now, sdp, wanted).map_err(|error| refusal(&error))?;
    Ok((peer, answer))
}

pub(super) fn refusal(error: &PeerError) -> StreamDeclined {
    match error {
        PeerError::Description { .. } => StreamDeclined::BadOffer(error.to_string()),
        PeerError::NoCommonCodecs => StreamDeclined::NoCommonCodecs,
        _ => StreamDeclined::Unacceptable(error.to_string()),
    }
}

pub(in super::super) fn declined(refused: Refused) -> StreamDeclined {
    match refused {
        Refused::InUse => StreamDeclined::NameInUse,
        Refused::NotFound => StreamDeclined::StreamNotFound,
        Refused::TooManyStreams | Refused::TooManyPlayers | Refused::NoBandwidth => {
            StreamDeclined::Limit(refused.as_str().into())
        }
    }
}

/// Nobody can guess it.
fn new_resource() -> Result<String, FailureCode> {
    let random: [u8; 16] = clock::random().map_err(|_| FailureCode::Limit)?;
    let id = new_id("w").map_err(|failure| failure.code)?;
    Ok(random.iter().fold(id, |id, byte| format!("{id}{byte:02x}")))
}

pub(super) fn tag(restarts: u32) -> Option<EntityTag> {
    let random: [u8; 8] = clock::random().ok()?;
    EntityTag::strong(&format!("{restarts}-{:016x}", u64::from_be_bytes(random)))
}

impl Owner {
    /// Opens what streams over networks need.
    ///
    /// # Errors
    /// The port that was asked for cannot be had.
    pub(in super::super) fn open_streams(
        &mut self,
        names: Arc<Names>,
        place: MediaPlace,
    ) -> Result<(), Failure> {
        let asker = self.stream_door.asker();
        let identity = &mut self.streams.served.identity;
        if self.settings.get().gateway.enabled {
            identity.hosts = hosts::listen(&asker, place.port)?;
            identity.advertised = hosts::advertised(&place.advertise, &identity.hosts);
        }
        asker.ask(streams::Ask::Limits(place.limits));
        let certificate = Arc::clone(&identity.certificate);
        self.streams.dialler = Some(Dialler::new(asker, names, certificate));
        self.streams.place = place;
        Ok(())
    }
}
