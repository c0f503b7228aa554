use super::{Rules, Trust};
use rustls::{
    ServerConfig,
    crypto::ring,
    pki_types::{CertificateDer, PrivateKeyDer, pem::PemObject as _},
};
use sidetone_testkit::{CertificateOptions, TestAuthority, TestCertificate};
use std::sync::Arc;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _, DuplexStream, duplex};
use tokio_rustls::TlsAcceptor;

fn server_config(
    own: &TestCertificate,
    versions: &[&'static rustls::SupportedProtocolVersion],
) -> ServerConfig {
    ServerConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_protocol_versions(versions)
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(
            vec![CertificateDer::from_pem_slice(own.certificate.as_bytes()).unwrap()],
            PrivateKeyDer::from_pem_slice(own.key.as_bytes()).unwrap(),
        )
        .unwrap()
}

fn serve(stream: DuplexStream, config: Arc<ServerConfig>) {
    tokio::spawn(async move {
        let Ok(mut stream) = TlsAcceptor::from(config).accept(stream).await else { return };
        let mut byte = [0];
        while stream.read_exact(&mut byte).await.is_ok() && stream.write_all(&byte).await.is_ok() {}
    });
}

async fn shake(
    trust: &Trust,
    host: &str,
    rules: Rules,
    config: &Arc<ServerConfig>,
) -> Result<String, String> {
    let (near, far) = duplex(16 * 1024);
    serve(far, Arc::clone(config));
    let (mut stream, proof) = trust.shake_hands(host, rules, near).await?;
    // The session ticket comes with the first bytes.
    stream.write_all(b"x").await.unwrap();
    stream.read_exact(&mut [0]).await.unwrap();
    Ok(proof.info)
}

/// What comes of a handshake with a server that has `own`, by an account that trusts `pem`.
async fn meet(pem: Option<&str>, host: &str, rules: Rules, own: &TestCertificate) -> Result<String, String> {
    let config = Arc::new(server_config(own, &[&rustls::version::TLS13, &rustls::version::TLS12]));
    shake(&Trust::new(pem), host, rules, &config).await
}

fn authority() -> TestAuthority {
    TestAuthority::new("Example CA").unwrap()
}

fn for_name<'a>(dns: &'a [&'a str]) -> CertificateOptions<'a> {
    CertificateOptions { dns, ..CertificateOptions::default() }
}

async fn refused(pem: Option<&str>, host: &str, own: &TestCertificate, words: &[&str]) {
    let reason = meet(pem, host, Rules::Sip, own).await.unwrap_err();
    for word in words {
        assert!(reason.contains(word), "{word:?} is not in {reason:?}");
    }
    assert!(reason.len() < 250, "too long to be shown: {reason}");
}

#[tokio::test]
async fn a_private_authority_that_is_trusted_vouches_for_its_server() {
    let ca = authority();
    let own = ca.issue(&for_name(&["pbx.example"])).unwrap();
    let info = meet(Some(&ca.pem()), "PBX.example", Rules::Sip, &own).await.unwrap();
    assert_eq!(info, "TLS 1.3, certificate of pbx.example by Example CA");
}

#[tokio::test]
async fn tls_1_2_is_the_least() {
    let ca = authority();
    let own = ca.issue(&for_name(&["pbx.example"])).unwrap();
    let config = Arc::new(server_config(&own, &[&rustls::version::TLS12]));
    let info = shake(&Trust::new(Some(&ca.pem())), "pbx.example", Rules::Sip, &config).await.unwrap();
    assert!(info.starts_with("TLS 1.2, "), "{info}");
    // A server of TLS 1.0 answers a hello with this alert (RFC 8446 appendix D).
    let (near, mut far) = duplex(16 * 1024);
    far.write_all(&[21, 3, 1, 0, 2, 2, 70]).await.unwrap();
    let reason = Trust::new(None).shake_hands("pbx.example", Rules::Sip, near).await.map(|_| ()).unwrap_err();
    assert!(reason.contains("TLS 1.2 is the least"), "{reason}");
}

#[tokio::test]
async fn every_reason_is_said_in_words_with_what_to_do() {
    let ca = authority();
    let pem = ca.pem();
    let own = ca.issue(&for_name(&["wrong.example"])).unwrap();
    refused(Some(&pem), "pbx.example", &own, &["for wrong.example, not for pbx.example", "account's domain"])
        .await;
    let own = ca.issue(&CertificateOptions { until_year: 2024, ..for_name(&["pbx.example"]) }).unwrap();
    refused(Some(&pem), "pbx.example", &own, &["expired on 2024-01-01", "renew"]).await;
    let own = TestCertificate::self_signed(&for_name(&["pbx.example"])).unwrap();
    refused(None, "pbx.example", &own, &["self-signed", "trusted CA"]).await;
    let own = ca.issue(&for_name(&["pbx.example"])).unwrap();
    refused(None, "pbx.example", &own, &["issuer Example CA is unknown", "trusted CA"]).await;
    let other = TestAuthority::new("Another CA").unwrap().pem();
    refused(Some(&other), "pbx.example", &own, &["neither this computer nor the account"]).await;
    let own = ca.issue(&CertificateOptions { for_servers: false, ..for_name(&["pbx.example"]) }).unwrap();
    refused(Some(&pem), "pbx.example", &own, &["not one for a TLS server"]).await;
    let own = ca.issue(&for_name(&[])).unwrap();
    refused(Some(&pem), "pbx.example", &own, &["names nobody"]).await;
}

#[tokio::test]
async fn an_authority_of_the_same_name_with_another_key_vouches_for_nothing() {
    let own = authority().issue(&for_name(&["pbx.example"])).unwrap();
    refused(Some(&authority().pem()), "pbx.example", &own, &["is unknown"]).await;
}

#[tokio::test]
async fn a_self_signed_certificate_that_is_trusted_itself_is_accepted_for_its_name_and_time() {
    let own = TestCertificate::self_signed(&for_name(&["pbx.example"])).unwrap();
    let info = meet(Some(&own.certificate), "pbx.example", Rules::Sip, &own).await.unwrap();
    assert_eq!(info, "TLS 1.3, certificate of pbx.example by itself");
    refused(Some(&own.certificate), "other.example", &own, &["not for other.example"]).await;
    let old = CertificateOptions { until_year: 2024, ..for_name(&["pbx.example"]) };
    let own = TestCertificate::self_signed(&old).unwrap();
    refused(Some(&own.certificate), "pbx.example", &own, &["expired on 2024-01-01"]).await;
}

#[tokio::test]
async fn sip_uris_come_before_dns_names_and_wildcards_count_for_web_pages_alone() {
    let ca = authority();
    let pem = ca.pem();
    let both = CertificateOptions { uris: &["sip:example.org"], ..for_name(&["pbx.example"]) };
    let own = ca.issue(&both).unwrap();
    assert!(meet(Some(&pem), "example.org", Rules::Sip, &own).await.is_ok());
    refused(Some(&pem), "pbx.example", &own, &["for example.org", "not for pbx.example"]).await;
    assert!(meet(Some(&pem), "pbx.example", Rules::Web, &own).await.is_ok());
    for uri in ["sip:alice@example.org", "sips:example.org", "https://example.org"] {
        let own = ca.issue(&CertificateOptions { uris: &[uri], ..for_name(&[]) }).unwrap();
        refused(Some(&pem), "example.org", &own, &["it names nobody"]).await;
    }
    let own = ca.issue(&for_name(&["*.pbx.example"])).unwrap();
    refused(Some(&pem), "a.pbx.example", &own, &["wildcards do not count for SIP"]).await;
    assert!(meet(Some(&pem), "a.pbx.example", Rules::Web, &own).await.is_ok());
    assert!(meet(Some(&pem), "a.b.pbx.example", Rules::Web, &own).await.is_err());
    let own = ca.issue(&for_name(&["*.example"])).unwrap();
    assert!(meet(Some(&pem), "pbx.example", Rules::Web, &own).await.is_err());
}

#[tokio::test]
async fn an_address_needs_a_certificate_for_the_address() {
    let ca = authority();
    let pem = ca.pem();
    let address = "192.0.2.1".parse().unwrap();
    let own = ca.issue(&CertificateOptions { addresses: &[address], ..for_name(&[]) }).unwrap();
    assert!(meet(Some(&pem), "192.0.2.1", Rules::Sip, &own).await.is_ok());
    refused(Some(&pem), "192.0.2.2", &own, &["for 192.0.2.1, not for 192.0.2.2"]).await;
    let own = ca.issue(&for_name(&["192.0.2.1.example"])).unwrap();
    refused(Some(&pem), "192.0.2.1", &own, &["not for 192.0.2.1"]).await;
}

#[tokio::test]
async fn what_does_not_speak_tls_is_said_to() {
    let (near, mut far) = duplex(1024);
    far.write_all(b"SIP/2.0 400 Bad Request\r\n\r\n").await.unwrap();
    let reason = Trust::new(None).shake_hands("pbx.example", Rules::Sip, near).await.map(|_| ()).unwrap_err();
    assert_eq!(reason, "pbx.example does not speak TLS at this port");
    let (near, far) = duplex(1024);
    drop(far);
    let reason = Trust::new(None).shake_hands("pbx.example", Rules::Sip, near).await.map(|_| ()).unwrap_err();
    assert!(reason.contains("does it speak TLS at this port?") || reason.contains("broken pipe"), "{reason}");
}

#[tokio::test]
async fn a_second_handshake_resumes_the_session_of_the_first_and_not_that_of_another_trust() {
    let ca = authority();
    let own = ca.issue(&for_name(&["pbx.example"])).unwrap();
    let config = Arc::new(server_config(&own, &[&rustls::version::TLS13]));
    let trust = Trust::new(Some(&ca.pem()));
    let resumed = async |trust: &Trust| {
        let (near, far) = duplex(16 * 1024);
        serve(far, Arc::clone(&config));
        let (mut stream, _) = trust.shake_hands("pbx.example", Rules::Sip, near).await?;
        stream.write_all(b"x").await.unwrap();
        stream.read_exact(&mut [0]).await.unwrap();
        Ok::<_, String>(stream.get_ref().1.handshake_kind() == Some(rustls::HandshakeKind::Resumed))
    };
    assert!(!resumed(&trust).await.unwrap());
    assert!(resumed(&trust).await.unwrap());
    assert!(resumed(&Trust::new(None)).await.is_err());
}

#[test]
fn the_text_of_an_authority_is_checked() {
    let ca = authority();
    assert_eq!(super::check_ca(&ca.pem()).unwrap().len(), 1);
    let two = ca.pem() + &authority().pem();
    assert_eq!(super::check_ca(&two).unwrap().len(), 2);
    let own = ca.issue(&for_name(&["pbx.example"])).unwrap();
    assert!(super::check_ca(&own.key).unwrap_err().contains("private key"));
    assert!(super::check_ca("hello").unwrap_err().contains("BEGIN CERTIFICATE"));
    assert!(super::check_ca(&ca.pem().replace('M', "!")).is_err());
    assert!(super::check_ca(&ca.pem().repeat(17)).unwrap_err().contains("16"));
    assert!(super::check_ca(&"x".repeat(200_000)).is_err());
}
