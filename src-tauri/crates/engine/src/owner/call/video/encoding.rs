//! What is offered, and how pictures are encoded for what was agreed.

use crate::io::streams::send::Encoding;
use sidetone_api::VideoSettings;
use sidetone_media::video::{PacketizationMode, VideoCodec};
use sidetone_sdp::{Capability, Negotiated};

/// What RTP, UDP and IP take of what a peer takes.
const OVERHEAD_PERCENT: u64 = 10;
/// A macroblock's side.
const BLOCK: u32 = 16;

/// Of the settings, what this build both encodes and decodes, in their order.
pub(super) fn capabilities(settings: &VideoSettings) -> Vec<Capability> {
    let codecs = settings.codecs.iter().filter_map(|name| name.parse::<VideoCodec>().ok());
    let usable = codecs.filter(|codec| codec.info().encode && codec.info().decode);
    let capabilities = usable.flat_map(|codec| match codec {
        VideoCodec::H264 => vec![Capability::h264(1), Capability::h264(0)],
        VideoCodec::Vp8 => vec![Capability::vp8()],
        VideoCodec::Vp9 => Vec::new(),
    });
    capabilities.collect()
}

/// What the settings want within what the peer takes.
pub(super) fn encoding(settings: &VideoSettings, agreed: &Negotiated) -> Option<Encoding> {
    let codec = agreed.codec.capability.name.parse::<VideoCodec>().ok()?;
    let parameters = agreed.codec.h264_parameters();
    let packetization = match parameters.as_ref().map(|parameters| parameters.packetization_mode) {
        Some(0) => PacketizationMode::Single,
        _ => PacketizationMode::NonInterleaved,
    };
    let h264 = parameters.map(|parameters| parameters.limits());
    let vp8 = agreed.codec.vp8_parameters();
    let most_blocks = h264.map(|limits| limits.frame_size).or(vp8.max_fs).unwrap_or(u32::MAX);
    let (mut width, mut height) = (settings.width, settings.height);
    let blocks = |width: u32, height: u32| width.div_ceil(BLOCK).saturating_mul(height.div_ceil(BLOCK));
    while blocks(width, height) > most_blocks && width > BLOCK && height > BLOCK {
        (width, height) = (width * 7 / 8, height * 7 / 8);
    }
    (width, height) = (width & !1, height & !1);
    let by_rate = h264.map_or(u32::MAX, |limits| limits.rate / blocks(width, height).max(1));
    let most_frames = by_rate.min(vp8.max_fr.unwrap_or(u32::MAX)).max(1);
    let asked = agreed.bandwidth.map(|kilobits| kilobits.saturating_mul(100 - OVERHEAD_PERCENT) / 100);
    let asked = asked.map_or(u32::MAX, |kilobits| u32::try_from(kilobits).unwrap_or(u32::MAX));
    let most = settings.max_kbit.min(asked).min(h264.map_or(u32::MAX, |limits| limits.kilobits)).max(32);
    Some(Encoding {
        codec,
        width,
        height,
        frames_per_second: settings.frames_per_second.min(most_frames),
        min_kbit: settings.min_kbit.min(most),
        max_kbit: most,
        start_kbit: settings.start_kbit.min(most),
        hint: None,
        packetization,
        layers: 1,
    })
}

#[cfg(test)]
mod tests {
    use super::{capabilities, encoding};
    use crate::io::streams::send::Encoding;
    use sidetone_api::VideoSettings;
    use sidetone_media::video::PacketizationMode;
    use sidetone_sdp::{Capability, LocalMedia, LocalVideo, OfferAnswer, Origin, SessionDescription};
    use std::net::{IpAddr, Ipv4Addr};

    /// For a peer whose video line says this.
    fn for_peer(codec: &str, lines: &str) -> Encoding {
        let settings =
            VideoSettings { codecs: vec!["H264".into(), "VP8".into()], ..VideoSettings::default() };
        let offer = format!(
            "v=0\r\no=- 1 1 IN IP4 127.0.0.1\r\ns=-\r\nc=IN IP4 127.0.0.1\r\nt=0 0\r\nm=audio 4000 RTP/AVP 0\r\n\
             m=video 4002 RTP/AVP 97\r\n{lines}a=rtpmap:97 {codec}/90000\r\n"
        );
        let local = |codecs| LocalMedia::new(IpAddr::V4(Ipv4Addr::LOCALHOST), 5000, codecs);
        let video = LocalVideo::new(local(capabilities(&settings)));
        let origin = Origin { username: "-".into(), session_id: 1, version: 1 };
        let offer = SessionDescription::parse(offer.as_bytes()).unwrap();
        let audio = local(vec![Capability::pcmu()]);
        let answered = OfferAnswer::new(origin).answer_with(&offer, &audio, Some(&video)).unwrap();
        encoding(&settings, &answered.video.unwrap().unwrap()).unwrap()
    }

    #[test]
    #[cfg(feature = "h264")]
    fn h264_keeps_to_the_level_and_the_packetization_mode_of_the_peer() {
        let whole = for_peer("H264", "a=fmtp:97 profile-level-id=42e01f;packetization-mode=1\r\n");
        assert_eq!((whole.width, whole.height, whole.frames_per_second), (1280, 720, 30));
        assert_eq!(whole.packetization, PacketizationMode::NonInterleaved);
        // Level 1.2: 396 macroblocks a picture, 384 kbit/s.
        let small = for_peer("H264", "a=fmtp:97 profile-level-id=42e00c\r\n");
        assert_eq!(small.packetization, PacketizationMode::Single);
        assert!(small.width.div_ceil(16) * small.height.div_ceil(16) <= 396, "{small:?}");
        assert!(
            small.width * 9 / 16 >= small.height - 16 && small.width % 2 + small.height % 2 == 0,
            "{small:?}"
        );
        assert!(small.max_kbit <= 384 && small.min_kbit <= small.max_kbit, "{small:?}");
    }

    #[test]
    fn vp8_keeps_to_what_the_peer_can_decode_and_takes() {
        if capabilities(&VideoSettings { codecs: vec!["VP8".into()], ..VideoSettings::default() }).is_empty()
        {
            return;
        }
        let few = for_peer("VP8", "b=AS:300\r\na=fmtp:97 max-fr=15;max-fs=920\r\n");
        assert_eq!((few.frames_per_second, few.max_kbit), (15, 270));
        assert!(few.width.div_ceil(16) * few.height.div_ceil(16) <= 920, "{few:?}");
    }
}
