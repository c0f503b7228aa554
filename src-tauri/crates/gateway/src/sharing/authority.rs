//! Our own certificate authority: guests' devices trust it once, and every certificate that we ever show them after.

use crate::{TlsIdentity, private_file};
use rcgen::{
    BasicConstraints, CertificateParams, DnType, ExtendedKeyUsagePurpose, IsCa, Issuer, KeyPair,
    KeyUsagePurpose, SanType,
};
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};
use sidetone_api::Secret;
use std::{
    fmt, fs, io,
    net::IpAddr,
    path::Path,
    time::{Duration, SystemTime},
};
use tokio_rustls::rustls::pki_types::{CertificateDer, pem::PemObject as _};

const NAME: &str = "authority.json";
/// Longest file that is read.
const MOST_BYTES: u64 = 64 * 1024;
const DAY: Duration = Duration::from_secs(24 * 60 * 60);
/// Ten years: a new one has to be trusted anew.
const AUTHORITY: u32 = 3_650;
/// Some systems take no certificate of a server that is good for longer than 825 days, others none of more than 398.
const SERVER: u32 = 397;
/// Clocks of guests' devices are wrong by less.
const BEFORE: u32 = 1;

/// What the file holds.
#[derive(Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct Record {
    /// Of its subject, which every certificate of it names.
    name: String,
    certificate: String,
    key: String,
}

pub(crate) struct Authority {
    certificate: String,
    fingerprint: String,
    issuer: Issuer<'static, KeyPair>,
}

impl fmt::Debug for Authority {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Authority").field("fingerprint", &self.fingerprint).finish_non_exhaustive()
    }
}

impl Authority {
    /// The one of `folder`; it is made where there is none. `machine` is in its name, so that who trusts it knows whose it is.
    ///
    /// # Errors
    /// In words, with the file.
    pub(crate) fn open(folder: &Path, machine: &str) -> Result<Self, String> {
        let path = folder.join(NAME);
        let wrong = |error: &dyn fmt::Display| format!("{}: {error}", path.display());
        let text = match read(&path) {
            Ok(text) => text,
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                let record = create(machine).map_err(|error| wrong(&error))?;
                let text = serde_json::to_string_pretty(&record).map_err(|error| wrong(&error))?;
                let unique = crate::login::random_text().map_err(|error| wrong(&error))?;
                private_file::replace(&path, &unique, &text).map_err(|error| wrong(&error))?;
                text
            }
            Err(error) => return Err(wrong(&error)),
        };
        let record: Record = serde_json::from_str(&text).map_err(|error| wrong(&error))?;
        Self::of(record).map_err(|error| wrong(&error))
    }

    fn of(record: Record) -> Result<Self, String> {
        let key = KeyPair::from_pem(&record.key).map_err(|_| "its key cannot be read")?;
        let der = CertificateDer::from_pem_slice(record.certificate.as_bytes())
            .map_err(|error| format!("its certificate cannot be read: {error}"))?;
        let digest = Sha256::digest(&der);
        let pairs: Vec<_> = digest.iter().map(|octet| format!("{octet:02X}")).collect();
        let issuer = Issuer::new(authority(&record.name)?, key);
        Ok(Self { certificate: record.certificate, fingerprint: pairs.join(":"), issuer })
    }

    pub(crate) fn pem(&self) -> &str {
        &self.certificate
    }

    /// SHA-256 over the certificate, as devices show it.
    pub(crate) fn fingerprint(&self) -> &str {
        &self.fingerprint
    }

    /// Who we are by these names and at these addresses, with a fresh key.
    ///
    /// # Errors
    /// In words.
    pub(crate) fn issue(&self, names: &[String], addresses: &[IpAddr]) -> Result<TlsIdentity, String> {
        let key = KeyPair::generate().map_err(text)?;
        let mut params = CertificateParams::new(Vec::new()).map_err(text)?;
        params.distinguished_name.push(DnType::CommonName, "Sidetone");
        for name in names {
            params.subject_alt_names.push(SanType::DnsName(name.as_str().try_into().map_err(text)?));
        }
        params.subject_alt_names.extend(addresses.iter().map(|address| SanType::IpAddress(*address)));
        params.key_usages = vec![KeyUsagePurpose::DigitalSignature];
        params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
        params.use_authority_key_identifier_extension = true;
        good_for(&mut params, SERVER);
        let certificate = params.signed_by(&key, &self.issuer).map_err(text)?;
        let certificates = certificate.pem() + &self.certificate;
        Ok(TlsIdentity { certificates, key: Secret::new(key.serialize_pem()) })
    }
}

fn create(machine: &str) -> Result<Record, String> {
    let key = KeyPair::generate().map_err(text)?;
    let name = format!("Sidetone on {machine}");
    let certificate = authority(&name)?.self_signed(&key).map_err(text)?;
    Ok(Record { name, certificate: certificate.pem(), key: key.serialize_pem() })
}

fn authority(name: &str) -> Result<CertificateParams, String> {
    let mut params = CertificateParams::new(Vec::new()).map_err(text)?;
    params.distinguished_name.push(DnType::CommonName, name);
    params.is_ca = IsCa::Ca(BasicConstraints::Constrained(0));
    params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
    good_for(&mut params, AUTHORITY);
    Ok(params)
}

fn good_for(params: &mut CertificateParams, days: u32) {
    let now = SystemTime::now();
    params.not_before = (now - DAY * BEFORE).into();
    params.not_after = (now + DAY * days).into();
}

fn text(error: rcgen::Error) -> String {
    error.to_string()
}

fn read(path: &Path) -> io::Result<String> {
    if fs::metadata(path)?.len() > MOST_BYTES {
        return Err(io::Error::other("it is too long"));
    }
    fs::read_to_string(path)
}

#[cfg(test)]
mod tests {
    use super::{Authority, NAME};
    use crate::tls;

    #[test]
    fn it_is_made_once_and_stays_the_same() {
        let folder = tempfile::tempdir().unwrap();
        let first = Authority::open(folder.path(), "desk").unwrap();
        let again = Authority::open(folder.path(), "renamed").unwrap();
        assert_eq!(first.pem(), again.pem());
        assert_eq!(first.fingerprint(), again.fingerprint());
        assert_eq!(first.fingerprint().len(), 32 * 3 - 1);
        let identity = again.issue(&["desk.local".into()], &["192.0.2.1".parse().unwrap()]).unwrap();
        assert!(tls::acceptor(&identity).is_ok());
        assert!(!format!("{again:?}").contains("PRIVATE"));
    }

    #[test]
    fn a_file_that_cannot_be_read_is_named_and_kept() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join(NAME);
        for text in ["", "{}", r#"{"name":"x","certificate":"","key":""}"#] {
            std::fs::write(&path, text).unwrap();
            let words = Authority::open(folder.path(), "desk").unwrap_err();
            assert!(words.contains(NAME), "{words}");
            assert_eq!(std::fs::read_to_string(&path).unwrap(), text);
        }
    }
}
