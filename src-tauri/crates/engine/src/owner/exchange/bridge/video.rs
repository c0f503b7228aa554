//! Video that one end of a bridge adds later, or drops: the other end is asked first, since nothing is transcoded.

use super::{
    super::{super::Owner, super::leg::every_video_codec, super::leg::offers_video, Role},
    Bridge,
};
use sidetone_sip::CallId;
use std::time::Instant;

impl Owner {
    /// Offers the video of a re-INVITE to the other end, where that has none. True where it was asked: the re-INVITE is answered
    /// when it has.
    pub(in super::super) fn pass_video(&mut self, call: CallId, offer: &[u8]) -> bool {
        let Some(Role::Caller(id) | Role::Callee(id)) = self.exchange.calls.get(&call) else { return false };
        let id = *id;
        let Some(bridge) = self.exchange.bridges.get_mut(&id) else { return false };
        let is_free = |bridge: &mut Bridge| {
            let other = bridge.opposite(call)?;
            (!other.reoffering && other.leg.agreed_video().is_none()).then_some(other.call)
        };
        if bridge.waiting.is_some() || !offers_video(offer) {
            return false;
        }
        let Some(other) = is_free(bridge) else { return false };
        self.give_video(call);
        let own = self.exchange.leg_of(call);
        let codecs = own.map(|leg| leg.video_codecs_of(offer)).unwrap_or_default();
        if codecs.is_empty() {
            self.exchange.leg_of(call).into_iter().for_each(|leg| leg.answer_video_in(None));
            return false;
        }
        self.give_video(other);
        let Some(bridge) = self.exchange.bridges.get_mut(&id) else { return false };
        let Some(end) = bridge.end(other).filter(|end| end.leg.video_id().is_some()) else { return false };
        end.leg.offer_video_in(codecs);
        end.reoffering = true;
        let asked = end.leg.offer();
        bridge.waiting = Some((call, offer.to_vec()));
        if let Some(agent) = &mut self.exchange.agent {
            agent.ua.reinvite(Instant::now(), other, asked);
        }
        true
    }

    /// The other end has said what it thinks of the video: so does the re-INVITE's answer. True where one waited for it.
    pub(super) fn answer_with_video(&mut self, asked: CallId, why_not: Option<&str>) -> bool {
        let Some(Role::Caller(id) | Role::Callee(id)) = self.exchange.calls.get(&asked) else { return false };
        let Some(bridge) = self.exchange.bridges.get_mut(id) else { return false };
        let Some((call, offer)) = bridge.waiting.take_if(|(call, _)| *call != asked) else { return false };
        let taken = bridge.end(asked).and_then(|end| {
            if let Some(why) = why_not {
                end.leg.take_back_video(why);
            }
            end.leg.video_codec()
        });
        if let Some(end) = bridge.end(call) {
            end.leg.answer_video_in(taken.as_ref());
        }
        self.answer_reoffer(call, Some(offer));
        true
    }

    /// Sockets for video, which a leg keeps.
    pub(in super::super) fn give_video(&mut self, call: CallId) {
        let first_port = self.settings.get().network.rtp_port;
        let id = self.new_leg();
        let Some(leg) = self.exchange.leg_of(call) else { return };
        leg.drop_spent_video(&self.media);
        if leg.video_id().is_some() {
            return;
        }
        if let Err(failure) = leg.open_video(id, first_port, every_video_codec(), &self.media) {
            tracing::warn!("a call goes on without video: {failure}");
        }
    }
}
