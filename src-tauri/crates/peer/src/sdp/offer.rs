use super::{Extension, MediaSection};
use crate::{Codec, CodecParameters, Feedback, Kind, Media};

/// Payload types of what we offer: the numbers that browsers use where they agree.
const NUMBERS: [(Codec, u8, Option<u8>, &str); 9] = [
    (Codec::Opus, 111, None, "minptime=10;useinbandfec=1"),
    (Codec::Pcmu, 0, None, ""),
    (Codec::Pcma, 8, None, ""),
    (Codec::H264, 102, Some(103), "level-asymmetry-allowed=1;packetization-mode=1;profile-level-id=42e01f"),
    (Codec::H264, 104, Some(105), "level-asymmetry-allowed=1;packetization-mode=1;profile-level-id=42001f"),
    (Codec::H264, 106, Some(107), "level-asymmetry-allowed=1;packetization-mode=1;profile-level-id=4d001f"),
    (Codec::H264, 108, Some(109), "level-asymmetry-allowed=1;packetization-mode=1;profile-level-id=64001f"),
    (Codec::Vp8, 96, Some(97), ""),
    (Codec::Vp9, 98, Some(99), "profile-id=0"),
];

/// The sections that offer `wanted`, in its order. SSRCs are the caller's.
pub(crate) fn offer(wanted: &[Media], known: &[Codec]) -> Vec<MediaSection> {
    wanted.iter().enumerate().map(|(index, media)| section(index, media, known)).collect()
}

fn section(index: usize, media: &Media, known: &[Codec]) -> MediaSection {
    let order = if media.codecs.is_empty() { known } else { &media.codecs[..] };
    let mut codecs: Vec<CodecParameters> = Vec::new();
    for codec in order.iter().filter(|codec| codec.kind() == media.kind && known.contains(codec)) {
        for (_, number, rtx, fmtp) in NUMBERS.iter().filter(|(offered, ..)| offered == codec) {
            // Profiles beyond the baseline are for receiving: what we encode is of the baseline.
            if media.direction.sends() && *codec == Codec::H264 && *number != 102 {
                continue;
            }
            if codecs.iter().any(|other| other.payload_type == *number) {
                continue;
            }
            let is_video = media.kind == Kind::Video;
            codecs.push(CodecParameters {
                codec: *codec,
                payload_type: *number,
                fmtp: (*fmtp).to_owned(),
                rtx: *rtx,
                feedback: Feedback {
                    nack: is_video,
                    pli: is_video,
                    fir: is_video,
                    transport_cc: true,
                    remb: is_video,
                },
            });
        }
    }
    // With BUNDLE an id means the same in every section (RFC 9143 section 7.1.1).
    let extensions =
        (1..).zip(Extension::ALL).filter(|(_, extension)| fits(*extension, media.kind)).collect();
    MediaSection {
        line: 0,
        media: media.kind.name().to_owned(),
        protocol: "UDP/TLS/RTP/SAVPF".to_owned(),
        format: String::new(),
        kind: Some(media.kind),
        mid: index.to_string(),
        declined: codecs.is_empty(),
        direction: media.direction,
        codecs,
        extensions,
        sends: if media.direction.sends() { media.layers.clone() } else { Vec::new() },
        receives: Vec::new(),
        flows: Vec::new(),
        reduced_size: true,
    }
}

pub(super) fn fits(extension: Extension, kind: Kind) -> bool {
    match extension {
        Extension::Mid | Extension::TransportCc => true,
        Extension::AudioLevel => kind == Kind::Audio,
        Extension::Rid | Extension::RepairedRid | Extension::Orientation | Extension::PlayoutDelay => {
            kind == Kind::Video
        }
    }
}
