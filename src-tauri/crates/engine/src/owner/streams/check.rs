//! What clients may ask of streams.

use super::{super::settings::check_selection, connect::endpoint};
use crate::{
    check_stream_name,
    io::{
        streams::send::{Inset, Scene},
        tls,
    },
};
use sidetone_api::{Corner, Failure, IceServer, Secret, SessionId, StreamSources, VideoSettings};
use sidetone_media::{
    device::{Selection, VideoSelection},
    video::{self, VideoCodec, compose::INSET_SIZES},
};
use sidetone_peer::whip::{self, Endpoint, Kind, Scheme};

const MOST_INPUTS: usize = 8;
const MOST_SERVERS: usize = 8;
/// In bytes (RFC 8489 section 14.3).
const LONGEST_USER: usize = 508;
const LONGEST_SELECTION: usize = 4_096;
const LEAST_KBIT: u32 = 30;
const MOST_KBIT: u32 = 50_000;
const LONGEST_SIDE: u32 = 4_096;
const MOST_FRAMES: u32 = 120;
/// Of a source's sound, and of a stream's.
pub(super) const LOUDEST: f32 = 2.0;

/// Where a stream is.
#[derive(Debug)]
pub(in super::super) enum Place {
    /// At the embedded gateway.
    Name,
    /// At a WHIP or WHEP endpoint.
    Url(Endpoint),
    /// A name at the Web Call Server of a session.
    Server(SessionId),
}

pub(super) fn invalid(field: &str, problem: &str) -> Failure {
    Failure::invalid(field, super::super::text::shown(&format!("{field}: {problem}")))
}

/// # Errors
/// Names `name` or `token`.
pub(in super::super) fn check_name(kind: Kind, name: &str, token: Option<&Secret>) -> Result<Place, Failure> {
    match name.split_once("://") {
        Some((scheme, _)) if ["http", "https"].iter().any(|known| scheme.eq_ignore_ascii_case(known)) => {
            endpoint(kind, name, token).map(Place::Url)
        }
        Some(_) => Err(invalid("name", "a URL begins with https:// or http://")),
        None => check_stream_name(name).map(|()| Place::Name).map_err(|problem| invalid("name", &problem)),
    }
}

/// What is to be seen of these sources; `None` where it is sound alone.
///
/// # Errors
/// Names the key that is wrong.
pub(in super::super) fn check_sources(sources: &StreamSources) -> Result<Option<Scene>, Failure> {
    if sources.video.is_none() && sources.audio.is_empty() {
        let problem = "sources: neither a picture (video) nor sound (audio) is named";
        return Err(Failure::invalid("sources", problem));
    }
    if sources.audio.len() > MOST_INPUTS {
        let problem = format!("sources.audio: {MOST_INPUTS} are the most");
        return Err(Failure::invalid("sources.audio", problem));
    }
    for (place, input) in sources.audio.iter().enumerate() {
        let field = format!("sources.audio[{place}].source");
        if input.source != "system" {
            check_selection(&field, &input.source)?;
            if matches!(input.source.parse(), Ok(Selection::Null)) {
                return Err(Failure::invalid(&field, format!("{field}: null is no microphone")));
            }
        }
        check_loudness(&format!("sources.audio[{place}].gain"), input.gain)?;
    }
    let Some(main) = &sources.video else {
        if sources.inset.is_some() {
            let problem = "sources.inset: there is no picture whose corner it could be in";
            return Err(Failure::invalid("sources.inset", problem));
        }
        return Ok(None);
    };
    let main = check_video_selection("sources.video", main)?;
    let inset = match &sources.inset {
        Some(inset) => {
            if !INSET_SIZES.contains(&inset.size) {
                let problem = format!("sources.inset.size: {} is not between 0.1 and 0.5", inset.size);
                return Err(Failure::invalid("sources.inset.size", problem));
            }
            let source = check_video_selection("sources.inset.source", &inset.source)?;
            let corner = match inset.corner {
                Corner::TopLeft => video::Corner::TopLeft,
                Corner::TopRight => video::Corner::TopRight,
                Corner::BottomLeft => video::Corner::BottomLeft,
                Corner::BottomRight => video::Corner::BottomRight,
            };
            Some(Inset { source, place: video::Inset { corner, size: inset.size } })
        }
        None => None,
    };
    Ok(Some(Scene { main, inset }))
}

/// # Errors
/// Names `field`.
pub(in super::super) fn check_loudness(field: &str, gain: f32) -> Result<(), Failure> {
    if (0.0..=LOUDEST).contains(&gain) {
        return Ok(());
    }
    Err(Failure::invalid(field, format!("{field}: {gain} is not between 0.0 and {LOUDEST:.1}")))
}

