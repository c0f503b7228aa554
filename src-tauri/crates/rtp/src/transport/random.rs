use sha2::{Digest as _, Sha256};
use zeroize::Zeroizing;

/// Random bytes from a seed: the hashes of the seed and a counter. As hard to guess as the seed.
pub(super) struct Random {
    seed: Zeroizing<[u8; 32]>,
    counter: u64,
}

impl Random {
    pub(super) fn new(seed: [u8; 32]) -> Self {
        Self { seed: Zeroizing::new(seed), counter: 0 }
    }

    /// A source of its own, which gives other bytes than this one.
    pub(super) fn branch(&mut self) -> Self {
        Self::new(self.next())
    }

    pub(super) fn next(&mut self) -> [u8; 32] {
        self.counter = self.counter.wrapping_add(1);
        let hash = Sha256::new().chain_update(&self.seed[..]).chain_update(self.counter.to_be_bytes());
        hash.finalize().into()
    }

    pub(super) fn number(&mut self) -> u64 {
        self.next().iter().take(8).fold(0, |number, byte| number << 8 | u64::from(*byte))
    }

    /// Evenly in 0 to 1, 1 excluded.
    pub(super) fn fraction(&mut self) -> f64 {
        (self.number() >> 11) as f64 / (1u64 << 53) as f64
    }

    pub(super) fn transaction(&mut self) -> [u8; 12] {
        let mut id = [0; 12];
        id.iter_mut().zip(self.next()).for_each(|(byte, random)| *byte = random);
        id
    }
}
