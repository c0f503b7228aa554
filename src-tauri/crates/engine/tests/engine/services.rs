//! Messages, mailboxes, lines and presence.

use crate::kit::{LOOPBACK, Phone, account, gateway, quiet, unregistered};
use crate::peer::{Peer, sdp};
use sidetone_api::{
    Account, CallStatus, Command, Contact, ContactAddress, ContactId, ContactState, DataId, DataStatus,
    Event, LineState, MessagesWaiting, NoticeLevel, Reply,
};
use sidetone_sip::message::{NameAddr, Uri};
use sidetone_sip::{Event as SipEvent, MessageRequest, ReceivedMessage};
use std::{net::SocketAddr, time::Instant};
use tokio::net::UdpSocket;

async fn send(phone: &Phone, to: &str, body: &str, content_type: Option<&str>) -> DataId {
    let command = Command::SendData {
        to: to.into(),
        body: body.into(),
        content_type: content_type.map(str::to_owned),
        session_id: None,
    };
    match phone.ask(command).await {
        Ok(Reply::Data { data_id }) => data_id,
        other => panic!("{other:?}"),
    }
}

async fn outcome(phone: &mut Phone, wanted: &DataId) -> (DataStatus, String) {
    let wanted = wanted.clone();
    phone
        .wait("a DataStatusEvent", move |event| match event {
            Event::DataStatusEvent { status, data_id, info, .. } if *data_id == wanted => {
                Some((*status, info.clone()))
            }
            _ => None,
        })
        .await
}

async fn got_message(peer: &mut Peer) -> (sidetone_sip::MessageId, String, String) {
    peer.wait("a MESSAGE", |event| match event {
        SipEvent::MessageReceived(ReceivedMessage { id, content_type, body, .. }) => {
            Some((*id, content_type.clone(), String::from_utf8(body.clone()).unwrap()))
        }
        _ => None,
    })
    .await
}

pub(crate) fn message(to: &str, content_type: &str, body: &[u8]) -> MessageRequest {
    let from = NameAddr::parse("\"Peer\" <sip:peer@127.0.0.1>").unwrap();
    MessageRequest::new(from, Uri::parse(to).unwrap(), content_type, body.to_vec())
}

pub(crate) async fn answered(peer: &mut Peer) -> u16 {
    peer.wait("the answer to a MESSAGE", |event| match event {
        SipEvent::MessageAnswered { status, .. } => Some(*status),
        _ => None,
    })
    .await
}

#[tokio::test]
async fn data_is_accepted_by_the_far_ends_2xx_and_failed_by_anything_else() {
    let mut phone = Phone::direct("alice", quiet()).await;
    let mut peer = Peer::new().await;
    for (status, expected, info) in [
        (200, DataStatus::Accepted, "200 OK"),
        (202, DataStatus::Accepted, "202 Accepted"),
        (404, DataStatus::Failed, "404 Not Found"),
        (603, DataStatus::Failed, "603 Decline"),
    ] {
        let id = send(&phone, &peer.uri("bob"), "Grüße\n2", Some("text/markdown")).await;
        let (message, content_type, body) = got_message(&mut peer).await;
        assert_eq!((content_type.as_str(), body.as_str()), ("text/markdown", "Grüße\n2"));
        peer.ua.reply_message(Instant::now(), message, status, "");
        peer.send_all().await;
        assert_eq!(outcome(&mut phone, &id).await, (expected, info.into()));
    }
    let sent = phone
        .seen
        .iter()
        .filter(|envelope| matches!(envelope.event, Event::OnDataEvent { incoming: false, .. }));
    assert_eq!(sent.count(), 4);
}

#[tokio::test]
async fn data_that_cannot_be_sent_is_refused_in_words_that_name_the_field() {
    let phone = Phone::direct("alice", quiet()).await;
    for (to, body, content_type, field) in [
        ("", "x", None, "to"),
        ("sip:b ob@x", "x", None, "to"),
        ("sip:bob@127.0.0.1", "x", Some("text"), "contentType"),
        ("sip:bob@127.0.0.1", "x", Some("text/plain\r\nVia: x"), "contentType"),
        ("sip:bob@127.0.0.1", "x".repeat(70_000).as_str(), None, "body"),
    ] {
        let command = Command::SendData {
            to: to.into(),
            body: body.into(),
            content_type: content_type.map(str::to_owned),
            session_id: None,
        };
        let failure = phone.ask(command).await.unwrap_err();
        assert_eq!(failure.field.as_deref(), Some(field), "{failure:?}");
    }
}

