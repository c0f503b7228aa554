//! Certificates of an authority that nobody else knows, for servers that are as they should be and servers that are not.

use std::net::IpAddr;
use std::path::{Path, PathBuf};

use base64::{Engine as _, prelude::BASE64_STANDARD};
use rcgen::{
    BasicConstraints, Certificate, CertificateParams, DnType, ExtendedKeyUsagePurpose, IsCa, Issuer, KeyPair,
    KeyUsagePurpose, PublicKeyData as _, SanType, date_time_ymd,
};
use sha2::{Digest as _, Sha256};

use crate::error::{Result, RigError};

/// A certificate authority.
pub struct TestAuthority {
    certificate: Certificate,
    issuer: Issuer<'static, KeyPair>,
}

/// What a server's certificate says.
#[derive(Debug, Clone)]
pub struct CertificateOptions<'a> {
    pub dns: &'a [&'a str],
    pub uris: &'a [&'a str],
    pub addresses: &'a [IpAddr],
    /// The last year that it is valid in is the one before.
    pub until_year: i32,
    /// For servers; otherwise for clients alone.
    pub for_servers: bool,
}

impl Default for CertificateOptions<'_> {
    fn default() -> Self {
        Self { dns: &["localhost"], uris: &[], addresses: &[], until_year: 4000, for_servers: true }
    }
}

/// A certificate with its key, both as PEM text.
#[derive(Clone)]
pub struct TestCertificate {
    pub certificate: String,
    pub key: String,
}

impl std::fmt::Debug for TestCertificate {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("TestCertificate").finish_non_exhaustive()
    }
}

impl std::fmt::Debug for TestAuthority {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("TestAuthority").finish_non_exhaustive()
    }
}

impl TestAuthority {
    pub fn new(name: &str) -> Result<Self> {
        let key = KeyPair::generate().map_err(failed)?;
        let mut params = CertificateParams::new(Vec::new()).map_err(failed)?;
        params.distinguished_name.push(DnType::CommonName, name);
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
        let certificate = params.self_signed(&key).map_err(failed)?;
        Ok(Self { certificate, issuer: Issuer::new(params, key) })
    }

    /// What an account gives as its trusted CA.
    pub fn pem(&self) -> String {
        self.certificate.pem()
    }

    pub fn issue(&self, options: &CertificateOptions<'_>) -> Result<TestCertificate> {
        let key = KeyPair::generate().map_err(failed)?;
        let certificate = params(options)?.signed_by(&key, &self.issuer).map_err(failed)?;
        Ok(TestCertificate { certificate: certificate.pem(), key: key.serialize_pem() })
    }
}

impl TestCertificate {
    pub fn self_signed(options: &CertificateOptions<'_>) -> Result<Self> {
        let key = KeyPair::generate().map_err(failed)?;
        let certificate = params(options)?.self_signed(&key).map_err(failed)?;
        Ok(Self { certificate: certificate.pem(), key: key.serialize_pem() })
    }

    /// By which browsers know it: the SHA-256 of its key (RFC 7469 section 2.4), as base64.
    pub fn pin(&self) -> Result<String> {
        let key = KeyPair::from_pem(&self.key).map_err(failed)?;
        Ok(BASE64_STANDARD.encode(Sha256::digest(key.subject_public_key_info())))
    }

    /// Writes `cert.pem` and `key.pem` into `dir`.
    pub fn write(&self, dir: &Path) -> Result<(PathBuf, PathBuf)> {
        let (certificate, key) = (dir.join("cert.pem"), dir.join("key.pem"));
        std::fs::write(&certificate, &self.certificate)?;
        std::fs::write(&key, &self.key)?;
        Ok((certificate, key))
    }
}

fn params(options: &CertificateOptions<'_>) -> Result<CertificateParams> {
    let mut params = CertificateParams::new(Vec::new()).map_err(failed)?;
    let common = options.dns.first().or(options.uris.first()).copied().unwrap_or("server");
    params.distinguished_name.push(DnType::CommonName, common);
    for name in options.dns {
        params.subject_alt_names.push(SanType::DnsName((*name).try_into().map_err(failed)?));
    }
    for uri in options.uris {
        params.subject_alt_names.push(SanType::URI((*uri).try_into().map_err(failed)?));
    }
    params.subject_alt_names.extend(options.addresses.iter().map(|address| SanType::IpAddress(*address)));
    params.not_after = date_time_ymd(options.until_year, 1, 1);
    let usage = if options.for_servers {
        ExtendedKeyUsagePurpose::ServerAuth
    } else {
        ExtendedKeyUsagePurpose::ClientAuth
    };
    params.extended_key_usages = vec![usage];
    Ok(params)
}

fn failed(error: impl std::fmt::Display) -> RigError {
    RigError::new(format!("no certificate: {error}"))
}
