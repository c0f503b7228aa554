//! REFER and Replaces at the exchange. A transfer is carried out here, and not passed on to the other end: that end need not
//! know REFER, is asked nothing that its user did not ask for, and keeps the dialog and the media that it has.

use super::{
    super::{Owner, leg::Refused, target},
    FORBIDDEN, MAX_CALLS, Role,
    bridge::{Bridge, BridgeId, End, rank, refusal_for_caller},
    guests::PhoneCall,
    incoming::Arrival,
};
use crate::io::media::{Join, LegId};
use sidetone_api::{CallStatus, TransferStatus};
use sidetone_sip::message::{HeaderName, NameAddr, Uri};
use sidetone_sip::{CallId, Cause, DialogName, Way};
use std::time::{Duration, Instant};

const NOT_FOUND: u16 = 404;
const GONE: u16 = 481;
const UNAVAILABLE: u16 = 480;
/// How long one who has been transferred away may take to hang up.
const TIME_TO_LEAVE: Duration = Duration::from_secs(5);

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) struct TransferId(u64);

/// Somebody rings whom one end of a bridge wants in its place.
pub(super) struct Transfer {
    bridge: BridgeId,
    by: CallId,
    targets: Vec<End>,
    refusal: Option<Cause>,
}

/// What an end asks for.
pub(super) struct Referral {
    pub(super) target: Uri,
    pub(super) replaces: Option<DialogName>,
    pub(super) referred_by: Option<NameAddr>,
}

impl Owner {
    /// What the backend lets through.
    pub(super) fn transfer_there(&mut self, by: CallId, referral: Referral, phone: Option<PhoneCall>) {
        if let Err(refused) = self.carry_out(by, referral, phone) {
            self.refuse_transfer_there(by, &refused);
        }
    }

    pub(super) fn refuse_transfer_there(&mut self, by: CallId, Refused { status, text }: &Refused) {
        let now = Instant::now();
        if let Some(agent) = &mut self.exchange.agent
            && !agent.ua.refuse_refer(now, by, *status, text)
        {
            agent.ua.notify_refer(now, by, *status, text);
        }
        self.tell_of_transfer(by, TransferStatus::Failed, &format!("{status} {text}"));
    }

    fn accept_transfer_there(&mut self, by: CallId) -> bool {
        let Some(agent) = &mut self.exchange.agent else { return false };
        let accepted = agent.ua.accept_refer(Instant::now(), by);
        if accepted {
            self.tell_of_transfer(by, TransferStatus::Accepted, "");
        }
        accepted
    }

    fn report_transfer_there(&mut self, by: CallId, status: u16, text: &str) {
        if let Some(agent) = &mut self.exchange.agent {
            agent.ua.notify_refer(Instant::now(), by, status, text);
        }
        let told = match status {
            ..200 => TransferStatus::Trying,
            200..300 => TransferStatus::Completed,
            _ => TransferStatus::Failed,
        };
        self.tell_of_transfer(by, told, &format!("{status} {text}"));
    }

    fn carry_out(&mut self, by: CallId, referral: Referral, phone: Option<PhoneCall>) -> Result<(), Refused> {
        let refused = |status, text: &str| Refused { status, text: text.into() };
        let Some(Role::Caller(id) | Role::Callee(id)) = self.exchange.calls.get(&by) else {
            return Err(refused(FORBIDDEN, "Forbidden"));
        };
        let id = *id;
        let is_answered =
            self.exchange.bridges.get_mut(&id).is_some_and(|bridge| bridge.opposite(by).is_some());
        if !is_answered || self.exchange.transfers.values().any(|transfer| transfer.bridge == id) {
            return Err(refused(FORBIDDEN, "Forbidden"));
        }
        let user = referral.target.user_text().ok_or_else(|| refused(NOT_FOUND, "Not Found"))?;
        if let Some(replaced) = referral.replaces.as_ref().and_then(|name| self.exchange.call_named(name)) {
            return self.connect_opposites(id, by, replaced);
        }
        match user.as_str() {
            "echo" => self.leave_with_service(id, by, Join::Echo),
            "tone" => self.leave_with_service(id, by, Join::Tone),
            user => self.ring_targets(id, by, user, &referral, phone),
        }
    }

