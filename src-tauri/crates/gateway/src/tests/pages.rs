use super::{fake::Fake, gateway, http, log_in, open_link, options};
use crate::{GatewayError, Ui, running::start};
use std::{fs, net::TcpListener, sync::Arc};

#[tokio::test]
async fn a_login_link_works_once_and_the_cookie_then_opens_the_pages() {
    let (running, _) = gateway().await;
    let url = running.login_url().unwrap();
    let first = open_link(&running, &url).await;
    let cookie = first.header("set-cookie").unwrap();
    assert!(cookie.contains("; HttpOnly") && cookie.contains("; SameSite=Strict"), "{cookie}");
    let again = open_link(&running, &url).await;
    assert_eq!((again.status, again.header("set-cookie")), (401, None));
    assert!(again.body.contains("used already"), "{}", again.body);

    let cookie = format!("Cookie: other=1; {}", cookie.split(';').next().unwrap());
    let page = http::get(running.address(), "/", &[&cookie]).await;
    assert_eq!((page.status, page.body.as_str()), (200, "<!doctype html><title>pages</title>"));
    assert_eq!(page.header("content-type"), Some("text/html; charset=utf-8"));
    // A reloaded tab with its old link is no reason to log in again.
    let path = url.split_once("/?").unwrap().1;
    let reload = http::get(running.address(), &format!("/?{path}"), &[&cookie]).await;
    assert_eq!((reload.status, reload.header("set-cookie")), (303, None));
}

#[tokio::test]
async fn a_head_request_does_not_burn_the_link() {
    let (running, _) = gateway().await;
    let url = running.login_url().unwrap();
    let host = format!("Host: {}", running.address());
    let path = url.split_once("/?").unwrap().1;
    let preview = http::raw(running.address(), &format!("HEAD /?{path} HTTP/1.1"), &[&host]).await;
    assert_eq!(preview.status, 401);
    assert_eq!(open_link(&running, &url).await.status, 303);
}

