//! The rig's own streams: what browsers, aiortc, Janus and coturn are said to do is true.
#![cfg(unix)]
#![allow(clippy::unwrap_used, clippy::expect_used)]

use serde_json::{Value, json};
use sidetone_testkit::{
    Aiortc, AiortcOptions, Coturn, CoturnOptions, Janus, Needs, PublishOptions, StreamPage, room, until,
};
use std::time::Duration;

const SOON: Duration = Duration::from_secs(30);

/// Waits until `stream` is seen and heard: its clock can be read and is young, its tone is `pitch`.
fn is_seen_and_heard(page: &StreamPage, stream: u64, pitch: f64) {
    let good = || {
        let seen = page.seen(stream, 0).ok()?;
        let last = seen.pictures.last()?;
        let young = last.clock.is_some_and(|clock| (last.at - clock as f64).abs() < 2_000.0);
        let near = seen.pitch.is_some_and(|heard| (heard - pitch).abs() < 12.0);
        (seen.pictures.len() > 20 && young && near && seen.level? > 0.05).then_some(())
    };
    until("picture and sound", SOON, good).unwrap_or_else(|error| {
        panic!(
            "{error}: {:?} {:?}",
            page.seen(stream, 0).map(|seen| (seen.level, seen.pitch, seen.pictures.last().copied())),
            page.events()
        )
    });
}

#[test]
fn a_browser_and_aiortc_see_what_each_other_publishes() {
    let needs = Needs::tools(&StreamPage::TOOLS).within(Duration::from_secs(150));
    let Some(room) = room!(needs) else { return };
    if !Aiortc::is_there() {
        return;
    }
    let server = Aiortc::serve(room.dir(), "server", Some("key")).unwrap();
    let page = StreamPage::start(room.dir(), "a", &[]).unwrap();
    assert!(page.codecs().contains(&"VP8".into()), "{:?}", page.codecs());
    let whip = format!("{}/whip/one", server.url());
    let options = PublishOptions {
        url: &whip,
        token: Some("key"),
        width: 320,
        height: 240,
        pitch: 660.0,
        ..PublishOptions::default()
    };
    let refused = page.publish(&PublishOptions { token: None, ..options.clone() });
    assert_eq!(page.wait(refused, "refused", SOON).unwrap()["status"], 401);
    let published = page.publish(&options);
    page.wait_for("connected", SOON, |event| event["id"] == published && event["state"] == "connected")
        .unwrap();
    let whep = format!("{}/whep/one", server.url());
    let played = page.play(&whep, Some("key"));
    is_seen_and_heard(&page, played, 660.0);
    assert!(page.counter(published, "outbound-rtp", "video", "packetsSent") > 0.0);
    assert!(page.counter(played, "inbound-rtp", "audio", "packetsReceived") > 0.0);

    let mut player = Aiortc::play(room.dir(), "player", &whep, Some("key")).unwrap();
    player
        .wait_for("a picture", SOON, |event| event["event"] == "picture" && event["clock"].is_u64())
        .unwrap();
    let heard = |event: &Value| {
        event["event"] == "sound" && (event["pitch"].as_f64().unwrap_or(0.0) - 660.0).abs() < 12.0
    };
    player.wait_for("the tone", SOON, heard).unwrap();
    player.end().unwrap();
    assert_eq!(page.stop(published, true), Some(200));

    let two = format!("{}/whip/two", server.url());
    let options =
        AiortcOptions { token: Some("key"), video: "H264", pitch: 880.0, ..AiortcOptions::default() };
    let publisher = Aiortc::publish(room.dir(), "publisher", &two, &options).unwrap();
    publisher.wait_for("connected", SOON, |event| event["state"] == "connected").unwrap();
    let played = page.play(&format!("{}/whep/two", server.url()), Some("key"));
    is_seen_and_heard(&page, played, 880.0);
}

