//! NAL units in a byte stream (ITU-T H.264, 7.3.1 and Annex B).

/// `nal_unit_type` of what is looked at here (table 7-1).
pub const SLICE: u8 = 1;
pub const IDR_SLICE: u8 = 5;
pub const SEI: u8 = 6;
pub const SPS: u8 = 7;
pub const PPS: u8 = 8;
pub const ACCESS_UNIT_DELIMITER: u8 = 9;

/// What comes before each unit in what we write.
pub const START_CODE: [u8; 4] = [0, 0, 0, 1];

/// Type of a unit by its first byte.
pub fn kind(nal: &[u8]) -> Option<u8> {
    nal.first().map(|first| first & 0x1F)
}

/// The units between the start codes of `stream`, without them and without trailing zeros; empty ones are left out.
pub fn units(stream: &[u8]) -> impl Iterator<Item = &[u8]> {
    let mut rest = after_start_code(stream);
    std::iter::from_fn(move || {
        loop {
            let bytes = rest?;
            let end = find_start_code(bytes);
            rest = end.and_then(|end| after_start_code(&bytes[end..]));
            let unit = trimmed(&bytes[..end.unwrap_or(bytes.len())]);
            if !unit.is_empty() {
                return Some(unit);
            }
        }
    })
}

/// Whether one of the units is an IDR slice.
pub fn has_idr(stream: &[u8]) -> bool {
    units(stream).any(|nal| kind(nal) == Some(IDR_SLICE))
}

fn trimmed(unit: &[u8]) -> &[u8] {
    let end = unit.iter().rposition(|byte| *byte != 0).map_or(0, |last| last + 1);
    &unit[..end]
}

fn find_start_code(bytes: &[u8]) -> Option<usize> {
    let mut at = 0;
    while at + 2 < bytes.len() {
        match bytes[at + 2] {
            0 => at += 1,
            1 if bytes[at] == 0 && bytes[at + 1] == 0 => return Some(at),
            _ => at += 3,
        }
    }
    None
}

fn after_start_code(bytes: &[u8]) -> Option<&[u8]> {
    find_start_code(bytes).map(|at| &bytes[at + 3..])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn units_are_found_after_long_and_short_start_codes() {
        let stream = [0, 0, 0, 1, 0x67, 1, 2, 0, 0, 1, 0x68, 0, 0, 0, 0, 1, 0, 0, 1, 0x65, 0, 0, 2];
        let found: Vec<&[u8]> = units(&stream).collect();
        assert_eq!(found, [&[0x67, 1, 2][..], &[0x68], &[0x65, 0, 0, 2]]);
        assert!(has_idr(&stream));
    }

    #[test]
    fn bytes_without_start_code_have_no_units() {
        for stream in [&[][..], &[0], &[0, 0], &[0x65, 1, 2, 3], &[0, 0, 1], &[0, 0, 0, 1, 0, 0]] {
            assert_eq!(units(stream).count(), 0, "{stream:?}");
        }
    }
}
