//! A headless peer in a process of its own: it joins as a page does, publishes a loop and plays all others.
//!
//! On its standard input it is told `begin` (count from now on), `narrow` (300 kbit/s to it from now on) and `end` (say what came,
//! as a line of JSON).

use std::io::BufRead as _;
use std::net::SocketAddr;
use std::path::Path;
use std::sync::mpsc::{Receiver, channel};
use std::thread;
use std::time::{Duration, Instant};

use serde_json::{Value, json};
use sidetone_peer::Certificate;
use sidetone_testkit::link::{Link, LinkSettings};
use sidetone_testkit::{Result, RigError};

use crate::leg::{HEADERS, Leg, failed};
use crate::media::Media;
use crate::socket::Socket;

pub(crate) const ROOM: &str = "bench";
/// Of the slow one.
pub(crate) const NARROW: u64 = 300_000;
/// What waits before it at most: 0.4 s.
const QUEUE: usize = 15_000;
/// Between two looks.
const LOOK: Duration = Duration::from_millis(3);

struct Member {
    login: String,
    socket: Socket,
    certificate: Certificate,
    /// What it publishes first.
    legs: Vec<Leg>,
    path: Link<(usize, SocketAddr, Vec<u8>)>,
    down: u64,
    asked: u64,
    began: Instant,
}

/// Until its standard input ends.
pub(crate) fn run(login: &str, gateway: &str, media: &Path) -> Result<()> {
    let media = Media::read(media)?;
    let mut member = Member {
        login: login.to_owned(),
        socket: Socket::open(gateway, login)?,
        certificate: Certificate::generate().map_err(failed)?,
        legs: Vec::new(),
        path: Link::new(LinkSettings::default(), 1),
        down: 0,
        asked: 0,
        began: Instant::now(),
    };
    let told = lines();
    loop {
        let now = Instant::now();
        while let Some(message) = member.socket.heard()? {
            member.on_message(&message)?;
        }
        loop {
            match told.try_recv() {
                Ok(Some(line)) => member.on_line(now, &line),
                Ok(None) => return Ok(()),
                Err(_) => break,
            }
        }
        member.turn(now, &media)?;
        thread::sleep(LOOK.saturating_sub(now.elapsed()));
    }
}

/// `None` at their end.
fn lines() -> Receiver<Option<String>> {
    let (sender, told) = channel();
    thread::spawn(move || {
        for line in std::io::stdin().lock().lines().map_while(std::result::Result::ok) {
            let _ = sender.send(Some(line));
        }
        let _ = sender.send(None);
    });
    told
}

impl Member {
    fn on_message(&mut self, message: &Value) -> Result<()> {
        let data = &message["data"][0];
        match message["message"].as_str().unwrap_or_default() {
            "ping" => self.socket.say("pong", &Value::Null),
            "getUserData" => {
                let payload = json!({ "command": "join", "options": { "name": ROOM } });
                self.socket.say("sendData", &json!({ "operationId": "join", "payload": payload }))
            }
            "DataStatusEvent" if data["status"] != "ACCEPTED" => {
                Err(RigError::new(format!("not in the room: {data}")))
            }
            "OnDataEvent" => self.on_room(&data["payload"]),
            "setRemoteSDP" => {
                let leg = self.legs.iter_mut().find(|leg| data == &leg.id);
                let answer = message["data"][1].as_str().unwrap_or_default();
                leg.map_or(Ok(()), |leg| leg.accept(answer))
            }
            "notifyStreamStatusEvent" if data["status"] == "FAILED" => {
                Err(RigError::new(format!("{}: {} has failed: {}", self.login, data["name"], data["info"])))
            }
            "fail" => Err(RigError::new(format!("{}: {data}", self.login))),
            _ => Ok(()),
        }
    }

    fn on_room(&mut self, payload: &Value) -> Result<()> {
        let info = &payload["info"];
        match payload["name"].as_str().unwrap_or_default() {
            "STATE" => {
                self.begin(format!("{ROOM}-{}-0001", self.login), true)?;
                let names = info.as_array().into_iter().flatten().filter_map(|entry| entry["name"].as_str());
                for name in names.map(str::to_owned).collect::<Vec<_>>() {
                    self.begin(name, false)?;
                }
                Ok(())
            }
            "PUBLISHED" => self.begin(info["name"].as_str().unwrap_or_default().to_owned(), false),
            _ => Ok(()),
        }
    }

    fn begin(&mut self, name: String, publishes: bool) -> Result<()> {
        self.asked += 1;
        let id = format!("{}-{}", self.login, self.asked);
        let seed = fastrand::u64(..);
        let (leg, sdp) = Leg::new(&self.certificate, id.clone(), name.clone(), publishes, seed)?;
        self.legs.push(leg);
        let message = if publishes { "publishStream" } else { "playStream" };
        let stream = json!({
            "mediaSessionId": id, "name": name, "published": publishes, "record": false, "mediaProvider": "WebRTC",
            "hasVideo": true, "hasAudio": true, "status": "PENDING", "sdp": sdp, "custom": { "name": ROOM },
        });
        self.socket.say(message, &stream)
    }

    #[expect(clippy::print_stdout, reason = "this is how it answers")]
    fn on_line(&mut self, now: Instant, line: &str) {
        match line {
            "narrow" => {
                self.path.set(LinkSettings {
                    bandwidth: Some(NARROW),
                    queue: QUEUE,
                    ..LinkSettings::default()
                });
            }
            "begin" => {
                self.began = now;
                self.down = 0;
                for leg in &mut self.legs {
                    leg.up = 0;
                    leg.frames.begin(now);
                }
            }
            _ => println!("{}", self.report(now)),
        }
    }

    fn report(&self, now: Instant) -> Value {
        let streams = self.legs.iter().skip(1).map(|leg| {
            let frames = &leg.frames;
            let longest = frames.longest(now).as_secs_f64();
            json!({ "name": leg.name, "pictures": frames.decodable, "longest": longest, "sounds": frames.sounds })
        });
        json!({
            "seconds": now.saturating_duration_since(self.began).as_secs_f64(),
            "up": self.legs.iter().map(|leg| leg.up).sum::<u64>(),
            "down": self.down,
            "streams": streams.collect::<Vec<_>>(),
        })
    }

    fn turn(&mut self, now: Instant, media: &Media) -> Result<()> {
        for (place, leg) in self.legs.iter_mut().enumerate() {
            let path = &mut self.path;
            leg.receive(|from, datagram| path.send(now, datagram.len() + HEADERS, (place, from, datagram)));
        }
        while let Some((place, from, datagram)) = self.path.receive(now) {
            self.down += (datagram.len() + HEADERS) as u64;
            self.legs[place].handle(now, from, &datagram);
        }
        if let Some(first) = self.legs.first_mut() {
            first.send(now, media);
        }
        for leg in &mut self.legs {
            leg.turn(now);
            if let Some(reason) = &leg.ended {
                return Err(RigError::new(format!("{}: {} has ended: {reason}", self.login, leg.name)));
            }
        }
        Ok(())
    }
}
