//! RFC 3863 and RFC 4480.

use sidetone_sip::body::{Presence, Tuple};

fn parse(text: &str) -> Presence {
    Presence::parse(text.as_bytes()).unwrap()
}

#[test]
fn documents_of_real_servers_are_read() {
    let asterisk = parse(
        r#"<?xml version="1.0" encoding="ISO-8859-1"?>
<presence xmlns="urn:ietf:params:xml:ns:pidf" xmlns:pp="urn:ietf:params:xml:ns:pidf:person" xmlns:es="urn:ietf:params:xml:ns:pidf:rpid:status:rpid-status" xmlns:ep="urn:ietf:params:xml:ns:pidf:rpid:rpid-person" entity="sip:asterisk@192.0.2.50">
<pp:person><status>
<ep:activities><ep:busy/></ep:activities>
</status></pp:person>
<note>On the phone</note>
<tuple id="101">
<contact priority="1">sip:101@192.0.2.50</contact>
<status><basic>open</basic></status>
</tuple>
</presence>"#,
    );
    assert_eq!((asterisk.available(), asterisk.words().as_deref()), (Some(true), Some("On the phone")));
    assert_eq!(asterisk.activities, ["busy"]);
    assert_eq!(asterisk.tuples[0].contact.as_deref(), Some("sip:101@192.0.2.50"));

    let kamailio = parse(
        r#"<?xml version="1.0"?>
<presence xmlns="urn:ietf:params:xml:ns:pidf" xmlns:dm="urn:ietf:params:xml:ns:pidf:data-model" xmlns:rpid="urn:ietf:params:xml:ns:pidf:rpid" entity="sip:bob@example.com">
 <tuple id="t1"><status><basic>closed</basic></status></tuple>
 <tuple id="t2"><status><basic>open</basic></status><note xml:lang="en">At my desk</note></tuple>
 <dm:person id="p1"><rpid:activities><rpid:note>x</rpid:note><rpid:meal/><rpid:other>juggling</rpid:other></rpid:activities></dm:person>
</presence>"#,
    );
    assert_eq!((kamailio.available(), kamailio.words().as_deref()), (Some(true), Some("At my desk")));
    assert_eq!(kamailio.activities, ["meal", "juggling"]);

    let freeswitch = parse(
        r#"<presence xmlns='urn:ietf:params:xml:ns:pidf' entity='pres:1000@pbx.example'><tuple id='t6a5ed77e'><status>
<basic>closed</basic></status></tuple><dm:person xmlns:dm='urn:ietf:params:xml:ns:pidf:data-model' id='p'><dm:note>Away</dm:note></dm:person></presence>"#,
    );
    assert_eq!((freeswitch.available(), freeswitch.words().as_deref()), (Some(false), Some("Away")));

    let nothing = parse(r#"<presence entity="pres:a@b"/>"#);
    assert_eq!((nothing.available(), nothing.words()), (None, None));
}

#[test]
fn what_is_written_is_read_again() {
    let presence = Presence {
        entity: "sip:a@b".into(),
        tuples: vec![Tuple {
            id: "<1>".into(),
            open: Some(false),
            contact: Some("sip:a@b;x=\"1\"".into()),
            note: Some("Pause & Kaffee".into()),
        }],
        note: Some("a < b".into()),
        activities: Vec::new(),
    };
    assert_eq!(Presence::parse(&presence.to_xml()).unwrap(), presence);
    let open = Presence::of("sip:a@b", true, None);
    assert_eq!(Presence::parse(&open.to_xml()).unwrap().available(), Some(true));
}

#[test]
fn control_characters_cannot_be_written() {
    let presence = Presence::of("sip:a@b", true, Some("a\0b\u{1}\r\nc\u{ffff}".into()));
    assert_eq!(Presence::parse(&presence.to_xml()).unwrap().note.as_deref(), Some("abc"));
}
