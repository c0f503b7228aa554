//! Calls of pages that the backend lets be, or not.

use super::{SOON, needs, rig, session, warned};
use serde_json::{Value, json};
use sidetone_testkit::{
    AnswerMode, Backend, Baresip, BaresipOptions, Heard, HookReply, Sipp, SippOptions, room,
};

fn account() -> Value {
    json!({ "sipOptions": { "login": "alice", "domain": "127.0.0.1", "registerRequired": false } })
}

fn dial(rig: &super::Rig, session: u64, callee: &str) -> u64 {
    let options = json!({ "callee": callee, "visibleName": "Alice in a page", "custom": { "order": 7 } });
    rig.page.run("dial", &[json!(session), options]).as_u64().unwrap()
}

#[test]
fn a_call_out_is_refused_led_elsewhere_and_told_of_by_the_ids_of_its_page() {
    let Some(room) = room!(needs().and(&["baresip"])) else { return };
    let backend = Backend::start().unwrap();
    let rig = rig(&room, &backend, "");
    let fail = json!({ "restOnError": "FAIL" });
    let config = json!({
        "call": { "restOnError": "FAIL", "restPolicy": "OVERWRITE", "restOverwrite": "callee,visibleName", "clientExclude": "callee" },
        "hold": fail, "transfer": fail,
        "sendDtmf": { "restPolicy": "OVERWRITE", "restOverwrite": "dtmf" },
    });
    let session = session(&rig, &backend, &config, account());
    let mut bob =
        Baresip::start(room.dir(), &BaresipOptions { answer: AnswerMode::Auto, ..BaresipOptions::default() })
            .unwrap();
    backend.refuse("call");
    let refused = dial(&rig, session, "sip:nobody@127.0.0.1:9");
    let warning = warned(&rig, session);
    assert_eq!(
        (&warning["object"]["apiMethod"], &warning["info"]),
        (&json!("CallStatusEvent"), &json!("not before nine"))
    );
    rig.page.status(refused, "FAILED", SOON).unwrap();
    let asked = backend.hears("call", SOON, |_| true).unwrap();
    assert_eq!((&asked["custom"], &asked["caller"]), (&json!({ "order": 7 }), &json!("alice")));
    assert_eq!((&asked["mediaProvider"], &asked["incoming"]), (&json!("WebRTC"), &json!(false)));
    assert!(asked["sdp"].as_str().unwrap_or_default().starts_with("v=0"), "{asked}");
    let is_failed = |body: &Value| body["status"] == "FAILED" && body["callId"] == asked["callId"];
    backend.hears("CallStatusEvent", SOON, is_failed).unwrap();

    backend.rule("call", HookReply::With(json!({ "callee": bob.uri(), "visibleName": "Line 7" })));
    backend.refuse("hold");
    backend.refuse("transfer");
    backend.rule("sendDtmf", HookReply::With(json!({ "dtmf": "9" })));
    let call = dial(&rig, session, "sip:reception@127.0.0.1:9");
    let established = rig.page.status(call, "ESTABLISHED", SOON).unwrap();
    assert_eq!(established["callee"], "sip:reception@127.0.0.1:9");
    let asked = backend.hears("call", SOON, |_| true).unwrap();
    let of_call = |status: &'static str| {
        let id = asked["callId"].clone();
        move |body: &Value| body["status"] == status && body["callId"] == id
    };
    let told = backend.hears("CallStatusEvent", SOON, of_call("ESTABLISHED")).unwrap();
    assert_eq!((&told["callee"], &told["sessionId"]), (&json!(bob.uri()), &asked["sessionId"]));
    assert_eq!(told["visibleName"], "Line 7");
    rig.page.tell(call, "hold", &[]);
    assert_eq!(warned(&rig, session)["info"], "not before nine");
    rig.page.tell(call, "transfer", &[json!("sip:carol@127.0.0.1:9")]);
    let warning = warned(&rig, session);
    assert_eq!(
        (&warning["object"]["apiMethod"], &warning["info"]),
        (&json!("TransferStatusEvent"), &json!("not before nine"))
    );
    backend.hears("TransferStatusEvent", SOON, of_call("FAILED")).unwrap();
    assert_eq!(rig.page.ask(call, "status", &[]), "ESTABLISHED");
    rig.page.tell(call, "sendDTMF", &[json!("5"), json!("RFC2833")]);
    assert_eq!(bob.wait_event("CALL_DTMF_START", SOON).unwrap().text("param"), "9");
    let asked_for_keys = backend.hears("sendDtmf", SOON, |_| true).unwrap();
    assert_eq!((&asked_for_keys["dtmf"], &asked_for_keys["type"]), (&json!("5"), &json!("RFC2833")));
    assert_eq!(asked_for_keys["callId"], asked["callId"]);
    rig.page.tell(call, "hangup", &[]);
    rig.page.status(call, "FINISH", SOON).unwrap();
    backend.hears("hangup", SOON, |body| body["callId"] == asked["callId"]).unwrap();
    backend.hears("CallStatusEvent", SOON, of_call("FINISH")).unwrap();
    rig.end();
}