fn check_video_selection(field: &str, text: &str) -> Result<VideoSelection, Failure> {
    if text.len() > LONGEST_SELECTION || text.chars().any(char::is_control) {
        return Err(Failure::invalid(field, format!("{field} names no source of pictures")));
    }
    text.parse()
        .map_err(|error| Failure::invalid(field, super::super::text::shown(&format!("{field}: {error}"))))
}

/// What a client can ask before it starts anything.
///
/// # Errors
/// Names the key that is wrong.
pub fn check_video(video: &VideoSettings) -> Result<(), Failure> {
    check_video_selection("video.camera", &video.camera)?;
    let invalid = |field: &str, problem: String| Err(invalid(field, &problem));
    if video.codecs.is_empty() {
        return invalid("video.codecs", "at least one of H264 and VP8 is needed".into());
    }
    for (place, codec) in video.codecs.iter().enumerate() {
        let field = format!("video.codecs[{place}]");
        match codec.parse::<VideoCodec>() {
            Ok(VideoCodec::H264 | VideoCodec::Vp8) if !video.codecs[..place].contains(codec) => {}
            Ok(VideoCodec::H264 | VideoCodec::Vp8) => {
                return invalid(&field, format!("{codec} is there twice"));
            }
            _ => {
                let codec = super::super::text::shown(codec);
                return invalid(&field, format!("{codec:?} is neither H264 nor VP8"));
            }
        }
    }
    let range = |field: &str, value: u32, least: u32, most: u32| {
        if (least..=most).contains(&value) {
            return Ok(());
        }
        invalid(field, format!("{value} is not between {least} and {most}"))
    };
    range("video.width", video.width, 16, LONGEST_SIDE)?;
    range("video.height", video.height, 16, LONGEST_SIDE)?;
    range("video.framesPerSecond", video.frames_per_second, 1, MOST_FRAMES)?;
    range("video.minKbit", video.min_kbit, LEAST_KBIT, MOST_KBIT)?;
    range("video.maxKbit", video.max_kbit, video.min_kbit, MOST_KBIT)?;
    range("video.startKbit", video.start_kbit, video.min_kbit, video.max_kbit)?;
    if video.folder.len() > LONGEST_SELECTION || video.folder.chars().any(char::is_control) {
        return invalid("video.folder", "this names no folder".into());
    }
    if video.ice_servers.len() > MOST_SERVERS {
        return invalid("video.iceServers", format!("{MOST_SERVERS} are the most"));
    }
    for (place, server) in video.ice_servers.iter().enumerate() {
        check_ice_server(place, server, &video.ice_servers[..place])?;
    }
    if video.relay_only && !video.ice_servers.iter().any(|server| !server.url.starts_with("stun")) {
        return invalid("video.relayOnly", "there is no TURN server that streams could go by".into());
    }
    if let Some(pem) = video.trusted_ca.as_ref().filter(|pem| !pem.trim().is_empty()) {
        tls::check_ca(pem).map_err(|reason| super::check::invalid("video.trustedCa", &reason))?;
    }
    Ok(())
}

fn check_ice_server(place: usize, server: &IceServer, before: &[IceServer]) -> Result<(), Failure> {
    let field = format!("video.iceServers[{place}].url");
    let wrong = |words: &str| Err(invalid(&field, words));
    let Some(read) = whip::IceServer::parse(&server.url) else {
        return wrong("stun:host:port, turn:host:port?transport=udp (or tcp) or turns:host:port is expected");
    };
    match read.scheme {
        Scheme::Stuns => return wrong("STUN is asked over UDP alone: stun:host:port"),
        Scheme::Turns if !read.tcp => return wrong("TURN over DTLS is not spoken; transport=tcp is"),
        _ => {}
    }
    let is_turn = matches!(read.scheme, Scheme::Turn | Scheme::Turns);
    let user = format!("video.iceServers[{place}].user");
    if is_turn && server.user.is_empty() {
        return Err(invalid(&user, "a TURN server wants a user name"));
    }
    if server.user.len() > LONGEST_USER || server.user.chars().any(char::is_control) {
        return Err(invalid(&user, "this is no user name"));
    }
    let same = |other: &IceServer| {
        other.user == server.user && whip::IceServer::parse(&other.url).is_some_and(|it| it == read)
    };
    if before.iter().any(same) { wrong("this server is there twice") } else { Ok(()) }
}

#[cfg(test)]
mod tests {
    use super::{Place, check_name, check_sources, check_video};
    use sidetone_api::{AudioInput, Secret, StreamSources, VideoInset, VideoSettings};
    use sidetone_peer::whip::Kind;

