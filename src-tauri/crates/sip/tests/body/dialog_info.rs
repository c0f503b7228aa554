//! RFC 4235.

use sidetone_sip::body::{Applied, DialogInfo, DialogState, Initiator, Line, LineDialog, Lit, Party};

const ASTERISK_RINGING: &str = r#"<?xml version="1.0"?>
<dialog-info xmlns="urn:ietf:params:xml:ns:dialog-info" version="3" state="full" entity="sip:101@192.0.2.50">
<dialog id="101" call-id="pickup-abc" local-tag="a" remote-tag="b" direction="recipient">
<remote>
<identity display="Bob &amp; &quot;Co&quot; &#252;">sip:102@192.0.2.50</identity>
<target uri="sip:102@192.0.2.50"/>
</remote>
<local>
<identity>sip:101@192.0.2.50</identity>
<target uri="sip:101@192.0.2.50"/>
</local>
<state>early</state>
</dialog>
</dialog-info>
"#;
const ASTERISK_IDLE: &str = r#"<?xml version="1.0"?>
<dialog-info xmlns="urn:ietf:params:xml:ns:dialog-info" version="4" state="full" entity="sip:101@192.0.2.50">
<dialog id="101">
<state>terminated</state>
</dialog>
</dialog-info>"#;
const KAMAILIO: &str = r#"<?xml version="1.0"?>
<dialog-info xmlns="urn:ietf:params:xml:ns:dialog-info" version="0" state="full" entity="sip:alice@example.com">
  <dialog id="615293b33c62dec073e05d9421e9f48b" call-id="615293b33c62dec073e05d9421e9f48b@192.0.2.7" direction="initiator">
    <state>confirmed</state>
    <remote><identity>sip:bob@example.com</identity><target uri="sip:bob@example.com"/></remote>
    <local><identity>sip:alice@example.com</identity><target uri="sip:alice@example.com"/></local>
  </dialog>
  <dialog id="other"><state>Terminated</state></dialog>
</dialog-info>"#;
const FREESWITCH: &str = r#"<?xml version="1.0"?>
<dialog-info xmlns="urn:ietf:params:xml:ns:dialog-info" version="1" state="partial" entity="sip:1000@pbx.example">
<dialog id="1000" direction="recipient"><state event="remote-bye">terminated</state></dialog></dialog-info>"#;
/// RFC 4235 section 6.1 has prefixes in examples of other elements.
const PREFIXED: &str = r#"<d:dialog-info xmlns:d="urn:ietf:params:xml:ns:dialog-info" version="00000000001" state="full" entity="sip:a@b">
<!-- comment --><d:dialog id="x"><d:state>trying</d:state><x:unknown xmlns:x="urn:x"><x:deep a="1"/></x:unknown></d:dialog></d:dialog-info>"#;

fn parse(text: &str) -> DialogInfo {
    DialogInfo::parse(text.as_bytes()).unwrap()
}

#[test]
fn documents_of_real_servers_are_read() {
    let ringing = parse(ASTERISK_RINGING);
    assert_eq!((ringing.version, ringing.full, ringing.entity.as_str()), (3, true, "sip:101@192.0.2.50"));
    let dialog = &ringing.dialogs[0];
    assert_eq!((dialog.state, dialog.initiator), (DialogState::Early, Some(Initiator::Remote)));
    assert_eq!(dialog.call_id.as_deref(), Some("pickup-abc"));
    let remote = dialog.remote.as_ref().unwrap();
    assert_eq!(remote.display.as_deref(), Some("Bob & \"Co\" ü"));
    assert_eq!(remote.identity.as_deref(), Some("sip:102@192.0.2.50"));

    let busy = parse(KAMAILIO);
    assert_eq!(busy.dialogs.len(), 2);
    assert_eq!(
        (busy.dialogs[0].state, busy.dialogs[0].initiator),
        (DialogState::Confirmed, Some(Initiator::Line))
    );

    let gone = parse(FREESWITCH);
    assert_eq!((gone.full, gone.dialogs[0].event.as_deref()), (false, Some("remote-bye")));

    let prefixed = parse(PREFIXED);
    assert_eq!((prefixed.version, prefixed.dialogs[0].state), (1, DialogState::Trying));
}

#[test]
fn the_lamp_follows_the_documents() {
    let mut line = Line::default();
    assert_eq!(line.lit(), Lit::Idle);
    for (text, lit) in [(ASTERISK_RINGING, Lit::Ringing), (ASTERISK_IDLE, Lit::Idle), (KAMAILIO, Lit::Busy)] {
        assert_eq!(line.apply(&parse(text)), Applied::Taken, "a full document is always taken");
        assert_eq!(line.lit(), lit, "{text}");
    }
    let empty = r#"<dialog-info version="9" state="full" entity="sip:a@b"/>"#;
    line.apply(&parse(empty));
    assert_eq!(line.lit(), Lit::Idle);
}

fn partial(version: u32, id: &str, state: DialogState, initiator: Option<Initiator>) -> DialogInfo {
    let dialog = LineDialog { id: id.into(), state, initiator, ..LineDialog::default() };
    DialogInfo { entity: "sip:a@b".into(), version, full: false, dialogs: vec![dialog], truncated: false }
}

#[test]
fn partial_documents_change_what_they_name_and_a_gap_is_noticed() {
    let mut line = Line::default();
    line.apply(&DialogInfo { full: true, version: 1, ..DialogInfo::default() });
    assert_eq!(line.apply(&partial(2, "one", DialogState::Confirmed, None)), Applied::Taken);
    assert_eq!(line.apply(&partial(3, "two", DialogState::Early, None)), Applied::Taken);
    assert_eq!(line.lit(), Lit::Busy);
    assert_eq!(line.apply(&partial(4, "one", DialogState::Terminated, None)), Applied::Taken);
    assert_eq!(line.lit(), Lit::Ringing);
    assert_eq!(line.apply(&partial(7, "two", DialogState::Terminated, None)), Applied::Gap);
    assert_eq!(line.lit(), Lit::Idle);
    line.apply(&partial(8, "three", DialogState::Early, Some(Initiator::Line)));
    assert_eq!(line.lit(), Lit::Busy, "who calls is busy, not ringing");
}

#[test]
fn what_is_written_is_read_again() {
    let info = DialogInfo {
        entity: "sip:a&b@<c>".into(),
        version: 7,
        full: true,
        dialogs: vec![LineDialog {
            id: "x\"y'".into(),
            call_id: Some("]]>".into()),
            local_tag: Some("l".into()),
            remote_tag: Some("r".into()),
            initiator: Some(Initiator::Line),
            state: DialogState::Confirmed,
            event: Some("replaced".into()),
            local: Some(Party {
                identity: Some("sip:a@b".into()),
                display: Some("Ä <&>".into()),
                target: None,
            }),
            remote: Some(Party { identity: None, display: None, target: Some("sip:c@d?x=1&y=2".into()) }),
        }],
        truncated: false,
    };
    assert_eq!(DialogInfo::parse(&info.to_xml()).unwrap(), info);
}
