//! Everybody who can be in a meeting, in one: two Sidetones, a browser by an invite, and a phone. Who hears and sees whom is measured, and how
//! soon the others know of one that is killed.

use super::{BROWSER, Program, SOON};
use crate::{audio::CORRELATED, phone::Phone, streams::film::Film};
use serde_json::{Value, json};
use sidetone_testkit::{
    Baresip, BaresipOptions, EAR, Needs, Room, WebSdk,
    audio::{Wav, hear, speech_like},
    browser::Driver,
    room, until, wav_of_ear,
};
use std::{
    path::{Path, PathBuf},
    process::Command,
    time::{Duration, Instant},
};

/// Unrelated speech gives 0.4 at most.
const UNHEARD: f64 = 0.5;
/// Who is killed is missed within this.
const MISSED: Duration = Duration::from_secs(5);
const SPEECH: f32 = 2.5;
const NAMES: [&str; 4] = ["host", "other", "guest", "bob"];
/// The microphone as it is, and a camera that sees green, a little of which moves.
const DEVICES: &str = "
    if (navigator.mediaDevices) {
        const real = navigator.mediaDevices.getUserMedia.bind(navigator.mediaDevices)
        navigator.mediaDevices.getUserMedia = async ({ video }) => {
            const media = await real({ audio: { echoCancellation: false, noiseSuppression: false, autoGainControl: false } })
            if (!video) return media
            const canvas = Object.assign(document.createElement('canvas'), { width: 640, height: 360 })
            const context = canvas.getContext('2d')
            let at = 0
            setInterval(() => {
                context.fillStyle = '#00b000'
                context.fillRect(0, 0, 640, 360)
                context.fillStyle = '#fff'
                context.fillRect(at++ % 640, 0, 8, 8)
            }, 66)
            media.addTrack(canvas.captureStream(15).getVideoTracks()[0])
            return media
        }
    }
    window.ears = new Map()
    window.attend = () => {
        for (const { srcObject } of document.querySelectorAll('audio')) {
            const track = srcObject?.getAudioTracks()[0]
            if (track && !ears.has(track)) ears.set(track, ear.listen(track))
        }
        return ears.size
    }";
/// The middle of each picture that is shown.
const COLOURS: &str = "
    return [...document.querySelectorAll('video')].filter((video) => video.videoWidth > 0).map((video) => {
        const canvas = new OffscreenCanvas(video.videoWidth, video.videoHeight)
        const context = canvas.getContext('2d')
        context.drawImage(video, 0, 0)
        return [...context.getImageData(canvas.width / 2, canvas.height / 2, 1, 1).data].slice(0, 3)
    })";

/// What a picture is mostly of: red, green or blue.
fn hue(colour: [f64; 3]) -> Option<&'static str> {
    let at = (0..3).max_by(|a, b| colour[*a].total_cmp(&colour[*b]))?;
    let others = (0..3).filter(|other| *other != at).map(|other| colour[other]).fold(0.0, f64::max);
    (colour[at] > 90.0 && others < 70.0).then_some(["red", "green", "blue"][at])
}

/// Of the middle of a film's last picture, BT.601.
fn hue_of_film(path: &Path) -> Option<&'static str> {
    let film = Film::decode(path);
    let picture = film.pictures.last()?;
    let (width, height) = (picture.width() as usize, picture.height() as usize);
    let y = f64::from(picture.y()[height / 2 * width + width / 2]);
    let at = height / 4 * (width / 2) + width / 4;
    let (u, v) = (f64::from(picture.u()[at]) - 128.0, f64::from(picture.v()[at]) - 128.0);
    let y = 1.164 * (y - 16.0);
    hue([y + 1.596 * v, y - 0.392 * u - 0.813 * v, y + 2.017 * u])
}

fn image(room: &Room, colour: &str) -> String {
    let path = room.dir().join(format!("{colour}.png"));
    let source = format!("color=c={colour}:s=640x360");
    let made = Command::new("ffmpeg")
        .args(["-v", "error", "-f", "lavfi", "-i", &source, "-frames:v", "1"])
        .arg(&path)
        .status()
        .unwrap();
    assert!(made.success());
    format!("image:{}", path.display())
}

/// A file that somebody is killed over has no length in its header.
fn written(path: &Path) -> Wav {
    let mut bytes = std::fs::read(path).unwrap();
    let length = u32::try_from(bytes.len()).unwrap();
    bytes[4..8].copy_from_slice(&(length - 8).to_le_bytes());
    bytes[40..44].copy_from_slice(&(length - 44).to_le_bytes());
    let whole = path.with_extension("whole.wav");
    std::fs::write(&whole, bytes).unwrap();
    Wav::read(&whole).unwrap()
}