    /// Blind: rings the contacts of an extension.
    fn ring_targets(
        &mut self,
        id: BridgeId,
        by: CallId,
        user: &str,
        referral: &Referral,
        phone: Option<PhoneCall>,
    ) -> Result<(), Refused> {
        let Some(agent) = &self.exchange.agent else { return Ok(()) };
        let bindings = agent.ua.bindings(user);
        if bindings.is_empty() {
            let status = if self.exchange.known.contains(user) { UNAVAILABLE } else { NOT_FOUND };
            return Err(Refused { status, text: String::new() });
        }
        let Some(opposite) = self.exchange.bridges.get_mut(&id).and_then(|bridge| bridge.opposite(by)) else {
            return Ok(());
        };
        let (codecs, remote) = (opposite.leg.common_codecs(), opposite.call);
        let from = self.exchange.peer_of(remote);
        let to = target::of_refer(&referral.target).parse().unwrap_or_else(|_| referral.target.clone());
        let (mut targets, mut phones) = (Vec::new(), Vec::new());
        for binding in bindings {
            if self.exchange.calls.len() + targets.len() >= MAX_CALLS {
                break;
            }
            let Some(hop) = binding.flow else { continue };
            let Ok(mut leg) = self.open_exchange_leg(&hop) else { continue };
            leg.prefer(&codecs);
            let invite = sidetone_sip::Invite {
                target: Some(binding.contact),
                way: Way { flow: Some(hop), ..Way::default() },
                replaces: referral.replaces.clone(),
                referred_by: referral.referred_by.clone(),
                headers: vec![(HeaderName::MAX_FORWARDS, "69".into())],
                ..sidetone_sip::Invite::new(from.clone(), Uri::clone(&to), leg.offer())
            };
            let is_own = self.is_own_phone(hop.remote);
            let Some(agent) = &mut self.exchange.agent else { break };
            let end = End::new(agent.ua.invite(Instant::now(), invite), leg);
            phones.extend((!is_own).then_some(end.call));
            targets.push(end);
        }
        if let Some(phone) = phone.filter(|_| !phones.is_empty()) {
            self.exchange.phone_calls.add(phone, phones);
        }
        if targets.is_empty() {
            return Err(Refused { status: UNAVAILABLE, text: String::new() });
        }
        self.exchange.next_bridge += 1;
        let transfer = TransferId(self.exchange.next_bridge);
        self.exchange.calls.extend(targets.iter().map(|end| (end.call, Role::Target(transfer))));
        self.exchange.transfers.insert(transfer, Transfer { bridge: id, by, targets, refusal: None });
        self.accept_transfer_there(by);
        Ok(())
    }

    pub(super) fn on_target_provisional(&mut self, id: TransferId, status: u16, reason: &str) {
        let Some((by, rings)) = self.exchange.transfers.get(&id).map(|it| (it.by, it.rings())) else {
            return;
        };
        if status >= 180 {
            rings.into_iter().for_each(|call| self.set_phone_status(call, CallStatus::Ring, reason));
        }
        self.report_transfer_there(by, status, reason);
    }

    pub(super) fn on_target_answered(&mut self, id: TransferId, call: CallId, sdp: &[u8]) {
        let Some(transfer) = self.exchange.transfers.get_mut(&id) else { return };
        let Some(place) = transfer.targets.iter().position(|end| end.call == call) else { return };
        if let Err(refused) = transfer.targets[place].leg.accept(sdp, &self.media) {
            if let Some(agent) = &mut self.exchange.agent {
                agent.ua.hang_up(Instant::now(), call, Some(&refused.text));
            }
            return self.on_target_ended(
                id,
                call,
                &Cause::new(refused.status, refused.text, sidetone_sip::Side::Local),
            );
        }
        let Some(mut transfer) = self.exchange.transfers.remove(&id) else { return };
        let end = transfer.targets.remove(place);
        self.set_phone_status(end.call, CallStatus::Established, "200 OK");
        self.drop_targets(transfer.targets, Some("Call completed elsewhere"));
        self.put_in_place(transfer.bridge, transfer.by, end);
        self.send_away(transfer.by);
    }

