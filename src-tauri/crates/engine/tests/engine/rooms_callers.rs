//! The pictures of callers in rooms: a call of ours that is added, and a phone that dials the room.

use crate::{
    kit::{Phone, gateway},
    rooms::{ask, join, joining},
    video_calls::with_camera,
};
use sidetone_api::CallStatus::Established;
use sidetone_api::{ParticipantKind, RoomAsk, RoomStream, Settings, Snapshot, StreamId};

fn of_host(codec: &str) -> Settings {
    let mut settings = gateway();
    settings.video = with_camera("bars", &[codec]).video;
    settings
}

/// What the caller sends to the room.
fn sent(state: &Snapshot) -> Option<&RoomStream> {
    let participants = &state.rooms.first()?.participants;
    participants.iter().find(|one| one.kind == ParticipantKind::Phone)?.streams.first()
}

impl Phone {
    /// The stream of the caller, once we play it.
    async fn plays_caller(&mut self, has_video: bool) -> StreamId {
        let is_it = |stream: &RoomStream| stream.has_video == has_video && stream.stream_id.is_some();
        self.until("the caller's stream", |state| sent(state).is_some_and(is_it)).await;
        sent(self.state()).and_then(|stream| stream.stream_id.clone()).unwrap()
    }

    /// A picture that its camera took after this was asked for.
    async fn sees_caller(&mut self) {
        let id = self.plays_caller(true).await;
        let seen = self.sees_picture_now(id).await;
        assert_eq!((seen.width(), seen.height()), (640, 360));
    }
}

async fn a_call_is_seen_in(codec: &str) {
    let mut alice = Phone::direct("alice", of_host(codec)).await;
    let mut bob = Phone::direct("bob", with_camera("bars", &[codec])).await;
    let there = bob.call_with_video(&format!("sip:alice@{}", alice.address())).await;
    let call = alice.answer_with(true).await;
    bob.status(&there, Established).await;
    let room = join(&alice, joining("alice")).await;
    let add = || RoomAsk::AddCall { call_id: call.clone() };
    ask(&alice, &room, add()).await.unwrap();
    alice.sees_caller().await;
    // Our own picture was for the caller alone.
    alice.video_is(&call, "no camera", |video| !video.sending).await;
    ask(&alice, &room, RoomAsk::RemoveCall { call_id: call.clone() }).await.unwrap();
    alice.until("nobody's picture", |state| sent(state).is_none()).await;
    alice.video_is(&call, "the camera again", |video| video.sending && video.receiving).await;
    alice.sees_now(&call, "").await;
    ask(&alice, &room, add()).await.unwrap();
    alice.sees_caller().await;
    bob.set_video(&there, false).await;
    alice.plays_caller(false).await;
    bob.set_video(&there, true).await;
    alice.sees_caller().await;
    alice.hang_up(&call).await;
    alice.until("nobody's picture", |state| sent(state).is_none()).await;
    bob.finish().await;
    alice.finish().await;
}

#[tokio::test]
async fn a_call_that_is_put_into_a_room_is_seen_there_in_vp8() {
    a_call_is_seen_in("VP8").await;
}

#[tokio::test]
async fn a_call_that_is_put_into_a_room_is_seen_there_in_h264() {
    a_call_is_seen_in("H264").await;
}

#[tokio::test]
async fn a_phone_that_dials_a_room_is_seen_there() {
    let mut alice = Phone::start(of_host("VP8")).await;
    let mut bob = Phone::direct("bob", with_camera("bars", &["VP8"])).await;
    join(&alice, joining("alice")).await;
    let there = bob.call_with_video(&format!("sip:room-tea@{}", alice.gateway())).await;
    bob.status(&there, Established).await;
    alice.sees_caller().await;
    bob.set_video(&there, false).await;
    alice.plays_caller(false).await;
    bob.set_video(&there, true).await;
    alice.sees_caller().await;
    bob.hang_up(&there).await;
    alice.until("nobody's picture", |state| sent(state).is_none()).await;
    bob.finish().await;
    alice.finish().await;
}
