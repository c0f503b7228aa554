//! Video codecs that this build has, and those that it lacks: `cargo xtask test` runs this on builds without VP8 too.

use crate::run::Home;
use sidetone_media::video::{CodecInfo, VideoCodec};
use std::{
    io::{Read, Write},
    net::{SocketAddr, TcpListener, TcpStream},
    thread::{self, JoinHandle},
};

fn codecs() -> impl Iterator<Item = (VideoCodec, CodecInfo)> {
    [VideoCodec::H264, VideoCodec::Vp8].into_iter().map(|codec| (codec, codec.info()))
}

/// An endpoint that declines the first offer; gives the offer. What is asked of it before has no answer either.
fn endpoint() -> (SocketAddr, JoinHandle<String>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    let offer = thread::spawn(move || {
        loop {
            let (stream, _) = listener.accept().unwrap();
            if let Some(offer) = declined(stream) {
                return offer;
            }
        }
    });
    (address, offer)
}

/// Declines one request; gives the body of a POST.
fn declined(mut stream: TcpStream) -> Option<String> {
    let (mut bytes, mut part) = (Vec::new(), [0; 4_096]);
    loop {
        let text = String::from_utf8_lossy(&bytes).into_owned();
        if let Some((head, body)) = text.split_once("\r\n\r\n") {
            let head = head.to_ascii_lowercase();
            let length = head.lines().find_map(|line| line.strip_prefix("content-length: ")?.parse().ok());
            if body.len() >= length.unwrap_or(0) {
                let _ = stream
                    .write_all(b"HTTP/1.1 403 Forbidden\r\nConnection: close\r\nContent-Length: 0\r\n\r\n");
                return head.starts_with("post ").then(|| body.to_owned());
            }
        }
        match stream.read(&mut part) {
            Ok(length @ 1..) => bytes.extend(&part[..length]),
            _ => return None,
        }
    }
}

fn offered(sdp: &str) -> Vec<&str> {
    let names = sdp.lines().filter_map(|line| line.strip_prefix("a=rtpmap:")?.split([' ', '/']).nth(1));
    let mut names: Vec<_> = names.filter(|name| ["H264", "VP8", "VP9"].contains(name)).collect();
    names.sort_unstable();
    names.dedup();
    names
}

#[test]
fn a_codec_that_is_there_is_published_and_one_that_is_not_is_refused_with_its_reason() {
    let home = Home::new("codecs");
    for (codec, info) in codecs() {
        let (name, bars) = (codec.name(), ["--camera", "bars", "--mic", "none", "--size", "320x180"]);
        let arguments = [&["publish", "tv", "--for", "300ms", "--codec", name][..], &bars].concat();
        let ended = home.run(&arguments, b"");
        if info.encode {
            assert_eq!(ended.code, Some(0), "{name}: {ended:?}");
            assert!(ended.stdout.contains("PUBLISHING"), "{name}: {ended:?}");
        } else {
            assert_eq!(ended.code, Some(1), "{name}: {ended:?}");
            let words = format!("video.codecs: {name} is not available: {}", info.info);
            assert!(ended.stderr.contains(&words), "{name}: {ended:?}");
        }
    }
}

#[test]
fn only_codecs_that_are_there_are_offered() {
    let home = Home::new("offers");
    let there: Vec<_> = codecs().filter(|(_, info)| info.encode).map(|(codec, _)| codec.name()).collect();
    let bars = ["--camera", "bars", "--mic", "tone", "--codec", "VP8,H264"];
    for (task, more) in [("publish", &bars[..]), ("play", &["--speaker", "null"])] {
        if there.is_empty() && task == "publish" {
            continue;
        }
        let (address, offer) = endpoint();
        let url = format!("http://{address}/x");
        let ended = home.run(&[&[task, &url][..], more].concat(), b"");
        assert_eq!(ended.code, Some(5), "{task}: {ended:?}");
        let offer = offer.join().unwrap();
        assert_eq!(offered(&offer), there, "{task}: {offer}");
        assert!(offer.contains("m=audio "), "{task}: {offer}");
        assert_eq!(offer.contains("m=video "), !there.is_empty(), "{task}: {offer}");
    }
}
