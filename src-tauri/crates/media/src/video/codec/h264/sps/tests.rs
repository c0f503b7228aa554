use super::*;

/// Writes bits as a parameter set has them.
#[derive(Default)]
struct Writer(Vec<bool>);

impl Writer {
    fn bit(&mut self, bit: bool) -> &mut Self {
        self.0.push(bit);
        self
    }

    fn unsigned(&mut self, value: u32) -> &mut Self {
        let code = u64::from(value) + 1;
        let len = 63 - code.leading_zeros();
        self.0.extend((0..len).map(|_| false));
        self.0.extend((0..=len).rev().map(|bit| code >> bit & 1 == 1));
        self
    }

    fn nal(&self, profile: u8) -> Vec<u8> {
        let mut nal = vec![0x67, profile, 0xC0, 31];
        let mut zeros = 0;
        for byte in self.0.chunks(8).map(|bits| {
            bits.iter().enumerate().fold(0u8, |byte, (at, bit)| byte | u8::from(*bit) << (7 - at))
        }) {
            if zeros >= 2 && byte <= 3 {
                nal.push(3);
                zeros = 0;
            }
            zeros = if byte == 0 { zeros + 1 } else { 0 };
            nal.push(byte);
        }
        nal
    }
}

fn baseline(width_mbs: u32, height_mbs: u32, references: u32, crop: Option<[u32; 4]>) -> Vec<u8> {
    let mut writer = Writer::default();
    writer.unsigned(0).unsigned(0).unsigned(2).unsigned(references).bit(false);
    writer.unsigned(width_mbs - 1).unsigned(height_mbs - 1).bit(true).bit(true);
    writer.bit(crop.is_some());
    for side in crop.into_iter().flatten() {
        writer.unsigned(side);
    }
    writer.bit(false).bit(true);
    writer.nal(66)
}

#[test]
fn size_is_read_with_its_cropping() {
    let sps = Sps::parse(&baseline(120, 68, 1, Some([0, 0, 0, 4]))).unwrap();
    assert_eq!(sps.size, Size::P1080);
    assert_eq!(sps.profile_level_id(), "42c01f");
    assert!(!sps.reorders);
}

#[test]
fn high_profile_with_scaling_lists_is_read() {
    let mut writer = Writer::default();
    writer.unsigned(0).unsigned(1).unsigned(0).unsigned(0).bit(false).bit(true);
    for list in 0..8 {
        writer.bit(list % 2 == 0);
        if list % 2 == 0 {
            for _ in 0..if list < 6 { 16 } else { 64 } {
                writer.unsigned(0);
            }
        }
    }
    writer.unsigned(0).unsigned(0).unsigned(0).unsigned(4).bit(false);
    writer.unsigned(79).unsigned(44).bit(true).bit(true).bit(false).bit(false).bit(true);
    let sps = Sps::parse(&writer.nal(100)).unwrap();
    assert_eq!((sps.size, sps.reference_frames, sps.reorders), (Size::P720, 4, true));
}

#[test]
fn what_is_more_than_4096_by_4096_is_refused_in_words() {
    for (width, height) in [(257, 1), (1, 257), (4096, 4096)] {
        let error = Sps::parse(&baseline(width, height, 1, None)).unwrap_err().to_string();
        assert!(error.contains("more than 4096x4096"), "{error}");
    }
    assert!(Sps::parse(&baseline(256, 256, 1, None)).is_ok());
    let error = Sps::parse(&baseline(256, 256, 16, None)).unwrap_err().to_string();
    assert!(error.contains("reference"), "{error}");
}

#[test]
fn formats_that_are_not_decoded_are_refused_in_words() {
    for (chroma, depth) in [(0, 0), (2, 0), (3, 0), (1, 2)] {
        let mut writer = Writer::default();
        writer.unsigned(0).unsigned(chroma);
        if chroma == 3 {
            writer.bit(false);
        }
        writer.unsigned(depth).unsigned(depth).bit(false).bit(false);
        writer.unsigned(0).unsigned(2).unsigned(1).bit(false);
        writer.unsigned(10).unsigned(10).bit(true).bit(true).bit(false).bit(false).bit(true);
        let error = Sps::parse(&writer.nal(100)).unwrap_err().to_string();
        assert!(error.contains("4:2:0"), "{error}");
    }
}

#[test]
fn every_cut_and_every_flipped_bit_gives_an_answer() {
    let whole = baseline(120, 68, 1, Some([0, 0, 0, 4]));
    for end in 0..whole.len() - 1 {
        assert!(Sps::parse(&whole[..end]).is_err(), "{end} bytes");
    }
    for bit in 0..whole.len() * 8 {
        let mut flipped = whole.clone();
        flipped[bit / 8] ^= 1 << (bit % 8);
        let _ = Sps::parse(&flipped);
    }
    assert!(Sps::parse(&baseline(2, 2, 1, Some([8, 8, 0, 0]))).is_err(), "nothing is left after cropping");
}

#[test]
fn a_bit_depth_of_four_thousand_million_is_refused_like_any_other() {
    for (luma, chroma) in [(u32::MAX - 1, 0), (0, u32::MAX - 8), (u32::MAX - 8, u32::MAX - 1)] {
        let mut writer = Writer::default();
        writer.unsigned(0).unsigned(1).unsigned(luma).unsigned(chroma).bit(false).bit(false);
        writer.unsigned(0).unsigned(2).unsigned(1).bit(false).unsigned(19).unsigned(10).bit(true).bit(true);
        writer.bit(false).bit(false).bit(true);
        let error = Sps::parse(&writer.nal(100)).unwrap_err();
        assert!(error.to_string().contains("only 8 bits in 4:2:0 are decoded"), "{error}");
    }
}
