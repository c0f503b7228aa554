//! The example pages of the SDK's package, unmodified, with nothing but their server's URL set. Where `SIDETONE_SHOTS` names a folder,
//! a picture of each is kept there.

use super::{Program, SILENT, SOON, needs};
use serde_json::{Value, json};
use sidetone_testkit::{Baresip, BaresipOptions, Kamailio, KamailioOptions, Room, SdkExamples, room, until};
use std::{path::PathBuf, time::Duration};

fn gateway(room: &Room) -> (Program, String) {
    let mut gateway = Program::start(room, &[&["gateway"][..], &SILENT].concat());
    let (_, line) = gateway.wait("its addresses", |line| line["http"].is_string());
    let url = line["http"].as_str().unwrap().replace("http:", "ws:");
    (gateway, url)
}

fn shot(page: &SdkExamples, name: &str) {
    if let Some(folder) = std::env::var_os("SIDETONE_SHOTS").map(PathBuf::from) {
        page.screenshot(&folder.join(format!("{name}.png"))).unwrap();
    }
}

/// A picture that moves in an element.
fn is_shown(page: &SdkExamples, element: &str) {
    let script = format!(
        "const video = document.querySelector('{element} video')
         return video && video.videoWidth > 0 ? video.currentTime : 0"
    );
    until(element, SOON, || (page.ask(&script).as_f64()? > 0.0).then_some(())).unwrap();
    let before = page.ask(&script).as_f64().unwrap();
    until("a picture that moves", SOON, || (page.ask(&script).as_f64()? > before).then_some(())).unwrap();
}

fn nothing_went_wrong(page: &SdkExamples) {
    assert_eq!(page.errors(), Vec::<String>::new());
}

#[test]
fn two_way_streaming_stream_snapshot_and_the_device_manager_work() {
    let Some(room) = room!(needs()) else { return };
    let (_gateway, url) = gateway(&room);
    let page = SdkExamples::start(room.dir()).unwrap();

    page.open("streaming/two_way_streaming/two_way_streaming.html", "#urlServer");
    page.fill("#urlServer", &url);
    page.press("#connectBtn", SOON).unwrap();
    page.says("#connectStatus", "ESTABLISHED", SOON).unwrap();
    page.press("#publishBtn", SOON).unwrap();
    page.says("#publishStatus", "PUBLISHING", SOON).unwrap();
    page.press("#playBtn", SOON).unwrap();
    page.says("#playStatus", "PLAYING", SOON).unwrap();
    is_shown(&page, "#remoteVideo");
    shot(&page, "two-way-streaming");
    page.press("#playBtn", SOON).unwrap();
    page.says("#playStatus", "STOPPED", SOON).unwrap();
    page.press("#publishBtn", SOON).unwrap();
    page.says("#publishStatus", "UNPUBLISHED", SOON).unwrap();
    page.press("#connectBtn", SOON).unwrap();
    page.says("#connectStatus", "DISCONNECTED", SOON).unwrap();
    nothing_went_wrong(&page);

    page.open("streaming/stream-snapshot/stream-snapshot.html", "#url");
    page.fill("#url", &format!("{url}/pictured"));
    page.press("#publishBtn", SOON).unwrap();
    page.says("#status", "PUBLISHING", SOON).unwrap();
    page.press("#snapshotBtn", SOON).unwrap();
    let width = "return document.querySelector('#dynImg').naturalWidth";
    let is_png = "return document.querySelector('#dynImg').src.startsWith('data:image/png')";
    until("the snapshot", SOON, || (page.ask(is_png) == true && page.ask(width).as_u64()? > 0).then_some(()))
        .unwrap();
    shot(&page, "stream-snapshot");
    nothing_went_wrong(&page);

    page.open("streaming/media_devices_manager/media_device_manager.html", "#urlServer");
    page.fill("#urlServer", &url);
    page.press("#connectBtn", SOON).unwrap();
    page.says("#connectStatus", "ESTABLISHED", SOON).unwrap();
    page.press("#publishBtn", SOON).unwrap();
    page.says("#publishStatus", "PUBLISHING", SOON).unwrap();
    page.press("#playBtn", SOON).unwrap();
    page.says("#playStatus", "PLAYING", SOON).unwrap();
    is_shown(&page, "#remoteVideo");
    shot(&page, "device-manager");
    nothing_went_wrong(&page);
}

