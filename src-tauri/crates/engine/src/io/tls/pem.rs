//! Certificates that a user gives as text.

use rustls::pki_types::{CertificateDer, pem::PemObject as _};
use x509_parser::prelude::{FromDer as _, X509Certificate};

/// A company's authorities, not a system's.
const MAX_CERTIFICATES: usize = 16;
const LONGEST: usize = 128 * 1024;

/// The certificates in PEM text.
///
/// # Errors
/// In words that say what the text is instead.
pub(crate) fn check(pem: &str) -> Result<Vec<CertificateDer<'static>>, String> {
    if pem.len() > LONGEST {
        return Err(format!("more than {LONGEST} bytes are no authority's certificate"));
    }
    if pem.contains("PRIVATE KEY-----") {
        return Err("this has a private key in it; give the certificate alone".into());
    }
    let certificates: Vec<_> = CertificateDer::pem_slice_iter(pem.as_bytes())
        .take(MAX_CERTIFICATES + 1)
        .collect::<Result<_, _>>()
        .map_err(|error| format!("this is no PEM text: {error}"))?;
    match certificates.len() {
        0 => return Err("no certificate is in it: it begins with -----BEGIN CERTIFICATE-----".into()),
        1..=MAX_CERTIFICATES => {}
        _ => return Err(format!("{MAX_CERTIFICATES} certificates are the most")),
    }
    for (number, certificate) in (1..).zip(&certificates) {
        let (_, parsed) = X509Certificate::from_der(certificate)
            .map_err(|error| format!("certificate {number} cannot be read: {error}"))?;
        webpki::anchor_from_trusted_cert(certificate).map_err(|error| {
            format!("certificate {number} ({}) cannot be used: {error}", parsed.subject())
        })?;
    }
    Ok(certificates)
}