fn is_room(line: &Value, fits: impl Fn(&[Value]) -> bool) -> bool {
    line["event"] == "RoomChanged" && line["room"]["participants"].as_array().is_some_and(|all| fits(all))
}

fn named<'a>(all: &'a [Value], login: &str) -> Option<&'a Value> {
    all.iter().find(|person| person["login"].as_str().is_some_and(|name| name.contains(login)))
}

fn plays(all: &[Value], login: &str) -> bool {
    named(all, login).is_some_and(|person| person["streams"][0]["streamId"].is_string())
}

struct Meeting {
    program: Program,
    room_id: String,
    other: Phone,
    others_room: String,
    page: Driver,
    bob: Baresip,
    call: Value,
    heard: [PathBuf; 2],
}

impl Meeting {
    fn start(room: &Room, voices: &[PathBuf; 4]) -> Self {
        let heard = [room.dir().join("at-host.wav"), room.dir().join("at-other.wav")];
        let speakers = heard.each_ref().map(|path| format!("file:{}", path.display()));
        let config = room.dir().join("gateway.toml");
        std::fs::write(&config, "[sharing]\non = true\n").unwrap();
        let config = config.display().to_string();
        let arguments =
            ["gateway", "--commands", "--config", &config, "--mic", "silence", "--speaker", &speakers[0]];
        let mut program = Program::start(room, &arguments);
        let (_, line) = program.wait("its addresses", |line| line["http"].is_string());
        let registrar = line["sip"].as_str().unwrap().parse().unwrap();
        until("what others reach", SOON, || {
            let snapshot = program.ask(&json!({ "command": "getSnapshot" }));
            let port = &snapshot["reply"]["snapshot"]["gateway"]["sharing"]["port"];
            port.as_u64().filter(|port| *port > 0)
        })
        .unwrap();
        let sources = |picture: &str, voice: &Path| json!({ "video": picture, "audio": [{ "source": format!("loop:{}", voice.display()), "gain": 1.0 }] });
        let red = sources(&image(room, "red"), &voices[0]);
        let joined = program.ask(&json!({
            "command": "joinRoom", "name": "tea", "login": "host", "sources": red, "audioMuted": true }));
        let room_id = joined["reply"]["roomId"].as_str().unwrap_or_else(|| panic!("{joined}")).to_owned();
        let invited =
            json!({ "command": "askRoom", "roomId": room_id, "room": { "ask": "invite", "admitted": true } });
        let link = program.ask(&invited)["reply"]["invite"]["url"].as_str().unwrap().to_owned();
        assert!(link.starts_with("https://"), "{link}");

        // The other Sidetone follows the link, too.
        let authority = std::fs::read_to_string(room.dir().join("data/sidetone/authority.json")).unwrap();
        let authority: Value = serde_json::from_str(&authority).unwrap();
        let own = ["--aor", "sip:other@127.0.0.1", "--no-register", "--mic", "silence", "--speaker"];
        let mut other = Phone::start(&[&own[..], &[&speakers[1]]].concat());
        let blue = sources(&image(room, "blue"), &voices[1]);
        let folder = room.dir().display().to_string();
        other.ask(json!({ "command": "changeSettings", "video": { "folder": folder } }));
        program.ask(&json!({ "command": "changeSettings", "video": { "folder": folder } }));
        let joined = other.ask(json!({
            "command": "joinRoom", "name": "tea", "login": "other", "sources": blue, "audioMuted": true,
            "invite": link, "trustedCa": authority["certificate"] }));
        let others_room = joined["reply"]["roomId"].as_str().unwrap_or_else(|| panic!("{joined}")).to_owned();
        other.status_within("RoomStatusEvent", "JOINED", SOON);

        let page = open(room, &link, &voices[2]);
        let options = BaresipOptions {
            user: "bob",
            registrar: Some(registrar),
            source: Some(&voices[3]),
            ..BaresipOptions::default()
        };
        let bob = Baresip::start(room.dir(), &options).unwrap();
        let mut meeting = Self { program, room_id, other, others_room, page, bob, call: Value::Null, heard };
        meeting.call = meeting.ask(json!({ "ask": "callIn", "callee": "bob" }))["reply"]["callId"].clone();
        meeting
    }

    fn ask(&mut self, ask: Value) -> Value {
        let reply = self.program.ask(&json!({ "command": "askRoom", "roomId": self.room_id, "room": ask }));
        assert!(reply["reply"].is_object(), "{reply}");
        reply
    }

    fn ask_other(&mut self, ask: Value) {
        let reply = self.other.ask(json!({ "command": "askRoom", "roomId": self.others_room, "room": ask }));
        assert!(reply["reply"].is_object(), "{reply}");
    }

