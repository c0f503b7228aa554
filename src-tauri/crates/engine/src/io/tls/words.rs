//! What went wrong, and what to do about it, in words.

use super::{Keeper, cause, identity};
use rustls::{
    AlertDescription, CertificateError, ClientConnection, Error, InvalidMessage, ProtocolVersion,
    pki_types::{CertificateDer, UnixTime},
};
use std::{io, time::Duration};
use x509_parser::{
    prelude::{ASN1Time, FromDer as _, X509Certificate},
    x509::X509Name,
};

/// Why a certificate is not believed.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub(super) struct Refused(pub(super) String);

const LONGEST_NAME: usize = 60;

/// A handshake that came to nothing.
pub(crate) fn of_handshake(host: &str, error: &io::Error) -> String {
    let Some(cause) = cause(error) else {
        return match error.kind() {
            io::ErrorKind::UnexpectedEof | io::ErrorKind::ConnectionReset => {
                format!(
                    "{host} closed the connection during the TLS handshake; does it speak TLS at this port?"
                )
            }
            _ => format!("{host}: {error}"),
        };
    };
    match cause {
        Error::InvalidCertificate(CertificateError::Other(refused)) => {
            format!("the certificate of {host} is not accepted: {refused}")
        }
        Error::InvalidCertificate(error) => format!("the certificate of {host} is not accepted: {error}"),
        Error::InvalidMessage(InvalidMessage::InvalidContentType) => {
            format!("{host} does not speak TLS at this port")
        }
        Error::PeerIncompatible(_) | Error::AlertReceived(AlertDescription::ProtocolVersion) => {
            format!("{host} speaks no TLS that is safe: TLS 1.2 is the least")
        }
        Error::AlertReceived(AlertDescription::CertificateRequired | AlertDescription::BadCertificate) => {
            format!("{host} asks for a certificate of ours, which accounts cannot have")
        }
        Error::AlertReceived(alert) => format!("{host} refused the TLS handshake ({alert:?})"),
        other => format!("{host}: TLS failed: {other}"),
    }
}

/// A chain that leads to nobody we trust. `own`: the keeper has an authority of its own.
pub(super) fn of_chain(
    server: &CertificateDer<'_>,
    error: &webpki::Error,
    own: bool,
    keeper: Keeper,
) -> String {
    use webpki::Error as E;
    match error {
        E::CertExpired { not_after, .. } => expired(*not_after),
        E::CertNotValidYet { not_before, .. } => not_yet(*not_before),
        // The last one: an authority of the same name, with a key of another kind.
        E::UnknownIssuer
        | E::UnsupportedSignatureAlgorithmForPublicKeyContext(_)
        | E::InvalidSignatureForPublicKey
        | E::CaUsedAsEndEntity => unknown(server, own, keeper),
        E::RequiredEkuNotFoundContext(_) | E::EmptyEkuExtension => "it is not one for a TLS server".into(),
        E::NameConstraintViolation => "its issuer may not issue for this name".into(),
        other => format!("{other}"),
    }
}

/// A certificate out of its time, where only that can be wrong with it.
pub(super) fn of_dates(server: &CertificateDer<'_>, now: UnixTime) -> Option<String> {
    let (_, parsed) = X509Certificate::from_der(server).ok()?;
    let seconds = i64::try_from(now.as_secs()).ok()?;
    let validity = parsed.validity();
    let at = |time: ASN1Time| {
        UnixTime::since_unix_epoch(Duration::from_secs(time.timestamp().max(0).unsigned_abs()))
    };
    if seconds > validity.not_after.timestamp() {
        return Some(expired(at(validity.not_after)));
    }
    (seconds < validity.not_before.timestamp()).then(|| not_yet(at(validity.not_before)))
}

pub(super) fn of_name(instead: &str, keeper: Keeper) -> String {
    let place = match keeper {
        Keeper::Account => "as the account's domain",
        Keeper::Streams | Keeper::Hooks => "in the address",
    };
    format!("{instead}; use the name that it is for {place}, or have it issued anew")
}

/// A connection that stands.
pub(super) fn of_connection(host: &str, connection: &ClientConnection) -> String {
    let version = match connection.protocol_version() {
        Some(ProtocolVersion::TLSv1_2) => "TLS 1.2",
        _ => "TLS 1.3",
    };
    let server = connection.peer_certificates().and_then(<[_]>::first);
    let subject = server.and_then(identity::first).unwrap_or_else(|| host.to_owned());
    let issuer = server.and_then(|server| {
        let (_, parsed) = X509Certificate::from_der(server).ok()?;
        Some(if parsed.issuer() == parsed.subject() { "itself".into() } else { name(parsed.issuer()) })
    });
    let issuer = issuer.map(|issuer| format!(" by {issuer}")).unwrap_or_default();
    format!("{version}, certificate of {}{issuer}", shortened(&subject))
}

fn expired(at: UnixTime) -> String {
    format!("it expired on {}; its operator has to renew it (or this computer's clock is wrong)", day(at))
}

fn not_yet(at: UnixTime) -> String {
    format!("it is valid from {} on; is this computer's clock right?", day(at))
}

fn unknown(server: &CertificateDer<'_>, own: bool, keeper: Keeper) -> String {
    let keeper = match keeper {
        Keeper::Account => "the account",
        Keeper::Streams => "the settings of streams",
        Keeper::Hooks => "the settings of hooks",
    };
    let Ok((_, parsed)) = X509Certificate::from_der(server) else { return "it cannot be read".into() };
    if parsed.issuer() == parsed.subject() {
        return format!(
            "it is self-signed; if it is your server's, add this certificate to {keeper} as trusted CA"
        );
    }
    let issuer = name(parsed.issuer());
    let who = if own {
        format!("neither this computer nor {keeper} trusts")
    } else {
        "this computer does not trust".to_owned()
    };
    format!(
        "its issuer {issuer} is unknown: {who} it; if you do, add the issuer's certificate to {keeper} as trusted CA"
    )
}

/// The common name, or all of it.
fn name(of: &X509Name<'_>) -> String {
    let common = of.iter_common_name().next().and_then(|name| name.as_str().ok()).map(str::to_owned);
    shortened(&common.filter(|name| !name.is_empty()).unwrap_or_else(|| of.to_string()))
}

fn shortened(text: &str) -> String {
    let mut short: String = text.chars().take(LONGEST_NAME).collect();
    if short.len() < text.len() {
        short.push('…');
    }
    short
}

/// The date alone, in UTC.
fn day(at: UnixTime) -> String {
    let seconds = i64::try_from(at.as_secs()).unwrap_or(i64::MAX);
    let time = ASN1Time::from_timestamp(seconds).map(|time| time.to_datetime().date().to_string());
    time.unwrap_or_else(|_| "a day that no calendar has".into())
}
