//! Pages by TLS, at the gateway's own certificate.

use super::{Program, Rig, SILENT, SOON, needs};
use serde_json::{Value, json};
use sidetone_testkit::{CertificateOptions, Room, TestCertificate, WebSdk, room, until};

/// A gateway with this certificate, and where pages find it.
fn gateway(room: &Room, name: &str, own: &TestCertificate) -> (Program, String) {
    let folder = room.dir().join(name);
    std::fs::create_dir(&folder).unwrap();
    let (certificate, key) = own.write(&folder).unwrap();
    let (certificate, key) = (certificate.to_str().unwrap(), key.to_str().unwrap());
    let tls = ["--wss-listen", "127.0.0.1:0", "--tls-certificate", certificate, "--tls-key", key];
    let mut gateway = Program::start(room, &[&["gateway"][..], &SILENT, &tls].concat());
    let (_, line) = gateway.wait("its addresses", |line| line["wss"].is_array());
    let url = line["wss"][0].as_str().unwrap().trim_end_matches('/').to_owned();
    (gateway, url)
}

#[test]
fn a_page_that_trusts_the_certificate_publishes_and_plays_by_tls_and_another_one_fails() {
    let Some(room) = room!(needs()) else { return };
    let [own, other] =
        [(); 2].map(|()| TestCertificate::self_signed(&CertificateOptions::default()).unwrap());
    let (gateway_of_own, url) = gateway(&room, "own", &own);
    let (_other, unknown) = gateway(&room, "other", &other);
    assert!(url.starts_with("wss://"), "{url}");
    let page = WebSdk::start_trusting(room.dir(), "page", &own.pin().unwrap()).unwrap();
    let rig = Rig { gateway: gateway_of_own, url, page };
    let session = rig.session();
    rig.publish(session, "cam", json!({}));
    let player = rig.play(session, "cam");
    until("its picture", SOON, || {
        let shown = rig.page.run("shown", &[json!(player)]);
        (shown["width"].as_u64() > Some(0) && shown["time"].as_f64() > Some(0.0)).then_some(())
    })
    .unwrap();
    let refused = rig.page.connect(&json!({ "urlServer": unknown }));
    rig.page.status(refused, "FAILED", SOON).unwrap();
    let stood = |event: &Value| event["id"] == refused && event["status"] == "ESTABLISHED";
    assert!(!rig.page.events().iter().any(stood));
    rig.end();
}
