//! Which protection a media line gets (RFC 4568, RFC 5763, RFC 8643).

use crate::description::{Attribute, Media, SessionDescription};
use crate::security::{CryptoLine, Profile, Setup, SrtpKey};

use super::negotiated::{DtlsRole, Security};
use super::{LocalMedia, LocalSecurity, Protection, Refusal, quoted};

/// Suites of the peer that a refusal names.
const LISTED: usize = 6;

/// The protocol and the attributes of a line of ours.
#[derive(Debug, Clone, Default)]
pub(super) struct Said {
    pub(super) protocol: &'static str,
    pub(super) attributes: Vec<Attribute>,
}

/// Our first offer.
pub(super) fn offered(local: &LocalSecurity) -> Said {
    let keys = local.sdes.keys();
    match local.offer {
        Protection::Dtls => Said { protocol: "UDP/TLS/RTP/SAVP", attributes: dtls(local, Setup::ActPass) },
        Protection::Sdes => Said { protocol: "RTP/SAVP", attributes: crypto(keys) },
        Protection::SdesWherePossible => Said { protocol: "RTP/AVP", attributes: crypto(keys) },
        Protection::None => Said { protocol: "RTP/AVP", attributes: Vec::new() },
    }
}

/// The attributes of a later offer, which keeps what was agreed. The role in DTLS is said as it is (RFC 8842 section
/// 5.5), so that no answer can turn it around.
pub(super) fn offered_again(local: &LocalSecurity, agreed: &Security) -> Vec<Attribute> {
    match agreed {
        Security::None => Vec::new(),
        Security::Sdes { local, .. } => crypto(std::slice::from_ref(local)),
        Security::Dtls { role, .. } => dtls(local, role.setup()),
    }
}

/// The answer's attributes, and what they come to.
pub(super) fn answered(
    offer: &SessionDescription,
    media: &Media,
    local: &LocalMedia,
    before: Option<&Security>,
) -> Result<(Vec<Attribute>, Security), Refusal> {
    let local = &local.security;
    let profile = Profile::of(&media.protocol).ok_or_else(|| unsupported(media))?;
    let fingerprints = offer.fingerprints_of(media);
    let has_dtls = !local.fingerprints.is_empty();
    if has_dtls && !fingerprints.is_empty() {
        let before = before.and_then(Security::role);
        let role = answering_role(offer.setup_of(media), before).ok_or(Refusal::NoDtlsRole)?;
        return Ok((dtls(local, role.setup()), Security::Dtls { fingerprints, role }));
    }
    if profile == Profile::Dtls {
        return Err(if has_dtls { Refusal::NoFingerprint } else { Refusal::NoDtls(quoted(&media.protocol)) });
    }
    let lines = media.crypto();
    for key in local.sdes.keys() {
        if let Some(line) = lines.iter().find(|line| line.key.suite() == key.suite()) {
            let ours = CryptoLine { key: key.clone(), ..line.clone() };
            let security = Security::Sdes { local: key.clone(), remote: line.key.clone() };
            return Ok((vec![Attribute::new("crypto", ours.to_string())], security));
        }
    }
    let suites = media.crypto_suites();
    let has_keys = !suites.is_empty();
    let in_the_open = has_keys && local.sdes == super::Sdes::InTheOpen;
    match profile {
        Profile::Plain if !local.required => Ok((Vec::new(), Security::None)),
        _ if in_the_open => Err(Refusal::KeysInTheOpen),
        _ if has_keys => Err(Refusal::NoCommonSuite(listed(&suites))),
        Profile::Plain => Err(Refusal::Unprotected("offer")),
        _ if offer.has_fingerprint(media) && has_dtls => Err(Refusal::NoFingerprint),
        _ => Err(Refusal::NoKeys(quoted(&media.protocol))),
    }
}

