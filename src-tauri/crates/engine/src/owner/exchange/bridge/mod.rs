//! One extension calls another: two calls, one join. All contacts of the callee ring, the first that answers has the call.

mod callees;
mod connect;
mod hold;
mod video;

use super::{super::leg::Leg, super::leg::Refused, Exchange, Role};
use crate::io::media::{Door, Join, LegId};
use sidetone_sdp::Capability;
use sidetone_sip::{CallId, Cause, Side};
use std::time::Instant;

const TEMPORARILY_UNAVAILABLE: u16 = 480;

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) struct BridgeId(u64);

pub(super) struct Bridge {
    pub(super) caller: End,
    /// Kept until it is answered with what the callee took; `None` where the caller made no offer.
    offer: Option<Vec<u8>>,
    pub(super) callees: Vec<End>,
    /// The callee that the caller is joined to: by its early media, then because it answered.
    pub(super) joined: Option<CallId>,
    answered: bool,
    /// A re-INVITE of one end whose video the other end is asked for: answered when that has answered.
    waiting: Option<(CallId, Vec<u8>)>,
    /// The best of the refusals so far.
    refusal: Option<Cause>,
}

/// One of the calls of a bridge.
pub(super) struct End {
    pub(super) call: CallId,
    pub(super) leg: Leg,
    /// Knows that the other side holds.
    pub(super) told_held: bool,
    /// A re-INVITE of ours is on its way.
    reoffering: bool,
}

impl Exchange {
    /// The leg of a call, whatever its role.
    pub(super) fn leg_of(&mut self, call: CallId) -> Option<&mut Leg> {
        match self.calls.get_mut(&call)? {
            Role::Service(leg, _) => Some(leg),
            Role::Room(in_room) => Some(&mut in_room.leg),
            Role::Target(_) => None,
            Role::Caller(id) | Role::Callee(id) => {
                self.bridges.get_mut(id)?.end(call).map(|end| &mut end.leg)
            }
        }
    }
}

impl Exchange {
    /// A leg whose media cannot be: the call ends, and with it its bridge.
    pub(in super::super::super) fn on_no_media(&mut self, leg: LegId, reason: &str) {
        let calls: Vec<CallId> = self.calls.keys().copied().collect();
        let found = calls.into_iter().find(|call| self.leg_of(*call).is_some_and(|own| own.id == leg));
        if let (Some(call), Some(agent)) = (found, &mut self.agent) {
            agent.ua.hang_up(Instant::now(), call, Some(reason));
        }
    }

    /// What the other end of a call's bridge speaks.
    pub(super) fn codec_opposite(&mut self, call: CallId) -> Option<Capability> {
        let (Role::Caller(id) | Role::Callee(id)) = self.calls.get(&call)? else { return None };
        self.bridges.get_mut(id)?.opposite(call)?.leg.codec()
    }
}

impl Bridge {
    pub(super) fn end(&mut self, call: CallId) -> Option<&mut End> {
        let mut ends = std::iter::once(&mut self.caller).chain(&mut self.callees);
        ends.find(|end| end.call == call)
    }

    /// As [`Bridge::opposite`], its name alone.
    pub(super) fn other_than(&self, call: CallId) -> Option<CallId> {
        let winner = self.joined.filter(|_| self.answered)?;
        if call == self.caller.call {
            Some(winner)
        } else {
            Some(self.caller.call).filter(|_| call == winner)
        }
    }

    /// The end that `call` is joined to, once the call is answered.
    pub(super) fn opposite(&mut self, call: CallId) -> Option<&mut End> {
        if !self.answered {
            return None;
        }
        let winner = self.joined?;
        match call {
            call if call == self.caller.call => self.end(winner),
            call if call == winner => Some(&mut self.caller),
            _ => None,
        }
    }

    /// Takes a callee's SDP and joins the two legs. Gives the answer to the caller's offer, in the callee's codec where the
    /// caller knows it; `None` where the caller made no offer.
    fn join(&mut self, callee: CallId, sdp: &[u8], media: &Door) -> Result<Option<Vec<u8>>, Refused> {
        let Some(place) = self.callees.iter().position(|other| other.call == callee) else {
            return Err(Refused { status: TEMPORARILY_UNAVAILABLE, text: "Temporarily Unavailable".into() });
        };
        let callee_leg = &mut self.callees[place].leg;
        callee_leg.accept(sdp, media)?;
        let codec = callee_leg.codec();
        let video = callee_leg.video_codec();
        self.caller.leg.answer_video_in(video.as_ref());
        let answer = match &self.offer {
            Some(offer) => Some(self.caller.leg.answer_in(codec.as_ref(), offer, media)?),
            None => {
                self.caller.leg.prefer(codec.as_slice());
                None
            }
        };
        self.part(media);
        self.joined = Some(callee);
        let callee_leg = &self.callees[place].leg;
        self.caller.leg.join(Join::Leg(callee_leg.id), media);
        callee_leg.join(Join::Leg(self.caller.leg.id), media);
        Ok(answer)
    }

    /// Early media of a callee that will not have the call, or not by itself, is heard no longer.
    fn part(&mut self, media: &Door) {
        let Some(before) = self.joined.take() else { return };
        self.caller.leg.join(Join::Nothing, media);
        if let Some(before) = self.end(before) {
            before.leg.join(Join::Nothing, media);
        }
    }
}

impl End {
    pub(super) fn new(call: CallId, leg: Leg) -> Self {
        Self { call, leg, told_held: false, reoffering: false }
    }
}

/// Which of several refusals the caller gets, lower first: RFC 3261 16.7 step 6, simplified to 6xx, then the lowest class, then
/// the first. A contact that does not answer at all says nothing of the callee.
pub(super) fn rank(cause: &Cause) -> (bool, bool, u16) {
    (cause.by == Side::Network, cause.code < 600, cause.code / 100)
}

/// A refusal as the caller gets it. A challenge or a redirection is meant for us, silence is nobody's word.
pub(super) fn refusal_for_caller(refusal: &Cause) -> (u16, &str) {
    match (refusal.code, refusal.by) {
        (..=399 | 401 | 407, _) | (_, Side::Network) => (TEMPORARILY_UNAVAILABLE, "Temporarily Unavailable"),
        (code, _) => (code, &refusal.text),
    }
}

#[cfg(test)]
mod tests {
    use super::{rank, refusal_for_caller};
    use sidetone_sip::{Cause, Side};

    #[test]
    fn the_caller_gets_the_most_telling_refusal() {
        let causes = [
            Cause::new(503, "no route", Side::Network),
            Cause::new(500, "Server Error", Side::Remote),
            Cause::new(486, "Busy Here", Side::Remote),
            Cause::new(480, "Temporarily Unavailable", Side::Remote),
            Cause::new(603, "Decline", Side::Remote),
        ];
        let best = |causes: &[Cause]| causes.iter().min_by_key(|cause| rank(cause)).unwrap().code;
        assert_eq!(best(&causes), 603);
        assert_eq!(best(&causes[..4]), 486);
        assert_eq!(best(&causes[..2]), 500);
        assert_eq!(best(&causes[..1]), 503);
    }

    #[test]
    fn challenges_redirections_and_silence_mean_unavailable() {
        for (code, by) in [(401, Side::Remote), (302, Side::Remote), (408, Side::Network), (200, Side::Local)]
        {
            assert_eq!(refusal_for_caller(&Cause::new(code, "x", by)).0, 480);
        }
        assert_eq!(refusal_for_caller(&Cause::new(486, "Busy Here", Side::Remote)), (486, "Busy Here"));
    }
}