    /// Everybody plays everybody.
    fn is_complete(&mut self) -> [Vec<Value>; 2] {
        let fits =
            |line: &Value| is_room(line, |all| all.len() == 4 && NAMES.iter().all(|name| plays(all, name)));
        let (_, at_host) = self.program.wait("everybody at the host", fits);
        let at_other = self.other.wait("everybody at the other", SOON, fits);
        until("everybody in the page", SOON, || {
            (self.page.script("return attend()", &[]).as_u64() == Some(3)).then_some(())
        })
        .unwrap_or_else(|error| {
            panic!("{error}: {}", self.page.script("return document.body.innerText", &[]))
        });
        [at_host, at_other].map(|line| line["room"]["participants"].as_array().unwrap().clone())
    }

    /// What one program was sent of a participant's picture.
    fn hue_at(&mut self, host: bool, of: &Value) -> &'static str {
        let stream = &of["streams"][0]["streamId"];
        let record = json!({ "command": "recordStream", "streamId": stream, "on": true });
        let fits = |line: &Value| {
            line["event"] == "StreamChanged"
                && line["stream"]["streamId"] == *stream
                && line["stream"]["recording"]["seconds"].as_u64() > Some(0)
        };
        let line = if host {
            assert!(self.program.ask(&record)["reply"].is_object());
            self.program.wait("a recording", fits).1
        } else {
            let recorded = self.other.ask(record);
            assert!(recorded["reply"].is_object(), "{recorded}");
            self.other.wait("a recording", SOON, fits)
        };
        let path = line["stream"]["recording"]["path"].as_str().unwrap().to_owned();
        let stop = json!({ "command": "recordStream", "streamId": stream, "on": false });
        if host {
            self.program.ask(&stop);
        } else {
            self.other.ask(stop);
        }
        hue_of_film(Path::new(&path)).unwrap_or("nothing")
    }

    /// `*6` on the phone's keys.
    fn mute_key(&mut self, muted: bool) {
        for key in ["*", "6"] {
            self.bob.command("sndcode", key).unwrap();
        }
        self.program.wait("the phone's key", |line| {
            is_room(line, |all| named(all, "bob").is_some_and(|bob| bob["audioMuted"] == muted))
        });
    }

    fn mute(&mut self, who: usize, muted: bool) {
        match who {
            0 => drop(self.ask(json!({ "ask": "mute", "audio": muted }))),
            1 => self.ask_other(json!({ "ask": "mute", "audio": muted })),
            2 => self.page.click("[data-testid=guest-mute]"),
            _ => return self.mute_key(muted),
        }
        self.program.wait("who is muted", |line| {
            is_room(line, |all| named(all, NAMES[who]).is_some_and(|it| it["audioMuted"] == muted))
        });
    }

    /// One speaks, twice over and a little, as long as the host's recording takes for it.
    fn speak(&mut self, who: usize) {
        self.mute(who, false);
        let until_then = Wav::written_seconds(&self.heard[0]) + f64::from(2.0 * SPEECH) + 1.0;
        until("what is said", SOON, || (Wav::written_seconds(&self.heard[0]) > until_then).then_some(()))
            .unwrap();
        self.mute(who, true);
    }

    fn heard_in_page(&self) -> Vec<Wav> {
        let heard = self.page.script("return [...ears.values()].map(ear.samples)", &[]);
        heard.as_array().unwrap().iter().map(|heard| wav_of_ear(heard).unwrap()).collect()
    }
}

fn open(room: &Room, link: &str, voice: &Path) -> Driver {
    let dir = room.dir().join("guest-page");
    std::fs::create_dir_all(&dir).unwrap();
    let microphone = format!("--use-file-for-fake-audio-capture={}", voice.display());
    let arguments: Vec<_> = BROWSER.map(String::from).into_iter().chain([microphone]).collect();
    let page = Driver::of_chromium(&dir, &arguments).unwrap();
    page.before_each_page(&format!("{EAR};{DEVICES}"));
    let has = |testid: &str| {
        let script = "return document.querySelector(`[data-testid=${arguments[0]}]`) !== null";
        (page.script(script, &[json!(testid)]) == json!(true)).then_some(())
    };
    // A browser drops what it is loading where the machine's addresses change, as they do while a network comes up.
    until("the page of guests", SOON, || {
        page.go_to(link);
        until("its form", SOON / 6, || has("guest-form")).ok()
    })
    .unwrap();
    page.click("[data-testid=guest-media]");
    until("the preview", SOON, || has("entry-mute")).unwrap();
    page.click("[data-testid=entry-mute]");
    page.click("[data-testid=guest-login]");
    page.type_keys("guest");
    page.click("[data-testid=guest-join]");
    until("the meeting", SOON, || has("guest-mute")).unwrap();
    page
}

