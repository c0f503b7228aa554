//! A room as those who are in it see it.

use super::{super::Owner, At, own::Stay, show::NOT_SHOWN};
use crate::rooms::{Member, Published, Room};
use sidetone_api::{
    KnockingView, ParticipantId, ParticipantView, Quality, QualityView, RoomId, RoomStatus, RoomStream,
    RoomView,
};

impl Owner {
    pub(in super::super) fn room_views(&self) -> Vec<RoomView> {
        self.rooms.stays.keys().filter_map(|id| self.room_view(id)).collect()
    }

    /// As our user sees it.
    pub(super) fn room_view(&self, id: &RoomId) -> Option<RoomView> {
        let stay = self.rooms.stays.get(id)?;
        if let Some(far) = &stay.far {
            return Some(self.far_view(stay, far));
        }
        let nobody = Room::new(stay.room.clone(), Default::default(), None);
        let room = self.rooms.all.get(&stay.room).unwrap_or(&nobody);
        Some(RoomView {
            room_id: id.clone(),
            status: stay.status,
            info: stay.info.clone(),
            joined_at: Some(stay.joined_at),
            ..self.view_for(room, &stay.own, Some(stay))
        })
    }

    /// As another participant sees it.
    pub(super) fn room_view_for(&self, name: &str, own: &ParticipantId) -> Option<RoomView> {
        let room = self.rooms.all.get(name)?;
        room.member(own)?;
        Some(self.view_for(room, own, None))
    }

    fn view_for(&self, room: &Room, own: &ParticipantId, stay: Option<&Stay>) -> RoomView {
        let (published, recording) = self.composition_view(&room.name, stay.is_some());
        let is_host = room.member(own).is_some_and(|member| member.host);
        let knocking = room.knocking().iter().filter(|_| is_host).map(|waiting| KnockingView {
            participant_id: waiting.member.id.clone(),
            login: waiting.member.login.clone(),
            since: waiting.since,
        });
        RoomView {
            room_id: RoomId::new(own.as_str()),
            name: room.name.clone(),
            session_id: None,
            status: RoomStatus::Joined,
            info: String::new(),
            own: own.clone(),
            settings: room.settings.clone(),
            has_password: room.has_password(),
            participants: room
                .members()
                .iter()
                .map(|member| self.participant(room, member, own, stay))
                .collect(),
            knocking: knocking.collect(),
            played: self.played_in(&room.name),
            published,
            recording,
            joined_at: None,
        }
    }

    fn participant(
        &self,
        room: &Room,
        member: &Member,
        own: &ParticipantId,
        stay: Option<&Stay>,
    ) -> ParticipantView {
        let hearing = stay.and_then(|stay| stay.heard.get(&member.id)).copied().unwrap_or_default();
        let streams: Vec<_> =
            member.streams.iter().map(|stream| self.room_stream(stream, own, stay)).collect();
        let qualities = streams.iter().filter_map(|stream| self.quality_of(stream));
        let quality = qualities.max_by_key(|quality| worse(quality.level)).unwrap_or_default();
        ParticipantView {
            participant_id: member.id.clone(),
            login: member.login.clone(),
            kind: member.kind,
            host: member.host,
            guest: member.guest,
            call_id: stay
                .and_then(|_| self.rooms.calls.call_of(&member.id))
                .filter(|call| self.calls.contains_key(call)),
            streams,
            audio_muted: member.audio_muted,
            hand: room.hand_of(member),
            speaking: stay.is_some_and(|stay| stay.voices.is_speaking(&member.id)),
            active: stay.is_some_and(|stay| stay.voices.is_active(&member.id)),
            heard: stay.and_then(|stay| stay.voices.is_heard(&member.id)),
            quality,
            volume: hearing.volume,
            muted_here: hearing.muted,
        }
    }

    pub(super) fn quality_of(&self, stream: &RoomStream) -> Option<QualityView> {
        Some(self.streams.get(stream.stream_id.as_ref()?)?.quality().clone())
    }

    fn room_stream(&self, stream: &Published, own: &ParticipantId, stay: Option<&Stay>) -> RoomStream {
        let played = stay.and_then(|stay| stay.played.get(&stream.name));
        let claim = self.rooms.claims.get(&stream.name);
        let is_ours = claim.is_some_and(|claim| {
            let at = self.rooms.seats.get(&claim.of).map(|seat| &seat.at);
            stay.is_some_and(|stay| at == Some(&At::Own(stay.id.clone())))
        });
        let ours = claim.filter(|_| is_ours).and_then(|claim| self.streams.id_of(claim.key));
        let stream_id = played.and_then(|played| played.stream.clone()).or(ours);
        let found = stream_id.as_ref().and_then(|id| self.streams.get(id));
        let info = match played {
            Some(played) if !played.info.is_empty() => played.info.clone(),
            Some(played) if played.hidden && stream.has_video => NOT_SHOWN.to_owned(),
            Some(_) => String::new(),
            None => match self.rooms.seats.get(own).map(|seat| &seat.at) {
                Some(At::Client { session, .. }) => self.why_unseen_by(session, &stream.name).to_owned(),
                _ => String::new(),
            },
        };
        RoomStream {
            name: stream.name.clone(),
            screen: stream.screen,
            has_video: stream.has_video,
            has_audio: stream.has_audio,
            video_muted: found.map_or(stream.video_muted, |found| found.is_video_muted()),
            level: found.map_or(Quality::Unknown, |found| found.quality().level),
            stream_id,
            info,
        }
    }
}

pub(super) fn worse(level: Quality) -> u8 {
    match level {
        Quality::Unknown => 0,
        Quality::Good => 1,
        Quality::Fair => 2,
        Quality::Poor => 3,
    }
}
