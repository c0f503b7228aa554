//! `sidetone-cli gateway` under many clients, and under those that mean it no good.

mod crowd;
mod dialled;
mod everyone;
mod garbage;
mod guests;
pub(crate) mod rest;
mod socket;

use super::streams::{Program, SILENT};
use serde_json::Value;
use sidetone_testkit::Room;
use std::{
    io::{Read as _, Write as _},
    net::{SocketAddr, TcpStream},
    time::Duration,
};

/// How a browser opens the page of guests.
const BROWSER: [&str; 5] = [
    // Its authority is known to nobody.
    "--ignore-certificate-errors",
    "--use-fake-device-for-media-stream",
    "--use-fake-ui-for-media-stream",
    "--autoplay-policy=no-user-gesture-required",
    "--allow-loopback-in-peer-connection",
];
const SOON: Duration = Duration::from_secs(60);

/// A gateway whose parts have listeners of their own.
struct Gateway {
    program: Program,
    http: SocketAddr,
    ws: SocketAddr,
    rest: SocketAddr,
    sip: SocketAddr,
    wss: Option<SocketAddr>,
}

impl Gateway {
    fn start(room: &Room, more: &[&str]) -> Self {
        let any = "127.0.0.1:0";
        let listen = ["--http-listen", any, "--ws-listen", any, "--rest-listen", any, "--sip-listen", any];
        let mut program = Program::start(room, &[&["gateway"][..], &SILENT, &listen, more].concat());
        let (_, line) = program.wait("its addresses", |line| line["http"].is_string());
        let address = |url: &Value| {
            let url = url.as_str()?;
            let place = url.split_once("://").map_or(url, |(_, place)| place);
            place.split('/').next()?.parse().ok()
        };
        let of = |key: &str| address(&line[key]).unwrap_or_else(|| panic!("{key}: {line}"));
        Self {
            http: of("http"),
            rest: of("rest"),
            sip: of("sip"),
            ws: address(&line["ws"][0]).unwrap(),
            wss: address(&line["wss"][0]),
            program,
        }
    }

    /// How many sessions there are, as the REST API knows them.
    fn sessions(&self) -> usize {
        let mut stream = TcpStream::connect(self.rest).unwrap();
        stream.set_read_timeout(Some(SOON)).unwrap();
        write!(
            stream,
            "GET /rest-api/connection/find_all HTTP/1.1\r\nHost: {}\r\nConnection: close\r\n\r\n",
            self.rest
        )
        .unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).unwrap();
        if answer.starts_with("HTTP/1.1 404 ") {
            return 0;
        }
        let (_, body) = answer.split_once("\r\n\r\n").unwrap();
        let found: Value = serde_json::from_str(body).unwrap();
        found.as_array().unwrap().len()
    }
}
