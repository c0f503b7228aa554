//! What a STUN server says of our address, before it is told to the far end in an offer or answer (RFC 8445 section 5.1.1).

use super::super::{Errand, Owner, leg::Leg};
use crate::io::media::{Ask, LegId};
use sidetone_api::CallId;
use sidetone_sip::{Invite, message::Host};
use std::{
    net::SocketAddr,
    time::{Duration, Instant},
};

/// How long an offer waits for the server: its name, its answer.
const PATIENCE: Duration = Duration::from_millis(500);

/// The account's STUN server.
#[derive(Debug, Clone)]
pub(in super::super) struct StunServer {
    pub(in super::super) host: Host,
    pub(in super::super) port: u16,
}

/// What waits for our address.
#[derive(Debug)]
pub(in super::super) struct Waiting {
    next: Next,
    /// Sockets whose address is not known yet: those of RTP, 1, and RTCP, 2, of each leg.
    open: Vec<(LegId, u16)>,
}

#[derive(Debug)]
enum Next {
    /// Goes out, with an offer in it.
    Invite(Box<Invite>),
    /// The call rings here.
    Ring,
    /// The user has answered.
    Answer,
    /// Our re-INVITE, with what is wanted then.
    Reoffer,
    /// The answer to this offer, of a re-INVITE.
    Reanswer(sidetone_sip::CallId, Vec<u8>),
}

impl Waiting {
    fn of(next: Next, legs: impl Iterator<Item = LegId>) -> Self {
        Self { next, open: legs.flat_map(|leg| [(leg, 1), (leg, 2)]).collect() }
    }

    /// The far end has taken its re-INVITE back.
    pub(super) fn is_for_reoffer(&self) -> bool {
        matches!(self.next, Next::Reanswer(..))
    }

    /// Answers when it is over.
    pub(super) fn answer(&mut self) {
        self.next = Next::Answer;
    }
}

impl Owner {
    /// Looks for our address where the account has a STUN server and the leg says candidates.
    fn gather(&mut self, id: &CallId) -> bool {
        let Some(call) = self.calls.get(id) else { return false };
        let Some(leg) = call.leg.as_ref().filter(|leg| leg.has_candidates()) else { return false };
        let leg = leg.id;
        self.ask_stun(id, leg)
    }

    /// `leg`: that of the sound for all of a call, that of video for it alone.
    fn ask_stun(&self, id: &CallId, leg: LegId) -> bool {
        let Some(call) = self.calls.get(id) else { return false };
        let Some(own) = call.leg.as_ref().map(Leg::address) else { return false };
        let session = self.sessions.get(&call.session_id);
        let Some(server) = session.and_then(|session| session.stun.clone()) else { return false };
        let (finder, errands) = (self.phone.finder(), self.errands.clone());
        tokio::spawn(async move {
            let server = finder.find_stun(&server.host, server.port, own, PATIENCE).await;
            let _ = errands.send(Errand::Stun { leg, server }).await;
        });
        true
    }

    /// Before our re-INVITE with video that is new in a call. True where it goes out later.
    pub(super) fn gather_for_reoffer(&mut self, id: &CallId) -> bool {
        self.gather_video(id, |leg| leg.take_ungathered_video(None), || Next::Reoffer)
    }

    /// Before the answer to one. True where it is given later.
    pub(super) fn gather_for_reanswer(
        &mut self,
        id: &CallId,
        sip: sidetone_sip::CallId,
        offer: &[u8],
    ) -> bool {
        let next = || Next::Reanswer(sip, offer.to_vec());
        self.gather_video(id, |leg| leg.take_ungathered_video(Some(offer)), next)
    }

