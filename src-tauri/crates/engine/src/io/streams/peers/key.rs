//! Where key frames begin, seen in the payload of one RTP packet.

use sidetone_peer::Codec;

/// NAL units of H.264 (ITU-T H.264 table 7-1).
const IDR: u8 = 5;
const SPS: u8 = 7;
/// Of RFC 6184 section 5.2.
const STAP_A: u8 = 24;
const FU_A: u8 = 28;

/// True for the first packet of a picture that can be decoded without what was before.
pub(in super::super) fn begins_key_frame(codec: Codec, payload: &[u8]) -> bool {
    match codec {
        Codec::H264 => h264(payload).unwrap_or(false),
        Codec::Vp8 => vp8(payload).unwrap_or(false),
        Codec::Vp9 => vp9(payload).unwrap_or(false),
        Codec::Opus | Codec::Pcmu | Codec::Pcma => false,
    }
}

fn h264(payload: &[u8]) -> Option<bool> {
    let is_key = |kind: u8| matches!(kind, IDR | SPS);
    let (first, rest) = payload.split_first()?;
    match first & 0x1f {
        STAP_A => {
            let mut rest = rest;
            while let [high, low, after @ ..] = rest {
                let length = usize::from(u16::from_be_bytes([*high, *low]));
                if is_key(after.first()? & 0x1f) {
                    return Some(true);
                }
                rest = after.get(length..)?;
            }
            Some(false)
        }
        FU_A => {
            let header = rest.first()?;
            Some(header & 0x80 != 0 && is_key(header & 0x1f))
        }
        kind => Some(is_key(kind)),
    }
}

/// RFC 7741 section 4.2 and 4.3.
fn vp8(payload: &[u8]) -> Option<bool> {
    let (&descriptor, mut rest) = payload.split_first()?;
    if descriptor & 0x10 == 0 || descriptor & 0x07 != 0 {
        return Some(false);
    }
    if descriptor & 0x80 != 0 {
        let (&extended, after) = rest.split_first()?;
        rest = after;
        if extended & 0x80 != 0 {
            rest = rest.get(if rest.first()? & 0x80 != 0 { 2 } else { 1 }..)?;
        }
        if extended & 0x40 != 0 {
            rest = rest.get(1..)?;
        }
        if extended & 0x30 != 0 {
            rest = rest.get(1..)?;
        }
    }
    Some(rest.first()? & 1 == 0)
}

/// RFC 9628 section 4.2: begins a frame that is predicted from no other, in the lowest spatial layer.
fn vp9(payload: &[u8]) -> Option<bool> {
    let (&descriptor, mut rest) = payload.split_first()?;
    let (has_id, predicted, has_layers, begins) =
        (descriptor & 0x80 != 0, descriptor & 0x40 != 0, descriptor & 0x20 != 0, descriptor & 0x08 != 0);
    if predicted || !begins {
        return Some(false);
    }
    if has_id {
        rest = rest.get(if rest.first()? & 0x80 != 0 { 2 } else { 1 }..)?;
    }
    let spatial = if has_layers { rest.first()? >> 1 & 0x07 } else { 0 };
    Some(spatial == 0)
}

#[cfg(test)]
mod tests {
    use super::begins_key_frame;
    use sidetone_peer::Codec;

    #[test]
    fn key_frames_of_h264_begin_with_parameter_sets_or_an_idr() {
        let key = |payload: &[u8]| begins_key_frame(Codec::H264, payload);
        assert!(key(&[0x67, 1, 2]) && key(&[0x65, 1]));
        assert!(key(&[0x7c, 0x85, 0]), "the first fragment of an IDR");
        assert!(!key(&[0x7c, 0x05, 0]) && !key(&[0x7c, 0x81, 0]), "a later one, and one of another picture");
        assert!(key(&[0x78, 0, 2, 0x67, 1, 0, 2, 0x68, 1]));
        assert!(!key(&[0x78, 0, 2, 0x61, 1, 0, 99, 0x68]) && !key(&[0x41]));
    }

    #[test]
    fn key_frames_of_vp8_and_vp9_begin_with_their_first_partition() {
        let vp8 = |payload: &[u8]| begins_key_frame(Codec::Vp8, payload);
        assert!(vp8(&[0x10, 0x00]) && vp8(&[0x90, 0x80, 0x81, 0x23, 0x00]) && vp8(&[0x90, 0xf0, 1, 2, 3, 0]));
        assert!(!vp8(&[0x10, 0x01]) && !vp8(&[0x00, 0x00]) && !vp8(&[0x11, 0x00]));
        let vp9 = |payload: &[u8]| begins_key_frame(Codec::Vp9, payload);
        assert!(vp9(&[0x08, 0]) && vp9(&[0xa8, 0x81, 0x02, 0x00, 0x00]));
        assert!(!vp9(&[0x48]) && !vp9(&[0x00]) && !vp9(&[0xa8, 0x01, 0x02]));
    }

    #[test]
    fn what_is_cut_short_does_no_harm() {
        for codec in Codec::ALL {
            for payload in
                [&[][..], &[0x78], &[0x78, 0], &[0x7c], &[0x90], &[0x90, 0xf0, 0x80], &[0xa8, 0x80]]
            {
                // What is short of one codec may be whole of another: nothing panics.
                let _ = begins_key_frame(codec, payload);
            }
        }
    }
}