    #[test]
    fn a_stream_is_at_a_name_or_at_a_web_address() {
        let check = |name: &str| check_name(Kind::Whip, name, None);
        assert!(matches!(check("tv"), Ok(Place::Name)));
        assert!(matches!(check("HTTPS://example.com/whip/tv"), Ok(Place::Url(_))));
        for bad in ["", " tv", "a\nb", "rtmp://x/y", "a/b", "..", "http://\u{7}", "http://u:p@x/", "https://"]
        {
            assert_eq!(check(bad).unwrap_err().field.as_deref(), Some("name"), "{bad:?}");
        }
        let token = Secret::new("a b");
        let refused = check_name(Kind::Whep, "http://x/", Some(&token)).unwrap_err();
        assert_eq!(refused.field.as_deref(), Some("token"));
        assert!(!refused.message.contains("a b"));
    }

    #[test]
    fn what_cannot_be_published_is_named() {
        let tone = AudioInput { source: "tone".into(), gain: 1.0 };
        let bars = StreamSources { video: Some("bars".into()), inset: None, audio: vec![tone.clone()] };
        assert!(check_sources(&bars).unwrap().is_some());
        assert_eq!(check_sources(&StreamSources { video: None, ..bars.clone() }), Ok(None));
        let inset = |size| Some(VideoInset { source: "bars".into(), corner: Default::default(), size });
        let loud = AudioInput { gain: f32::NAN, ..tone.clone() };
        let null = AudioInput { source: "null".into(), ..tone.clone() };
        let cases = [
            (StreamSources::default(), "sources"),
            (StreamSources { video: Some("webcam".into()), ..bars.clone() }, "sources.video"),
            (StreamSources { inset: inset(0.9), ..bars.clone() }, "sources.inset.size"),
            (StreamSources { inset: inset(0.2), video: None, ..bars.clone() }, "sources.inset"),
            (StreamSources { audio: vec![tone.clone(); 9], ..bars.clone() }, "sources.audio"),
            (StreamSources { audio: vec![tone, loud], ..bars.clone() }, "sources.audio[1].gain"),
            (StreamSources { audio: vec![null], ..bars }, "sources.audio[0].source"),
        ];
        for (sources, field) in cases {
            assert_eq!(check_sources(&sources).unwrap_err().field.as_deref(), Some(field));
        }
    }

    #[test]
    fn each_wrong_setting_is_named() {
        let good = VideoSettings::default();
        assert_eq!(check_video(&good), Ok(()));
        let server = |url: &str| sidetone_api::IceServer {
            url: url.into(),
            user: String::new(),
            password_kept: false,
        };
        let cases = [
            (VideoSettings { camera: "x".into(), ..good.clone() }, "video.camera"),
            (VideoSettings { codecs: vec![], ..good.clone() }, "video.codecs"),
            (VideoSettings { codecs: vec!["H264".into(), "AV1".into()], ..good.clone() }, "video.codecs[1]"),
            (VideoSettings { codecs: vec!["VP8".into(), "VP8".into()], ..good.clone() }, "video.codecs[1]"),
            (VideoSettings { width: 0, ..good.clone() }, "video.width"),
            (VideoSettings { height: 5_000, ..good.clone() }, "video.height"),
            (VideoSettings { frames_per_second: 0, ..good.clone() }, "video.framesPerSecond"),
            (VideoSettings { min_kbit: 1, ..good.clone() }, "video.minKbit"),
            (VideoSettings { max_kbit: 100, ..good.clone() }, "video.maxKbit"),
            (VideoSettings { start_kbit: 9_000, ..good.clone() }, "video.startKbit"),
            (
                VideoSettings { ice_servers: vec![server("turn:relay.example:3478")], ..good.clone() },
                "video.iceServers[0].user",
            ),
            (
                VideoSettings { ice_servers: vec![server("stun:a"), server("stun:a:3478")], ..good.clone() },
                "video.iceServers[1].url",
            ),
            (
                VideoSettings { ice_servers: vec![server("stuns:relay.example")], ..good.clone() },
                "video.iceServers[0].url",
            ),
            (
                VideoSettings {
                    ice_servers: vec![server("turns:relay.example?transport=udp")],
                    ..good.clone()
                },
                "video.iceServers[0].url",
            ),
            (
                VideoSettings { ice_servers: vec![server("stun:a")], relay_only: true, ..good.clone() },
                "video.relayOnly",
            ),
            (VideoSettings { trusted_ca: Some("no PEM".into()), ..good.clone() }, "video.trustedCa"),
            (VideoSettings { folder: "a\nb".into(), ..good.clone() }, "video.folder"),
            (VideoSettings { ice_servers: vec![server("http://x")], ..good }, "video.iceServers[0].url"),
        ];
        for (settings, field) in cases {
            assert_eq!(check_video(&settings).unwrap_err().field.as_deref(), Some(field));
        }
    }
}
