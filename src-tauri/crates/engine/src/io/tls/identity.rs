//! Whom a certificate is for: RFC 5922 section 7.

use super::Rules;
use rustls::pki_types::{CertificateDer, ServerName};
use std::net::IpAddr;
use x509_parser::prelude::{FromDer as _, GeneralName, X509Certificate};

/// Names of a certificate that are told.
const TOLD: usize = 3;

/// The identities of a certificate that count.
#[derive(Debug, Default, PartialEq, Eq)]
struct Identities {
    /// Domains of `sip:` URIs without user.
    sip: Vec<String>,
    dns: Vec<String>,
    ip: Vec<IpAddr>,
}

/// Whether the certificate is for `wanted`.
///
/// # Errors
/// The names that it is for instead, in words.
pub(super) fn check(
    certificate: &CertificateDer<'_>,
    wanted: &ServerName<'_>,
    rules: Rules,
) -> Result<(), String> {
    let identities = Identities::of(certificate)?;
    let fits = match wanted {
        ServerName::DnsName(name) => identities.have_name(name.as_ref(), rules),
        ServerName::IpAddress(address) => identities.ip.contains(&IpAddr::from(*address)),
        _ => false,
    };
    let wanted = wanted.to_str();
    if fits { Ok(()) } else { Err(identities.told_instead_of(&wanted, rules)) }
}

/// The first name of a certificate, to be told.
pub(super) fn first(certificate: &CertificateDer<'_>) -> Option<String> {
    Identities::of(certificate).ok()?.all().next()
}

impl Identities {
    fn of(certificate: &CertificateDer<'_>) -> Result<Self, String> {
        let (_, certificate) =
            X509Certificate::from_der(certificate).map_err(|error| format!("it cannot be read: {error}"))?;
        let names = certificate
            .subject_alternative_name()
            .map_err(|error| format!("its names cannot be read: {error}"))?;
        let mut identities = Self::default();
        for name in names.iter().flat_map(|names| &names.value.general_names) {
            match name {
                GeneralName::DNSName(name) => identities.dns.push(name.trim_end_matches('.').to_lowercase()),
                GeneralName::URI(uri) => identities.sip.extend(sip_domain(uri)),
                GeneralName::IPAddress(bytes) => identities.ip.extend(address(bytes)),
                _ => {}
            }
        }
        Ok(identities)
    }

    /// Section 7.1: DNS names count where there is no `sip:` URI. The subject's common name never does.
    fn have_name(&self, wanted: &str, rules: Rules) -> bool {
        let wanted = wanted.trim_end_matches('.');
        let equal = |name: &String| name.eq_ignore_ascii_case(wanted);
        match rules {
            Rules::Sip if !self.sip.is_empty() => self.sip.iter().any(equal),
            Rules::Sip => self.dns.iter().any(equal),
            Rules::Web => self.dns.iter().any(|name| equal(name) || covers(name, wanted)),
        }
    }

    fn all(&self) -> impl Iterator<Item = String> {
        let addresses = self.ip.iter().map(IpAddr::to_string);
        self.sip.iter().chain(&self.dns).cloned().chain(addresses)
    }

    fn told_instead_of(&self, wanted: &str, rules: Rules) -> String {
        let names: Vec<String> = self.all().take(TOLD).collect();
        if names.is_empty() {
            return format!("it names nobody (no subjectAltName), so it is not for {wanted}");
        }
        let others = if self.all().nth(TOLD).is_some() { " and others" } else { "" };
        let wildcard = rules == Rules::Sip && self.dns.iter().any(|name| covers(name, wanted));
        let why = if wildcard { "; wildcards do not count for SIP (RFC 5922)" } else { "" };
        format!("it is for {}{others}, not for {wanted}{why}", names.join(", "))
    }
}

/// `*.example.org` stands for one label (RFC 9525 section 6.3), and not for a whole top-level domain.
fn covers(pattern: &str, wanted: &str) -> bool {
    let Some(rest) = pattern.strip_prefix("*.") else { return false };
    let host = wanted.trim_end_matches('.');
    rest.contains('.') && host.split_once('.').is_some_and(|(_, domain)| domain.eq_ignore_ascii_case(rest))
}

/// Section 7.1: `sip:` alone, and no user part.
fn sip_domain(uri: &str) -> Option<String> {
    let rest = uri.get(..4).filter(|scheme| scheme.eq_ignore_ascii_case("sip:")).and(uri.get(4..))?;
    let host = rest.split([';', '?', ':']).next()?;
    (!rest.contains('@') && !host.is_empty()).then(|| host.trim_end_matches('.').to_lowercase())
}

fn address(bytes: &[u8]) -> Option<IpAddr> {
    if let Ok(bytes) = <[u8; 4]>::try_from(bytes) {
        return Some(bytes.into());
    }
    <[u8; 16]>::try_from(bytes).ok().map(IpAddr::from)
}
