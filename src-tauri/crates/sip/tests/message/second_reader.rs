//! An independent parser must read what our printer writes, wherever it can read such a message at all: it knows
//! neither quoted-pairs nor other schemes, nor URI headers, nor a dot in a user part.

use rsip::prelude::{HeadersExt, ToTypedHeader, UntypedHeader};
use sidetone_sip::message::{
    CSeq, HeaderName, Host, Message, Method, NameAddr, Request, Response, Uri, Via, ViaTransport,
};

use super::generator::Generator;

const METHODS: [&str; 14] = [
    "INVITE",
    "ACK",
    "BYE",
    "CANCEL",
    "REGISTER",
    "OPTIONS",
    "INFO",
    "PRACK",
    "UPDATE",
    "SUBSCRIBE",
    "NOTIFY",
    "REFER",
    "MESSAGE",
    "PUBLISH",
];

fn plain_host(generator: &mut Generator) -> Host {
    match generator.below(2) {
        0 => Host::V4((generator.next() as u32).into()),
        _ => Host::Name(format!("h{}.example", generator.below(1000))),
    }
}

fn plain_uri(generator: &mut Generator) -> Uri {
    let user = format!("u{}-x_y", generator.below(1000));
    let host = plain_host(generator);
    let mut uri = Uri::sip(generator.chance(3).then_some(user.as_str()), host, generator.port());
    if generator.chance(2) {
        uri.params.set("transport", generator.pick(&["tcp", "udp", "tls"]));
    }
    if generator.chance(2) {
        uri.params.set_flag("lr");
    }
    uri
}

fn plain_address(generator: &mut Generator) -> NameAddr {
    let uri = plain_uri(generator);
    let mut address = match generator.chance(2) {
        true => NameAddr::with_display(generator.pick(&["Mara Lind", "M", "Lind, M. (home)"]), uri),
        false => NameAddr::new(uri),
    };
    address.set_tag(generator.name());
    address
}

fn plain_request(generator: &mut Generator) -> Request {
    let method = Method::parse(generator.pick(&METHODS)).unwrap();
    let mut request = Request::new(method.clone(), plain_uri(generator));
    let transport = generator.pick(&[ViaTransport::Udp, ViaTransport::Tcp, ViaTransport::Tls]);
    let mut via = Via::new(transport, plain_host(generator), generator.port());
    via.set_branch(format!("z9hG4bK{}", generator.name()));
    request.headers.push("v", via);
    request.headers.push("Max-Forwards", 70);
    request.headers.push("f", plain_address(generator));
    request.headers.push("t", plain_address(generator));
    request.headers.push("i", format!("{}@office.example", generator.name()));
    request.headers.push("CSeq", CSeq::new(generator.next() as u32 >> 1, method));
    request.headers.push("m", NameAddr { params: Default::default(), ..plain_address(generator) });
    request.headers.push("X-Text", "anything: goes; here, \"too\"");
    request.set_body("text/plain", generator.name().into_bytes());
    request
}

#[test]
fn requests_are_read_the_same_by_another_parser() {
    let mut generator = Generator::new(6);
    for _ in 0..1000 {
        let request = plain_request(&mut generator);
        let bytes = request.to_bytes();
        let theirs = rsip::Request::try_from(bytes.clone()).unwrap_or_else(|e| panic!("{e}\n{request}"));
        assert_eq!(theirs.method.to_string(), request.method.to_string());
        assert_eq!(theirs.uri.user(), request.uri.user.as_deref());
        assert_eq!(theirs.uri.to_string().to_lowercase(), request.uri.to_string().to_lowercase());
        assert_eq!(theirs.body, request.body);
        same_headers(&theirs.headers, &Message::Request(request.clone()));
        let via = theirs.via_header().unwrap().typed().unwrap();
        let ours = request.headers.top_via().unwrap();
        assert_eq!(via.transport.to_string(), ours.transport.to_string());
        assert_eq!(via.branch().map(|branch| branch.value()), ours.branch());
        assert_eq!(via.uri.host().to_string(), ours.host.to_string());
        let cseq = theirs.cseq_header().unwrap().typed().unwrap();
        assert_eq!(format!("{} {}", cseq.seq, cseq.method), request.headers.cseq().unwrap().to_string());
    }
}

#[test]
fn responses_are_read_the_same_by_another_parser() {
    let mut generator = Generator::new(7);
    for status in [100, 180, 183, 200, 302, 401, 404, 486, 487, 503, 600, 603] {
        let request = plain_request(&mut generator);
        let mut response = Response::to(&request, status, None);
        response.set_body("application/sdp", b"v=0\r\n".to_vec());
        let theirs = rsip::Response::try_from(response.to_bytes()).unwrap();
        assert_eq!(theirs.status_code.code(), status);
        assert_eq!(theirs.body, response.body);
        same_headers(&theirs.headers, &Message::Response(response));
    }
}

fn same_headers(theirs: &rsip::Headers, ours: &Message) {
    let from = theirs.iter().find_map(|header| match header {
        rsip::Header::From(from) => Some(from.clone()),
        _ => None,
    });
    let from = from.unwrap().typed().unwrap();
    let own = ours.headers().from().unwrap();
    assert_eq!(from.tag().map(|tag| tag.value()), own.tag());
    assert_eq!(from.uri.user(), own.uri.user.as_deref());
    assert_eq!(from.uri.host().to_string(), own.uri.host.to_string());
    let call_id = theirs.iter().find_map(|header| match header {
        rsip::Header::CallId(id) => Some(id.value().to_owned()),
        _ => None,
    });
    assert_eq!(call_id.as_deref(), ours.headers().get(&HeaderName::CALL_ID));
    let lines: Vec<String> = theirs.iter().map(|header| header.to_string()).collect();
    let mut expected: Vec<String> =
        ours.headers().iter().map(|(name, value)| format!("{name}: {value}")).collect();
    expected.push(format!("Content-Length: {}", ours.body().len()));
    assert_eq!(lines, expected);
}
