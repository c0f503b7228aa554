//! Finds DTMF digits in sound (ITU-T Q.23, Q.24; Goertzel 1958).

use std::f32::consts::TAU;

use super::dtmf::{HIGH, LOW, PAD};
use crate::frame::{FRAME_LEN, Frame, SAMPLE_RATE};

/// Blocks of half a frame, two frames long: 20 ms seen every 10 ms is narrow enough for the 1.5 % of Q.24 and short
/// enough for its 40 ms digits.
const WINDOW: usize = 2 * FRAME_LEN;
/// Each tone at least -34 dBFS (-36 dBm0 with 3.14 dBm0 as full scale): Q.24 asks for operation from -25 dBm or so.
const LOWEST: f32 = 0.02;
/// A row's tone may be louder than a column's by 8 dB, a column's louder by 4 dB (Q.24 for the AT&T network; others ask less).
const REVERSE_TWIST: f32 = 2.512;
const TWIST: f32 = 6.31;
/// The other tones of the same group stay this far below the strongest: 10 dB in energy.
const GROUP: f32 = 10.0;
/// Both tones hold at least this part of the energy of the whole sound, also where they are 1.5 % off; speech, which has
/// formants and harmonics, rarely does, and never for long.
const PURITY: f32 = 0.55;
/// Second harmonics stay this far below the tones: 13 dB. Voices have them.
const HARMONIC: f32 = 20.0;
/// Windows in a row that must agree: 40 ms of tone at least touch three.
const CONFIRM: u8 = 3;
/// Windows in a row without it until it may come again: Q.24's 40 ms pause, and interruptions of up to 10 ms bridged.
const RELEASE: u8 = 3;

/// Gives each digit once, when it has been heard for about 40 ms.
///
/// Costs sixteen multiplications a sample.
#[derive(Debug, Clone)]
pub struct DtmfDetector {
    window: Box<[f32; WINDOW]>,
    /// Of the eight tones, then of their second harmonics.
    coefficients: [f32; 16],
    /// What the last windows showed, and how often in a row.
    candidate: Option<char>,
    agreed: u8,
    /// The digit that sounds now and was told.
    sounding: Option<char>,
    absent: u8,
}

impl Default for DtmfDetector {
    fn default() -> Self {
        let coefficient = |hz: f32| 2.0 * (TAU * hz / SAMPLE_RATE as f32).cos();
        let mut coefficients = [0.0; 16];
        for (n, hz) in LOW.iter().chain(&HIGH).enumerate() {
            (coefficients[n], coefficients[n + 8]) = (coefficient(*hz), coefficient(hz * 2.0));
        }
        Self {
            window: Box::new([0.0; WINDOW]),
            coefficients,
            candidate: None,
            agreed: 0,
            sounding: None,
            absent: 0,
        }
    }
}

impl DtmfDetector {
    /// Takes 10 ms; gives a digit at the moment that it is sure.
    pub fn push(&mut self, frame: &Frame) -> Option<char> {
        self.window.copy_within(FRAME_LEN.., 0);
        self.window[FRAME_LEN..].copy_from_slice(frame);
        let found = self.look();
        if let Some(sounding) = self.sounding {
            self.absent = if found == Some(sounding) { 0 } else { self.absent + 1 };
            if self.absent >= RELEASE {
                self.sounding = None;
            }
        }
        self.agreed = match found {
            Some(_) if found == self.candidate => (self.agreed + 1).min(CONFIRM),
            Some(_) => 1,
            None => 0,
        };
        self.candidate = found;
        if self.agreed == CONFIRM && self.sounding != found {
            (self.sounding, self.absent) = (found, 0);
            return found;
        }
        None
    }

    /// Forgets everything: another source speaks.
    pub fn reset(&mut self) {
        *self = Self::default();
    }

    /// The digit of the present window.
    fn look(&self) -> Option<char> {
        let total: f32 = self.window.iter().map(|s| s * s).sum();
        // Full-scale sine: an amplitude a has a*a*WINDOW/2.
        let enough = LOWEST * LOWEST * WINDOW as f32 / 2.0;
        // Not a number fails as well.
        if !(total >= 2.0 * enough && total.is_finite()) {
            return None;
        }
        let energies = self.energies();
        let (row, low) = strongest(&energies[..4]);
        let (column, high) = strongest(&energies[4..8]);
        let alone = |group: &[f32], at: usize, most: f32| {
            group.iter().enumerate().all(|(n, energy)| n == at || energy * GROUP < most)
        };
        // The row's lies so near to some columns that those would be taken for it.
        let apart = (2.0 * LOW[row] - HIGH[column]).abs() > 150.0;
        let harmonics = if apart { energies[8 + row] } else { 0.0 }.max(energies[12 + column]);
        let good = low >= enough
            && high >= enough
            && low <= high * TWIST
            && high <= low * REVERSE_TWIST
            && alone(&energies[..4], row, low)
            && alone(&energies[4..8], column, high)
            && low + high >= total * PURITY
            && harmonics * HARMONIC < low.max(high);
        good.then(|| PAD[row][column])
    }

    /// Energy of the window's part at each frequency, comparable with the sum of its squared samples.
    fn energies(&self) -> [f32; 16] {
        let (mut before, mut last) = ([0.0f32; 16], [0.0f32; 16]);
        for sample in self.window.iter() {
            for n in 0..16 {
                let next = sample + self.coefficients[n] * last[n] - before[n];
                (before[n], last[n]) = (last[n], next);
            }
        }
        std::array::from_fn(|n| {
            let power =
                before[n] * before[n] + last[n] * last[n] - self.coefficients[n] * before[n] * last[n];
            power * 2.0 / WINDOW as f32
        })
    }
}

fn strongest(energies: &[f32]) -> (usize, f32) {
    energies.iter().copied().enumerate().fold(
        (0, 0.0),
        |best, (n, energy)| {
            if energy > best.1 { (n, energy) } else { best }
        },
    )
}

#[cfg(test)]
mod tests;
