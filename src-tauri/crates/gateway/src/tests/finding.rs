use super::{fake::Fake, http, open_link, options};
use crate::{Options, find_running, running::start};
use sidetone_api::{Event, GatewayView};
use std::{fs, path::PathBuf, sync::Arc, time::Duration};

/// A folder that is removed at the end.
struct Folder(PathBuf);

impl Folder {
    fn new(name: &str) -> Self {
        let path = std::env::temp_dir().join(format!("sidetone-{name}-{}", std::process::id()));
        let _ = fs::remove_dir_all(&path);
        Self(path)
    }

    fn options(&self) -> Options {
        Options { runtime: Some(self.0.join("run")), ..options(0) }
    }

    fn file(&self) -> PathBuf {
        self.0.join("run/gateway.json")
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

#[tokio::test]
async fn a_running_gateway_is_found_and_a_stopped_one_is_not() {
    let folder = Folder::new("found");
    assert_eq!(find_running(&folder.0.join("run")).await, None);
    let running = start(Arc::new(Fake::default()), folder.options()).await.unwrap();
    let found = find_running(&folder.0.join("run")).await.unwrap();
    assert_eq!((found.http, found.sip), (running.address(), Some("127.0.0.1:5060".parse().unwrap())));
    assert_eq!(found.pid, std::process::id());
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        assert_eq!(fs::metadata(folder.file()).unwrap().permissions().mode() & 0o777, 0o600);
        assert_eq!(fs::metadata(folder.0.join("run")).unwrap().permissions().mode() & 0o777, 0o700);
    }
    running.stop().await;
    assert!(!folder.file().exists());
    assert_eq!(find_running(&folder.0.join("run")).await, None);
}

#[tokio::test]
async fn a_file_left_behind_is_not_believed_and_is_replaced() {
    let folder = Folder::new("stale");
    let other = start(Arc::new(Fake::default()), options(0)).await.unwrap();
    fs::create_dir_all(folder.0.join("run")).unwrap();
    let stale = |http: &str| {
        format!(
            r#"{{"instance":"{}","key":"k","sip":null,"http":"{http}","pid":1,"started":1}}"#,
            "0".repeat(64)
        )
    };
    for text in [
        stale(&other.address().to_string()),
        stale("127.0.0.1:1"),
        stale("192.0.2.1:80"),
        "{".into(),
        String::new(),
    ] {
        fs::write(folder.file(), &text).unwrap();
        assert_eq!(find_running(&folder.0.join("run")).await, None, "{text}");
    }
    let running = start(Arc::new(Fake::default()), folder.options()).await.unwrap();
    assert_eq!(find_running(&folder.0.join("run")).await.unwrap().http, running.address());
}

#[tokio::test]
async fn the_first_of_two_gateways_stays_the_one_that_is_found() {
    let folder = Folder::new("two");
    let first = start(Arc::new(Fake::default()), folder.options()).await.unwrap();
    let second = start(Arc::new(Fake::default()), folder.options()).await.unwrap();
    assert_ne!(first.address(), second.address());
    assert_eq!(find_running(&folder.0.join("run")).await.unwrap().http, first.address());
    second.stop().await;
    assert_eq!(find_running(&folder.0.join("run")).await.unwrap().http, first.address());
}

#[tokio::test]
async fn the_file_follows_the_registrar_to_another_port_and_goes_with_the_engine() {
    let folder = Folder::new("follow");
    let fake = Arc::new(Fake::default());
    let _running = start(Arc::clone(&fake) as _, folder.options()).await.unwrap();
    until(|| fake.readers() > 0).await;
    let gateway = GatewayView { sip_address: Some("127.0.0.1:5071".into()), ..GatewayView::default() };
    *fake.gateway.lock().unwrap() = gateway.clone();
    fake.publish(8, Event::GatewayChanged { gateway });
    until(|| fs::read_to_string(folder.file()).is_ok_and(|text| text.contains("127.0.0.1:5071"))).await;
    fake.end();
    until(|| !folder.file().exists()).await;
}

#[tokio::test]
async fn who_reads_the_file_gets_login_links_and_nobody_else_does() {
    let folder = Folder::new("link");
    let running = start(Arc::new(Fake::default()), folder.options()).await.unwrap();
    let found = find_running(&folder.0.join("run")).await.unwrap();
    let (first, second) = (found.login_link().await.unwrap(), found.login_link().await.unwrap());
    assert_ne!(first, second);
    for link in [first, second] {
        assert_eq!(open_link(&running, &link).await.status, 303);
    }
    let file = fs::read_to_string(folder.file()).unwrap();
    let key = file.split("\"key\": \"").nth(1).unwrap().split('"').next().unwrap();
    assert!(!format!("{found:?}").contains(key));
    let host = format!("Host: {}", running.address());
    let bearer = format!("Authorization: Bearer {key}");
    for (headers, status) in [
        (vec![host.as_str()], 401),
        (vec![&host, "Authorization: Bearer x"], 401),
        (vec![&host, &bearer, "Origin: http://evil.example"], 403),
        (vec!["Host: evil.example", &bearer], 421),
        (vec![&host, &bearer], 200),
    ] {
        let answer = http::raw(running.address(), "POST /login-link HTTP/1.1", &headers).await;
        assert_eq!(answer.status, status, "{headers:?}");
    }
    assert_eq!(http::get(running.address(), "/login-link", &[&bearer]).await.status, 405);
}

#[tokio::test]
async fn health_names_the_instance_alone() {
    let running = start(Arc::new(Fake::default()), options(0)).await.unwrap();
    let answer = http::get(running.address(), "/healthz", &[]).await;
    assert_eq!(answer.status, 200);
    assert!(
        answer.body.starts_with(r#"{"instance":""#) && answer.body.ends_with(r#"","status":"ok"}"#),
        "{}",
        answer.body
    );
}

async fn until(mut done: impl FnMut() -> bool) {
    let waited = tokio::time::timeout(Duration::from_secs(10), async {
        while !done() {
            tokio::task::yield_now().await;
        }
    });
    waited.await.expect("did not come true");
}
