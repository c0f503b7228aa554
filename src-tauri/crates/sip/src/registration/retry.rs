//! How long what is kept alive at a server lasts, and the pause before it is tried again (RFC 5626 section 4.5, with bounds of our
//! own).

use std::time::Duration;

use crate::message::Response;
use crate::user_agent::Config;

/// A server may ask for at most so long with 423; longer ones would never be refreshed in a sensible time.
pub(crate) const LONGEST: Duration = Duration::from_secs(24 * 3600);

/// `base` doubled with each failure up to `limit`, of which between half and all is waited: `chance` (0 to 1) keeps clients that
/// failed together from coming back together.
pub(crate) fn back_off(base: Duration, limit: Duration, failures: u32, chance: f64) -> Duration {
    let longest = base.saturating_mul(1 << failures.min(20)).min(limit);
    longest.mul_f64(0.5 + chance.clamp(0.0, 1.0) / 2.0)
}

/// The pause before what the peer refused is tried again: `asked` for by its Retry-After, but not less than our own and not more
/// than an hour.
pub(crate) fn pause(config: &Config, failures: u32, asked: Option<Duration>, chance: f64) -> Duration {
    let own = back_off(config.retry_base, config.retry_limit, failures, chance);
    asked.map_or(own, |asked| own.max(asked.min(Duration::from_secs(3600))))
}

/// What a 423 asks for in place of `asked`, if that is longer and can be sensibly kept.
pub(crate) fn longer(refusal: &Response, asked: Duration) -> Option<Duration> {
    let wanted = Duration::from_secs(refusal.headers.min_expires().ok().flatten()?.into());
    (asked < wanted && wanted <= LONGEST).then_some(wanted)
}

/// The Retry-After of a refusal.
pub(crate) fn retry_after(refusal: &Response) -> Option<Duration> {
    Some(Duration::from_secs(refusal.headers.retry_after().ok().flatten()?.into()))
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
