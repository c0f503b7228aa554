//! Doors for the fuzz targets: what of this crate reads bytes of others. No part of the face.

use std::time::{Duration, Instant, SystemTime};

use rtc::rtcp;
use rtc::rtp;
use rtc::shared::marshal::Unmarshal as _;

use crate::media::Session;
use crate::sdp::{Candidate, MediaSection, Remote, answer, offer};
use crate::{BitrateLimits, Codec, Direction, Kind, Media};

/// Reads a description and answers it.
pub fn description(text: &str) {
    let wanted = [Media::new(Kind::Audio, Direction::Both), Media::new(Kind::Video, Direction::Both)];
    if let Ok(remote) = Remote::parse(text) {
        // What comes of it does not matter here.
        let _ = answer(&remote, &wanted, &Codec::ALL);
        let _ = crate::sdp::agree(&offer(&wanted, &Codec::ALL), &remote);
    }
    let _ = Candidate::parse(text);
}

/// Takes the bytes as what a STUN or TURN server answers: two bytes of length before each message, the highest bit set for
/// one that carries the id of our last request.
pub fn server(bytes: &[u8]) {
    crate::gather::noise(bytes);
}

/// Takes the bytes as packets of a far end that has our keys: two bytes of length before each, with the highest bit
/// set for RTCP, and the lower half of the first byte for the milliseconds that pass.
pub fn packets(mut bytes: &[u8]) {
    let now = Instant::now();
    let mut session = session(now);
    let mut at = now;
    for _ in 0..2_000 {
        let Some(([high, low], rest)) = bytes.split_first_chunk() else { break };
        let (packet, behind) = rest.split_at(usize::from(*low).min(rest.len()));
        bytes = behind;
        at += Duration::from_millis(u64::from(high & 0x7f));
        if high & 0x80 == 0 {
            if let Ok(packet) = rtp::Packet::unmarshal(&mut &packet[..]) {
                session.handle_rtp(at, packet);
            }
        } else if let Ok(packets) = rtcp::packet::unmarshal(&mut &packet[..]) {
            session.handle_rtcp(at, &packets);
        }
        session.handle_timeout(at, None);
        while session.poll_event().is_some() {}
        while let Some(out) = session.poll_out() {
            if let crate::media::Out::Rtcp(packets) = out {
                // What we say must be sayable.
                let _ = rtcp::packet::marshal(&packets);
            }
        }
    }
}

fn session(now: Instant) -> Session {
    let wanted = [Media::new(Kind::Audio, Direction::Both), Media::new(Kind::Video, Direction::Both)];
    let sections: Vec<MediaSection> = offer(&wanted, &Codec::ALL);
    let limits = BitrateLimits::default();
    let mut session = Session::new(now, SystemTime::UNIX_EPOCH, limits, 1, "noise".to_owned());
    let mut next = 1_000;
    let random = || {
        next += 1;
        next
    };
    session.configure(&sections, &[&[], &[]], random);
    session.connected(now);
    for track in session.tracks().to_vec() {
        for sequence in 0..40 {
            let packet = crate::RtpPacket {
                payload_type: track.codecs.first().map_or(0, |codec| codec.payload_type),
                sequence,
                timestamp: 0,
                marker: false,
                extensions: crate::Extensions::default(),
                payload: bytes::Bytes::from_static(&[7; 500]),
            };
            // It was negotiated.
            let _ = session.write_rtp(now, track.id, &packet);
        }
    }
    session
}
