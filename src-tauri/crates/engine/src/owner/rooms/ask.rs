//! What our user asks of a room.

use super::super::Owner;
use crate::owner::{call::Wish, streams::check_volume};
use sidetone_api::{Failure, ParticipantId, Reply, RoomAsk, RoomId, SessionId};
use std::time::Instant;

impl Owner {
    pub(in super::super) fn ask_room(&mut self, id: &RoomId, ask: RoomAsk) -> Result<Reply, Failure> {
        let stay = self.stay(id)?;
        if stay.far.is_some() {
            return self.ask_far(id, ask);
        }
        let own = stay.own.clone();
        match ask {
            RoomAsk::Leave => self.leave_stay(id),
            RoomAsk::SetSources { sources } => self.send_to_room(id, sources, false)?,
            RoomAsk::ShareScreen { sources } => self.send_to_room(id, sources, true)?,
            RoomAsk::Mute { audio, video } => self.mute_stay(id, audio, video),
            RoomAsk::Hear { participant_id, volume, muted } => {
                self.hear(id, &participant_id, volume, muted)?
            }
            RoomAsk::Show { pictures } => self.show(id, pictures)?,
            RoomAsk::Invite { login, admitted, once } => return self.invite(id, login, admitted, once),
            RoomAsk::RevokeInvites => self.revoke_invites(id)?,
            RoomAsk::AddCall { call_id } => self.add_call(id, &call_id)?,
            RoomAsk::RemoveCall { call_id } => self.remove_call(id, &call_id)?,
            RoomAsk::CallIn { callee, session_id } => return self.call_in(id, &callee, session_id),
            RoomAsk::PlayStream { name } => self.play_into_room(id, name)?,
            RoomAsk::Publish { name, token } => self.publish_room(id, name, token)?,
            RoomAsk::Record { on } => self.record_room(id, on)?,
            ask => {
                let room = self.room_of(&own).ok_or_else(|| Failure::not_found("room", id.as_str()))?;
                room.ask(Instant::now(), &own, ask)?;
            }
        }
        Ok(Reply::Done)
    }

    /// What a participant sends is heard so.
    pub(super) fn hear(
        &mut self,
        id: &RoomId,
        participant: &ParticipantId,
        volume: Option<f32>,
        muted: Option<bool>,
    ) -> Result<(), Failure> {
        if let Some(volume) = volume {
            check_volume("volume", volume)?;
        }
        let own = self.stay(id)?.own.clone();
        let names = self.streams_of_participant(id, participant).filter(|_| *participant != own);
        let names = names.ok_or_else(|| Failure::not_found("participant", participant.as_str()))?;
        let stay = self.stay(id)?;
        let hearing = stay.heard.entry(participant.clone()).or_default();
        hearing.volume = volume.unwrap_or(hearing.volume);
        hearing.muted = muted.unwrap_or(hearing.muted);
        let gain = hearing.gain();
        stay.changed = true;
        let played = names.iter().filter_map(|name| stay.played.get(name)?.stream.clone());
        for stream in played.collect::<Vec<_>>() {
            self.change_stream(&stream, None, None, None, Some(gain))?;
        }
        Ok(())
    }

    /// Their names, wherever the room is.
    fn streams_of_participant(&self, id: &RoomId, participant: &ParticipantId) -> Option<Vec<String>> {
        let stay = self.rooms.stays.get(id)?;
        if let Some(far) = &stay.far {
            let found = far.mirror.participant(participant)?;
            return Some(found.streams.iter().map(|stream| stream.name.clone()).collect());
        }
        let member = self.rooms.all.get(&stay.room)?.member(participant)?;
        Some(member.streams.iter().map(|stream| stream.name.clone()).collect())
    }
}

impl Owner {
    /// The reply names the call, which comes into the room when it is answered.
    fn call_in(&mut self, id: &RoomId, callee: &str, session: Option<SessionId>) -> Result<Reply, Failure> {
        self.hosted_room(id)?;
        let reply = self.place(Wish { session, ..Wish::of(callee) })?;
        if let Reply::Call { call_id } = &reply {
            self.rooms.calls.called.insert(call_id.clone(), id.clone());
        }
        Ok(reply)
    }
}
