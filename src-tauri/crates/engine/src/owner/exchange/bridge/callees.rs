//! What becomes of the contacts that ring, and of the caller.

use super::{
    super::{super::Owner, Role},
    BridgeId, rank, refusal_for_caller,
};
use crate::io::media::Join;
use sidetone_api::CallStatus;
use sidetone_sip::{CallId, Cause, Side};
use std::time::Instant;

const ELSEWHERE: &str = "Call completed elsewhere";

impl Owner {
    pub(in super::super) fn on_callee_provisional(
        &mut self,
        id: BridgeId,
        callee: CallId,
        status: u16,
        sdp: Option<Vec<u8>>,
    ) {
        let Some(agent) = &mut self.exchange.agent else { return };
        let Some(bridge) = self.exchange.bridges.get_mut(&id).filter(|bridge| !bridge.answered) else {
            return;
        };
        // The first early media is heard, until its callee gives up.
        let sdp = sdp.filter(|_| bridge.joined.is_none_or(|joined| joined == callee));
        let early = sdp.and_then(|sdp| {
            let joined = bridge.join(callee, &sdp, &self.media);
            joined.inspect_err(|refused| tracing::debug!("early media: {}", refused.text)).ok().flatten()
        });
        agent.ua.progress(Instant::now(), bridge.caller.call, status, early);
    }

    pub(in super::super) fn on_callee_answered(&mut self, id: BridgeId, callee: CallId, sdp: &[u8]) {
        let Some(agent) = &mut self.exchange.agent else { return };
        let now = Instant::now();
        let Some(bridge) = self.exchange.bridges.get_mut(&id).filter(|bridge| !bridge.answered) else {
            return agent.ua.hang_up(now, callee, Some(ELSEWHERE));
        };
        match bridge.join(callee, sdp, &self.media) {
            Ok(answer) => {
                bridge.answered = true;
                let answer = answer.unwrap_or_else(|| bridge.caller.leg.offer());
                let caller = bridge.caller.call;
                agent.ua.answer(now, caller, answer);
                for other in bridge.callees.iter().filter(|other| other.call != callee) {
                    agent.ua.hang_up(now, other.call, Some(ELSEWHERE));
                }
                for end in [caller, callee] {
                    self.set_phone_status(end, CallStatus::Established, "200 OK");
                }
                self.pass_hold(callee);
            }
            Err(refused) => {
                agent.ua.hang_up(now, callee, Some(&refused.text));
                self.on_callee_ended(id, callee, Cause::new(refused.status, refused.text, Side::Local));
            }
        }
    }

    pub(in super::super) fn on_callee_ended(&mut self, id: BridgeId, callee: CallId, cause: Cause) {
        self.exchange.calls.remove(&callee);
        let Some(agent) = &mut self.exchange.agent else { return };
        let Some(bridge) = self.exchange.bridges.get_mut(&id) else { return };
        let Some(place) = bridge.callees.iter().position(|other| other.call == callee) else { return };
        let now = Instant::now();
        let had_the_call = bridge.joined == Some(callee);
        if had_the_call {
            bridge.part(&self.media);
        }
        bridge.callees.remove(place).leg.close(&self.media);
        if bridge.answered {
            if had_the_call {
                let caller = bridge.caller.call;
                agent.ua.hang_up(now, caller, None);
                self.forget_transfers(id);
                // A caller who has asked for a transfer and left does not end any more.
                if !self.exchange.calls.contains_key(&caller) {
                    self.exchange.bridges.remove(&id);
                }
            }
            return;
        }
        if bridge.refusal.as_ref().is_none_or(|best| rank(&cause) < rank(best)) {
            bridge.refusal = Some(cause);
        }
        if let (true, Some(refusal)) = (bridge.callees.is_empty(), &bridge.refusal) {
            let (status, text) = refusal_for_caller(refusal);
            agent.ua.reject(now, bridge.caller.call, status, text);
        }
    }

    pub(in super::super) fn on_caller_ended(&mut self, id: BridgeId, caller: CallId, cause: &Cause) {
        self.exchange.calls.remove(&caller);
        self.forget_transfers(id);
        let Some(bridge) = self.exchange.bridges.remove(&id) else { return };
        tracing::debug!("caller of a bridge ended: {cause}");
        bridge.caller.leg.close(&self.media);
        let Some(agent) = &mut self.exchange.agent else { return };
        for callee in bridge.callees {
            if !self.exchange.calls.contains_key(&callee.call) {
                continue;
            }
            // What is left of it is a leg, which closes with the call.
            self.exchange.calls.insert(callee.call, Role::Service(callee.leg, Join::Nothing));
            agent.ua.hang_up(Instant::now(), callee.call, None);
        }
    }
}
