//! Levels of H.264 (ITU-T H.264 table A-1).

use super::H264Parameters;

/// constraint_set3, which makes level 11 of the baseline and main profiles level 1b.
pub(super) const SET3: u8 = 0x10;

/// What a receiver takes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct H264Limits {
    /// Macroblocks of 16x16 a picture.
    pub frame_size: u32,
    /// Macroblocks a second.
    pub rate: u32,
    /// 1000 bit/s in the profiles that we speak.
    pub kilobits: u32,
}

/// level_idc, macroblocks a second, a picture, kbit/s.
const LEVELS: [(u8, u32, u32, u32); 17] = [
    (9, 1_485, 99, 128),
    (10, 1_485, 99, 64),
    (11, 3_000, 396, 192),
    (12, 6_000, 396, 384),
    (13, 11_880, 396, 768),
    (20, 11_880, 396, 2_000),
    (21, 19_800, 792, 4_000),
    (22, 20_250, 1_620, 4_000),
    (30, 40_500, 1_620, 10_000),
    (31, 108_000, 3_600, 14_000),
    (32, 216_000, 5_120, 20_000),
    (40, 245_760, 8_192, 20_000),
    (41, 245_760, 8_192, 50_000),
    (42, 522_240, 8_704, 50_000),
    (50, 589_824, 22_080, 135_000),
    (51, 983_040, 36_864, 240_000),
    (52, 2_073_600, 36_864, 240_000),
];

impl H264Parameters {
    /// What its owner takes: the level, and what it says beyond that (RFC 6184 section 8.1).
    pub fn limits(&self) -> H264Limits {
        let wanted = if self.is_1b() { 9 } else { self.level_idc };
        // A level between those of the table is the next lower one, one below all of them level 1.
        let fitting =
            |(level, ..): &&(u8, u32, u32, u32)| *level == wanted || (wanted > 10 && *level <= wanted);
        let found = LEVELS.iter().rev().find(fitting).copied();
        let (_, rate, frame_size, kilobits) = found.unwrap_or((10, 1_485, 99, 64));
        let above = |said: Option<u32>, level: u32| said.map_or(level, |said| said.max(level));
        H264Limits {
            frame_size: above(self.max_fs, frame_size),
            rate: above(self.max_mbps, rate),
            kilobits: above(self.max_br, kilobits),
        }
    }

    /// To be compared: 1b is between 1 and 1.1.
    pub(super) fn level(&self) -> u16 {
        if self.is_1b() { 105 } else { u16::from(self.level_idc) * 10 }
    }

    /// level_idc, and the constraint flag that belongs to it.
    pub(super) fn level_of(&self) -> (u8, u8) {
        (self.level_idc, if self.is_1b() { SET3 & self.profile_iop } else { 0 })
    }

    fn is_1b(&self) -> bool {
        self.level_idc == 9 || (self.level_idc == 11 && self.profile_iop & SET3 != 0)
    }
}
