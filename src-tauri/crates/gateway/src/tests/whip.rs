//! WHIP and WHEP as clients and pages speak it.

use super::{
    gateway,
    http::{Answer, with_body},
};
use crate::Running;
use sidetone_engine::whip::{IfMatch, Kind, MAX_BODY};

const OFFER: &str = "v=0\r\noffer\r\n";
const SDP: &str = "Content-Type: application/sdp";
const FRAGMENT: &str = "Content-Type: application/trickle-ice-sdpfrag";

async fn ask(gateway: &Running, line: &str, headers: &[&str], body: &str) -> Answer {
    let (host, length) = (format!("Host: {}", gateway.address()), format!("Content-Length: {}", body.len()));
    let headers = [&[host.as_str(), length.as_str()], headers].concat();
    with_body(gateway.address(), &format!("{line} HTTP/1.1"), &headers, body).await
}

fn news(ufrag: &str) -> String {
    format!("a=ice-ufrag:{ufrag}\r\na=ice-pwd:{}\r\n", "p".repeat(22))
}

#[tokio::test]
async fn an_offer_is_answered_with_the_session_its_tag_and_the_servers() {
    let (gateway, fake) = gateway().await;
    for (path, kind, location) in
        [("/whip/cam%C3%A9ra", Kind::Whip, "/whip/cam%C3%A9ra/s1"), ("/whep/a.b", Kind::Whep, "/whep/a.b/s1")]
    {
        let headers = ["Content-Type: Application/SDP; charset=utf-8", "Authorization: Bearer abc"];
        let answer = ask(&gateway, &format!("POST {path}"), &headers, OFFER).await;
        assert_eq!((answer.status, answer.body.as_str()), (201, "v=0\r\nanswer\r\n"), "{answer:?}");
        assert_eq!(answer.header("location"), Some(location));
        assert_eq!(answer.header("content-type"), Some("application/sdp"));
        assert_eq!(answer.header("etag"), Some("\"t1\""));
        assert_eq!(answer.header("link"), Some("<stun:stun.example>; rel=\"ice-server\""));
        assert_eq!(answer.header("accept-patch"), Some("application/trickle-ice-sdpfrag"));
        assert_eq!(answer.header("access-control-allow-origin"), None);
        let offer = fake.offers.lock().unwrap().pop().unwrap();
        assert_eq!((offer.kind, offer.sdp.as_str()), (kind, OFFER));
        assert_eq!(offer.token.unwrap().expose(), "abc");
    }
}

#[tokio::test]
async fn what_the_engine_declines_has_a_status_and_plain_words() {
    let (gateway, _) = gateway().await;
    for (path, status, words, header) in [
        ("/whip/busy", 409, "Stream name is already in use", None),
        ("/whep/nobody", 404, "Stream not found", None),
        ("/whip/private", 401, "a token is needed", Some(("www-authenticate", "Bearer"))),
        ("/whip/broken", 400, "line 3 cannot be read", None),
        ("/whep/foreign", 422, "No common codecs", None),
        ("/whip/full", 503, "1000 streams are the most", Some(("retry-after", "2"))),
        ("/whip/stopped", 503, "the engine has stopped", None),
    ] {
        let answer = ask(&gateway, &format!("POST {path}"), &[SDP], OFFER).await;
        assert_eq!((answer.status, answer.body.as_str()), (status, words));
        assert_eq!(answer.header("content-type"), Some("text/plain; charset=utf-8"));
        if let Some((name, value)) = header {
            assert_eq!(answer.header(name), Some(value));
        }
    }
    let wrong = ask(&gateway, "POST /whip/private", &[SDP, "Authorization: Bearer wrong"], OFFER).await;
    assert_eq!(wrong.header("www-authenticate"), Some("Bearer error=\"invalid_token\""));
    let right = ask(&gateway, "POST /whip/private", &[SDP, "Authorization: Bearer right"], OFFER).await;
    assert_eq!(right.status, 201);
}