#[tokio::test]
async fn a_message_that_comes_is_told_and_then_answered() {
    let mut phone = Phone::direct("alice", quiet()).await;
    let mut peer = Peer::new().await;
    let to = format!("sip:alice@{}", phone.address());
    peer.ua.message(Instant::now(), message(&to, "text/plain", "hallo ü".as_bytes()));
    assert_eq!(answered(&mut peer).await, 200);
    let told = phone
        .wait("OnDataEvent", |event| match event {
            Event::OnDataEvent { incoming: true, from, content_type, body, .. } => {
                Some((from.clone(), content_type.clone(), body.clone()))
            }
            _ => None,
        })
        .await;
    assert_eq!(told, ("sip:peer@127.0.0.1".into(), "text/plain".into(), "hallo ü".into()));
    for (to, kind, body, status) in [
        (format!("sip:nobody@{}", phone.address()), "text/plain", &b"x"[..], 404),
        (to.clone(), "application/octet-stream", &[0xff, 0xfe], 415),
        (to.clone(), "application/im-iscomposing+xml", b"<isComposing/>", 200),
    ] {
        peer.ua.message(Instant::now(), message(&to, kind, body));
        assert_eq!(answered(&mut peer).await, status, "{to} {kind}");
    }
    let told =
        phone.seen.iter().filter(|envelope| matches!(envelope.event, Event::OnDataEvent { .. })).count();
    assert_eq!(told, 1);
}

#[tokio::test]
async fn data_goes_through_a_call_by_its_id_in_both_directions() {
    let mut phone = Phone::direct("alice", quiet()).await;
    let mut peer = Peer::new().await;
    let call = phone.call(&peer.uri("bob")).await;
    let (theirs, _) = peer.called().await;
    let early = Command::SendData {
        to: call.as_str().into(),
        body: "x".into(),
        content_type: None,
        session_id: None,
    };
    assert!(phone.ask(early).await.is_err(), "not before it is established");
    peer.answer(theirs, &sdp("0 101", "sendrecv"));
    peer.send_all().await;
    phone.status(&call, CallStatus::Established).await;
    let id = send(&phone, call.as_str(), "inside", None).await;
    let (message, _, body) = got_message(&mut peer).await;
    assert_eq!(body, "inside");
    peer.ua.reply_message(Instant::now(), message, 200, "");
    peer.send_all().await;
    assert_eq!(outcome(&mut phone, &id).await.0, DataStatus::Accepted);
    peer.ua.message_in_call(Instant::now(), theirs, "text/plain", b"back".to_vec());
    assert_eq!(answered(&mut peer).await, 200);
    phone
        .wait("OnDataEvent", |event| {
            matches!(event, Event::OnDataEvent { incoming: true, body, .. } if body == "back").then_some(())
        })
        .await;
}

/// A PBX that takes every REGISTER and SUBSCRIBE, and tells what the test wants, from hand-made messages.
struct Pbx {
    socket: UdpSocket,
    cseq: u32,
}

struct Asked {
    from: SocketAddr,
    head: String,
}

impl Asked {
    fn field(&self, name: &str) -> String {
        let prefix = format!("{name}: ");
        self.head.lines().find_map(|line| line.strip_prefix(&prefix)).unwrap_or_default().to_owned()
    }
}

impl Pbx {
    async fn new() -> Self {
        Self { socket: UdpSocket::bind((LOOPBACK, 0)).await.unwrap(), cseq: 0 }
    }

    fn address(&self) -> SocketAddr {
        self.socket.local_addr().unwrap()
    }

    /// The next request, answered 200 with `extra`.
    async fn take(&self, extra: &str) -> Asked {
        let mut buffer = vec![0; 65_536];
        loop {
            let read = tokio::time::timeout(crate::kit::SOON, self.socket.recv_from(&mut buffer));
            let (length, from) = read.await.expect("a request").unwrap();
            let head = String::from_utf8_lossy(&buffer[..length]).into_owned();
            if head.starts_with("SIP/2.0") || head.trim().is_empty() {
                continue;
            }
            let asked = Asked { from, head };
            let fields = ["Via", "From", "Call-ID", "CSeq", "Contact", "Expires"];
            let copied: String =
                fields.iter().map(|name| format!("{name}: {}\r\n", asked.field(name))).collect();
            let to = asked.field("To");
            let tag = if to.contains(";tag=") { "" } else { ";tag=pbx" };
            let response =
                format!("SIP/2.0 200 OK\r\n{copied}To: {to}{tag}\r\n{extra}Content-Length: 0\r\n\r\n");
            self.socket.send_to(response.as_bytes(), from).await.unwrap();
            return asked;
        }
    }

    /// The next request of this kind; others are answered too.
    async fn asked(&self, start: &str, contains: &str) -> Asked {
        loop {
            let asked = self.take("SIP-ETag: one\r\n").await;
            if asked.head.starts_with(start) && asked.head.contains(contains) {
                return asked;
            }
        }
    }

