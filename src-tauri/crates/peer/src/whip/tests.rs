use super::{
    Answered, Cause, Endpoint, EndpointError, Exchange, Fragment, Kind, MAX_BODY, Opened, Patched, Refusal,
    Resource, Response, Step, Token,
};
use http::{HeaderMap, Method, StatusCode, header};
use std::time::{Duration, SystemTime};

const OFFER: &str = "v=0\r\no=- 1 1 IN IP4 127.0.0.1\r\n";

fn endpoint(kind: Kind, url: &str) -> Endpoint {
    Endpoint::new(kind, url, Some(Token::new("secret").unwrap())).unwrap()
}

fn response(status: u16, headers: &[(&'static str, &str)], body: &str) -> Response {
    let mut map = HeaderMap::new();
    for (name, value) in headers {
        map.append(*name, value.parse().unwrap());
    }
    Response { status: StatusCode::from_u16(status).unwrap(), headers: map, body: body.into() }
}

fn done(exchange: Exchange, response: Response) -> Answered {
    match exchange.handle_response(response) {
        Step::Done(answered) => answered,
        other => panic!("{other:?}"),
    }
}

fn refused(exchange: Exchange, response: Response) -> Refusal {
    match exchange.handle_response(response) {
        Step::Failed(refusal) => refusal,
        other => panic!("{other:?}"),
    }
}

fn open(endpoint: &Endpoint, response: Response) -> Result<Opened, Refusal> {
    let answered = done(endpoint.offer(OFFER).unwrap(), response);
    endpoint.read_opened(&answered, SystemTime::UNIX_EPOCH)
}

fn resource(endpoint: &Endpoint, headers: &[(&'static str, &str)]) -> Resource {
    let mut all = vec![("content-type", "application/sdp")];
    all.extend(headers);
    match open(endpoint, response(201, &all, OFFER)).unwrap() {
        Opened::Answered { resource, .. } => resource,
        Opened::CounterOffer { .. } => panic!("a counter-offer"),
    }
}

fn token_of(exchange: &Exchange) -> Option<&str> {
    exchange.request().headers.get(header::AUTHORIZATION).map(|value| value.to_str().unwrap())
}

#[test]
fn an_offer_is_posted_with_its_type_and_the_token() {
    let exchange = endpoint(Kind::Whip, "https://a.example/whip/1#x").offer(OFFER).unwrap();
    let request = exchange.request();
    assert_eq!((&request.method, request.url.as_str()), (&Method::POST, "https://a.example/whip/1"));
    assert_eq!(request.headers[header::CONTENT_TYPE], "application/sdp");
    assert_eq!(request.body, OFFER);
    assert_eq!(token_of(&exchange), Some("Bearer secret"));
    assert!(!format!("{exchange:?}").contains("secret"));
    let refusal = endpoint(Kind::Whip, "https://a.example").offer(&"x".repeat(MAX_BODY + 1)).unwrap_err();
    assert_eq!(refusal.cause, Cause::Offer);
}

#[test]
fn urls_that_are_no_endpoints_are_refused() {
    let of = |url: &str| Endpoint::new(Kind::Whip, url, None).unwrap_err();
    assert!(matches!(of("nonsense"), EndpointError::Url(_)));
    assert!(matches!(of("http://"), EndpointError::Url(_)));
    assert_eq!(of("ftp://a.example/"), EndpointError::Scheme);
    assert_eq!(of("https://u:p@a.example/"), EndpointError::UserInfo);
    assert_eq!(of(&format!("https://a.example/{}", "x".repeat(5000))), EndpointError::TooLong);
    assert!(endpoint(Kind::Whip, "http://a.example/").exposes_token());
    assert!(!endpoint(Kind::Whip, "http://127.0.0.1:1/").exposes_token());
    assert!(!endpoint(Kind::Whip, "https://a.example/").exposes_token());
}

#[test]
fn an_answer_tells_the_session_its_tag_the_servers_and_the_extensions() {
    let endpoint = endpoint(Kind::Whip, "https://a.example/whip/1");
    let opened = open(
        &endpoint,
        response(
            201,
            &[
                ("content-type", "Application/SDP; charset=utf-8"),
                ("location", "../sessions/9?x=1#f"),
                ("etag", "\"t1\""),
                (
                    "link",
                    "<stun:s.example>; rel=\"ice-server\", <turn:t.example>; rel=ice-server; username=u; credential=p",
                ),
                (
                    "link",
                    "</events>; rel=\"urn:ietf:params:whep:ext:core:server-sent-events\"; events=\"active\"",
                ),
            ],
            OFFER,
        ),
    );
    let Ok(Opened::Answered { answer, resource, ice_servers, extensions }) = opened else {
        panic!("{opened:?}")
    };
    assert_eq!(answer, OFFER);
    let delete = resource.delete();
    assert_eq!(delete.request().url.as_str(), "https://a.example/sessions/9?x=1");
    assert_eq!(delete.request().method, Method::DELETE);
    assert_eq!(token_of(&delete), Some("Bearer secret"));
    assert_eq!(resource.tag().unwrap().as_str(), "\"t1\"");
    assert_eq!(
        ice_servers.iter().map(ToString::to_string).collect::<Vec<_>>(),
        ["stun:s.example:3478", "turn:t.example:3478?transport=udp"]
    );
    assert_eq!((extensions.len(), extensions[0].parameter("events")), (1, Some("active")));
}

#[test]
fn an_answer_that_cannot_be_used_is_refused_in_words() {
    let endpoint = endpoint(Kind::Whip, "https://a.example/whip/1");
    let sdp = ("content-type", "application/sdp");
    let long = format!("/{}", "x".repeat(5000));
    for (headers, body, words) in [
        (vec![sdp], OFFER, "no Location"),
        (vec![sdp, ("location", "")], OFFER, "no URL"),
        (vec![sdp, ("location", "ftp://a.example/")], OFFER, "no URL"),
        (vec![sdp, ("location", "http://a.example/s")], OFFER, "not encrypted"),
        (vec![sdp, ("location", "https://127.0.0.1/s")], OFFER, "this machine"),
        (vec![sdp, ("location", "https://u:p@a.example/s")], OFFER, "no URL"),
        (vec![sdp, ("location", &long)], OFFER, "no URL"),
        (vec![("content-type", "text/html"), ("location", "/s")], "<html>", "no SDP"),
        (vec![sdp, ("location", "/s")], "", "no SDP"),
    ] {
        let refusal = open(&endpoint, response(201, &headers, body)).unwrap_err();
        assert_eq!(refusal.cause, Cause::Nonsense, "{refusal}");
        assert!(refusal.message.contains(words), "{refusal}");
    }
}

#[test]
fn redirects_keep_the_method_and_the_body_and_are_few() {
    let mut exchange = endpoint(Kind::Whip, "https://a.example/whip/0").offer(OFFER).unwrap();
    for (number, status) in (1..).zip([307, 308, 301, 302, 307]) {
        let location = format!("/whip/{number}");
        let Step::Again(next) = exchange.handle_response(response(status, &[("location", &location)], ""))
        else {
            panic!("{status}")
        };
        assert_eq!(next.request().url.path(), location);
        assert_eq!((&next.request().method, next.request().body.as_str()), (&Method::POST, OFFER));
        assert_eq!(token_of(&next), Some("Bearer secret"));
        exchange = next;
    }
    let refusal = refused(exchange, response(307, &[("location", "/whip/6")], ""));
    assert_eq!((refusal.cause, refusal.status), (Cause::Redirect, Some(307)));
}

#[test]
fn a_token_is_not_sent_on_to_another_server_and_not_back_after_that() {
    let endpoint = endpoint(Kind::Whip, "https://a.example/whip");
    let step = endpoint.offer(OFFER).unwrap().handle_response(response(
        307,
        &[("location", "https://b.example/w")],
        "",
    ));
    let Step::Again(there) = step else { panic!("{step:?}") };
    assert_eq!(token_of(&there), None);
    let answered = done(there.clone(), response(401, &[], ""));
    let refusal = endpoint.read_opened(&answered, SystemTime::UNIX_EPOCH).unwrap_err();
    assert_eq!(refusal.cause, Cause::Token);
    assert!(
        refusal.message.contains("https://b.example") && refusal.message.contains("not sent on"),
        "{refusal}"
    );
    let Step::Again(back) =
        there.clone().handle_response(response(307, &[("location", "https://a.example/x")], ""))
    else {
        panic!("not followed")
    };
    assert_eq!(token_of(&back), None);
    // A session at the server that never had it gets none; one at the endpoint's own server does.
    for (location, token) in [
        ("https://b.example/s", None),
        ("https://c.example/s", None),
        ("https://a.example/s", Some("Bearer secret")),
    ] {
        let headers = [("content-type", "application/sdp"), ("location", location)];
        let answered = done(there.clone(), response(201, &headers, OFFER));
        let Ok(Opened::Answered { resource, .. }) = endpoint.read_opened(&answered, SystemTime::UNIX_EPOCH)
        else {
            panic!("{location}")
        };
        assert_eq!(token_of(&resource.delete()), token, "{location}");
    }
}

#[test]
fn a_session_on_another_server_is_shown_the_token_where_nobody_else_reads_it() {
    let session = |from: &str, location: &str| {
        let resource = resource(&endpoint(Kind::Whip, from), &[("location", location)]);
        token_of(&resource.delete()).map(String::from)
    };
    assert!(session("https://a.example/whip", "https://media.a.example/s").is_some());
    assert_eq!(session("http://a.example/whip", "http://b.example/s"), None);
}

#[test]
fn redirects_that_leave_encryption_or_enter_this_machine_are_not_followed() {
    for (from, to, words) in [
        ("https://a.example/", "http://a.example/", "not encrypted"),
        ("http://a.example/", "http://localhost:8080/", "this machine"),
        ("http://a.example/", "http://[::1]/", "this machine"),
        ("http://a.example/", "http://[::ffff:127.0.0.1]/", "this machine"),
        ("http://a.example/", "http://0.0.0.0/", "this machine"),
        ("http://a.example/", "http://2130706433/", "this machine"),
        ("http://a.example/", "file:///etc/passwd", "no URL"),
    ] {
        let refusal =
            refused(endpoint(Kind::Whep, from).offer(OFFER).unwrap(), response(307, &[("location", to)], ""));
        assert!(refusal.message.contains(words), "{refusal}");
    }
    let exchange = endpoint(Kind::Whep, "http://a.example/").offer(OFFER).unwrap();
    assert_eq!(refused(exchange, response(308, &[], "")).message, "http://a.example redirects to nowhere");
}

#[test]
fn statuses_are_told_in_words_for_people() {
    let place = "https://a.example";
    for (kind, status, cause, message) in [
        (Kind::Whip, 401, Cause::Token, format!("{place} refused the token (HTTP 401)")),
        (Kind::Whip, 403, Cause::Token, format!("{place} refused the token (HTTP 403)")),
        (Kind::Whip, 404, Cause::NotFound, format!("There is no WHIP endpoint at {place} (HTTP 404)")),
        (Kind::Whep, 404, Cause::NotFound, "Stream not found".into()),
        (Kind::Whep, 409, Cause::NotFound, "Stream not found".into()),
        (Kind::Whip, 409, Cause::InUse, "Stream name is already in use".into()),
        (
            Kind::Whip,
            405,
            Cause::NotSupported,
            format!("{place} takes no offers: is this a WHIP URL? (HTTP 405)"),
        ),
        (
            Kind::Whip,
            415,
            Cause::NotSupported,
            format!("{place} takes no SDP: is this a WHIP URL? (HTTP 415)"),
        ),
        (
            Kind::Whep,
            406,
            Cause::Offer,
            "The server makes offers of its own, but sent none (HTTP 406)".into(),
        ),
        (Kind::Whip, 422, Cause::Offer, "The server does not accept the offer (HTTP 422)".into()),
        (Kind::Whip, 429, Cause::Busy, format!("{place} had too many requests (HTTP 429)")),
        (Kind::Whip, 503, Cause::Busy, format!("{place} is not available now (HTTP 503)")),
        (Kind::Whip, 500, Cause::Server, format!("{place} has failed (HTTP 500)")),
        (Kind::Whip, 204, Cause::Nonsense, format!("{place} gave an answer of another kind (HTTP 204)")),
        (Kind::Whip, 303, Cause::Redirect, format!("{place} redirects to nowhere (HTTP 303)")),
        (Kind::Whip, 418, Cause::Offer, format!("{place} refused (HTTP 418)")),
    ] {
        let refusal = open(&endpoint(kind, place), response(status, &[], "")).unwrap_err();
        assert_eq!((refusal.cause, refusal.status), (cause, Some(status)), "{status}");
        assert_eq!(refusal.message, message);
    }
    let said = response(400, &[("content-type", "text/plain")], "no video, please\u{202e}\r\n");
    let refusal = open(&endpoint(Kind::Whip, place), said).unwrap_err();
    assert_eq!(refusal.message, "The server does not accept the offer: no video, please (HTTP 400)");
    let bare = Endpoint::new(Kind::Whip, place, None).unwrap();
    assert_eq!(
        open(&bare, response(401, &[], "")).unwrap_err().message,
        "https://a.example wants a token (HTTP 401)"
    );
}

#[test]
fn a_server_that_says_when_to_come_back_is_heard_within_reason() {
    let wait = |text: &str| {
        let refusal =
            open(&endpoint(Kind::Whip, "https://a.example"), response(503, &[("retry-after", text)], ""));
        refusal.unwrap_err().retry_after
    };
    assert_eq!(wait("7"), Some(Duration::from_secs(7)));
    assert_eq!(wait("Thu, 01 Jan 1970 00:02:00 GMT"), Some(Duration::from_secs(120)));
    assert_eq!(wait("99999999999999999999999"), Some(Duration::from_secs(3600)));
    assert_eq!(wait("Fri, 01 Jan 2100 00:00:00 GMT"), Some(Duration::from_secs(3600)));
    for bad in ["", "-1", "soon", "1.5"] {
        assert_eq!(wait(bad), None, "{bad}");
    }
}

#[test]
fn a_body_that_is_too_long_is_refused() {
    let exchange = endpoint(Kind::Whip, "https://a.example").offer(OFFER).unwrap();
    let refusal = refused(exchange, response(201, &[], &"x".repeat(MAX_BODY + 1)));
    assert_eq!(refusal.cause, Cause::Nonsense);
}

#[test]
fn a_whep_server_may_make_the_offer_itself() {
    let endpoint = endpoint(Kind::Whep, "https://a.example/whep");
    let headers = [("content-type", "application/sdp"), ("location", "/s/1")];
    let opened = open(&endpoint, response(406, &headers, OFFER)).unwrap();
    let Opened::CounterOffer { offer, mut resource, .. } = opened else { panic!("{opened:?}") };
    assert_eq!(offer, OFFER);
    let exchange = resource.answer(OFFER).unwrap();
    assert_eq!(exchange.request().method, Method::PATCH);
    assert_eq!(exchange.request().headers[header::CONTENT_TYPE], "application/sdp");
    let answered = done(exchange, response(204, &[("etag", "\"t\"")], ""));
    assert_eq!(resource.read_patched(&answered, false, SystemTime::UNIX_EPOCH), Ok(Patched::Noted));
    assert_eq!(resource.tag().unwrap().as_str(), "\"t\"");
    let whip = self::endpoint(Kind::Whip, "https://a.example/whip");
    assert_eq!(open(&whip, response(406, &headers, OFFER)).unwrap_err().cause, Cause::Offer);
}

#[test]
fn trickle_shows_the_tag_and_restart_any() {
    let endpoint = endpoint(Kind::Whip, "https://a.example/whip");
    let mut session = resource(&endpoint, &[("location", "/s"), ("etag", "W/\"1\"")]);
    let password = "p".repeat(22);
    let text = format!("a=ice-ufrag:abcd\r\na=ice-pwd:{password}\r\n");
    let fragment = Fragment::parse(&text).unwrap();
    let trickle = session.trickle(&fragment).unwrap();
    assert_eq!(trickle.request().headers[header::IF_MATCH], "W/\"1\"");
    assert_eq!(trickle.request().headers[header::CONTENT_TYPE], "application/trickle-ice-sdpfrag");
    assert_eq!(trickle.request().body, text);
    let now = SystemTime::UNIX_EPOCH;
    assert_eq!(session.read_patched(&done(trickle, response(204, &[], "")), false, now), Ok(Patched::Noted));
    assert_eq!(session.tag().unwrap().as_str(), "W/\"1\"");

    let restart = session.restart(&fragment).unwrap();
    assert_eq!(restart.request().headers[header::IF_MATCH], "\"*\"");
    let answered = done(restart.clone(), response(200, &[("etag", "\"2\"")], &text.replace("abcd", "efgh")));
    let Ok(Patched::Restarted(theirs)) = session.read_patched(&answered, true, now) else {
        panic!("{answered:?}")
    };
    assert_eq!(theirs.credentials().unwrap().ufrag, "efgh");
    assert_eq!(session.tag().unwrap().as_str(), "\"2\"");

    for (status, body, cause) in [
        (204, "", Cause::NotSupported),
        (200, "", Cause::Nonsense),
        (200, "nonsense", Cause::Nonsense),
        (412, "", Cause::Outdated),
        (428, "", Cause::Outdated),
        (405, "", Cause::NotSupported),
        (422, "", Cause::NotSupported),
        (404, "", Cause::NotFound),
        (401, "", Cause::Token),
    ] {
        let answered = done(restart.clone(), response(status, &[], body));
        assert_eq!(session.read_patched(&answered, true, now).unwrap_err().cause, cause, "{status}");
    }
    assert_eq!(session.tag().unwrap().as_str(), "\"2\"");
    let bare = resource(&endpoint, &[("location", "/s")]);
    assert!(!bare.trickle(&fragment).unwrap().request().headers.contains_key(header::IF_MATCH));
}

#[test]
fn a_session_that_is_gone_is_deleted() {
    let endpoint = endpoint(Kind::Whip, "https://a.example/whip");
    let session = resource(&endpoint, &[("location", "/s")]);
    for (status, good) in [(200, true), (204, true), (404, true), (410, true), (500, false), (401, false)] {
        let answered = done(session.delete(), response(status, &[], ""));
        assert_eq!(Resource::read_deleted(&answered, SystemTime::UNIX_EPOCH).is_ok(), good, "{status}");
    }
}

#[test]
fn nothing_for_logs_has_a_path_or_a_secret() {
    let endpoint = endpoint(Kind::Whip, "https://a.example/whip/hidden?key=hidden");
    let session = resource(&endpoint, &[("location", "/s/hidden")]);
    assert!(!format!("{endpoint:?}{session:?}").contains("hidden"));
    assert_eq!(endpoint.place(), "https://a.example");
}

#[test]
fn ice_servers_may_be_told_before_the_offer() {
    let endpoint = endpoint(Kind::Whip, "https://a.example/whip");
    let exchange = endpoint.options();
    assert_eq!((&exchange.request().method, token_of(&exchange)), (&Method::OPTIONS, None));
    let links = [("link", "<stun:s.example>; rel=ice-server")];
    assert_eq!(Endpoint::read_options(&done(exchange.clone(), response(204, &links, ""))).len(), 1);
    assert_eq!(Endpoint::read_options(&done(exchange, response(405, &links, ""))).len(), 0);
}
