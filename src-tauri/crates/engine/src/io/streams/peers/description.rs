//! What an answer makes likely to come, before anything has: the first codec of each section, as browsers send it, and the
//! layers.

use super::super::{
    router::{AudioTrack, Tracks, VideoTrack},
    send::MOST_LAYERS,
};

/// Who will send what is asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Side {
    /// Who made the answer.
    Answerer,
    Offerer,
}

/// The tracks that `sender` will send, and the names of the layers.
pub(crate) fn expected(answer: &str, sender: Side) -> (Tracks, Vec<String>) {
    let direction = match sender {
        Side::Answerer => "a=sendonly",
        Side::Offerer => "a=recvonly",
    };
    let mut tracks = Tracks::default();
    let mut layers = Vec::new();
    for section in answer.split("\nm=").skip(1) {
        let mut lines = section.lines().map(str::trim_end);
        let Some(media) = lines.next() else { continue };
        let mut words = media.split(' ');
        let (kind, port) = (words.next().unwrap_or_default(), words.next().unwrap_or_default());
        let first = words.nth(1).unwrap_or_default();
        let lines: Vec<_> = lines.collect();
        let other = ["a=sendonly", "a=recvonly", "a=inactive"].into_iter().filter(|it| *it != direction);
        if port == "0" || other.into_iter().any(|other| lines.contains(&other)) {
            continue;
        }
        let named = format!("a=rtpmap:{first} ");
        let map = lines.iter().find_map(|line| line.strip_prefix(&named)).unwrap_or_default();
        let (codec, rate) = map.split_once('/').unwrap_or((map, ""));
        let clock_rate = rate.split('/').next().and_then(|rate| rate.parse().ok());
        match kind {
            "audio" if tracks.audio.is_none() => {
                let clock_rate = clock_rate.unwrap_or(8_000);
                tracks.audio = Some(AudioTrack { codec: codec.to_owned(), clock_rate });
            }
            "video" if tracks.video.is_none() => {
                layers = simulcast(&lines);
                let count = u8::try_from(layers.len().max(1)).unwrap_or(1);
                tracks.video = Some(VideoTrack { codec: codec.to_owned(), layers: count });
            }
            _ => {}
        }
    }
    (tracks, layers)
}

/// RFC 8853: `a=simulcast:recv q;h;f`, where `~` marks what is paused and `,` alternatives.
fn simulcast(lines: &[&str]) -> Vec<String> {
    let list = lines.iter().find_map(|line| line.strip_prefix("a=simulcast:recv ")).unwrap_or_default();
    let list = list.split(' ').next().unwrap_or_default();
    let first = |layer: &str| layer.split(',').next().unwrap_or_default().trim_start_matches('~').to_owned();
    list.split(';').filter(|layer| !layer.is_empty()).take(MOST_LAYERS).map(first).collect()
}

#[cfg(test)]
mod tests {
    use super::{Side, expected};

    #[test]
    fn what_will_come_is_read_from_our_answer() {
        let answer = "v=0\r\nm=audio 9 UDP/TLS/RTP/SAVPF 111 0\r\na=recvonly\r\na=rtpmap:111 opus/48000/2\r\n\
                      m=application 0 UDP/DTLS/SCTP webrtc-datachannel\r\na=inactive\r\n\
                      m=video 9 UDP/TLS/RTP/SAVPF 96 97\r\na=recvonly\r\na=rtpmap:96 VP8/90000\r\n\
                      a=rtpmap:97 rtx/90000\r\na=simulcast:recv q;~h,x;f\r\n";
        let (tracks, layers) = expected(answer, Side::Offerer);
        let audio = tracks.audio.unwrap();
        assert_eq!((audio.codec.as_str(), audio.clock_rate), ("opus", 48_000));
        let video = tracks.video.unwrap();
        assert_eq!((video.codec.as_str(), video.layers), ("VP8", 3));
        assert_eq!(layers, ["q", "h", "f"]);
    }

    #[test]
    fn declined_and_broken_sections_promise_nothing() {
        for answer in ["", "m=audio", "\nm=video 0 X 96\na=recvonly", "\nm=audio 9 X 0\na=sendonly"] {
            assert_eq!(expected(answer, Side::Offerer), Default::default(), "{answer:?}");
        }
    }
}