/// What the answer to an offer of ours comes to. What our offer asked for stands in it.
pub(super) fn accepted(
    our_offer: &SessionDescription,
    ours: &Media,
    answer: &SessionDescription,
    theirs: &Media,
) -> Result<Security, Refusal> {
    let insists = Profile::of(&ours.protocol) != Some(Profile::Plain);
    Profile::of(&theirs.protocol).ok_or_else(|| unsupported(theirs))?;
    if !our_offer.fingerprints_of(ours).is_empty() {
        let fingerprints = answer.fingerprints_of(theirs);
        return match fingerprints.is_empty() {
            false => {
                let role = offering_role(our_offer.setup_of(ours), answer.setup_of(theirs));
                Ok(Security::Dtls { fingerprints, role: role.ok_or(Refusal::NoDtlsRole)? })
            }
            true if answer.has_fingerprint(theirs) => Err(Refusal::NoFingerprint),
            true => Err(Refusal::Unprotected("answer")),
        };
    }
    let offered = ours.crypto();
    let mut answered = theirs.crypto().into_iter();
    let found = answered.find_map(|remote| {
        let same = |line: &&CryptoLine| line.tag == remote.tag && line.key.suite() == remote.key.suite();
        let local = offered.iter().find(same)?.key.clone();
        Some(Security::Sdes { local, remote: remote.key })
    });
    match found {
        Some(security) => Ok(security),
        None if !insists && theirs.crypto_suites().is_empty() => Ok(Security::None),
        None if theirs.crypto_suites().is_empty() => Err(Refusal::Unprotected("answer")),
        None => Err(Refusal::NoCommonSuite(listed(&theirs.crypto_suites()))),
    }
}

/// actpass is answered with active, or with the role of before (RFC 8842 section 5.3); none said is active (RFC 4145
/// section 4.1).
fn answering_role(offered: Option<Setup>, before: Option<DtlsRole>) -> Option<DtlsRole> {
    match offered.unwrap_or(Setup::Active) {
        Setup::Active => Some(DtlsRole::Server),
        Setup::Passive => Some(DtlsRole::Client),
        Setup::ActPass => Some(before.unwrap_or(DtlsRole::Client)),
        Setup::HoldConn => None,
    }
}

/// None said in an answer is passive; where we have chosen already the answer has to follow.
fn offering_role(offered: Option<Setup>, answered: Option<Setup>) -> Option<DtlsRole> {
    match (offered, answered.unwrap_or(Setup::Passive)) {
        (_, Setup::HoldConn) => None,
        (Some(Setup::Active), _) => Some(DtlsRole::Client),
        (Some(Setup::Passive), _) => Some(DtlsRole::Server),
        (_, Setup::Active) => Some(DtlsRole::Server),
        // A peer that mirrors actpass waits for us.
        (_, Setup::Passive | Setup::ActPass) => Some(DtlsRole::Client),
    }
}

impl DtlsRole {
    fn setup(self) -> Setup {
        match self {
            Self::Client => Setup::Active,
            Self::Server => Setup::Passive,
        }
    }
}

impl Security {
    pub(super) fn role(&self) -> Option<DtlsRole> {
        match self {
            Self::Dtls { role, .. } => Some(*role),
            Self::None | Self::Sdes { .. } => None,
        }
    }
}

fn crypto(keys: &[SrtpKey]) -> Vec<Attribute> {
    let lines = (1..).zip(keys).map(|(tag, key)| CryptoLine::new(tag, key.clone()));
    lines.map(|line| Attribute::new("crypto", line.to_string())).collect()
}

fn dtls(local: &LocalSecurity, setup: Setup) -> Vec<Attribute> {
    let fingerprints = local.fingerprints.iter();
    let mut attributes: Vec<_> =
        fingerprints.map(|fingerprint| Attribute::new("fingerprint", fingerprint.to_string())).collect();
    attributes.push(Attribute::new("setup", setup.as_str()));
    attributes
}

fn unsupported(media: &Media) -> Refusal {
    Refusal::UnsupportedProtocol(quoted(&media.protocol))
}

fn listed(suites: &[&str]) -> String {
    let known = suites.iter().take(LISTED).map(|suite| quoted(suite)).collect::<Vec<_>>();
    let more = if suites.len() > LISTED { " and others" } else { "" };
    format!("the other side has {}{more}", known.join(", "))
}