#[tokio::test]
async fn without_a_session_a_page_says_how_to_get_a_link() {
    let (running, _) = gateway().await;
    for cookie in
        ["X-No: 1", "Cookie: sidetone=1", &format!("Cookie: sidetone-{}=", running.address().port())]
    {
        let page = http::get(running.address(), "/", &[cookie]).await;
        assert_eq!(page.status, 401);
        assert!(page.body.contains("sidetone-cli gateway"), "{}", page.body);
    }
    let script = http::get(running.address(), "/assets/main-1a2b.js", &[]).await;
    assert_eq!(script.status, 401);
    assert!(script.body.contains(r#""field":"Cookie""#), "{}", script.body);
    assert_eq!(http::get(running.address(), "/sign-in.css", &[]).await.status, 200);
}

#[tokio::test]
async fn every_answer_binds_the_browser() {
    let (running, _) = gateway().await;
    for path in ["/", "/healthz", "/missing"] {
        let answer = http::get(running.address(), path, &[]).await;
        let policy = answer.header("content-security-policy").unwrap();
        assert!(
            policy.contains("default-src 'self'") && policy.contains("frame-ancestors 'none'"),
            "{policy}"
        );
        assert!(policy.contains(&format!("connect-src 'self' ws://{}", running.address())), "{policy}");
        assert!(!policy.contains("unsafe"), "{policy}");
        assert_eq!(answer.header("x-content-type-options"), Some("nosniff"));
        assert_eq!(answer.header("referrer-policy"), Some("no-referrer"));
        assert_eq!(answer.header("access-control-allow-origin"), None);
    }
}

#[tokio::test]
async fn a_foreign_host_is_refused_everywhere_and_named() {
    let (running, _) = gateway().await;
    let cookie = format!("Cookie: {}", log_in(&running).await);
    let port = running.address().port();
    for path in ["/", "/healthz", "/ui/socket", "/assets/main-1a2b.js"] {
        for host in ["evil.example".to_owned(), format!("evil.example:{port}"), "127.0.0.1".into()] {
            let line = format!("GET {path} HTTP/1.1");
            let answer = http::raw(running.address(), &line, &[&format!("Host: {host}"), &cookie]).await;
            assert_eq!(answer.status, 421, "{host}{path}");
            assert!(answer.body.contains(r#""field":"Host""#), "{}", answer.body);
        }
        let none = http::raw(running.address(), &format!("GET {path} HTTP/1.0"), &[&cookie]).await;
        assert_eq!(none.status, 400);
    }
    let local = format!("Host: localhost:{port}");
    assert_eq!(http::raw(running.address(), "GET /healthz HTTP/1.1", &[&local]).await.status, 200);
}

#[tokio::test]
async fn only_assets_are_served_and_only_to_be_read() {
    let (running, _) = gateway().await;
    let cookie = format!("Cookie: {}", log_in(&running).await);
    for path in ["/missing", "/../Cargo.toml", "/..%2f..%2fCargo.toml", "/assets/", "/assets/..%5c..", "/%00"]
    {
        let answer = http::get(running.address(), path, &[&cookie]).await;
        assert_eq!(answer.status, 404, "{path}");
        assert!(answer.body.contains(r#""field":"path""#), "{}", answer.body);
    }
    let host = format!("Host: {}", running.address());
    for line in ["POST / HTTP/1.1", "DELETE /assets/main-1a2b.js HTTP/1.1", "PUT /healthz HTTP/1.1"] {
        let answer = http::raw(running.address(), line, &[&host, &cookie, "Content-Length: 0"]).await;
        assert_eq!((answer.status, answer.header("allow")), (405, Some("GET, HEAD")), "{line}");
    }
}

#[tokio::test]
async fn a_file_is_sent_again_only_when_it_has_changed() {
    let (running, _) = gateway().await;
    let cookie = format!("Cookie: {}", log_in(&running).await);
    let path = "/assets/main-1a2b.js";
    let first = http::get(running.address(), path, &[&cookie]).await;
    assert_eq!((first.status, first.body.as_str()), (200, "main()"));
    assert!(first.header("cache-control").unwrap().contains("immutable"));
    let known = format!("If-None-Match: W/\"x\", {}", first.header("etag").unwrap());
    let second = http::get(running.address(), path, &[&cookie, &known]).await;
    assert_eq!((second.status, second.body.as_str()), (304, ""));
    let index = http::get(running.address(), "/", &[&cookie, &known]).await;
    assert_eq!((index.status, index.header("cache-control")), (200, Some("private, no-cache")));
}

#[tokio::test]
async fn a_folder_is_served_and_no_link_leads_out_of_it() {
    let root = std::env::temp_dir().join(format!("sidetone-pages-{}", std::process::id()));
    fs::create_dir_all(root.join("ui")).unwrap();
    fs::write(root.join("ui/index.html"), "folder").unwrap();
    fs::write(root.join("secret.txt"), "secret").unwrap();
    #[cfg(unix)]
    std::os::unix::fs::symlink(root.join("secret.txt"), root.join("ui/link.txt")).unwrap();
    let options = crate::Options { ui: Ui::Directory(root.join("ui")), ..options(0) };
    let running = start(Arc::new(Fake::default()), options).await.unwrap();
    let cookie = format!("Cookie: {}", log_in(&running).await);
    assert_eq!(http::get(running.address(), "/", &[&cookie]).await.body, "folder");
    assert_eq!(http::get(running.address(), "/link.txt", &[&cookie]).await.status, 404);
    assert_eq!(http::get(running.address(), "/nothing.txt", &[&cookie]).await.status, 404);
    fs::remove_dir_all(&root).unwrap();
}

#[tokio::test]
async fn a_busy_port_gives_the_next_one_and_says_so() {
    let busy = TcpListener::bind("127.0.0.1:0").unwrap();
    let wanted = busy.local_addr().unwrap().port();
    let fake = Arc::new(Fake::default());
    let running = start(Arc::clone(&fake) as _, options(wanted)).await.unwrap();
    assert_ne!(running.address().port(), wanted);
    let (address, info) = fake.listening.borrow()[0].clone();
    assert_eq!(address, Some(format!("http://{}", running.address())));
    assert!(info.contains(&format!("port {wanted} is busy")), "{info}");
    running.stop().await;
    assert_eq!(fake.listening.borrow().last().unwrap().0, None);
}

#[tokio::test]
async fn an_address_that_others_can_reach_is_refused() {
    let fake = Arc::new(Fake::default());
    let options = crate::Options { bind: "0.0.0.0".parse().unwrap(), ..options(0) };
    let error = start(Arc::clone(&fake) as _, options).await.unwrap_err();
    assert!(matches!(error, GatewayError::NotLoopback(_)), "{error}");
    assert!(fake.listening.borrow()[0].1.contains("0.0.0.0"));
}

#[tokio::test]
async fn a_stopped_gateway_does_not_answer_any_more() {
    let (running, _) = gateway().await;
    let address = running.address();
    running.stop().await;
    assert!(tokio::net::TcpStream::connect(address).await.is_err());
}
