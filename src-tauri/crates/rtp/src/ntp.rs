use std::time::{Duration, SystemTime, UNIX_EPOCH};

/// Seconds from 1900 to 1970.
const UNIX: u64 = 2_208_988_800;

/// NTP time, 32.32 fixed point (RFC 3550 section 4); wraps with the NTP era in 2036.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct NtpTime(pub u64);

impl NtpTime {
    pub fn from_wallclock(time: SystemTime) -> Self {
        let since = time.duration_since(UNIX_EPOCH).unwrap_or(Duration::ZERO);
        let fraction = (u64::from(since.subsec_nanos()) << 32) / 1_000_000_000;
        Self((since.as_secs().wrapping_add(UNIX) & 0xffff_ffff) << 32 | fraction)
    }

    /// The middle 32 bits: 16.16 seconds, as in LSR.
    pub fn middle(self) -> u32 {
        (self.0 >> 16) as u32
    }
}

/// 16.16 seconds, as in DLSR; saturates at 18 hours.
pub(crate) fn to_short(duration: Duration) -> u32 {
    u32::try_from((duration.as_nanos() << 16) / 1_000_000_000).unwrap_or(u32::MAX)
}

pub(crate) fn from_short(short: u32) -> Duration {
    Duration::from_nanos((u64::from(short) * 1_000_000_000) >> 16)
}
