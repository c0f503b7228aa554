//! Clients' offers: answered on the way that those of WHIP and WHEP go.

use super::status::Verdict;
use crate::{
    StreamDeclined,
    clients::ClientNews,
    io::streams::{
        Ask, Key, Tracks,
        peers::{Adopted, Side, Use, expected},
    },
    owner::{
        Errand, Owner,
        rooms::Whom,
        streams::{answered, declined, role},
    },
};
use sidetone_api::SessionId;
use sidetone_peer::{Peer, whip::Kind};
use std::sync::Arc;
use tokio::sync::{Semaphore, oneshot};

/// Offers that are answered at once; the others wait their turn.
const AT_ONCE: usize = 32;

#[derive(Debug)]
pub(super) struct Negotiations(Arc<Semaphore>);

impl Default for Negotiations {
    fn default() -> Self {
        Self(Arc::new(Semaphore::new(AT_ONCE)))
    }
}

/// A client's offer that was answered, or not.
pub(in super::super) struct Answered {
    key: Key,
    kind: Kind,
    name: String,
    result: Result<(Box<Peer>, String), StreamDeclined>,
}

impl std::fmt::Debug for Answered {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Answered").field("key", &self.key).finish_non_exhaustive()
    }
}

/// Its peer runs, or the name could not be had after all.
#[derive(Debug)]
pub(in super::super) struct Taken {
    key: Key,
    result: Result<String, StreamDeclined>,
}

impl Owner {
    pub(super) fn negotiate_client_stream(&mut self, key: Key, kind: Kind, name: String, sdp: String) {
        let (errands, asker, identity) =
            (self.errands.clone(), self.stream_door.asker(), self.gateway_identity());
        let places = Arc::clone(&self.clients.negotiations.0);
        tokio::spawn(async move {
            // Never closed.
            let _place = places.acquire().await;
            let result = answered(asker, kind, &name, sdp, identity).await;
            let answered = Answered { key, kind, name, result };
            let _ = errands.send(Errand::ClientAnswered(Box::new(answered))).await;
        });
    }

    pub(in super::super) fn on_client_answered(&mut self, answered: Answered) {
        let Answered { key, kind, name, result } = answered;
        // Stopped meanwhile.
        if !self.clients.by_key.contains_key(&key) {
            return;
        }
        // It may have become a room's meanwhile, or its player has left the room.
        let may = |owner: &Self, session: &SessionId| {
            kind == Kind::Whip || owner.may_have_name(kind, &name, Whom::Client(session))
        };
        let result = match self.clients.by_key.get(&key) {
            Some((session, _)) if !may(self, session) => Err(StreamDeclined::StreamNotFound),
            _ => result,
        };
        let (peer, answer) = match result {
            Ok(answered) => answered,
            Err(declined) => return self.on_client_taken(Taken { key, result: Err(declined) }),
        };
        let (taken, was_taken) = oneshot::channel();
        let client = self.clients.by_key.get(&key).map(|(session, _)| session.as_str().into());
        let adopted = Adopted {
            key,
            peer,
            of: Use::Gateway,
            sockets: Vec::new(),
            role: role(kind, name, &answer),
            tracks: Tracks::default(),
            watched: true,
            session: client,
            taken: Some(taken),
        };
        self.stream_door.ask(Ask::Adopt(Box::new(adopted)));
        let errands = self.errands.clone();
        tokio::spawn(async move {
            let result = match was_taken.await {
                Ok(Ok(())) => Ok(answer),
                Ok(Err(refused)) => Err(declined(refused)),
                Err(_) => Err(StreamDeclined::Stopped),
            };
            let _ = errands.send(Errand::ClientTaken(Taken { key, result })).await;
        });
    }

    pub(in super::super) fn on_client_taken(&mut self, taken: Taken) {
        let Taken { key, result } = taken;
        let Some((session, id)) = self.clients.by_key.get(&key).cloned() else {
            return self.stream_door.ask(Ask::End { stream: key });
        };
        match result {
            Ok(sdp) => {
                self.silence_new_stream(key);
                let Some(leg) = self.client_leg(&session, &id) else { return };
                leg.stands = true;
                let is_published = leg.is_published();
                let sender = if is_published { Side::Offerer } else { Side::Answerer };
                self.set_client_tracks(&session, &id, &expected(&sdp, sender).0);
                self.tell_client(&session, ClientNews::Description { id, sdp, is_answer: true });
            }
            Err(declined) => {
                let info = declined.to_string();
                self.end_client_stream(&session, &id, Verdict::failed(&info));
            }
        }
    }
}
