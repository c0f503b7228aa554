//! News of ICE from WHIP and WHEP clients at the embedded gateway.

use super::{
    super::{Errand, Owner},
    serve::{refusal, tag},
};
use crate::{StreamDeclined, StreamPatch, StreamPatched, io::streams};
use sidetone_peer::whip::{Condition, EntityTag, Fragment, Wanted};
use tokio::sync::oneshot;

/// Where the answer to a client's news goes.
pub(in super::super) type PatchReply = oneshot::Sender<Result<StreamPatched, StreamDeclined>>;

/// A restart that came about, or did not.
#[derive(Debug)]
pub(in super::super) struct Restarted {
    resource: String,
    number: u32,
    /// What the session has where it came about.
    offer: String,
    ufrag: String,
    tag: EntityTag,
    /// Our side's ICE.
    result: Result<Fragment, StreamDeclined>,
    reply: PatchReply,
}

impl Owner {
    pub(in super::super) fn patch_stream(&mut self, patch: StreamPatch, reply: PatchReply) {
        let StreamPatch { resource, if_match, fragment, token } = patch;
        let (asker, errands) = (self.stream_door.asker(), self.errands.clone());
        let session = match self.session(&resource, token.as_ref()) {
            Ok(session) => session,
            Err(declined) => return drop(reply.send(Err(declined))),
        };
        let condition = Condition { tag: &session.tag, ufrag: &session.ufrag };
        let wanted = Wanted::of(if_match.as_ref(), &fragment, condition);
        let ufrag = fragment.credentials().map(|credentials| credentials.ufrag.clone());
        let (ufrag, tag) = match (wanted, ufrag, tag(session.restarts.0 + 1)) {
            (Err(declined), ..) => return drop(reply.send(Err(declined.into()))),
            (Ok(Wanted::Restart), Some(ufrag), Some(tag)) => (ufrag, tag),
            (Ok(Wanted::Restart), ..) => return drop(reply.send(Err(StreamDeclined::Stopped))),
            (Ok(Wanted::Trickle), ..) => {
                let candidates = fragment.candidates().map(|(_, candidate)| candidate.to_owned()).collect();
                asker.ask(streams::Ask::Trickle { peer: session.key, candidates });
                return drop(reply.send(Ok(StreamPatched::Trickled)));
            }
        };
        session.restarts.0 += 1;
        let (offer, number) = (fragment.applied_to(&session.offer), session.restarts.0);
        let (done, answer) = oneshot::channel();
        asker.ask(streams::Ask::Offered { peer: session.key, sdp: offer.clone(), done });
        tokio::spawn(async move {
            let result = match answer.await {
                Ok(Ok(sdp)) => Fragment::parse(&sdp)
                    .map(|fragment| fragment.of_transport())
                    .map_err(|error| StreamDeclined::Unacceptable(error.to_string())),
                Ok(Err(error)) => Err(refusal(&error)),
                Err(_) => Err(StreamDeclined::SessionNotFound),
            };
            let restarted = Restarted { resource, number, offer, ufrag, tag, result, reply };
            let _ = errands.send(Errand::Restarted(Box::new(restarted))).await;
        });
    }

    /// One that was refused leaves the session as it was, its tag too.
    pub(in super::super) fn on_restarted(&mut self, restarted: Restarted) {
        let Restarted { resource, number, offer, ufrag, tag, result, reply } = restarted;
        if result.is_ok()
            && let Some(session) = self.known_session(&resource).filter(|session| session.restarts.1 < number)
        {
            (session.offer, session.ufrag, session.tag) = (offer, ufrag, tag.clone());
            session.restarts.1 = number;
        }
        let _ = reply.send(result.map(|fragment| StreamPatched::Restarted { fragment, tag }));
    }
}
