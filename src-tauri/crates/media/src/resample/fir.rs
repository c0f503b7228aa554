//! FIR design and the inner product that all resamplers share.

use std::f64::consts::PI;

/// Coefficients for interpolation at `phases` fractional positions, `taps` each.
///
/// The prototype is a sinc of cut-off `cutoff` (a fraction of the input's Nyquist frequency, 0 to 1) under a
/// Kaiser window of shape `beta` (Kaiser and Schafer 1980). Row `p` holds the taps, oldest input sample first,
/// that give the value at `p / phases` after input sample `taps / 2 - 1`. Each row is scaled to a gain of one at
/// 0 Hz, which removes the ripple between phases.
pub(super) fn interpolation_table(phases: usize, taps: usize, cutoff: f64, beta: f64) -> Vec<f32> {
    let half = taps as f64 / 2.0;
    let mut table = Vec::with_capacity(phases * taps);
    for phase in 0..phases {
        let at = half - 1.0 + phase as f64 / phases as f64;
        let row: Vec<f64> = (0..taps).map(|tap| sinc_window(tap as f64 - at, half, cutoff, beta)).collect();
        let gain: f64 = row.iter().sum();
        table.extend(row.iter().map(|c| (c / gain) as f32));
    }
    table
}

/// An [`interpolation_table`] with one more row, the first one a sample later, so that [`between_phases`] needs no
/// wrap.
pub(super) fn closed_table(phases: usize, taps: usize, cutoff: f64, beta: f64) -> Vec<f32> {
    let mut table = interpolation_table(phases, taps, cutoff, beta);
    let mut last = vec![0.0];
    last.extend_from_slice(&table[..taps - 1]);
    table.extend_from_slice(&last);
    table
}

/// The value at `fraction` (0 to below 1) between two input samples: linear between the two nearest rows of a
/// [`closed_table`].
#[inline]
pub(super) fn between_phases(history: &[f32], table: &[f32], fraction: f64) -> f32 {
    let taps = history.len();
    let position = fraction * (table.len() / taps - 1) as f64;
    let phase = position as usize;
    let weight = (position - phase as f64) as f32;
    let row = phase * taps;
    let (low, high) = table[row..row + 2 * taps].split_at(taps);
    let mut sums = [0.0f32; 8];
    for ((x, low), high) in
        history.as_chunks::<8>().0.iter().zip(low.as_chunks::<8>().0).zip(high.as_chunks::<8>().0)
    {
        for i in 0..8 {
            sums[i] += x[i] * (low[i] + weight * (high[i] - low[i]));
        }
    }
    add_up(sums)
}

/// Inner product over slices of the same length, a multiple of eight; eight sums so that it vectorises.
#[inline]
pub(super) fn dot(a: &[f32], b: &[f32]) -> f32 {
    let mut sums = [0.0f32; 8];
    for (a, b) in a.as_chunks::<8>().0.iter().zip(b.as_chunks::<8>().0) {
        for i in 0..8 {
            sums[i] += a[i] * b[i];
        }
    }
    add_up(sums)
}

#[inline]
fn add_up(sums: [f32; 8]) -> f32 {
    let [a, b, c, d] = [sums[0] + sums[4], sums[1] + sums[5], sums[2] + sums[6], sums[3] + sums[7]];
    (a + c) + (b + d)
}

fn sinc_window(x: f64, half: f64, cutoff: f64, beta: f64) -> f64 {
    let position = x / half;
    if position.abs() >= 1.0 {
        return 0.0;
    }
    let sinc = if x.abs() < 1e-9 { cutoff } else { (PI * cutoff * x).sin() / (PI * x) };
    sinc * bessel_i0(beta * (1.0 - position * position).sqrt()) / bessel_i0(beta)
}

/// Modified Bessel function of the first kind and order zero, by its power series.
fn bessel_i0(x: f64) -> f64 {
    let quarter = x * x / 4.0;
    let mut term = 1.0;
    let mut sum = 1.0;
    for k in 1..40 {
        term *= quarter / f64::from(k * k);
        sum += term;
    }
    sum
}