#[tokio::test]
async fn hostile_offers_are_refused_before_the_engine_hears_of_them() {
    let (gateway, fake) = gateway().await;
    let long = "x".repeat(MAX_BODY + 1);
    let sdp: &[&str] = &[SDP];
    for (path, headers, body, status) in [
        ("/whip/a", &[][..], OFFER, 415),
        ("/whip/a", &["Content-Type: application/json"], OFFER, 415),
        ("/whip/a", &[SDP, "Content-Type: text/plain"], OFFER, 415),
        ("/whip/a", &[SDP, "Content-Encoding: gzip"], OFFER, 415),
        ("/whip/a", &[SDP, "Authorization: Basic abc"], OFFER, 400),
        ("/whip/a", &[SDP, "Authorization: Bearer a", "Authorization: Bearer b"], OFFER, 400),
        ("/whip/a", sdp, "", 400),
        ("/whip/a", sdp, "hello", 400),
        ("/whip/a", sdp, &long, 413),
        ("/whip/a%2Fb", sdp, OFFER, 400),
        ("/whip/%00", sdp, OFFER, 400),
        ("/whip/%ff", sdp, OFFER, 400),
        ("/whip/a%20b", sdp, OFFER, 400),
        ("/whip/%2e%2e", sdp, OFFER, 400),
        (&format!("/whip/{}", "n".repeat(129)), sdp, OFFER, 400),
        ("/whip/", sdp, OFFER, 405),
        ("/whip/a/b/c", sdp, OFFER, 405),
        ("/whip/a/s1", sdp, OFFER, 405),
    ] {
        let answer = ask(&gateway, &format!("POST {path}"), headers, body).await;
        assert_eq!(answer.status, status, "{path} {headers:?} {answer:?}");
    }
    let answer = ask(&gateway, "POST /whip/a", &[], OFFER).await;
    assert_eq!(answer.header("accept-post"), Some("application/sdp"));
    assert!(fake.offers.lock().unwrap().is_empty());
}

#[tokio::test]
async fn a_body_in_chunks_is_bounded_and_need_not_be_utf_8_to_be_refused() {
    let (gateway, fake) = gateway().await;
    let host = format!("Host: {}", gateway.address());
    let headers = [host.as_str(), SDP, "Transfer-Encoding: chunked"];
    let chunked = |body: &str| format!("{:x}\r\n{body}\r\n0\r\n\r\n", body.len());
    let send =
        async |body: String| with_body(gateway.address(), "POST /whip/a HTTP/1.1", &headers, &body).await;
    assert_eq!(send(chunked(OFFER)).await.status, 201);
    assert_eq!(send(chunked(&"x".repeat(MAX_BODY + 1))).await.status, 413);
    assert_eq!(send(chunked(&format!("v=0\r\n{}", "x".repeat(MAX_BODY - 5)))).await.status, 201);
    assert_eq!(send("zz\r\n".into()).await.status, 400);
    assert_eq!(fake.offers.lock().unwrap().len(), 2);
}

#[tokio::test]
async fn news_of_ice_are_trickled_or_restart_it() {
    let (gateway, fake) = gateway().await;
    let old = news("old0");
    let patch = async |headers: &[&str], body: &str| ask(&gateway, "PATCH /whip/a/s1", headers, body).await;
    let trickled = patch(&[FRAGMENT, "If-Match: \"t1\""], &old).await;
    assert_eq!((trickled.status, trickled.body.as_str()), (204, ""));
    for any in ["If-Match: *", "If-Match: \"*\""] {
        let restarted = patch(&[FRAGMENT, any], &news("new0")).await;
        assert_eq!((restarted.status, restarted.body), (200, news("new0")));
        assert_eq!(restarted.headers.iter().find(|(name, _)| name == "etag").unwrap().1, "\"t2\"");
    }
    assert_eq!(fake.patches.lock().unwrap().pop().unwrap().if_match, Some(IfMatch::Any));
    for (headers, body, status) in [
        (&[FRAGMENT][..], old.as_str(), 428),
        (&[FRAGMENT, "If-Match: \"t0\""], &old, 412),
        (&[FRAGMENT, "If-Match: \"t0"], &old, 400),
        (&[FRAGMENT, "If-Match: *"], "", 400),
        (&[FRAGMENT, "If-Match: *"], "nonsense", 400),
        (&[SDP, "If-Match: *"], &old, 415),
        (&["If-Match: *"], &old, 415),
    ] {
        let answer = patch(headers, body).await;
        assert_eq!(answer.status, status, "{headers:?} {answer:?}");
    }
    let headers = [FRAGMENT, "If-Match: *"];
    for path in ["/whip/a/s2", "/whep/a/..", "/whip/a/%2e%2e%2fs1", &format!("/whip/a/{}", "s".repeat(200))] {
        assert_eq!(ask(&gateway, &format!("PATCH {path}"), &headers, &old).await.status, 404, "{path}");
    }
    let wrong = patch(&[], &old).await;
    assert_eq!(wrong.header("accept-patch"), Some("application/trickle-ice-sdpfrag"));
}

