use bytes::Bytes;
use rtc::rtp;

use crate::Extensions;
use crate::sdp::{Extension, MediaSection};

/// Header extensions by their negotiated ids: with BUNDLE they mean the same in every section.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Ids {
    pub(super) mid: Option<u8>,
    pub(super) rid: Option<u8>,
    pub(super) repaired_rid: Option<u8>,
    pub(super) transport_cc: Option<u8>,
    pub(super) audio_level: Option<u8>,
    pub(super) orientation: Option<u8>,
    pub(super) playout_delay: Option<u8>,
}

impl Ids {
    pub(super) fn of(sections: &[MediaSection]) -> Self {
        let mut ids = Self::default();
        for (id, extension) in sections.iter().filter(|s| !s.declined).flat_map(|section| &section.extensions)
        {
            let place = match extension {
                Extension::Mid => &mut ids.mid,
                Extension::Rid => &mut ids.rid,
                Extension::RepairedRid => &mut ids.repaired_rid,
                Extension::TransportCc => &mut ids.transport_cc,
                Extension::AudioLevel => &mut ids.audio_level,
                Extension::Orientation => &mut ids.orientation,
                Extension::PlayoutDelay => &mut ids.playout_delay,
            };
            place.get_or_insert(*id);
        }
        ids
    }
}

pub(super) fn read_extensions(header: &rtp::Header, ids: &Ids) -> Extensions {
    let byte = |id: Option<u8>| id.and_then(|id| header.get_extension(id))?.first().copied();
    Extensions {
        audio_level: byte(ids.audio_level),
        orientation: byte(ids.orientation),
        playout_delay: ids
            .playout_delay
            .and_then(|id| header.get_extension(id))
            .and_then(|delay| delay[..].try_into().ok()),
    }
}

/// What this leg did not negotiate is left out.
pub(super) fn write_extensions(header: &mut rtp::Header, extensions: &Extensions, ids: &Ids) {
    let mut put = |id: Option<u8>, value: Option<Bytes>| {
        if let (Some(id), Some(value)) = (id, value) {
            // Of a length that every header takes.
            let _ = header.set_extension(id, value);
        }
    };
    put(ids.audio_level, extensions.audio_level.map(|level| Bytes::copy_from_slice(&[level])));
    put(ids.orientation, extensions.orientation.map(|orientation| Bytes::copy_from_slice(&[orientation])));
    put(ids.playout_delay, extensions.playout_delay.map(|delay| Bytes::copy_from_slice(&delay)));
}
