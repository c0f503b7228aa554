//! The pause before a failed registration is tried again (RFC 5626 section 4.5, with bounds of our own).

use std::time::Duration;

/// `base` doubled with each failure up to `limit`, of which between half and all is waited: `chance` (0 to 1) keeps clients that
/// failed together from coming back together.
pub(crate) fn back_off(base: Duration, limit: Duration, failures: u32, chance: f64) -> Duration {
    let longest = base.saturating_mul(1 << failures.min(20)).min(limit);
    longest.mul_f64(0.5 + chance.clamp(0.0, 1.0) / 2.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_pause_doubles_up_to_its_limit_and_half_of_it_is_chance() {
        let (base, limit) = (Duration::from_secs(4), Duration::from_secs(300));
        let longest: Vec<u64> = (0..9).map(|n| back_off(base, limit, n, 1.0).as_secs()).collect();
        assert_eq!(longest, [4, 8, 16, 32, 64, 128, 256, 300, 300]);
        assert_eq!(back_off(base, limit, 0, 0.0), Duration::from_secs(2));
        assert_eq!(back_off(base, limit, u32::MAX, 0.0), Duration::from_secs(150));
    }
}