#[tokio::test]
async fn a_session_is_ended_once() {
    let (gateway, fake) = gateway().await;
    let ended = ask(&gateway, "DELETE /whep/a/s1", &[], "").await;
    assert_eq!((ended.status, ended.body.as_str()), (200, ""));
    assert_eq!(ask(&gateway, "DELETE /whep/a/s2", &[], "").await.status, 404);
    assert_eq!(*fake.ended.lock().unwrap(), ["s1", "s2"]);
}

#[tokio::test]
async fn other_methods_are_refused_with_those_that_are_not() {
    let (gateway, _) = gateway().await;
    for (method, path, allowed) in [
        ("GET", "/whip/a", "POST, OPTIONS"),
        ("HEAD", "/whep/a", "POST, OPTIONS"),
        ("PUT", "/whip/a", "POST, OPTIONS"),
        ("DELETE", "/whip/a", "POST, OPTIONS"),
        ("GET", "/whip/a/s1", "PATCH, DELETE, OPTIONS"),
        ("POST", "/whep/a/s1", "PATCH, DELETE, OPTIONS"),
    ] {
        let answer = ask(&gateway, &format!("{method} {path}"), &[], "").await;
        assert_eq!((answer.status, answer.header("allow")), (405, Some(allowed)), "{method} {path}");
    }
    let options = ask(&gateway, "OPTIONS /whip/a", &[], "").await;
    assert_eq!((options.status, options.header("accept-post")), (204, Some("application/sdp")));
}

#[tokio::test]
async fn pages_of_this_machine_may_and_those_of_others_may_not() {
    let (gateway, fake) = gateway().await;
    let page = "Origin: http://localhost:5173";
    let preflight =
        [page, "Access-Control-Request-Method: POST", "Access-Control-Request-Headers: authorization"];
    let allowed = ask(&gateway, "OPTIONS /whip/a", &preflight, "").await;
    assert_eq!(allowed.status, 204);
    for (name, value) in [
        ("access-control-allow-origin", "http://localhost:5173"),
        ("access-control-allow-methods", "POST, OPTIONS"),
        ("access-control-allow-headers", "Authorization, Content-Type, If-Match"),
        ("vary", "Origin"),
    ] {
        assert_eq!(allowed.header(name), Some(value));
    }
    let opened = ask(&gateway, "POST /whip/a", &[page, SDP], OFFER).await;
    assert_eq!(
        (opened.status, opened.header("access-control-allow-origin")),
        (201, Some("http://localhost:5173"))
    );
    assert!(opened.header("access-control-expose-headers").unwrap().contains("Location"));
    // A refusal has to be readable, too.
    let refused = ask(&gateway, "POST /whip/busy", &[page, SDP], OFFER).await;
    assert_eq!(
        (refused.status, refused.header("access-control-allow-origin")),
        (409, Some("http://localhost:5173"))
    );
    assert_eq!(fake.offers.lock().unwrap().len(), 2);

    for bad in [
        &["Origin: https://example.org"][..],
        &["Origin: null"],
        &["Origin: http://localhost.example.org"],
        &[page, "Origin: https://example.org"],
        &["Sec-Fetch-Site: cross-site"],
    ] {
        for line in ["POST /whip/a", "OPTIONS /whep/a", "PATCH /whip/a/s1", "DELETE /whip/a/s1"] {
            let answer = ask(&gateway, line, &[bad, &[SDP]].concat(), OFFER).await;
            assert_eq!(
                (answer.status, answer.header("access-control-allow-origin")),
                (403, None),
                "{line} {bad:?}"
            );
        }
    }
    assert_eq!(fake.offers.lock().unwrap().len(), 2);
    assert!(fake.ended.lock().unwrap().is_empty());
}

#[tokio::test]
async fn a_name_that_was_rebound_to_loopback_gets_nowhere() {
    let (gateway, fake) = gateway().await;
    let headers = ["Host: evil.example", SDP, "Content-Length: 12"];
    let answer = with_body(gateway.address(), "POST /whip/a HTTP/1.1", &headers, OFFER).await;
    assert_eq!(answer.status, 421);
    assert!(fake.offers.lock().unwrap().is_empty());
}
