use std::fmt;

use zeroize::Zeroizing;

use super::Suite;

/// An SRTP master key with the master salt behind it, as `inline:` carries it. Wiped when dropped, never printed.
#[derive(Clone, PartialEq, Eq)]
pub struct SrtpKey {
    suite: Suite,
    bytes: Zeroizing<Vec<u8>>,
}

impl SrtpKey {
    /// None unless there are exactly as many bytes as the suite's key and salt have.
    pub fn new(suite: Suite, bytes: &[u8]) -> Option<Self> {
        let fits = bytes.len() == suite.key_len() + suite.salt_len();
        fits.then(|| Self { suite, bytes: Zeroizing::new(bytes.to_vec()) })
    }

    /// A key from 46 bytes of good randomness, of which the suite takes as many as it needs.
    pub fn from_random(suite: Suite, random: &[u8; 46]) -> Self {
        let bytes = random.iter().copied().take(suite.key_len() + suite.salt_len()).collect();
        Self { suite, bytes: Zeroizing::new(bytes) }
    }

    pub fn suite(&self) -> Suite {
        self.suite
    }

    pub fn master_key(&self) -> &[u8] {
        self.bytes.get(..self.suite.key_len()).unwrap_or_default()
    }

    pub fn master_salt(&self) -> &[u8] {
        self.bytes.get(self.suite.key_len()..).unwrap_or_default()
    }

    pub(super) fn bytes(&self) -> &[u8] {
        &self.bytes
    }
}

impl fmt::Debug for SrtpKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "SrtpKey({})", self.suite)
    }
}