#[test]
fn a_transfer_is_told_step_by_step_to_the_backend_and_the_page_hears_of_no_more_than_its_end() {
    let Some(room) = room!(needs().and(&["sipp"])) else { return };
    let backend = Backend::start().unwrap();
    let rig = rig(&room, &backend, "");
    let session = session(&rig, &backend, &json!({}), account());
    let keys = vec![("wanted", "sip:carol@127.0.0.1:5099".to_owned())];
    let options = SippOptions { scenario: "uas_referred.xml", keys, echo: true, ..SippOptions::default() };
    let mut sipp = Sipp::start(room.dir(), &options).unwrap();
    let call = dial(&rig, session, &format!("sip:bob@{}", sipp.address()));
    rig.page.status(call, "ESTABLISHED", SOON).unwrap();
    let id = backend.hears("call", SOON, |_| true).unwrap()["callId"].clone();
    rig.page.tell(call, "transfer", &[json!("sip:carol@127.0.0.1:5099")]);
    rig.page.status(call, "FINISH", SOON).unwrap();
    let asked = backend.hears("transfer", SOON, |body| body["callId"] == id).unwrap();
    assert_eq!(asked["target"], "sip:carol@127.0.0.1:5099");
    let completed = |body: &Value| body["callId"] == id && body["status"] == "COMPLETED";
    backend.hears("TransferStatusEvent", SOON, completed).unwrap();
    let of_transfer = |heard: &Heard| heard.hook == "TransferStatusEvent" && heard.body["callId"] == id;
    let told: Vec<_> =
        backend.heard().into_iter().filter(of_transfer).map(|heard| heard.body["status"].clone()).collect();
    assert_eq!(
        (told.first(), told.last()),
        (Some(&json!("ACCEPTED")), Some(&json!("COMPLETED"))),
        "{told:?}"
    );
    let of_page = |message: &&String| *message == "notifyTransferEvent";
    assert_eq!(rig.page.messages().iter().filter(of_page).count(), 1);
    assert!(sipp.wait(SOON).unwrap().is_clean(1));
    rig.end();
}

#[test]
fn a_caller_whom_the_backend_refuses_is_forbidden_and_an_answer_that_it_refuses_ends_the_call() {
    let Some(room) = room!(needs().and(&["baresip", "kamailio"])) else { return };
    let backend = Backend::start().unwrap();
    let rig = rig(&room, &backend, "");
    let proxy =
        sidetone_testkit::Kamailio::start(room.dir(), &sidetone_testkit::KamailioOptions::default()).unwrap();
    let fail = json!({ "restOnError": "FAIL" });
    let config = json!({
        "OnCallEvent": { "restOnError": "FAIL", "restPolicy": "OVERWRITE", "restOverwrite": "visibleName" },
        "answer": fail,
    });
    let options = json!({ "sipOptions": super::super::calls::account(&proxy, "secret") });
    let session = session(&rig, &backend, &config, options);
    rig.page.status(session, "REGISTERED", SOON).unwrap();
    let registered = backend
        .hears("RegistrationStatusEvent", SOON, |body| {
            body["sipLogin"] == "alice" && body["status"] == "REGISTERED"
        })
        .unwrap();
    assert_eq!((&registered["sipLogin"], &registered["appKey"]), (&json!("alice"), &json!("defaultApp")));
    let mut bob =
        Baresip::start(room.dir(), &BaresipOptions { answer: AnswerMode::Auto, ..BaresipOptions::default() })
            .unwrap();
    backend.refuse("OnCallEvent");
    bob.dial(&proxy.aor("alice")).unwrap();
    let closed = bob.wait_event("CALL_CLOSED", SOON).unwrap();
    assert!(closed.text("param").contains("403"), "{closed:?}");
    let warning = warned(&rig, session);
    assert_eq!(
        (&warning["object"]["apiMethod"], &warning["info"]),
        (&json!("CallStatusEvent"), &json!("not before nine"))
    );
    let came = |event: &Value| event["name"] == "incoming";
    assert!(!rig.page.events().iter().any(came));
    let asked = backend.hears("OnCallEvent", SOON, |_| true).unwrap();
    assert_eq!((&asked["caller"], &asked["incoming"]), (&json!("bob"), &json!(true)));
    assert_eq!(asked["sessionId"], registered["sessionId"]);

    backend.rule("OnCallEvent", HookReply::With(json!({ "visibleName": "Ada Lovelace" })));
    backend.refuse("answer");
    bob.dial(&proxy.aor("alice")).unwrap();
    let incoming = rig.page.wait_for("a call", SOON, came).unwrap();
    assert_eq!((&incoming["caller"], &incoming["visibleName"]), (&json!("bob"), &json!("Ada Lovelace")));
    let call = incoming["id"].as_u64().unwrap();
    rig.page.status(call, "RING", SOON).unwrap();
    rig.page.run("answer", &[json!(call), json!({})]);
    rig.page.status(call, "FAILED", SOON).unwrap();
    bob.wait_event("CALL_CLOSED", SOON).unwrap();
    let asked = backend.hears("answer", SOON, |_| true).unwrap();
    assert_eq!(asked["sessionId"], registered["sessionId"]);
    let wrong = json!({ "urlServer": rig.url, "sipOptions": super::super::calls::account(&proxy, "wrong") });
    let wrong = rig.page.connect(&wrong);
    assert_eq!(warned(&rig, wrong)["object"]["apiMethod"], "RegistrationStatusEvent");
    let is_refused = |body: &Value| body["status"] == "AUTHENTICATION_FAIL";
    let refused = backend.hears("RegistrationStatusEvent", SOON, is_refused).unwrap();
    assert_eq!((&refused["sipLogin"], &refused["sipPassword"]), (&json!("alice"), &Value::Null));
    rig.end();
}
