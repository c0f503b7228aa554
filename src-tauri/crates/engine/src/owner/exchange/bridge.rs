//! One extension calls another: two calls, one join. All contacts of the callee ring, the first that answers has the call.

use super::{
    super::{Owner, leg::Leg, leg::Refused},
    Role,
    incoming::Arrival,
};
use crate::io::media::Join;
use sidetone_sdp::Capability;
use sidetone_sip::message::NameAddr;
use sidetone_sip::{CallId, Cause, Invite};
use std::{collections::HashMap, time::Instant};

const NOT_FOUND: u16 = 404;
const TEMPORARILY_UNAVAILABLE: u16 = 480;

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) struct BridgeId(u64);

pub(super) struct Bridge {
    caller: CallId,
    caller_leg: Leg,
    /// Kept until it is answered with what the callee took; `None` where the caller made no offer.
    offer: Option<Vec<u8>>,
    callees: Vec<Callee>,
    answered: bool,
    /// The best of the refusals so far (RFC 3261 16.7 step 6, simplified: 6xx, then the lowest class, then the first).
    refusal: Option<Cause>,
}

struct Callee {
    call: CallId,
    leg: Leg,
}

/// The leg of a call of the exchange, whatever its role.
pub(super) fn leg_of<'a>(
    calls: &'a mut HashMap<CallId, Role>,
    bridges: &'a mut HashMap<BridgeId, Bridge>,
    call: CallId,
) -> Option<&'a mut Leg> {
    match calls.get_mut(&call)? {
        Role::Service(leg) => Some(leg),
        Role::Caller(id) => bridges.get_mut(&*id).map(|bridge| &mut bridge.caller_leg),
        Role::Callee(id) => {
            let callee = bridges.get_mut(&*id)?.callees.iter_mut().find(|callee| callee.call == call);
            callee.map(|callee| &mut callee.leg)
        }
    }
}

impl Owner {
    /// Rings every contact of the extension.
    pub(super) fn connect_extension(&mut self, arrival: Arrival, user: &str) -> Result<(), Refused> {
        let Some(agent) = &self.exchange.agent else { return Ok(()) };
        let bindings = agent.ua.bindings(user);
        if bindings.is_empty() {
            return Err(Refused { status: NOT_FOUND, text: "Not Found".into() });
        }
        let mut caller_leg = self.open_exchange_leg(&arrival.hop)?;
        let codecs = match &arrival.offer {
            Some(offer) => {
                caller_leg.answer(offer, &self.media).inspect_err(|_| caller_leg.close(&self.media))?;
                caller_leg.common_codecs()
            }
            None => Vec::new(),
        };
        self.exchange.next_bridge += 1;
        let id = BridgeId(self.exchange.next_bridge);
        let mut callees = Vec::new();
        for binding in bindings {
            let mut leg = match self.open_exchange_leg(binding.flow.as_ref().unwrap_or(&arrival.hop)) {
                Ok(leg) => leg,
                Err(refused) => {
                    tracing::warn!("no media towards {}: {}", binding.contact, refused.text);
                    continue;
                }
            };
            leg.restrict(&codecs);
            let mut from = NameAddr::new(arrival.from.uri.clone());
            from.display.clone_from(&arrival.from.display);
            let invite = Invite {
                target: Some(binding.contact.clone()),
                flow: binding.flow,
                ..Invite::new(from, arrival.to.clone(), leg.offer())
            };
            let Some(agent) = &mut self.exchange.agent else { break };
            let call = agent.ua.invite(Instant::now(), invite);
            self.exchange.calls.insert(call, Role::Callee(id));
            callees.push(Callee { call, leg });
        }
        if callees.is_empty() {
            caller_leg.close(&self.media);
            return Err(Refused { status: TEMPORARILY_UNAVAILABLE, text: "Temporarily Unavailable".into() });
        }
        self.exchange.calls.insert(arrival.call, Role::Caller(id));
        let (caller, offer) = (arrival.call, arrival.offer);
        let bridge = Bridge { caller, caller_leg, offer, callees, answered: false, refusal: None };
        self.exchange.bridges.insert(id, bridge);
        Ok(())
    }

    pub(super) fn on_callee_provisional(
        &mut self,
        id: BridgeId,
        callee: CallId,
        status: u16,
        reason: &str,
        sdp: Option<Vec<u8>>,
    ) {
        let Some(bridge) = self.exchange.bridges.get_mut(&id).filter(|bridge| !bridge.answered) else {
            return;
        };
        let early = sdp.and_then(|sdp| match bridge.join(callee, &sdp, &self.media) {
            Ok(answer) => answer,
            Err(refused) => {
                tracing::debug!("early media of an extension: {}", refused.text);
                None
            }
        });
        let Some(agent) = &mut self.exchange.agent else { return };
        match (early, status) {
            (Some(sdp), _) => agent.ua.progress(Instant::now(), bridge.caller, 183, Some(sdp)),
            (None, 180) => agent.ua.ring(Instant::now(), bridge.caller),
            (None, status) => tracing::debug!("extension says {status} {reason}"),
        }
    }