#[test]
fn the_phone_registers_calls_holds_and_is_called() {
    let Some(room) = room!(needs().and(&["baresip", "kamailio"])) else { return };
    let (_gateway, url) = gateway(&room);
    let proxy = Kamailio::start(room.dir(), &KamailioOptions::default()).unwrap();
    let options = BaresipOptions { registrar: Some(proxy.address()), ..BaresipOptions::default() };
    let mut bob = Baresip::start(room.dir(), &options).unwrap();
    let page = SdkExamples::start(room.dir()).unwrap();
    page.open("sip/phone/phone.html", "#urlServer");
    let port = proxy.address().port().to_string();
    for (field, text) in [
        ("#urlServer", url.as_str()),
        ("#sipLogin", "alice"),
        ("#sipAuthenticationName", "alice"),
        ("#sipPassword", "secret"),
        ("#sipDomain", "127.0.0.1"),
        ("#sipOutboundProxy", "127.0.0.1"),
        ("#sipPort", &port),
    ] {
        page.fill(field, text);
    }
    page.press("#connectBtn", SOON).unwrap();
    page.says("#regStatus", "REGISTERED", SOON).unwrap();
    page.fill("#callee", &proxy.aor("bob"));
    page.press("#callBtn", SOON).unwrap();
    page.says("#callStatus", "ESTABLISHED", SOON).unwrap();
    bob.wait_heard(1.0, Duration::from_secs(30)).unwrap();
    page.ask("document.querySelector('#callStatus').scrollIntoView({ block: 'end' })");
    shot(&page, "phone");
    page.press("#holdBtn", SOON).unwrap();
    page.says("#holdBtn", "Unhold", SOON).unwrap();
    page.press("#holdBtn", SOON).unwrap();
    page.says("#holdBtn", "Hold", SOON).unwrap();
    page.press("#callBtn", SOON).unwrap();
    page.says("#callStatus", "FINISH", SOON).unwrap();
    bob.wait_event("CALL_CLOSED", SOON).unwrap();
    bob.dial(&proxy.aor("alice")).unwrap();
    page.says("#callStatus", "RING", SOON).unwrap();
    page.press("#answerBtn", SOON).unwrap();
    page.says("#callStatus", "ESTABLISHED", SOON).unwrap();
    page.press("#hangupBtn", SOON).unwrap();
    page.says("#callStatus", "FINISH", SOON).unwrap();
    nothing_went_wrong(&page);
}

/// With our own program as the other one in the room.
#[test]
fn conference_and_video_chat_work() {
    let Some(room) = room!(needs()) else { return };
    let mut gateway = Program::start(&room, &[&["gateway", "--commands"][..], &SILENT].concat());
    let (_, line) = gateway.wait("its addresses", |line| line["http"].is_string());
    let url = line["http"].as_str().unwrap().replace("http:", "ws:");
    let sources = json!({ "video": "bars", "audio": [{ "source": "tone", "gain": 0.1 }] });
    let join = json!({ "command": "joinRoom", "name": "tea", "login": "our", "sources": sources,
        "settings": { "lobby": false } });
    let joined = gateway.ask(&join);
    let id = joined["reply"]["roomId"].as_str().unwrap_or_else(|| panic!("{joined}")).to_owned();
    let are = |count: usize| {
        move |line: &Value| {
            let all = line["room"]["participants"].as_array();
            line["event"] == "RoomChanged" && all.is_some_and(|all| all.len() == count)
        }
    };
    let page = SdkExamples::start(room.dir()).unwrap();
    for name in ["conference", "video-chat"] {
        page.open(&format!("streaming/{name}/{name}.html?roomName=tea"), "#url");
        page.fill("#url", &url);
        page.fill("#login", "ann");
        page.press("#joinBtn", SOON).unwrap();
        page.says("#status", "ESTABLISHED", SOON).unwrap();
        page.says("#participant1Name", "our", SOON).unwrap();
        page.says("#localStatus", "PUBLISHING", SOON).unwrap();
        is_shown(&page, "#participant1Display");
        gateway.wait("her picture", |line| {
            let stream = &line["stream"];
            line["event"] == "StreamStatusEvent" && line["status"] == "PLAYING"
                || line["event"] == "StreamChanged"
                    && stream["direction"] == "played"
                    && stream["status"] == "PLAYING"
        });
        let say = json!({ "ask": "sendMessage", "text": "hello" });
        gateway.ask(&json!({ "command": "askRoom", "roomId": id, "room": say }));
        let heard = || page.ask("return document.querySelector('#chat').textContent");
        until("the message", SOON, || heard().as_str()?.contains("our - hello").then_some(())).unwrap();
        shot(&page, name);
        page.press("#joinBtn", SOON).unwrap();
        gateway.wait("that she has left", are(1));
        nothing_went_wrong(&page);
    }
}
