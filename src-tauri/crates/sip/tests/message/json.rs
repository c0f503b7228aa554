use serde_json::json;
use sidetone_sip::message::{Message, Method, to_json};

use super::request;

#[test]
fn a_request_becomes_json_with_its_parsed_parts() {
    let mut request = request(Method::Invite);
    request.headers.push("m", "\"M\" <sip:m%61ra@192.0.2.30:5062;transport=tcp;lr?Subject=x>;q=0.5");
    request.set_body("text/plain", "grüße".into());
    let value = to_json(&Message::Request(request));
    assert_eq!(value["kind"], "request");
    assert_eq!(value["method"], "INVITE");
    assert_eq!(value["uri"]["user"], "desk");
    assert_eq!(
        value["headers"][1],
        json!({"name": "From", "value": "\"Mara\" <sip:mara@office.example>;tag=a1"})
    );
    assert_eq!(value["from"]["tag"], "a1");
    assert_eq!(value["from"]["display"], "Mara");
    assert_eq!(value["to"]["tag"], json!(null));
    assert_eq!(value["via"][0]["branch"], "z9hG4bK-1");
    assert_eq!(value["via"][0]["port"], 5060);
    assert_eq!(value["via"][0]["params"], json!({"branch": "z9hG4bK-1", "rport": null}));
    assert_eq!(value["cseq"], json!({"number": 1, "method": "INVITE"}));
    assert_eq!(value["contact"][0]["uri"]["user"], "mara");
    assert_eq!(value["contact"][0]["uri"]["params"], json!({"transport": "tcp", "lr": null}));
    assert_eq!(value["contact"][0]["params"]["q"], "0.5");
    assert_eq!(value["maxForwards"], 70);
    assert_eq!(value["body"], json!({"text": "grüße"}));
}

#[test]
fn a_binary_body_becomes_base64() {
    let mut request = request(Method::Message);
    request.body = vec![0xff, 0, 1];
    assert_eq!(to_json(&Message::Request(request))["body"], json!({"base64": "/wAB"}));
}

#[test]
fn a_response_has_status_and_reason() {
    let text = "SIP/2.0 486 Busy Here\r\nv: SIP/2.0/UDP a;branch=z9hG4bK1\r\nf: <sip:a@b>;tag=1\r\nt: <sip:c@d>;tag=2\r\n\
                i: x\r\nCSeq: 1 INVITE\r\nm: *\r\nl: 0\r\n\r\n";
    let value = to_json(&Message::parse(text.as_bytes()).unwrap());
    assert_eq!((&value["status"], &value["reason"]), (&json!(486), &json!("Busy Here")));
    assert_eq!((&value["contact"], &value["body"]), (&json!("*"), &json!(null)));
}
