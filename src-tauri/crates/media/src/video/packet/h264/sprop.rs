//! `sprop-parameter-sets` of SDP (RFC 6184, 8.1): parameter sets as base64, separated by commas.

use base64::Engine as _;
use base64::alphabet::STANDARD;
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};
use bytes::{BufMut, Bytes, BytesMut};

use crate::video::codec::h264::nal;
use crate::video::codec::h264::sps::Sps;

/// Most parameter sets and bytes that are taken.
const MAX_SETS: usize = 16;
const MAX_LEN: usize = 4_096;

/// Some leave the padding out.
const BASE64: GeneralPurpose = GeneralPurpose::new(
    &STANDARD,
    GeneralPurposeConfig::new()
        .with_decode_padding_mode(DecodePaddingMode::Indifferent)
        .with_decode_allow_trailing_bits(true),
);

/// The value for the parameter sets in `stream` (Annex B); `None` where it has none.
pub fn to_sdp(stream: &[u8]) -> Option<String> {
    let sets = nal::units(stream).filter(|unit| matches!(nal::kind(unit), Some(nal::SPS | nal::PPS)));
    let sets: Vec<String> = sets.map(|set| BASE64.encode(set)).collect();
    (!sets.is_empty()).then(|| sets.join(","))
}

/// The parameter sets in Annex B, to be decoded before the first picture; `None` where the value is damaged or they
/// cannot be used.
pub fn from_sdp(value: &str) -> Option<Bytes> {
    if value.len() > MAX_LEN {
        return None;
    }
    let mut stream = BytesMut::new();
    for (count, set) in value.split(',').enumerate() {
        let unit = BASE64.decode(set.trim()).ok()?;
        match nal::kind(&unit)? {
            nal::SPS => {
                Sps::parse(&unit).ok()?;
            }
            nal::PPS => {}
            _ => return None,
        }
        if count >= MAX_SETS {
            return None;
        }
        stream.put_slice(&nal::START_CODE);
        stream.put_slice(&unit);
    }
    Some(stream.freeze())
}