#[test]
fn two_sidetones_a_browser_and_a_phone_hear_and_see_each_other_and_miss_who_is_killed() {
    let needs = Needs::tools(&["ffmpeg", "baresip", "pgrep"]).and(&WebSdk::TOOLS).network();
    let Some(room) = room!(needs.within(Duration::from_secs(150)).alone()) else { return };
    let all = speech_like(SPEECH * 4.0, 16_000);
    let length = (SPEECH * 16_000.0) as usize;
    let voices: [Wav; 4] = std::array::from_fn(|at| Wav {
        rate: 16_000,
        samples: all.samples[at * length..(at + 1) * length].to_vec(),
    });
    let paths = NAMES.map(|name| room.dir().join(format!("{name}.wav")));
    voices.iter().zip(&paths).for_each(|(voice, path)| voice.write(path).unwrap());
    // The phone plays its file once.
    let again = Wav { rate: 16_000, samples: voices[3].samples.repeat(60) };
    again.write(&paths[3]).unwrap();
    let mut meeting = Meeting::start(&room, &paths);
    let [at_host, at_other] = meeting.is_complete();
    meeting.mute_key(true);

    for (host, seen_by, of, hue) in [
        (true, &at_host, "other", "blue"),
        (true, &at_host, "guest", "green"),
        (false, &at_other, "host", "red"),
        (false, &at_other, "guest", "green"),
    ] {
        let of = named(seen_by, of).unwrap();
        assert_eq!(meeting.hue_at(host, of), hue, "{of}");
    }
    until("red and blue in the page", SOON, || {
        let shown = meeting.page.script(COLOURS, &[]);
        let colours = shown
            .as_array()
            .unwrap()
            .iter()
            .filter_map(|colour| hue(std::array::from_fn(|at| colour[at].as_f64().unwrap_or_default())));
        let colours: Vec<_> = colours.collect();
        ["red", "blue"].iter().all(|wanted| colours.contains(wanted)).then_some(())
    })
    .unwrap_or_else(|error| panic!("{error}: {}", meeting.page.script(COLOURS, &[])));

    (0..NAMES.len()).for_each(|who| meeting.speak(who));
    let in_page = meeting.heard_in_page();

    let killed = Instant::now();
    let process = meeting.other.process().to_string();
    assert!(Command::new("kill").args(["-KILL", &process]).status().unwrap().success());
    meeting.program.wait_within(MISSED, "that the other is gone", |line| {
        is_room(line, |all| all.len() == 3 && named(all, "other").is_none())
    });
    let at_host = killed.elapsed();
    until("that the page misses it", MISSED - killed.elapsed(), || {
        let names = meeting.page.script("return document.body.innerText", &[]);
        let shown = meeting.page.script(COLOURS, &[]);
        let is_shown = shown.as_array().unwrap().iter().any(|colour| {
            hue(std::array::from_fn(|at| colour[at].as_f64().unwrap_or_default())) == Some("blue")
        });
        (!is_shown && names.as_str().is_some_and(|names| names.contains("host"))).then_some(())
    })
    .unwrap();
    eprintln!("missed after {at_host:?} by the host, {:?} in the page", killed.elapsed());

    let bob = meeting.program.ask(&json!({ "command": "getSnapshot" }));
    let bob = bob["reply"]["snapshot"]["rooms"][0]["participants"].as_array().unwrap().clone();
    meeting.ask(json!({ "ask": "remove", "participantId": named(&bob, "bob").unwrap()["participantId"] }));
    meeting.bob.wait_event("CALL_CLOSED", SOON).unwrap();
    let call = meeting.call.clone();
    meeting.program.wait("the end of the call", |line| {
        line["event"] == "CallStatusEvent" && line["callId"] == call && line["status"] == "FINISH"
    });

    let killed = Instant::now();
    crate::sdk::freeze(&meeting.page.process().to_string(), "-KILL");
    meeting
        .program
        .wait_within(MISSED, "that the browser is gone", |line| is_room(line, |all| all.len() == 1));
    eprintln!("the browser is missed after {:?}", killed.elapsed());
    meeting.program.signal("-TERM");
    let Meeting { program, bob, heard, .. } = meeting;
    assert_eq!(program.end().0, Some(0));

    let (_, at_bob) = bob.recordings().unwrap();
    let at = [vec![Wav::read(&heard[0]).unwrap()], vec![written(&heard[1])], in_page, vec![at_bob]];
    let mut wrong = Vec::new();
    for (listener, recordings) in NAMES.iter().zip(&at) {
        for (speaker, voice) in NAMES.iter().zip(&voices) {
            let peaks = recordings.iter().map(|recording| hear(voice, recording).peak);
            let peak = peaks.fold(0.0, f64::max);
            eprintln!("{listener} hears {speaker}: {peak:.2}");
            if (listener == speaker && peak >= UNHEARD) || (listener != speaker && peak <= CORRELATED) {
                wrong.push(format!("{listener} hears {speaker}: {peak:.2}"));
            }
        }
    }
    assert_eq!(wrong, Vec::<String>::new());
}