    fn gather_video(
        &mut self,
        id: &CallId,
        find: impl Fn(&mut Leg) -> Option<LegId>,
        next: impl Fn() -> Next,
    ) -> bool {
        let call = self.calls.get_mut(id).filter(|call| call.is_established() && call.waiting.is_none());
        let Some(video) = call.and_then(|call| call.leg.as_mut()).and_then(find) else { return false };
        let gathers = self.ask_stun(id, video);
        if let Some(call) = self.calls.get_mut(id).filter(|_| gathers) {
            call.waiting = Some(Waiting::of(next(), std::iter::once(video)));
            call.due.gather = Some(Instant::now() + PATIENCE);
        }
        gathers
    }

    /// Sends the INVITE, with an offer in it, as soon as the offer is complete.
    pub(super) fn invite_when_gathered(&mut self, id: &CallId, invite: Invite) {
        let gathers = self.gather(id);
        let Some(call) = self.calls.get_mut(id) else { return };
        call.waiting = Some(Waiting::of(Next::Invite(Box::new(invite)), call.legs()));
        if gathers {
            call.due.gather = Some(Instant::now() + PATIENCE);
        } else {
            self.stop_gathering(id);
        }
    }

    /// The answer to a call that rings is completed meanwhile.
    pub(super) fn gather_for_answer(&mut self, id: &CallId) {
        if self.gather(id)
            && let Some(call) = self.calls.get_mut(id)
        {
            call.waiting = Some(Waiting::of(Next::Ring, call.legs()));
            call.due.gather = Some(Instant::now() + PATIENCE);
        }
    }

    /// What waited goes on, with what is known by now.
    pub(in super::super) fn stop_gathering(&mut self, id: &CallId) {
        let Some(call) = self.calls.get_mut(id) else { return };
        call.due.gather = None;
        match call.waiting.take().map(|waiting| waiting.next) {
            Some(Next::Invite(invite)) => {
                let Some(leg) = &mut call.leg else { return };
                let invite = Invite { offer: leg.offer(), ..*invite };
                call.sip = Some(self.phone.ua.invite(Instant::now(), invite));
            }
            // Whoever answered meanwhile may have lost the call, and has been told.
            Some(Next::Answer) => drop(self.answer(id)),
            Some(Next::Reoffer) => self.ask_hold(id),
            Some(Next::Reanswer(sip, offer)) if call.sip == Some(sip) && !call.hung_up => {
                self.answer_reoffer_of(id, sip, Some(&offer));
            }
            Some(Next::Ring | Next::Reanswer(..)) | None => {}
        }
    }

    pub(in super::super) fn on_stun(&mut self, leg: LegId, server: Option<SocketAddr>) {
        let Some(call) = self.calls.values_mut().find(|call| call.legs().any(|own| own == leg)) else {
            return;
        };
        match server {
            Some(server) => {
                let is_meant = |of: &LegId| *of == leg || call.leg.as_ref().is_some_and(|own| own.id == leg);
                let legs = call.legs().filter(is_meant);
                legs.for_each(|leg| self.media.ask(Ask::Gather { leg, server }));
            }
            None => {
                let id = call.id.clone();
                tracing::warn!("the account's STUN server has no address that our media can reach");
                self.stop_gathering(&id);
            }
        }
    }

    /// A later offer says it too; the answer to one that rings still does.
    pub(in super::super) fn on_gathered(&mut self, of: LegId, component: u16, address: Option<SocketAddr>) {
        let call = self.calls.values_mut().find(|call| call.legs().any(|leg| leg == of));
        let Some(call) = call else { return };
        let Some(leg) = &mut call.leg else { return };
        let is_new = address.is_some_and(|address| leg.add_reflexive(of, component, address));
        if is_new
            && call.prepared.is_some()
            && let Some(answer) = leg.prepare_again()
        {
            call.prepared = Some(answer);
        }
        let id = call.id.clone();
        let Some(waiting) = &mut call.waiting else { return };
        waiting.open.retain(|open| *open != (of, component));
        if waiting.open.is_empty() {
            self.stop_gathering(&id);
        }
    }
}