    pub(super) fn on_target_ended(&mut self, id: TransferId, call: CallId, cause: &Cause) {
        self.exchange.calls.remove(&call);
        let Some(transfer) = self.exchange.transfers.get_mut(&id) else { return };
        let Some(place) = transfer.targets.iter().position(|end| end.call == call) else { return };
        transfer.targets.remove(place).leg.close(&self.media);
        if transfer.refusal.as_ref().is_none_or(|best| rank(cause) < rank(best)) {
            transfer.refusal = Some(cause.clone());
        }
        if !transfer.targets.is_empty() {
            return;
        }
        let Some(transfer) = self.exchange.transfers.remove(&id) else { return };
        let (status, text) = transfer.refusal.as_ref().map_or((UNAVAILABLE, ""), refusal_for_caller);
        self.report_transfer_there(transfer.by, status, text);
        let Some(agent) = &mut self.exchange.agent else { return };
        // Who asked has hung up meanwhile: nobody is left for the other end.
        if !self.exchange.calls.contains_key(&transfer.by)
            && let Some(bridge) = self.exchange.bridges.get_mut(&transfer.bridge)
            && let Some(opposite) = bridge.opposite(transfer.by)
        {
            agent.ua.hang_up(Instant::now(), opposite.call, None);
        }
    }

    /// One end of a bridge hangs up while somebody rings to take its place: the other end waits. `false` where nobody does.
    pub(super) fn leaves_before_its_successor(&mut self, call: CallId) -> bool {
        let Some(transfer) = self.exchange.transfers.values().find(|transfer| transfer.by == call) else {
            return false;
        };
        let Some(bridge) = self.exchange.bridges.get_mut(&transfer.bridge) else { return false };
        self.exchange.calls.remove(&call);
        if let Some(end) = bridge.end(call) {
            end.leg.close(&self.media);
        }
        if let Some(opposite) = bridge.opposite(call) {
            opposite.leg.join(Join::Nothing, &self.media);
        }
        true
    }

    /// The other end has hung up: nobody is to be called for it any more.
    pub(super) fn forget_transfers(&mut self, id: BridgeId) {
        let of_bridge = |_: &TransferId, transfer: &mut Transfer| transfer.bridge == id;
        let ended: Vec<_> = self.exchange.transfers.extract_if(of_bridge).collect();
        for (_, transfer) in ended {
            self.report_transfer_there(transfer.by, 487, "Request Terminated");
            self.drop_targets(transfer.targets, None);
        }
    }

    fn drop_targets(&mut self, targets: Vec<End>, reason: Option<&str>) {
        for end in targets {
            self.exchange.calls.insert(end.call, Role::Service(end.leg, Join::Nothing));
            if let Some(agent) = &mut self.exchange.agent {
                agent.ua.hang_up(Instant::now(), end.call, reason);
            }
        }
    }

