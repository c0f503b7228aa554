//! Random and damaged text: nothing panics, and what is read prints to something that reads the same.

#[path = "hostile/exercise.rs"]
mod exercise;

use exercise::exercise;
use fastrand::Rng;

const SAMPLE: &str = "v=0\r\no=- 20518 3 IN IP4 203.0.113.1\r\ns=-\r\nc=IN IP4 203.0.113.1\r\nt=0 0\r\n\
m=audio 54400 RTP/AVP 0 96 97 101\r\na=rtpmap:0 PCMU/8000\r\na=rtpmap:96 opus/48000/2\r\n\
a=rtpmap:97 telephone-event/48000\r\na=fmtp:97 0-15,32-255\r\na=rtpmap:101 telephone-event/8000\r\n\
a=fmtp:96 maxaveragebitrate=24000;usedtx=1\r\na=ptime:20\r\na=rtcp:54405 IN IP4 203.0.113.9\r\n\
a=rtcp-mux\r\na=sendonly\r\n\
a=crypto:1 AES_CM_128_HMAC_SHA1_80 inline:WVNfX19zZW1jdGwgKCkgewkyMjA7fQp9CnVubGVz|2^20|1:4 FEC_ORDER=FEC_SRTP\r\n\
a=crypto:2 AES_CM_128_HMAC_SHA1_32 inline:WVNfX19zZW1jdGwgKCkgewkyMjA7fQp9CnVubGVz|2^48 WSH=128\r\n\
a=setup:actpass\r\na=ice-ufrag:8hhY\r\na=ice-pwd:asd88fgpdd777uzjYhagZg\r\na=mid:0\r\n\
a=candidate:1 1 UDP 2130706431 203.0.113.141 8998 typ host\r\n\
a=candidate:2 1 udp 1694498815 192.0.2.3 45664 typ srflx raddr 203.0.113.141 rport 8998\r\n\
m=video 0 RTP/AVP 99\r\na=rtpmap:99 H264/90000\r\n";

const VIDEO: &str = "v=0\r\no=- 1 3 IN IP4 203.0.113.1\r\ns=-\r\nc=IN IP4 203.0.113.1\r\nt=0 0\r\na=group:BUNDLE 0 1\r\n\
m=audio 54400 RTP/AVP 0\r\na=mid:0\r\nm=video 54402 RTP/AVP 96 98 99\r\nb=TIAS:512000\r\na=mid:1\r\na=rtpmap:98 H264/90000\r\n\
a=fmtp:98 profile-level-id=42e01f;packetization-mode=1;level-asymmetry-allowed=1;max-fs=8192;sprop-parameter-sets=aMljiA==\r\n\
a=rtpmap:99 H264/90000\r\na=fmtp:99 profile-level-id=42f00b\r\na=rtpmap:96 VP8/90000\r\na=fmtp:96 max-fr=30;max-fs=3600\r\n\
a=rtcp-fb:* nack pli\r\na=rtcp-fb:98 ccm fir\r\na=imageattr:98 recv [x=800,y=640]\r\na=recvonly\r\n";

#[test]
fn random_bytes_do_no_harm() {
    let mut random = Rng::with_seed(1);
    for _ in 0..100_000 {
        let len = random.usize(..120);
        let bytes: Vec<u8> = (0..len).map(|_| random.u8(..)).collect();
        exercise(&bytes);
    }
}

#[test]
fn random_lines_of_known_types_do_no_harm() {
    const WORDS: [&str; 24] = [
        "IN",
        "IP4",
        "IP6",
        "0",
        "1",
        "65535",
        "audio",
        "RTP/AVP",
        "rtpmap:",
        "96",
        "opus/48000/2",
        "fmtp:",
        "/",
        "ptime:",
        "rtcp:",
        "sendrecv",
        "192.0.2.1",
        "::",
        "-",
        "AS:",
        "99999999999999999999",
        ";",
        ":",
        "\u{a0}",
    ];
    let mut random = Rng::with_seed(2);
    for _ in 0..30_000 {
        let mut text = "v=0\no=- 1 1 IN IP4 192.0.2.1\ns=-\n".to_owned();
        for _ in 0..random.usize(..8) {
            text.push(char::from(b"csbtamaikrz"[random.usize(..11)]));
            text.push('=');
            for _ in 0..random.usize(..6) {
                text.push_str(WORDS[random.usize(..WORDS.len())]);
                if random.usize(..3) > 0 {
                    text.push(' ');
                }
            }
            text.push('\n');
        }
        exercise(text.as_bytes());
    }
}

#[test]
fn damaged_descriptions_do_no_harm() {
    let understood = damage(SAMPLE, 30_000);
    assert!(understood > 3000, "mutations must reach beyond the parser: {understood}");
}

#[test]
fn damaged_descriptions_of_video_do_no_harm() {
    let understood = damage(VIDEO, 5_000);
    assert!(understood > 500, "mutations must reach beyond the parser: {understood}");
}

/// How many of the damaged texts could be read.
fn damage(sample: &str, times: u32) -> usize {
    let mut random = Rng::with_seed(3);
    let mut understood = 0;
    for _ in 0..times {
        let mut bytes = sample.as_bytes().to_vec();
        for _ in 0..=random.usize(..4) {
            if bytes.len() < 2 {
                break;
            }
            let at = random.usize(..bytes.len());
            match random.usize(..6) {
                0 => bytes[at] = random.u8(..),
                1 => drop(bytes.remove(at)),
                2 => bytes.insert(at, b" /:;=0129\r\n-x"[random.usize(..13)]),
                3 => bytes.truncate(at.max(1)),
                4 => {
                    let end = (at + random.usize(..60)).min(bytes.len());
                    let part = bytes[at..end].to_vec();
                    let to = random.usize(..bytes.len());
                    bytes.splice(to..to, part);
                }
                _ => {
                    let lines: Vec<&[u8]> = bytes.split_inclusive(|byte| *byte == b'\n').collect();
                    let (from, to) = (random.usize(..lines.len()), random.usize(..lines.len()));
                    let mut lines = lines.clone();
                    lines.swap(from, to);
                    bytes = lines.concat();
                }
            }
        }
        understood += usize::from(exercise(&bytes));
    }
    understood
}
