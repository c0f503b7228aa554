//! Many sessions at once.

use super::{
    Gateway, SOON,
    socket::{HELLO, Said, Socket},
};
use sidetone_testkit::{Needs, measure, room};
use std::time::{Duration, Instant};

const SESSIONS: usize = 1_000;
/// That come at once.
const BURST: usize = 200;
/// More than one takes by far; a leak of buffers shows.
const MOST_KB: u64 = 256;

/// Connects so many at once and waits until all are sessions.
fn crowd(gateway: &Gateway) -> (Vec<Socket>, Duration) {
    let start = Instant::now();
    let mut sockets: Vec<_> = (0..BURST).map(|_| Socket::ask(gateway.ws)).collect();
    for socket in &mut sockets {
        assert_eq!(socket.upgraded(), 101);
        socket.say(HELLO);
    }
    sockets.iter_mut().for_each(Socket::is_established);
    (sockets, start.elapsed())
}

#[test]
fn a_thousand_sessions_stand_idle_and_two_hundred_come_at_once_without_a_failure() {
    let Some(room) = room!(Needs::tools(&[]).network().within(Duration::from_secs(150))) else { return };
    sidetone_testkit::raise_descriptors();
    let gateway = Gateway::start(&room, &[]);
    // What the first ones bring with them for good is not theirs.
    drop(crowd(&gateway));
    none_is_left(&gateway);
    let before = measure::memory(gateway.program.id()).unwrap();
    let (mut all, mut times) = (Vec::new(), Vec::new());
    for _ in 0..SESSIONS / BURST {
        let (sockets, time) = crowd(&gateway);
        all.extend(sockets);
        times.push(time);
    }
    assert_eq!(gateway.sessions(), SESSIONS);
    let after = measure::memory(gateway.program.id()).unwrap();
    let each = after.resident.saturating_sub(before.resident) / SESSIONS as u64;
    let times: Vec<_> = times.iter().map(|time| format!("{} ms", time.as_millis())).collect();
    eprintln!(
        "{SESSIONS} idle sessions: {each} bytes each ({} to {} kB); {BURST} connects took {}",
        before.resident / 1024,
        after.resident / 1024,
        times.join(", ")
    );
    assert!(each < MOST_KB * 1024, "{each} bytes a session");
    // Each of them is pinged, and none was closed.
    for socket in &mut all {
        assert!(matches!(socket.heard(), Said::Message(message) if message["message"] == "ping"));
    }
    drop(all);
    none_is_left(&gateway);
    let mut one = Socket::session(gateway.ws);
    one.say(r#"{"message":"ping","data":[null]}"#);
    assert!(matches!(one.heard(), Said::Message(message) if message["message"] == "pong"));
}

fn none_is_left(gateway: &Gateway) {
    let deadline = Instant::now() + SOON;
    while gateway.sessions() > 0 {
        assert!(Instant::now() < deadline, "{} sessions are left", gateway.sessions());
    }
}