    /// Attended: both calls of `by` come through here, and their other ends get each other.
    fn connect_opposites(&mut self, id: BridgeId, by: CallId, replaced: CallId) -> Result<(), Refused> {
        let refused = |status| Refused { status, text: String::new() };
        let Some(Role::Caller(other) | Role::Callee(other)) = self.exchange.calls.get(&replaced) else {
            return Err(refused(GONE));
        };
        let other = *other;
        let is_up =
            self.exchange.bridges.get_mut(&other).is_some_and(|bridge| bridge.opposite(replaced).is_some());
        if other == id || !is_up {
            return Err(refused(GONE));
        }
        if !self.accept_transfer_there(by) {
            return Ok(());
        }
        self.forget_transfers(other);
        let Some(bridge) = self.exchange.bridges.remove(&other) else { return Err(refused(GONE)) };
        let (gone, stays) = bridge.split(replaced);
        if let Some(gone) = gone {
            self.drop_targets(vec![gone], Some("replaced"));
        }
        if let Some(stays) = stays {
            self.put_in_place(id, by, stays);
        }
        self.send_away(by);
        Ok(())
    }

    /// `end` gets the place that `old` had in a bridge.
    fn put_in_place(&mut self, id: BridgeId, old: CallId, end: End) {
        let Some(bridge) = self.exchange.bridges.get_mut(&id) else {
            return self.drop_targets(vec![end], None);
        };
        let call = end.call;
        let is_caller = bridge.is_caller(old);
        let Some(gone) = bridge.replace(old, end, &self.media) else { return };
        self.exchange.calls.insert(call, if is_caller { Role::Caller(id) } else { Role::Callee(id) });
        // Where it has hung up already, its leg is closed.
        if self.exchange.calls.contains_key(&old) {
            gone.leg.join(Join::Nothing, &self.media);
            self.exchange.calls.insert(old, Role::Service(gone.leg, Join::Nothing));
        }
        self.pass_hold(call);
        let opposite =
            self.exchange.bridges.get_mut(&id).and_then(|bridge| bridge.opposite(call)).map(|end| end.call);
        if let Some(opposite) = opposite {
            self.pass_hold(opposite);
        }
    }

    /// The transfer is done: the one who asked for it hangs up, or is hung up.
    fn send_away(&mut self, by: CallId) {
        self.report_transfer_there(by, 200, "OK");
        if self.exchange.calls.contains_key(&by) {
            self.exchange.leaving.push((Instant::now() + TIME_TO_LEAVE, by));
        }
    }

    pub(in super::super) fn hang_up_leaving(&mut self, now: Instant) {
        let due = |(at, _): &mut (Instant, CallId)| *at <= now;
        for (_, call) in self.exchange.leaving.extract_if(.., due).collect::<Vec<_>>() {
            if let (true, Some(agent)) = (self.exchange.calls.contains_key(&call), &mut self.exchange.agent) {
                agent.ua.hang_up(now, call, None);
            }
        }
    }

    /// The other end is left with `echo` or `tone`.
    fn leave_with_service(&mut self, id: BridgeId, by: CallId, join: Join) -> Result<(), Refused> {
        self.accept_transfer_there(by);
        let Some(bridge) = self.exchange.bridges.remove(&id) else { return Ok(()) };
        let (gone, stays) = bridge.split(by);
        if let Some(gone) = gone {
            gone.leg.join(Join::Nothing, &self.media);
            self.exchange.calls.insert(by, Role::Service(gone.leg, Join::Nothing));
        }
        if let Some(mut stays) = stays {
            stays.leg.join(join, &self.media);
            if stays.told_held {
                stays.leg.hold(false);
                let offer = stays.leg.offer();
                if let Some(agent) = &mut self.exchange.agent {
                    agent.ua.reinvite(Instant::now(), stays.call, offer);
                }
            }
            self.exchange.calls.insert(stays.call, Role::Service(stays.leg, Join::Nothing));
        }
        self.send_away(by);
        Ok(())
    }