    pub(super) fn on_callee_answered(&mut self, id: BridgeId, callee: CallId, sdp: &[u8]) {
        let Some(agent) = &mut self.exchange.agent else { return };
        let now = Instant::now();
        let Some(bridge) = self.exchange.bridges.get_mut(&id).filter(|bridge| !bridge.answered) else {
            return agent.ua.hang_up(now, callee, Some("answered elsewhere"));
        };
        let answer = match bridge.join(callee, sdp, &self.media) {
            Ok(answer) => answer.unwrap_or_else(|| bridge.caller_leg.offer()),
            Err(refused) => {
                agent.ua.hang_up(now, callee, Some(&refused.text));
                return agent.ua.reject(now, bridge.caller, refused.status, &refused.text);
            }
        };
        bridge.answered = true;
        agent.ua.answer(now, bridge.caller, answer);
        for other in bridge.callees.iter().filter(|other| other.call != callee) {
            agent.ua.hang_up(now, other.call, Some("answered elsewhere"));
        }
    }

    pub(super) fn on_callee_ended(&mut self, id: BridgeId, callee: CallId, cause: Cause) {
        self.exchange.calls.remove(&callee);
        let Some(agent) = &mut self.exchange.agent else { return };
        let Some(bridge) = self.exchange.bridges.get_mut(&id) else { return };
        let now = Instant::now();
        let Some(place) = bridge.callees.iter().position(|other| other.call == callee) else { return };
        bridge.callees.remove(place).leg.close(&self.media);
        if bridge.answered {
            if bridge.callees.is_empty() {
                agent.ua.hang_up(now, bridge.caller, None);
            }
            return;
        }
        let better = bridge.refusal.as_ref().is_none_or(|best| rank(cause.code) < rank(best.code));
        if better {
            bridge.refusal = Some(cause);
        }
        if let (true, Some(refusal)) = (bridge.callees.is_empty(), &bridge.refusal) {
            let status = if refusal.code >= 300 { refusal.code } else { TEMPORARILY_UNAVAILABLE };
            agent.ua.reject(now, bridge.caller, status, &refusal.text);
        }
    }

    pub(super) fn on_caller_ended(&mut self, id: BridgeId, caller: CallId, cause: &Cause) {
        self.exchange.calls.remove(&caller);
        let Some(bridge) = self.exchange.bridges.get(&id) else { return };
        tracing::debug!("caller of a bridge ended: {cause}");
        bridge.caller_leg.close(&self.media);
        if let Some(agent) = &mut self.exchange.agent {
            for callee in &bridge.callees {
                agent.ua.hang_up(Instant::now(), callee.call, None);
            }
        }
        // The callees' legs close with their own ends.
        self.forget_bridge_when_empty(id);
    }

    fn forget_bridge_when_empty(&mut self, id: BridgeId) {
        let Some(bridge) = self.exchange.bridges.remove(&id) else { return };
        for callee in bridge.callees {
            self.exchange.calls.insert(callee.call, Role::Service(callee.leg));
        }
    }
}

impl Bridge {
    /// Takes a callee's SDP and joins the two legs. Gives the answer to the caller's offer, in the callee's codec where the
    /// caller knows it; `None` where the caller made no offer.
    fn join(
        &mut self,
        callee: CallId,
        sdp: &[u8],
        media: &crate::io::media::Door,
    ) -> Result<Option<Vec<u8>>, Refused> {
        let gone = || Refused { status: TEMPORARILY_UNAVAILABLE, text: "Temporarily Unavailable".into() };
        let callee = self.callees.iter_mut().find(|other| other.call == callee).ok_or_else(gone)?;
        callee.leg.accept(sdp, media)?;
        let answer = match &self.offer {
            Some(offer) => {
                let codec: Option<Capability> =
                    callee.leg.negotiated().map(|negotiated| negotiated.codec.capability.clone());
                if let Some(codec) = codec {
                    self.caller_leg.restrict(&[codec]);
                }
                Some(self.caller_leg.answer(offer, media)?)
            }
            None => None,
        };
        self.caller_leg.join(Join::Leg(callee.leg.id), media);
        callee.leg.join(Join::Leg(self.caller_leg.id), media);
        Ok(answer)
    }
}

/// Lower is better.
fn rank(code: u16) -> (bool, u16) {
    (code < 600, code / 100)
}
