//! `gateway`: what it prints, and that others find it.

use crate::run::Home;
use std::{
    io::{Read, Write},
    net::TcpStream,
};

fn get(url: &str) -> String {
    let rest = url.strip_prefix("http://").unwrap();
    let (host, path) = rest.split_once('/').unwrap_or((rest, ""));
    let mut stream = TcpStream::connect(host).unwrap();
    write!(stream, "GET /{path} HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\r\n").unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    answer
}

#[cfg(unix)]
#[test]
fn a_gateway_prints_a_link_is_found_and_leaves_nothing_behind() {
    let home = Home::new("gateway");
    let mut gateway = home.start(&["gateway", "--json", "--mic", "silence", "--speaker", "null"]);
    let first = gateway.until("its addresses", |line| line["login"].is_string());
    assert!(first["sip"].as_str().unwrap().starts_with("127.0.0.1:"), "{first}");
    let login = first["login"].as_str().unwrap();
    assert!(get(login).starts_with("HTTP/1.1 303"), "{}", get(login));
    assert!(get(login).starts_with("HTTP/1.1 401"));
    let file = home.path("run/sidetone/gateway.json");
    assert!(file.exists());
    let another = home.run(&["gateway", "--link"], b"");
    assert_eq!(another.code, Some(0), "{another:?}");
    assert!(get(another.stdout.trim()).starts_with("HTTP/1.1 303"), "{another:?}");

    let (code, lines) = home
        .start(&["call", "tone", "--json", "--for", "200ms", "--mic", "silence", "--speaker", "null"])
        .end();
    assert_eq!(code, Some(0), "{lines:#?}");
    let callee = lines.iter().find_map(|line| line["call"]["callee"].as_str()).unwrap();
    assert!(callee.contains(first["sip"].as_str().unwrap()), "{callee}");

    gateway.interrupt();
    assert_eq!(gateway.end().0, Some(0));
    assert!(!file.exists());
}
