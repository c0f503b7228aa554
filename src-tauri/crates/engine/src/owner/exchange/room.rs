//! Phones that call `room-NAME` come into that meeting, where its rules let them.

use super::{
    super::{
        Owner,
        leg::{Leg, Refused, VideoWish, every_video_codec, offers_video},
        rooms::Seen,
        view::new_id,
    },
    FORBIDDEN, Role, SERVICE_UNAVAILABLE,
    incoming::Arrival,
};
use crate::{io::media::Join, rooms::Came};
use sidetone_api::{CallId, CallStatus, FailureCode, ParticipantId};
use std::time::Instant;

pub(super) const PREFIX: &str = "room-";
const NOT_FOUND: u16 = 404;
const BUSY_HERE: u16 = 486;

/// A phone in a room, or in front of it.
pub(super) struct InRoom {
    pub(super) leg: Leg,
    /// As rooms know it.
    pub(super) id: CallId,
    /// What it is answered with once a host lets it in.
    answer: Option<Vec<u8>>,
}

impl Owner {
    pub(super) fn arrive_in_room(&mut self, arrival: Arrival, room: &str) -> Result<(), Refused> {
        let refused = |status, text: &str| Refused { status, text: text.into() };
        let id = new_id("x").map_err(|failure| refused(SERVICE_UNAVAILABLE, &failure.message))?;
        let id = CallId::new(id);
        let mut leg = self.open_exchange_leg(&arrival.hop)?;
        if arrival.offer.as_deref().is_some_and(offers_video) {
            self.add_video(&mut leg, every_video_codec());
            leg.want_video(VideoWish::See);
        }
        let sdp = match &arrival.offer {
            Some(offer) => leg.answer(offer, &self.media).inspect_err(|_| leg.close(&self.media))?,
            None => leg.offer(),
        };
        let user = arrival.from.uri.user_text();
        let shown = arrival.from.display.clone().or(user).unwrap_or_default();
        let (came, of) = match self.phone_joins_room(room, &id, &shown) {
            Ok(came) => came,
            Err(why) => {
                leg.close(&self.media);
                return Err(match why {
                    None => refused(NOT_FOUND, "Not Found"),
                    Some(failure) if failure.code == FailureCode::Limit => {
                        refused(BUSY_HERE, &failure.message)
                    }
                    Some(failure) => refused(FORBIDDEN, &failure.message),
                });
            }
        };
        let in_room = InRoom { leg, id: id.clone(), answer: Some(sdp) };
        self.exchange.calls.insert(arrival.call, Role::Room(Box::new(in_room)));
        match came {
            Came::In => self.admit_phone(&id, &of),
            Came::Knocks => {
                if let Some(agent) = &mut self.exchange.agent {
                    agent.ua.ring(Instant::now(), arrival.call);
                }
                self.set_phone_status(arrival.call, CallStatus::Ring, "180 Ringing");
            }
        }
        Ok(())
    }

    fn phone_in_room(&mut self, id: &CallId) -> Option<(sidetone_sip::CallId, &mut InRoom)> {
        self.exchange.calls.iter_mut().find_map(|(call, role)| match role {
            Role::Room(in_room) if in_room.id == *id => Some((*call, &mut **in_room)),
            _ => None,
        })
    }

    /// It is answered, and in.
    pub(in super::super) fn admit_phone(&mut self, id: &CallId, of: &ParticipantId) {
        let Some((room, login)) = self.place_of_phone(of) else { return };
        let Some((call, in_room)) = self.phone_in_room(id) else { return };
        let (leg, answer) = ((in_room.leg.id, Seen::of(&in_room.leg)), in_room.answer.take());
        if let Some(sdp) = answer
            && let Some(agent) = &mut self.exchange.agent
        {
            agent.ua.answer(Instant::now(), call, sdp);
        }
        if let Some(Role::Room(in_room)) = self.exchange.calls.get(&call) {
            in_room.leg.join(Join::Room, &self.media);
        }
        self.set_phone_status(call, CallStatus::Established, "200 OK");
        if let Err(failure) = self.begin_room_call(room, of, id, leg, &login) {
            tracing::warn!("a phone cannot be in a room: {failure}");
            self.leave_room(of);
            self.hang_up_phone(id);
        }
    }

    /// It waited, and is not let in.
    pub(in super::super) fn refuse_phone(&mut self, id: &CallId, info: &str) {
        let Some((call, _)) = self.phone_in_room(id) else { return };
        self.exchange_reject(call, &Refused { status: FORBIDDEN, text: info.into() });
    }

    /// Where it still is: what becomes of it is told by its end.
    pub(in super::super) fn hang_up_phone(&mut self, id: &CallId) {
        let Some((call, _)) = self.phone_in_room(id) else { return };
        if let Some(agent) = &mut self.exchange.agent {
            agent.ua.hang_up(Instant::now(), call, None);
        }
    }

    pub(super) fn on_phone_in_room_ended(&mut self, call: sidetone_sip::CallId) {
        let Some(Role::Room(in_room)) = self.exchange.calls.remove(&call) else { return };
        in_room.leg.close(&self.media);
        self.phone_leaves_rooms(&in_room.id);
    }

    /// What one who holds us plays is not for the others.
    pub(super) fn rejoin_room(&mut self, call: sidetone_sip::CallId) {
        let Some(Role::Room(in_room)) = self.exchange.calls.get(&call) else { return };
        if in_room.answer.is_none() {
            let join = if in_room.leg.is_held() { Join::Nothing } else { Join::Room };
            in_room.leg.join(join, &self.media);
            let (id, seen) = (in_room.id.clone(), Seen::of(&in_room.leg));
            self.follow_picture(&id, seen);
        }
    }
}