    async fn notify(&mut self, asked: &Asked, content_type: &str, body: &str) {
        self.cseq += 1;
        let contact = asked.field("Contact");
        let uri = contact.trim_matches(['<', '>']).split('>').next().unwrap().to_owned();
        let (to, from, call_id) = (asked.field("From"), asked.field("To"), asked.field("Call-ID"));
        let (event, cseq, own) = (asked.field("Event"), self.cseq, self.address());
        let text = format!(
            "NOTIFY {uri} SIP/2.0\r\nVia: SIP/2.0/UDP {own};branch=z9hG4bK{cseq}\r\nMax-Forwards: 70\r\n\
             From: {from};tag=pbx\r\nTo: {to}\r\nCall-ID: {call_id}\r\nCSeq: {cseq} NOTIFY\r\n\
             Contact: <sip:{own}>\r\nEvent: {event}\r\nSubscription-State: active;expires=600\r\n\
             Content-Type: {content_type}\r\nContent-Length: {}\r\n\r\n{body}",
            body.len()
        );
        self.socket.send_to(text.as_bytes(), asked.from).await.unwrap();
    }
}

async fn phone_at(pbx: &Pbx, change: impl FnOnce(&mut Account)) -> Phone {
    let mut settings = quiet();
    let mut account = account("alice", pbx.address());
    change(&mut account);
    settings.accounts.push(account);
    Phone::start(settings).await
}

#[tokio::test]
async fn a_mailbox_is_asked_for_and_its_counts_are_in_the_session() {
    let mut pbx = Pbx::new().await;
    let mut phone = phone_at(&pbx, |account| account.voicemail = Some("*97".into())).await;
    let asked = pbx.asked("SUBSCRIBE", "message-summary").await;
    let summary = "application/simple-message-summary";
    pbx.notify(&asked, summary, "Messages-Waiting: yes\r\nVoice-Message: 2/8 (0/2)\r\n").await;
    let expected = MessagesWaiting { waiting: true, new: 2, old: 8, mailbox: Some("*97".into()) };
    let told = phone
        .wait("the mailbox", |event| match event {
            Event::SessionChanged { session } => session.messages_waiting.clone(),
            _ => None,
        })
        .await;
    assert_eq!(told, expected);
    pbx.notify(&asked, summary, "nonsense").await;
    pbx.notify(&asked, summary, "Messages-Waiting: no\r\n").await;
    phone
        .wait("an empty mailbox", |event| match event {
            Event::SessionChanged { session } => {
                session.messages_waiting.as_ref().filter(|waiting| !waiting.waiting).map(|_| ())
            }
            _ => None,
        })
        .await;
}

#[tokio::test]
async fn a_presence_that_the_server_does_not_take_is_told() {
    let host = Phone::start(gateway()).await;
    let mut settings = quiet();
    settings.accounts.push(Account { publish_presence: true, ..account("alice", host.gateway()) });
    let mut phone = Phone::start(settings).await;
    assert_eq!(phone.notice("your presence is not published").await, NoticeLevel::Warning);
    phone.finish().await;
    host.finish().await;
}

fn contact(address: &str, watch: bool) -> Contact {
    Contact {
        id: ContactId::new(""),
        name: "Bob".into(),
        organisation: String::new(),
        addresses: vec![ContactAddress { address: address.into(), label: String::new() }],
        note: String::new(),
        favourite: false,
        watch,
    }
}

async fn state(phone: &mut Phone, fits: impl Fn(&ContactState) -> bool) -> ContactState {
    phone
        .wait("a contact's state", move |event| match event {
            Event::ContactStateChanged { state } if fits(state) => Some(state.clone()),
            _ => None,
        })
        .await
}

