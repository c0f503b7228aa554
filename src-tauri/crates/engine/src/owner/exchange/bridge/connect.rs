//! From an INVITE to the ringing of every contact.

use super::{
    super::{
        super::Owner,
        super::leg::{Refused, every_video_codec, offers_video},
        FORBIDDEN, MAX_CALLS, Role,
        guests::Called,
        incoming::Arrival,
    },
    Bridge, BridgeId, End, TEMPORARILY_UNAVAILABLE,
};
use sidetone_sdp::Capability;
use sidetone_sip::Invite;
use sidetone_sip::message::{HeaderName, NameAddr};
use sidetone_sip::{Binding, CallId, Way};
use std::time::Instant;

const NOT_FOUND: u16 = 404;
const TOO_MANY_HOPS: u16 = 483;

impl Owner {
    /// Rings contacts of the extension: all of them, or only those of our own accounts.
    pub(in super::super) fn connect_extension(
        &mut self,
        arrival: Arrival,
        user: &str,
        called: Called,
    ) -> Result<(), Refused> {
        let Some(agent) = &self.exchange.agent else { return Ok(()) };
        let bindings = agent.ua.bindings(user);
        if bindings.is_empty() {
            return Err(if self.exchange.known.contains(user) { unavailable() } else { not_found() });
        }
        if arrival.max_forwards == 0 {
            return Err(Refused { status: TOO_MANY_HOPS, text: "Too Many Hops".into() });
        }
        let mut caller = End::new(arrival.call, self.open_exchange_leg(&arrival.hop)?);
        if arrival.offer.as_deref().is_some_and(offers_video) {
            self.add_video(&mut caller.leg, every_video_codec());
        }
        if let Some(offer) = &arrival.offer {
            caller.leg.prepare(offer).inspect_err(|_| caller.leg.close(&self.media))?;
        }
        let (codecs, video) = (caller.leg.common_codecs(), caller.leg.common_video_codecs());
        self.exchange.next_bridge += 1;
        let id = BridgeId(self.exchange.next_bridge);
        let (mut callees, mut phones) = (Vec::new(), Vec::new());
        for binding in bindings {
            let is_own = self.is_own_binding(&binding);
            if !is_own && matches!(called, Called::OwnAlone) {
                continue;
            }
            let Some(end) = self.ring(&arrival, binding, &codecs, &video) else { continue };
            phones.extend((!is_own).then_some(end.call));
            callees.push(end);
        }
        if callees.is_empty() {
            caller.leg.close(&self.media);
            return Err(if matches!(called, Called::OwnAlone) { forbidden() } else { unavailable() });
        }
        if let (Called::Phone(phone), false) = (called, phones.is_empty()) {
            self.exchange.phone_calls.add(*phone, phones);
        }
        self.exchange.calls.insert(arrival.call, Role::Caller(id));
        self.exchange.calls.extend(callees.iter().map(|callee| (callee.call, Role::Callee(id))));
        let offer = arrival.offer;
        let bridge =
            Bridge { caller, offer, callees, joined: None, answered: false, waiting: None, refusal: None };
        self.exchange.bridges.insert(id, bridge);
        Ok(())
    }

    /// Calls one contact: offers what the caller speaks first, and then what we can make of it.
    fn ring(
        &mut self,
        arrival: &Arrival,
        binding: Binding,
        codecs: &[Capability],
        video: &[Capability],
    ) -> Option<End> {
        if self.exchange.calls.len() >= MAX_CALLS {
            return None;
        }
        let leg = self.open_exchange_leg(binding.flow.as_ref().unwrap_or(&arrival.hop));
        let mut leg = leg
            .inspect_err(|refused| tracing::warn!("no media towards {}: {}", binding.contact, refused.text))
            .ok()?;
        leg.prefer(codecs);
        if !video.is_empty() {
            self.add_video(&mut leg, video.to_vec());
        }
        let mut from = NameAddr::new(arrival.from.uri.clone());
        from.display.clone_from(&arrival.from.display);
        let invite = Invite {
            target: Some(binding.contact),
            way: Way { flow: binding.flow, ..Way::default() },
            headers: vec![(HeaderName::MAX_FORWARDS, (arrival.max_forwards - 1).to_string())],
            ..Invite::new(from, arrival.to.clone(), leg.offer())
        };
        let call: CallId = self.exchange.agent.as_mut()?.ua.invite(Instant::now(), invite);
        Some(End::new(call, leg))
    }
}

fn unavailable() -> Refused {
    Refused { status: TEMPORARILY_UNAVAILABLE, text: "Temporarily Unavailable".into() }
}

fn forbidden() -> Refused {
    Refused { status: FORBIDDEN, text: "Forbidden".into() }
}

fn not_found() -> Refused {
    Refused { status: NOT_FOUND, text: "Not Found".into() }
}
