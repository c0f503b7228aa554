use super::{
    ClientMessage as M, Flood, Malformed, ServerAsk, ServerMessage, ServerSaid as S, flood, hear,
    introduction, is_mostly_text, parse, refusal,
};
use crate::{ClientAsk as A, ClientCall, ClientNews, ClientStream};
use serde_json::{Value, json};
use sidetone_api::CallStatus;

fn read(name: &str, object: &Value) -> Result<M, Malformed> {
    parse(&json!({ "message": name, "data": [object] }).to_string())
}

#[test]
fn the_first_message_keeps_all_that_it_says() {
    let said = json!({ "appKey": "defaultApp", "sipPort": "5060", "custom": { "token": 1 } });
    let Ok(M::Connection(fields)) = read("connection", &said) else { panic!("it is a connection") };
    assert_eq!(Value::Object(fields), said);
}

#[test]
fn keep_alive_comes_with_any_data_or_none() {
    for text in
        [r#"{"message":"pong","data":[null]}"#, r#"{"message":"pong"}"#, r#"{"message":"pong","data":7}"#]
    {
        assert_eq!(parse(text), Ok(M::Pong), "{text}");
    }
    assert_eq!(parse(r#"{"message":"ping","data":[]}"#), Ok(M::Ping));
}

#[test]
fn a_stream_is_read_whatever_types_its_fields_have() {
    let said = json!({
        "mediaSessionId": "m1", "name": "s1", "hasVideo": "true", "hasAudio": 1, "bitrate": "512", "maxBitrate": 1e12,
        "minBitrate": -3, "width": null, "sdp": "v=0", "mediaProvider": "WebRTC", "custom": { "name": "room" },
        "constraints": [[{}]], "record": [],
    });
    let Ok(M::Ask(A::Publish(stream))) = read("publishStream", &said) else { panic!("it is a stream") };
    assert_eq!((stream.id.as_str(), stream.name.as_str(), stream.sdp.as_str()), ("m1", "s1", "v=0"));
    assert_eq!((stream.has_audio, stream.has_video, stream.record), (true, true, false));
    assert_eq!((stream.bitrate, stream.min_bitrate, stream.max_bitrate, stream.width), (512, 0, u32::MAX, 0));
    assert_eq!(stream.custom, Some(json!({ "name": "room" })));
    let Ok(M::Ask(A::Play(stream))) = read("playStream", &json!({ "name": {}, "sdp": [1] })) else {
        panic!("it is a stream")
    };
    assert_eq!((stream.id.as_str(), stream.name.as_str(), stream.sdp.as_str()), ("", "", ""));
}

#[test]
fn each_message_of_a_client_is_known() {
    let object = json!({ "mediaSessionId": "m", "name": "n", "callId": "c", "operationId": "o", "type": "data",
        "payload": { "a": 1 }, "command": "start", "logs": "l" });
    let known = |name: &str| read(name, &object).unwrap();
    let (id, name) = (String::from("m"), String::from("n"));
    assert_eq!(known("pauseStream"), M::Ask(A::Pause { id: id.clone() }));
    assert_eq!(known("unPublishStream"), M::Ask(A::UnPublish { id: id.clone() }));
    assert_eq!(known("stopStream"), M::Ask(A::Stop { id: id.clone() }));
    assert_eq!(known("availableStream"), M::Ask(A::Available { id: id.clone(), name: name.clone() }));
    assert_eq!(known("snapshot"), M::Ask(A::Snapshot { id: id.clone(), name }));
    let payload = json!({ "a": 1 });
    assert_eq!(
        known("sendStreamEvent"),
        M::Ask(A::StreamEvent { id, kind: "data".into(), payload: payload.clone().into() })
    );
    assert_eq!(known("sendData"), M::Ask(A::SendData { operation_id: "o".into(), payload }));
    assert_eq!(known("sessionDebug"), M::Ask(A::SessionDebug { start: true }));
    assert!(
        matches!(known("submitBugReport"), M::Ask(A::SubmitBugReport(report)) if report["command"] == "start")
    );
    assert!(matches!(known("call"), M::Ask(A::Call(call)) if call.id == "c"));
    let id = || String::from("c");
    assert_eq!(known("answer"), M::Ask(A::Answer { id: id(), sdp: String::new() }));
    assert_eq!(known("hangup"), M::Ask(A::Hangup { id: id() }));
    assert_eq!(known("hold"), M::Ask(A::Hold { id: id() }));
    assert_eq!(known("unhold"), M::Ask(A::Unhold { id: id() }));
    assert_eq!(known("sendDtmf"), M::Ask(A::SendDtmf { id: id(), kind: "data".into(), dtmf: String::new() }));
    assert_eq!(known("transfer"), M::Ask(A::Transfer { id: id(), target: String::new() }));
    let unknown = "changeMediaRequest\n".repeat(100);
    assert!(matches!(known(&unknown), M::Unknown { name } if name.len() == 64 && !name.contains('\n')));
}

#[test]
fn what_is_no_message_is_told_in_words() {
    for (text, word) in [
        ("", "JSON"),
        ("{", "JSON"),
        ("[1]", "message"),
        ("7", "message"),
        (r#"{"data":[{}]}"#, "message"),
        (r#"{"message":7,"data":[{}]}"#, "message"),
        (r#"{"message":"publishStream"}"#, "publishStream"),
        (r#"{"message":"publishStream","data":[]}"#, "publishStream"),
        (r#"{"message":"publishStream","data":[null]}"#, "publishStream"),
        (r#"{"message":"connection","data":["x"]}"#, "connection"),
        (r#"{"message":"hangup","data":[[]]}"#, "hangup"),
    ] {
        let told = parse(text).unwrap_err().to_string();
        assert!(told.contains(word), "{text}: {told}");
    }
    let long = json!({ "mediaSessionId": "x".repeat(129) });
    assert!(read("stopStream", &long).unwrap_err().to_string().contains("mediaSessionId"));
    assert!(parse(&"[".repeat(100_000)).is_err());
}

#[test]
fn whatever_is_said_has_an_array_of_data() {
    let id = || String::from("m");
    let all = [
        ServerMessage::Ping,
        ServerMessage::Pong,
        ServerMessage::UserData(serde_json::Map::new()),
        ClientNews::Registered.into(),
        refusal("Forbidden"),
        ClientNews::Description { id: id(), sdp: "v=0".into(), is_answer: true }.into(),
        ClientNews::Available { id: id(), available: true, info: String::new() }.into(),
        ClientNews::VideoRate { id: id(), inbound: true, bits: 1 }.into(),
        ClientNews::DataStatus { operation_id: id(), accepted: false, info: "no".into() }.into(),
        ClientNews::Data { operation_id: id(), payload: Value::Null.into() }.into(),
        ClientNews::Debug { started: false, info: "x".into() }.into(),
        ClientNews::Snapshot { id: id(), png: Ok(vec![1, 2, 3]) }.into(),
        ClientNews::Failed { event: Some("StreamStatusEvent"), id: Some(id()), info: "x".into() }.into(),
    ];
    for message in all {
        let value: Value = serde_json::from_str(&message.text()).unwrap();
        assert!(value["data"].is_array() && value["message"].is_string(), "{value}");
    }
}

#[test]
fn what_the_sdk_compares_is_of_the_type_that_it_compares() {
    let said = |message: ServerMessage| serde_json::from_str::<Value>(&message.text()).unwrap();
    let available = said(ClientNews::Available { id: "m".into(), available: true, info: "".into() }.into());
    assert_eq!(available["data"][0]["status"], json!("true"));
    let sdp = said(ClientNews::Description { id: "m".into(), sdp: "v=0".into(), is_answer: true }.into());
    assert_eq!(sdp["data"], json!(["m", "v=0", true]));
    let failed = said(refusal("Forbidden"));
    let wanted = json!({ "status": "FAILED", "info": "Forbidden", "apiMethod": "ConnectionStatusEvent" });
    assert_eq!(failed["data"][0], wanted);
    let payload = json!({ "text": "\"}]\n", "values": [1, { "a": null }] });
    let event =
        ClientNews::StreamEvent { id: "m\"".into(), kind: "data".into(), payload: payload.clone().into() };
    let wanted = json!({ "mediaSessionId": "m\"", "type": "data", "payload": payload });
    assert_eq!(said(event.into()), json!({ "message": "notifyStreamEvent", "data": [wanted] }));
    let data = ClientNews::Data { operation_id: "o".into(), payload: payload.clone().into() };
    let wanted = json!({ "operationId": "o", "payload": payload });
    assert_eq!(said(data.into()), json!({ "message": "OnDataEvent", "data": [wanted] }));
    let snapshot = said(ClientNews::Snapshot { id: "m".into(), png: Ok(b"png".to_vec()) }.into());
    assert_eq!(snapshot["data"][0]["payload"]["snapshot"], json!("cG5n"));
}

#[test]
fn many_values_are_told_from_a_long_text() {
    let text = format!(r#"{{"command":"importContacts","vcard":"{}"}}"#, r#"a\"[1,\\"#.repeat(10_000));
    assert!(is_mostly_text(&text));
    for many in ["[1,".repeat(1000), r#""a","#.repeat(1000), " ".repeat(2000), r#""""#.repeat(2000)] {
        assert!(!is_mostly_text(&format!("{{{many}")), "{}", &many[..8]);
    }
}

#[test]
fn what_our_client_writes_is_what_a_server_reads() {
    let stream = ClientStream {
        id: "m1".into(),
        name: "tv".into(),
        sdp: "v=0".into(),
        provider: "WebRTC".into(),
        has_video: true,
        max_bitrate: 900,
        ..ClientStream::default()
    };
    let id = || "c1".to_owned();
    let call = ClientCall { id: id(), callee: "bob".into(), sdp: "v=0".into(), ..ClientCall::default() };
    let payload = json!({ "to": "x" });
    let cases = [
        (ServerAsk::Connect(introduction("a")), M::Connection(introduction("a"))),
        (ServerAsk::Pong, M::Pong),
        (ServerAsk::Publish(stream.clone()), M::Ask(A::Publish(stream.clone()))),
        (ServerAsk::Play(stream.clone()), M::Ask(A::Play(stream))),
        (ServerAsk::Pause { id: id(), name: id() }, M::Ask(A::Pause { id: id() })),
        (ServerAsk::UnPublish { id: id(), name: id() }, M::Ask(A::UnPublish { id: id() })),
        (ServerAsk::Stop { id: id(), name: id() }, M::Ask(A::Stop { id: id() })),
        (
            ServerAsk::Snapshot { id: id(), name: "tv".into() },
            M::Ask(A::Snapshot { id: id(), name: "tv".into() }),
        ),
        (
            ServerAsk::StreamEvent { id: id(), kind: "data".into(), payload: Some(payload.clone()) },
            M::Ask(A::StreamEvent { id: id(), kind: "data".into(), payload: payload.clone().into() }),
        ),
        (
            ServerAsk::Data { operation_id: id(), payload: payload.clone() },
            M::Ask(A::SendData { operation_id: id(), payload }),
        ),
        (ServerAsk::Call { call: call.clone(), caller: "alice".into() }, M::Ask(A::Call(call))),
        (
            ServerAsk::Answer { id: id(), callee: id(), sdp: "v=0".into() },
            M::Ask(A::Answer { id: id(), sdp: "v=0".into() }),
        ),
        (ServerAsk::Hangup { id: id() }, M::Ask(A::Hangup { id: id() })),
        (ServerAsk::Hold { id: id() }, M::Ask(A::Hold { id: id() })),
        (ServerAsk::Unhold { id: id() }, M::Ask(A::Unhold { id: id() })),
        (
            ServerAsk::Dtmf { id: id(), kind: "INFO", dtmf: "5".into() },
            M::Ask(A::SendDtmf { id: id(), kind: "INFO".into(), dtmf: "5".into() }),
        ),
        (
            ServerAsk::Transfer { id: id(), target: "carol".into() },
            M::Ask(A::Transfer { id: id(), target: "carol".into() }),
        ),
        (ServerAsk::Debug { start: true }, M::Ask(A::SessionDebug { start: true })),
    ];
    for (ask, read) in cases {
        assert_eq!(parse(&ask.text()), Ok(read), "{}", ask.name());
    }
}

#[test]
fn floods_are_known_by_their_names_and_logs_by_their_lines() {
    let logs = |lines: &str| Some(Flood::Logs(lines.into()));
    assert_eq!(flood(&ServerAsk::Logs { logs: "a \"b\"\n".into() }.text()), logs("a \"b\"\n"));
    assert_eq!(flood(r#"{"data":[{"logs":"x","more":[1]}],"message":"pushLogs"}"#), logs("x"));
    for nothing in ["null", "[]", "[null]", "[{}]", r#"[{"logs":[["deep"]]}]"#, r#"[{"logs":"x"},1]"#] {
        assert_eq!(flood(&format!(r#"{{"message":"pushLogs","data":{nothing}}}"#)), logs(""), "{nothing}");
    }
    assert_eq!(flood(r#"{"message":"webRTCMetricsBatch","data":[[[[]]]]}"#), Some(Flood::Metrics));
    for other in
        [r#"{"message":"sendData","data":[{"logs":"pushLogs"}]}"#, "pushLogs", r#"{"message":1}"#, "{"]
    {
        assert_eq!(flood(other), None, "{other}");
    }
}

#[test]
fn servers_of_other_times_are_understood() {
    let said = |text: &str| hear(text).unwrap();
    assert_eq!(said(r#"{"message":"ping"}"#), S::Ping);
    assert_eq!(said(r#"{"message":"getVersion","data":["5.2"],"more":[1]}"#), S::Nothing);
    assert_eq!(said(r#"{"message":"news","data":[null]}"#), S::Unknown { name: "news".into() });
    let description = S::Description { id: "m1".into(), sdp: "v=0".into(), is_answer: None };
    assert_eq!(said(r#"{"message":"setRemoteSDP","data":["m1","v=0"]}"#), description);
    for (name, status, wanted) in [
        ("busy", json!(null), CallStatus::Busy),
        ("sessionProgress", json!("NEW"), CallStatus::SessionProgress),
        ("finish", json!("BUSY"), CallStatus::Busy),
        ("callbackHold", json!("HOLD"), CallStatus::Hold),
    ] {
        let text = json!({ "message": name, "data": [{ "callId": 7, "status": status, "extra": {} }] });
        let S::Call(call) = said(&text.to_string()) else { panic!("{name} is of a call") };
        assert_eq!((call.id.as_str(), call.status), ("7", Some(wanted)), "{name}");
    }
}

#[test]
fn what_cannot_be_read_of_a_server_is_named_with_its_object() {
    for (text, word, id) in [
        ("GET /", "JSON", None),
        ("[]", "object", None),
        (r#"{"data":[]}"#, "message", None),
        (r#"{"message":7}"#, "message", None),
        (r#"{"message":"getUserData","data":[7]}"#, "getUserData: data[0]", None),
        (r#"{"message":"setRemoteSDP","data":[{},"v=0"]}"#, "data[0]", None),
        (r#"{"message":"setRemoteSDP","data":["m1",{"sdp":""}]}"#, "data[1]", Some("m1")),
        (
            r#"{"message":"notifyStreamStatusEvent","data":[{"mediaSessionId":"m1","status":[]}]}"#,
            "notifyStreamStatusEvent: status",
            Some("m1"),
        ),
        (r#"{"message":"ring","data":[{"status":"RING"}]}"#, "ring: callId", None),
        (r#"{"message":"DataStatusEvent","data":[{"operationId":"1"}]}"#, "DataStatusEvent: status", None),
    ] {
        let unreadable = hear(text).unwrap_err();
        assert!(unreadable.words.contains(word), "{text}: {unreadable}");
        assert_eq!(unreadable.id.as_deref(), id, "{text}");
    }
    assert!(hear(&format!("{{\"message\":\"OnDataEvent\",\"data\":[{}0]}}", "0,".repeat(60_000))).is_err());
    assert!(hear(&"[".repeat(60_000)).is_err());
}
