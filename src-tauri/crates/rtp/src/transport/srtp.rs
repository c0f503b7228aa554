//! SRTP and SRTCP (RFC 3711, RFC 6188, RFC 7714).

use std::fmt;

use rtc_srtp::context::Context;
use rtc_srtp::option::{srtcp_replay_protection, srtp_replay_protection};
use rtc_srtp::protection_profile::ProtectionProfile;
use zeroize::Zeroizing;

use super::provider;

/// Packets that may come late and still be told from repeated ones.
const WINDOW: usize = 128;
/// Sources whose packets were authentic; the one not heard for longest gives way.
const SOURCES: usize = 8;

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Suite {
    AesCm128HmacSha1_80,
    AesCm128HmacSha1_32,
    Aes256CmHmacSha1_80,
    Aes256CmHmacSha1_32,
    AeadAes128Gcm,
    AeadAes256Gcm,
}

/// A master key and its salt. Wiped when dropped, never printed.
#[derive(Clone, PartialEq, Eq)]
pub struct MasterKey {
    suite: Suite,
    key: Zeroizing<Vec<u8>>,
    salt: Zeroizing<Vec<u8>>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum MediaKind {
    Rtp,
    Rtcp,
}

impl Suite {
    /// As the SDES registry spells it.
    pub fn name(self) -> &'static str {
        match self {
            Self::AesCm128HmacSha1_80 => "AES_CM_128_HMAC_SHA1_80",
            Self::AesCm128HmacSha1_32 => "AES_CM_128_HMAC_SHA1_32",
            Self::Aes256CmHmacSha1_80 => "AES_256_CM_HMAC_SHA1_80",
            Self::Aes256CmHmacSha1_32 => "AES_256_CM_HMAC_SHA1_32",
            Self::AeadAes128Gcm => "AEAD_AES_128_GCM",
            Self::AeadAes256Gcm => "AEAD_AES_256_GCM",
        }
    }

    pub(super) fn profile(self) -> ProtectionProfile {
        match self {
            Self::AesCm128HmacSha1_80 => ProtectionProfile::Aes128CmHmacSha1_80,
            Self::AesCm128HmacSha1_32 => ProtectionProfile::Aes128CmHmacSha1_32,
            Self::Aes256CmHmacSha1_80 => ProtectionProfile::Aes256CmHmacSha1_80,
            Self::Aes256CmHmacSha1_32 => ProtectionProfile::Aes256CmHmacSha1_32,
            Self::AeadAes128Gcm => ProtectionProfile::AeadAes128Gcm,
            Self::AeadAes256Gcm => ProtectionProfile::AeadAes256Gcm,
        }
    }
}

impl MasterKey {
    /// None unless key and salt are as long as the suite wants them.
    pub fn new(suite: Suite, key: &[u8], salt: &[u8]) -> Option<Self> {
        let profile = suite.profile();
        let fits = key.len() == profile.key_len() && salt.len() == profile.salt_len();
        fits.then(|| Self { suite, key: Zeroizing::new(key.to_vec()), salt: Zeroizing::new(salt.to_vec()) })
    }

    pub fn suite(&self) -> Suite {
        self.suite
    }

    fn context(&self) -> Option<Context> {
        let (rtp, rtcp) = (srtp_replay_protection(WINDOW), srtcp_replay_protection(WINDOW));
        let profile = self.suite.profile();
        Context::new(&self.key, &self.salt, profile, Some(rtp), Some(rtcp), provider().crypto()).ok()
    }
}

impl fmt::Debug for MasterKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "MasterKey({})", self.suite.name())
    }
}

/// Protects what we send.
pub(super) struct Protector {
    pub(super) key: MasterKey,
    context: Context,
}

impl Protector {
    pub(super) fn new(key: MasterKey) -> Option<Self> {
        Some(Self { context: key.context()?, key })
    }

    /// Puts the protected packet in the place of the plain one; false where that cannot be.
    pub(super) fn protect(&mut self, kind: MediaKind, packet: &mut Vec<u8>) -> bool {
        let protected = match kind {
            MediaKind::Rtp => self.context.encrypt_rtp(packet),
            MediaKind::Rtcp => self.context.encrypt_rtcp(packet),
        };
        replace(packet, protected)
    }
}

/// Checks and opens what the peer sends. A source has its state (index, replay window) from its first authentic
/// packet on, so that forged ones cannot fill the memory.
pub(super) struct Unprotector {
    pub(super) key: MasterKey,
    sources: Vec<Source>,
}

struct Source {
    ssrc: u32,
    kind: MediaKind,
    context: Context,
}

impl Unprotector {
    pub(super) fn new(key: MasterKey) -> Self {
        Self { key, sources: Vec::new() }
    }

    /// Puts the plain packet in the place of the protected one; false where it is not authentic, or came before.
    pub(super) fn unprotect(&mut self, kind: MediaKind, packet: &mut Vec<u8>) -> bool {
        let Some(ssrc) = ssrc(kind, packet) else { return false };
        let known = self.sources.iter().position(|source| source.ssrc == ssrc && source.kind == kind);
        let mut source = match known {
            Some(place) => self.sources.remove(place),
            None => match self.key.context() {
                Some(context) => Source { ssrc, kind, context },
                None => return false,
            },
        };
        let plain = match kind {
            MediaKind::Rtp => source.context.decrypt_rtp(packet),
            MediaKind::Rtcp => source.context.decrypt_rtcp(packet),
        };
        let authentic = replace(packet, plain);
        if authentic {
            if self.sources.len() >= SOURCES {
                self.sources.remove(0);
            }
            self.sources.push(source);
        } else if let Some(place) = known {
            self.sources.insert(place, source);
        }
        authentic
    }
}

fn replace<E>(packet: &mut Vec<u8>, made: Result<bytes::BytesMut, E>) -> bool {
    match made {
        Ok(made) => {
            packet.clear();
            packet.extend_from_slice(&made);
            true
        }
        Err(_) => false,
    }
}

fn ssrc(kind: MediaKind, packet: &[u8]) -> Option<u32> {
    let at = match kind {
        MediaKind::Rtp => 8..12,
        MediaKind::Rtcp => 4..8,
    };
    Some(packet.get(at)?.iter().fold(0, |ssrc, byte| ssrc << 8 | u32::from(*byte)))
}
