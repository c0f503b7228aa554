use super::{Ask, Key, News, TICK, UNSEEN, Worker};
use crate::io::door;
use crate::io::streams::{
    Own,
    inlet::Inward,
    packet::{Kind, Packet},
    receive,
    router::{Tracks, VideoTrack},
    send::Control,
};
use std::time::Instant;
use tokio::sync::mpsc;

const PUBLISHER: Key = Key(1);
const PLAYER: Key = Key(2);

/// A worker without its thread; what it tells, and the way in for packets.
fn worker() -> (Worker, mpsc::Receiver<News>, mpsc::Sender<(Key, Inward)>) {
    let (_, inward, inbox) = door::pair("streams").unwrap();
    let (news, told) = mpsc::channel(64);
    (Worker::new(inbox, news), told, inward)
}

fn rubbish(sequence: u16) -> Packet {
    Packet {
        kind: Kind::Video,
        layer: 0,
        sequence,
        timestamp: 0,
        marker: true,
        key: true,
        extensions: Default::default(),
        payload: vec![0x67, 1, 2].into(),
    }
}

fn ended(told: &mut mpsc::Receiver<News>, stream: Key) -> Option<(String, bool)> {
    std::iter::from_fn(|| told.try_recv().ok()).find_map(|news| match news {
        News::Ended { stream: of, info, failed } if of == stream => Some((info, failed)),
        _ => None,
    })
}

#[test]
fn a_played_stream_that_can_never_be_shown_fails_in_the_end_and_not_while_it_is_paused() {
    let (mut worker, mut told, inward) = worker();
    let video = Some(VideoTrack { codec: "H264".into(), layers: 1 });
    let tracks = Tracks { video, audio: None };
    let (sink, _outlets) = receive::sink();
    let (name, control) = (String::from("tv"), Control::default());
    worker.on_ask(Ask::Publish {
        stream: PUBLISHER,
        name: name.clone(),
        tracks,
        own: Own::default(),
        control,
    });
    inward.try_send((PUBLISHER, Inward::Packet(rubbish(1)))).unwrap();
    worker.take_inward();
    worker.on_ask(Ask::Play { stream: PLAYER, name, own: Own::default(), sink });
    let begun = Instant::now();
    worker.drain(begun);
    worker.tick(begun + UNSEEN - TICK);
    assert_eq!(ended(&mut told, PLAYER), None);
    worker.on_ask(Ask::Pause { stream: PLAYER, paused: true });
    worker.tick(begun + 2 * UNSEEN);
    assert_eq!(ended(&mut told, PLAYER), None);
    worker.on_ask(Ask::Pause { stream: PLAYER, paused: false });
    worker.tick(begun + 4 * UNSEEN);
    assert_eq!(ended(&mut told, PLAYER), Some(("Failed by RTP activity".into(), true)));
    assert!(!worker.router.plays(PLAYER) && worker.own.len() == 1);
}

#[test]
fn sound_of_a_connection_that_was_lost_does_not_make_a_stream_play_again() {
    let (mut worker, mut told, _inward) = worker();
    let (sink, _outlets) = receive::sink();
    worker.on_ask(Ask::Own { stream: PLAYER, own: Own::default(), published: None, sink: Some(sink) });
    worker.has_sound(PLAYER);
    worker.on_flowing(PLAYER);
    worker.on_ask(Ask::Disconnect { stream: PLAYER });
    let _ = std::iter::from_fn(|| told.try_recv().ok()).count();
    worker.tick(Instant::now() + 2 * TICK);
    let flows = std::iter::from_fn(|| told.try_recv().ok()).any(|news| matches!(news, News::Flowing { .. }));
    assert!(!flows);
}
