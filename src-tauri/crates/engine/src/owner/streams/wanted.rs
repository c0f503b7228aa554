//! What a stream's offer asks for.

use crate::io::streams::send::MOST_LAYERS;
use sidetone_api::VideoSettings;
use sidetone_media::video::VideoCodec;
use sidetone_peer::{BitrateLimits, Codec, Direction, Kind, Media, Wanted};

/// Names of simulcast layers, the smallest first.
const LAYERS: [&str; MOST_LAYERS] = ["q", "h", "f"];
/// What the sound needs beside the pictures, kbit/s.
pub(super) const SOUND_KBIT: u32 = 80;

impl super::Stream {
    /// What is offered: what its sources have, or all that can be decoded; later what was agreed on before.
    pub(super) fn wanted(&self) -> Wanted {
        let agreed = self.connection.as_ref().and_then(|connection| connection.tracks.as_ref());
        let direction = if self.is_published() { Direction::Send } else { Direction::Receive };
        let named = |name: &str| Codec::ALL.into_iter().find(|codec| codec.name().eq_ignore_ascii_case(name));
        let (has_sound, has_picture) = match &self.sources {
            Some(sources) => (!sources.audio.is_empty(), sources.video.is_some()),
            None => (true, true),
        };
        let mut media = Vec::new();
        if has_sound {
            let codec = agreed.and_then(|tracks| named(&tracks.audio.as_ref()?.codec));
            let codecs =
                codec.map_or_else(|| vec![Codec::Opus, Codec::Pcmu, Codec::Pcma], |codec| vec![codec]);
            media.push(Media { codecs, ..Media::new(Kind::Audio, direction) });
        }
        if has_picture {
            let codec = agreed.and_then(|tracks| named(&tracks.video.as_ref()?.codec));
            let usable = |name: &&String| {
                let codec = name.parse::<VideoCodec>().map(VideoCodec::info);
                codec.is_ok_and(|info| if self.is_published() { info.encode } else { info.decode })
            };
            let known = self.settings.codecs.iter().filter(usable).filter_map(|name| named(name));
            let codecs: Vec<Codec> = codec.map_or_else(|| known.collect(), |codec| vec![codec]);
            if codecs.is_empty() {
                // None would stand for all, also for those that the user left out.
                return Wanted { media, stream: String::new() };
            }
            let simulcast = self.is_published() && self.settings.simulcast;
            let layers = if simulcast { LAYERS.map(String::from).into() } else { Vec::new() };
            media.push(Media { codecs, layers, ..Media::new(Kind::Video, direction) });
        }
        Wanted { media, stream: String::new() }
    }
}

pub(super) fn limits(settings: &VideoSettings) -> BitrateLimits {
    let bits = |kbit: u32| u64::from(kbit + SOUND_KBIT) * 1_000;
    BitrateLimits {
        min: bits(settings.min_kbit),
        start: bits(settings.start_kbit),
        max: bits(settings.max_kbit),
    }
}