#[tokio::test]
async fn a_watched_contact_shows_its_line_and_its_presence_until_it_is_not_watched() {
    let mut pbx = Pbx::new().await;
    let mut phone = phone_at(&pbx, |account| account.mwi = false).await;
    pbx.asked("REGISTER", "").await;
    phone.is_registered().await;
    let Ok(Reply::Contact { contact_id }) =
        phone.ask(Command::SaveContact { contact: contact("102", true) }).await
    else {
        panic!("no contact");
    };
    let line = pbx.asked("SUBSCRIBE", "Event: dialog").await;
    assert!(line.head.starts_with(&format!("SUBSCRIBE sip:102@{}", pbx.address())), "{}", line.head);
    let presence = pbx.asked("SUBSCRIBE", "Event: presence").await;
    let dialog = |state: &str| {
        format!(
            "<dialog-info version=\"1\" state=\"full\" entity=\"sip:102@x\"><dialog id=\"1\"><state>{state}</state></dialog></dialog-info>"
        )
    };
    for (text, expected) in
        [("early", LineState::Ringing), ("confirmed", LineState::Busy), ("terminated", LineState::Idle)]
    {
        pbx.notify(&line, "application/dialog-info+xml", &dialog(text)).await;
        state(&mut phone, |state| state.line == expected).await;
    }
    let pidf = "<presence entity=\"sip:102@x\"><tuple id=\"1\"><status><basic>open</basic></status></tuple>\
                <note>Am\u{202e} Platz</note></presence>";
    pbx.notify(&presence, "application/pidf+xml", pidf).await;
    let told = state(&mut phone, |state| state.available == Some(true)).await;
    assert_eq!((told.contact_id.clone(), told.note.as_str()), (contact_id.clone(), "Am Platz"));
    let snapshot = match phone.ask(Command::GetSnapshot).await {
        Ok(Reply::Snapshot { snapshot }) => snapshot,
        other => panic!("{other:?}"),
    };
    assert_eq!(snapshot.contact_states, [told]);
    // A notifier without a body has nothing to tell: no call, no presence.
    let kind = "application/dialog-info+xml";
    pbx.notify(&line, kind, &dialog("confirmed")).await;
    state(&mut phone, |state| state.line == LineState::Busy).await;
    pbx.notify(&line, kind, "").await;
    state(&mut phone, |state| state.line == LineState::Idle).await;
    pbx.notify(&presence, "application/pidf+xml", "").await;
    let told = state(&mut phone, |state| state.available.is_none()).await;
    assert_eq!((told.line, told.note.as_str()), (LineState::Idle, ""));
    let unwatched = Contact { id: contact_id, ..contact("102", false) };
    phone.done(Command::SaveContact { contact: unwatched }).await;
    pbx.asked("SUBSCRIBE", "Expires: 0").await;
    let last = state(&mut phone, |state| state.line == LineState::Unknown).await;
    assert_eq!((last.available, last.note.as_str()), (None, ""));
}

#[tokio::test]
async fn a_contact_that_nobody_can_ask_about_says_why() {
    let mut settings = quiet();
    settings.accounts.push(unregistered("alice"));
    let mut phone = Phone::start(settings).await;
    phone.done(Command::SaveContact { contact: contact("102", true) }).await;
    let told = state(&mut phone, |_| true).await;
    assert_eq!((told.line, told.available), (LineState::Unknown, None));
    assert!(told.note.contains("no account"), "{}", told.note);
}

#[tokio::test]
async fn a_contact_too_many_to_be_watched_says_so_until_there_is_room() {
    let pbx = Pbx::new().await;
    let mut phone = phone_at(&pbx, |account| account.mwi = false).await;
    pbx.asked("REGISTER", "").await;
    phone.is_registered().await;
    let mut ids = Vec::new();
    for number in 0..513 {
        let command = Command::SaveContact { contact: contact(&format!("{}", 1_000 + number), true) };
        match phone.ask(command).await {
            Ok(Reply::Contact { contact_id }) => ids.push(contact_id),
            other => panic!("{other:?}"),
        }
        // A reader of events must keep up.
        phone.until("its state", |state| state.contact_states.len() == ids.len()).await;
    }
    let note = |state: &sidetone_api::Snapshot| {
        let last = state.contact_states.iter().find(|state| state.contact_id == ids[512]);
        last.map(|state| state.note.clone())
    };
    phone.until("words", |state| note(state).is_some_and(|note| note.contains("512 contacts"))).await;
    let unwatched = Contact { id: ids[0].clone(), ..contact("1000", false) };
    phone.done(Command::SaveContact { contact: unwatched }).await;
    phone.until("room", |state| note(state).is_some_and(|note| note.is_empty())).await;
}

#[tokio::test]
async fn presence_is_published_where_wanted_and_follows_the_calls() {
    let pbx = Pbx::new().await;
    let change = |account: &mut Account| (account.mwi, account.publish_presence) = (false, true);
    let phone = phone_at(&pbx, change).await;
    let first = pbx.asked("PUBLISH", "Event: presence").await;
    assert!(first.head.contains("<basic>open</basic>") && !first.head.contains("On the phone"));
    let mut peer = Peer::new().await;
    let call = phone.call(&peer.uri("bob")).await;
    let second = pbx.asked("PUBLISH", "On the phone").await;
    assert_eq!(second.field("SIP-If-Match"), "one");
    phone.done(Command::Hangup { call_id: call }).await;
    pbx.asked("PUBLISH", "<basic>open</basic>").await;
    peer.send_all().await;
}
