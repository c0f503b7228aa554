//! Cross-correlation and convolution by a fast Fourier transform.

use std::f64::consts::TAU;

/// `out[lag] = sum over n of reference[n] * heard[n + lag]` for every lag from `-reference.len() + 1` on, the
/// first at index 0.
pub(super) fn cross_correlation(reference: &[f32], heard: &[f32]) -> Vec<f64> {
    let lags = reference.len() + heard.len() - 1;
    let size = lags.next_power_of_two();
    let mut a = padded(heard, size);
    let mut b = padded(reference, size);
    transform(&mut a, false);
    transform(&mut b, false);
    for (x, y) in a.iter_mut().zip(&b) {
        // heard times the conjugate of reference
        *x = (x.0 * y.0 + x.1 * y.1, x.1 * y.0 - x.0 * y.1);
    }
    transform(&mut a, true);
    let before = reference.len() - 1;
    a[size - before..].iter().chain(&a[..heard.len()]).map(|value| value.0 / size as f64).collect()
}

/// `signal` through a filter of this impulse response; as long as `signal`.
pub(super) fn convolve(signal: &[f32], response: &[f32]) -> Vec<f32> {
    let size = (signal.len() + response.len()).next_power_of_two();
    let mut a = padded(signal, size);
    let mut b = padded(response, size);
    transform(&mut a, false);
    transform(&mut b, false);
    for (x, y) in a.iter_mut().zip(&b) {
        *x = (x.0 * y.0 - x.1 * y.1, x.0 * y.1 + x.1 * y.0);
    }
    transform(&mut a, true);
    a[..signal.len()].iter().map(|value| (value.0 / size as f64) as f32).collect()
}

fn padded(samples: &[f32], size: usize) -> Vec<(f64, f64)> {
    let mut padded: Vec<(f64, f64)> = samples.iter().map(|s| (f64::from(*s), 0.0)).collect();
    padded.resize(size, (0.0, 0.0));
    padded
}

/// Radix 2, in place (Cooley and Tukey 1965).
pub(super) fn transform(values: &mut [(f64, f64)], inverse: bool) {
    let size = values.len();
    let mut reversed = 0;
    for n in 1..size {
        let mut bit = size >> 1;
        while reversed & bit != 0 {
            reversed ^= bit;
            bit >>= 1;
        }
        reversed |= bit;
        if n < reversed {
            values.swap(n, reversed);
        }
    }
    let sign = if inverse { 1.0 } else { -1.0 };
    let twiddles: Vec<(f64, f64)> = (0..size / 2)
        .map(|n| {
            let angle = sign * TAU * n as f64 / size as f64;
            (angle.cos(), angle.sin())
        })
        .collect();
    let mut half = 1;
    while half < size {
        let stride = size / (2 * half);
        for block in values.chunks_exact_mut(2 * half) {
            let (low, high) = block.split_at_mut(half);
            for (n, (x, y)) in low.iter_mut().zip(high).enumerate() {
                let w = twiddles[n * stride];
                let turned = (y.0 * w.0 - y.1 * w.1, y.0 * w.1 + y.1 * w.0);
                *y = (x.0 - turned.0, x.1 - turned.1);
                *x = (x.0 + turned.0, x.1 + turned.1);
            }
        }
        half *= 2;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_convolution_is_the_sum_by_hand() {
        let out = convolve(&[1.0, 2.0, 0.0, -1.0], &[0.5, 0.0, 1.0]);
        for (value, expected) in out.iter().zip([0.5, 1.0, 1.0, 1.5]) {
            assert!((value - expected).abs() < 1e-6, "{out:?}");
        }
    }

    #[test]
    fn it_equals_the_sum_by_hand() {
        let reference = [1.0, -2.0, 3.0];
        let heard = [0.5, 1.0, -2.0, 3.0, 0.25];
        let fast = cross_correlation(&reference, &heard);
        assert_eq!(fast.len(), 7);
        for (index, value) in fast.iter().enumerate() {
            let lag = index as i64 - 2;
            let slow: f64 = (0..3i64)
                .filter_map(|n| {
                    Some(
                        f64::from(reference[n as usize])
                            * f64::from(*heard.get(usize::try_from(n + lag).ok()?)?),
                    )
                })
                .sum();
            assert!((value - slow).abs() < 1e-9, "lag {lag}: {value} {slow}");
        }
    }
}
