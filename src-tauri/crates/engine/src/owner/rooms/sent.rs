//! What a call sends to its room, as one stream: its sound, and its picture while there is one.

use super::{super::Owner, Claim};
use crate::{
    io::{
        media::{Ask as MediaAsk, LegId, Outlet, PublishedSound, VideoOutlet},
        streams::{
            Ask, Key, Own, Tracks,
            router::{AudioTrack, VideoTrack},
            send::Control,
        },
    },
    owner::leg::Leg,
};
use sidetone_api::{CallId, Failure, FailureCode, ParticipantId};
use sidetone_media::{Codec, video::VideoCodec};

/// A picture that comes from a call.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in super::super) struct Seen {
    leg: LegId,
    codec: VideoCodec,
}

#[derive(Debug)]
pub(super) struct Sent {
    pub(super) key: Key,
    own: Own,
    leg: LegId,
    seen: Option<Seen>,
}

impl Seen {
    pub(in super::super) fn of(leg: &Leg) -> Option<Self> {
        let agreed = leg.agreed_video().filter(|agreed| agreed.direction.receives())?;
        let codec = agreed.codec.capability.name.parse().ok()?;
        Some(Self { leg: leg.video_id()?, codec })
    }
}

impl Sent {
    pub(super) fn shows(&self, seen: Option<Seen>) -> bool {
        self.seen == seen
    }

    pub(super) fn has_video(&self) -> bool {
        self.seen.is_some()
    }
}

impl Owner {
    pub(super) fn begin_sent(
        &mut self,
        room: &str,
        of: &ParticipantId,
        login: &str,
        leg: LegId,
        seen: Option<Seen>,
    ) -> Result<Sent, Failure> {
        let name = self.name_of_stream(room, login, false)?;
        let (key, own, control) = (self.streams.new_key(), Own::default(), Control::default());
        let outlet = Outlet::of(self.stream_door.inlet(key), &own, false);
        let sound = PublishedSound::new(Codec::Opus, outlet, false);
        let sound = sound.map_err(|error| Failure::new(FailureCode::Limit, error.to_string()))?;
        let claim = Claim { room: room.to_owned(), of: of.clone(), key, screen: false };
        self.rooms.claims.insert(name.clone(), claim);
        let audio = AudioTrack { codec: Codec::Opus.name().into(), clock_rate: Codec::Opus.clock_rate() };
        let video = seen.map(|seen| VideoTrack { codec: seen.codec.name().into(), layers: 1 });
        self.stream_door.ask(Ask::Publish {
            stream: key,
            name,
            tracks: Tracks { video, audio: Some(audio) },
            own: own.clone(),
            control: control.clone(),
        });
        self.media.ask(MediaAsk::PublishLeg { leg, sound: Some(Box::new(sound)) });
        if let Some(Seen { leg, codec }) = seen {
            let outlet = VideoOutlet::new(codec, self.stream_door.inlet(key), &own, control);
            self.media.ask(MediaAsk::PublishVideo { leg, outlet: Some(Box::new(outlet)) });
        }
        Ok(Sent { key, own, leg, seen })
    }

    /// Nobody has it any more.
    pub(super) fn end_sent(&mut self, sent: &Sent) {
        self.on_room_stream_over(sent.key, false);
        self.stream_door.ask(Ask::End { stream: sent.key });
        sent.own.close();
        self.media.ask(MediaAsk::PublishLeg { leg: sent.leg, sound: None });
        if let Some(seen) = sent.seen {
            self.media.ask(MediaAsk::PublishVideo { leg: seen.leg, outlet: None });
        }
    }

    /// The picture of a call was added, dropped, or comes in another codec: what is sent is another stream.
    pub(in super::super) fn follow_picture(&mut self, call: &CallId, seen: Option<Seen>) {
        let Some((of, before)) = self.rooms.calls.take_sent(call, seen) else { return };
        self.end_sent(&before);
        let Some((room, login)) = self.place_of_phone(&of) else { return };
        match self.begin_sent(&room, &of, &login, before.leg, seen) {
            Ok(sent) => self.rooms.calls.now_sends(call, sent),
            Err(failure) => {
                tracing::warn!("a call cannot be in a room: {failure}");
                return self.leave_room(&of);
            }
        }
        let member = self.room_of(&of).and_then(|room| room.member(&of));
        if member.is_some_and(|member| member.audio_muted) {
            self.silence_call(&of, true);
        }
    }
}
