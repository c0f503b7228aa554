//! H.264 as MP4 and Matroska have it.

use crate::video::codec::h264::nal;

/// `AVCDecoderConfigurationRecord` (ISO/IEC 14496-15, 5.3.3.1).
pub(super) struct AvcConfiguration {
    length_bytes: usize,
    parameter_sets: Vec<u8>,
}

impl AvcConfiguration {
    /// `length_bytes` is what a unit's length takes, 1 to 4.
    pub(super) fn new<'a>(length_bytes: usize, sets: impl Iterator<Item = &'a [u8]>) -> Self {
        let mut parameter_sets = Vec::new();
        for set in sets {
            parameter_sets.extend_from_slice(&nal::START_CODE);
            parameter_sets.extend_from_slice(set);
        }
        Self { length_bytes, parameter_sets }
    }

    pub(super) fn parse(record: &[u8]) -> Option<Self> {
        let (head, mut rest) = record.split_first_chunk::<5>()?;
        let length_bytes = usize::from(head[4] & 3) + 1;
        let mut sets = Vec::new();
        for mask in [0x1F, 0xFF] {
            let count = *rest.split_off_first()? & mask;
            for _ in 0..count {
                let (length, after) = rest.split_first_chunk::<2>()?;
                let length = usize::from(u16::from_be_bytes(*length));
                sets.push(after.get(..length)?);
                rest = &after[length..];
            }
        }
        Some(Self::new(length_bytes, sets.into_iter()))
    }

    /// From units behind their lengths to units behind start codes.
    pub(super) fn annex_b(&self, mut sample: &[u8]) -> Option<Vec<u8>> {
        let mut units = Vec::with_capacity(sample.len() + 64);
        let mut key = false;
        while !sample.is_empty() {
            let length = sample.split_off(..self.length_bytes)?;
            let length = length.iter().fold(0usize, |length, byte| length << 8 | usize::from(*byte));
            let unit = sample.split_off(..length)?;
            key |= nal::kind(unit) == Some(nal::IDR_SLICE);
            units.extend_from_slice(&nal::START_CODE);
            units.extend_from_slice(unit);
        }
        if !key {
            return Some(units);
        }
        Some([&self.parameter_sets, units.as_slice()].concat())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn avc_samples_become_annex_b_with_parameter_sets_before_key_frames() {
        let record = [1, 66, 0xC0, 31, 0xFF, 0xE1, 0, 2, 0x67, 1, 1, 0, 2, 0x68, 2];
        let avc = AvcConfiguration::parse(&record).unwrap();
        let key = avc.annex_b(&[0, 0, 0, 2, 0x65, 9]).unwrap();
        assert_eq!(nal::units(&key).collect::<Vec<_>>(), [&[0x67, 1], &[0x68, 2], &[0x65, 9]]);
        let delta = avc.annex_b(&[0, 0, 0, 2, 0x41, 9, 0, 0, 0, 1, 0x41]).unwrap();
        assert_eq!(nal::units(&delta).collect::<Vec<_>>(), [&[0x41, 9][..], &[0x41]]);
        for cut in [&[0, 0][..], &[0, 0, 0, 3, 0x41], &[0xFF; 5]] {
            assert_eq!(avc.annex_b(cut), None, "{cut:?}");
        }
        for end in 0..record.len() {
            assert!(AvcConfiguration::parse(&record[..end]).is_none(), "{end} bytes");
        }
    }
}