#[test]
fn janus_forwards_what_a_browser_publishes() {
    let tools = [&StreamPage::TOOLS[..], &[Janus::TOOL]].concat();
    let Some(room) = room!(Needs::tools(&tools).network().within(Duration::from_secs(120))) else { return };
    let janus = Janus::start(room.dir(), "10.77.0.1".parse().unwrap()).unwrap();
    let page = StreamPage::start(room.dir(), "janus", &[]).unwrap();
    let driver = page.driver();
    let offer = driver.script(
        "window.here = new RTCPeerConnection()
         const canvas = document.createElement('canvas')
         canvas.width = canvas.height = 64
         const context = canvas.getContext('2d')
         setInterval(() => context.fillRect(Math.random() * 64, 0, 9, 9), 40)
         here.addTrack(canvas.captureStream(25).getVideoTracks()[0])
         return here.setLocalDescription().then(() => new Promise((done) => setTimeout(done, 500))).then(() => here.localDescription.sdp)",
        &[],
    );
    let publisher = janus.session().unwrap();
    let (handle, feed, answer) = janus.publish(&publisher, offer.as_str().unwrap()).unwrap();
    driver
        .script("return here.setRemoteDescription({ type: 'answer', sdp: arguments[0] })", &[json!(answer)]);
    publisher.wait_for(handle, "webrtcup").unwrap();

    let subscriber = janus.session().unwrap();
    let (handle, offer) = janus.subscribe(&subscriber, feed).unwrap();
    let answer = driver.script(
        "window.there = new RTCPeerConnection()
         return there.setRemoteDescription({ type: 'offer', sdp: arguments[0] }).then(() => there.setLocalDescription())
           .then(() => new Promise((done) => setTimeout(done, 500))).then(() => there.localDescription.sdp)",
        &[json!(offer)],
    );
    janus.begin(&subscriber, handle, answer.as_str().unwrap()).unwrap();
    let decoded = || {
        let frames = driver.script(
            "return there.getStats().then((all) => [...all.values()].find(({ type }) => type === 'inbound-rtp')?.framesDecoded ?? 0)",
            &[],
        );
        (frames.as_u64()? > 10).then_some(())
    };
    until("pictures by way of Janus", SOON, decoded).unwrap();
}

#[test]
fn coturn_relays_between_two_that_talk_by_turn_alone() {
    let tools = [&StreamPage::TOOLS[..], &[Coturn::TOOL]].concat();
    let Some(room) = room!(Needs::tools(&tools).network()) else { return };
    let options = CoturnOptions { address: "10.77.0.1".parse().unwrap(), ..CoturnOptions::default() };
    let coturn = Coturn::start(room.dir(), &options).unwrap();
    let page = StreamPage::start(room.dir(), "turn", &[]).unwrap();
    for transport in ["udp", "tcp"] {
        let said = page.driver().script(
            "const [urls, username, credential] = arguments
             const configuration = { iceServers: [{ urls, username, credential }], iceTransportPolicy: 'relay' }
             const [one, two] = [new RTCPeerConnection(configuration), new RTCPeerConnection(configuration)]
             one.onicecandidate = ({ candidate }) => two.addIceCandidate(candidate)
             two.onicecandidate = ({ candidate }) => one.addIceCandidate(candidate)
             const channel = one.createDataChannel('x')
             channel.onopen = () => channel.send('hello')
             const heard = new Promise((done) => { two.ondatachannel = ({ channel }) => { channel.onmessage = ({ data }) => done(data) } })
             const late = new Promise((done) => setTimeout(() => done('nothing'), 20000))
             return one.setLocalDescription().then(() => two.setRemoteDescription(one.localDescription))
               .then(() => two.setLocalDescription()).then(() => one.setRemoteDescription(two.localDescription))
               .then(() => Promise.race([heard, late]))",
            &[json!(coturn.url(transport)), json!(options.user), json!(options.password)],
        );
        assert_eq!(said, "hello", "{transport}\n{}", coturn.log());
    }
}