    /// An INVITE with Replaces: the caller takes the place of one end of a bridge.
    pub(super) fn replace_end(&mut self, arrival: &Arrival, replaced: CallId) -> Result<(), Refused> {
        let refused = |status| Refused { status, text: String::new() };
        let Some(Role::Caller(id) | Role::Callee(id)) = self.exchange.calls.get(&replaced) else {
            return Err(refused(GONE));
        };
        let id = *id;
        let codec = self.exchange.codec_opposite(replaced).ok_or_else(|| refused(GONE))?;
        let mut leg = self.open_exchange_leg(&arrival.hop)?;
        let sdp = match &arrival.offer {
            Some(offer) => {
                leg.answer_in(Some(&codec), offer, &self.media).inspect_err(|_| leg.close(&self.media))?
            }
            None => leg.offer(),
        };
        let Some(agent) = &mut self.exchange.agent else { return Ok(()) };
        agent.ua.answer(Instant::now(), arrival.call, sdp);
        self.set_phone_status(arrival.call, CallStatus::Established, "200 OK");
        self.put_in_place(id, replaced, End::new(arrival.call, leg));
        if let Some(agent) = &mut self.exchange.agent {
            agent.ua.hang_up(Instant::now(), replaced, Some("replaced"));
        }
        Ok(())
    }
}

impl Transfer {
    fn rings(&self) -> Vec<CallId> {
        self.targets.iter().map(|end| end.call).collect()
    }
}

impl super::Exchange {
    /// The call whose media this is, where it is bridged.
    pub(in super::super) fn call_of_leg(&mut self, leg: LegId) -> Option<CallId> {
        let bridges = self.bridges.values();
        let mut ends = bridges.flat_map(|bridge| std::iter::once(&bridge.caller).chain(&bridge.callees));
        let in_room = self.calls.iter().find_map(|(call, role)| match role {
            Role::Room(in_room) if in_room.leg.id == leg => Some(*call),
            _ => None,
        });
        ends.find(|end| end.leg.id == leg).map(|end| end.call).or(in_room)
    }

    /// The call whose dialog a peer names.
    fn call_named(&self, name: &DialogName) -> Option<CallId> {
        let agent = self.agent.as_ref()?;
        // As the peer would be told its name, with the tags the other way round.
        let is_meant = |call: &&CallId| {
            agent.ua.dialog_name(**call).is_some_and(|ours| {
                ours.call_id == name.call_id && ours.to_tag == name.from_tag && ours.from_tag == name.to_tag
            })
        };
        self.calls.keys().find(is_meant).copied()
    }

    /// The far end of a call, as the one who is called by a transfer sees it.
    pub(super) fn peer_of(&self, call: CallId) -> NameAddr {
        let uri = self.agent.as_ref().and_then(|agent| agent.ua.remote_target(call));
        let host = self.sip_address().map(|address| address.ip());
        let mut shown = Uri::sip(None, host.unwrap_or(super::ADDRESS).into(), None);
        shown.user = uri.and_then(|uri| uri.user);
        NameAddr::new(shown)
    }
}

impl Bridge {
    fn is_caller(&self, call: CallId) -> bool {
        self.caller.call == call
    }

    /// Puts `end` in the place of `old`, joined to the other end, and gives back what was there.
    fn replace(&mut self, old: CallId, end: End, media: &crate::io::media::Door) -> Option<End> {
        let (call, leg) = (end.call, end.leg.id);
        let gone = if self.is_caller(old) {
            std::mem::replace(&mut self.caller, end)
        } else {
            let place = self.callees.iter().position(|other| other.call == old)?;
            let gone = std::mem::replace(&mut self.callees[place], end);
            self.joined = Some(call);
            gone
        };
        if let Some(opposite) = self.opposite(call) {
            opposite.leg.join(Join::Leg(leg), media);
            let opposite = opposite.leg.id;
            if let Some(end) = self.end(call) {
                end.leg.join(Join::Leg(opposite), media);
            }
        }
        Some(gone)
    }

    /// The end of `call`, and the one that it was joined to.
    fn split(mut self, call: CallId) -> (Option<End>, Option<End>) {
        let winner = self.joined.and_then(|joined| self.callees.iter().position(|end| end.call == joined));
        let callee = winner.map(|place| self.callees.swap_remove(place));
        if self.caller.call == call { (Some(self.caller), callee) } else { (callee, Some(self.caller)) }
    }
}
