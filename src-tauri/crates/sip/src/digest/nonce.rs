//! Nonces that carry their own age and a signature, and the record of the counts used with each.

use std::collections::HashMap;
use std::time::{Duration, Instant};

use hmac::{Hmac, KeyInit as _, Mac as _};
use sha2::Sha256;

use super::algorithm::hex;

/// Nonces whose counts are remembered. Only requests with right credentials get in.
const MAX_USED: usize = 4096;
const SIGNATURE: usize = 16;
const LENGTH: usize = 8 + 8 + SIGNATURE;
/// Counts up to so far behind the highest may still come in, as UDP reorders.
const WINDOW: u32 = 64;

/// Issues nonces and says whether one may (still) be used.
#[derive(Debug)]
pub(super) struct Nonces {
    key: Key,
    lifetime: Duration,
    epoch: Option<Instant>,
    issued: u64,
    used: HashMap<u64, Used>,
    /// Nonces up to this number have been dropped from `used` and are not accepted again.
    floor: u64,
}

#[derive(Debug)]
struct Used {
    highest: u32,
    /// Bit n: the count `highest - n` was seen.
    seen: u64,
    /// The first cnonce, which session algorithms go on using.
    cnonce: String,
    issued_at: u64,
}

/// Shown by nobody.
struct Key([u8; 32]);

impl std::fmt::Debug for Key {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("***")
    }
}

/// The number of a nonce of ours that has not expired.
#[derive(Debug, Clone, Copy)]
pub(super) struct Live {
    number: u64,
    issued_at: u64,
}

impl Nonces {
    pub(super) fn new(key: [u8; 32], lifetime: Duration) -> Nonces {
        Nonces { key: Key(key), lifetime, epoch: None, issued: 0, used: HashMap::new(), floor: 0 }
    }

    pub(super) fn set_lifetime(&mut self, lifetime: Duration) {
        self.lifetime = lifetime;
    }

    /// Age in milliseconds, number, and the signature over both.
    pub(super) fn issue(&mut self, now: Instant) -> String {
        self.issued += 1;
        let mut bytes = Vec::with_capacity(LENGTH);
        bytes.extend(self.clock(now).to_be_bytes());
        bytes.extend(self.issued.to_be_bytes());
        let signature = self.sign(&bytes);
        bytes.extend(signature);
        hex(&bytes)
    }

    /// `None` if the nonce is not ours, too old, or dropped for want of room.
    pub(super) fn read(&mut self, now: Instant, nonce: &str) -> Option<Live> {
        let bytes = unhex(nonce)?;
        let (signed, signature) = bytes.split_at_checked(LENGTH - SIGNATURE)?;
        let expected = self.sign(signed);
        let matches: bool = subtle::ConstantTimeEq::ct_eq(expected.as_slice(), signature).into();
        let (issued_at, number) = signed.split_at_checked(8)?;
        let issued_at = u64::from_be_bytes(issued_at.try_into().ok()?);
        let number = u64::from_be_bytes(number.try_into().ok()?);
        let age = self.clock(now).saturating_sub(issued_at);
        let is_live = u128::from(age) <= self.lifetime.as_millis() && number > self.floor;
        (matches && is_live).then_some(Live { number, issued_at })
    }

    /// The cnonce first used with this nonce.
    pub(super) fn first_cnonce(&self, nonce: Live) -> Option<&str> {
        self.used.get(&nonce.number).map(|used| used.cnonce.as_str())
    }

    /// Records a count; whether it is new.
    pub(super) fn spend(&mut self, now: Instant, nonce: Live, nc: u32, cnonce: &str) -> bool {
        let Some(used) = self.used.get_mut(&nonce.number) else {
            self.make_room(now);
            if nonce.number <= self.floor {
                return false;
            }
            let used = Used { highest: nc, seen: 1, cnonce: cnonce.to_owned(), issued_at: nonce.issued_at };
            self.used.insert(nonce.number, used);
            return true;
        };
        if nc > used.highest {
            used.seen = used.seen.checked_shl(nc - used.highest).unwrap_or(0) | 1;
            used.highest = nc;
            return true;
        }
        let behind = used.highest - nc;
        if behind >= WINDOW || used.seen & (1 << behind) != 0 {
            return false;
        }
        used.seen |= 1 << behind;
        true
    }

    fn make_room(&mut self, now: Instant) {
        if self.used.len() < MAX_USED {
            return;
        }
        let oldest =
            self.clock(now).saturating_sub(u64::try_from(self.lifetime.as_millis()).unwrap_or(u64::MAX));
        self.used.retain(|_, used| used.issued_at >= oldest);
        if self.used.len() < MAX_USED {
            return;
        }
        // Half at a time, so that the cost is spread.
        let mut numbers: Vec<u64> = self.used.keys().copied().collect();
        numbers.sort_unstable();
        self.floor = numbers.get(MAX_USED / 2).copied().unwrap_or(self.floor);
        let floor = self.floor;
        self.used.retain(|number, _| *number > floor);
    }

    fn clock(&mut self, now: Instant) -> u64 {
        let epoch = *self.epoch.get_or_insert(now);
        u64::try_from(now.saturating_duration_since(epoch).as_millis()).unwrap_or(u64::MAX)
    }

    fn sign(&self, bytes: &[u8]) -> Vec<u8> {
        let Ok(mut mac) = Hmac::<Sha256>::new_from_slice(&self.key.0) else { return Vec::new() };
        mac.update(bytes);
        mac.finalize().into_bytes().iter().take(SIGNATURE).copied().collect()
    }
}

fn unhex(text: &str) -> Option<Vec<u8>> {
    if text.len() != LENGTH * 2 || !text.bytes().all(|byte| byte.is_ascii_hexdigit()) {
        return None;
    }
    (0..LENGTH).map(|at| u8::from_str_radix(text.get(at * 2..at * 2 + 2)?, 16).ok()).collect()
}

#[cfg(test)]
mod tests;
