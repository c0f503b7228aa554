//! `register`, and what a registrar's answers make of the exit code.

use crate::run::{Home, text};
use std::net::{TcpListener, UdpSocket};

const QUIET: [&str; 5] = ["--json", "--mic", "silence", "--speaker", "null"];

#[test]
fn register_ends_after_its_time_and_unregisters() {
    let home = Home::new("register");
    let (code, lines) =
        home.start(&[&["register", "--user", "carol", "--for", "200ms"], &QUIET[..]].concat()).end();
    assert_eq!(code, Some(0), "{lines:#?}");
    let statuses: Vec<_> = lines
        .iter()
        .filter(|line| line["event"] == "RegistrationStatusEvent")
        .filter_map(|line| line["status"].as_str())
        .collect();
    assert!(statuses.contains(&"REGISTERED") && statuses.contains(&"UNREGISTERED"), "{lines:#?}");
}

#[cfg(unix)]
#[test]
fn ctrl_c_unregisters_and_is_the_normal_end() {
    let home = Home::new("interrupt");
    let mut register = home.start(&[&["register"], &QUIET[..]].concat());
    register.until_registered("cli");
    register.interrupt();
    let (code, lines) = register.end();
    assert_eq!(code, Some(0), "{lines:#?}");
    assert!(lines.iter().any(|line| line["status"] == "UNREGISTERED"), "{lines:#?}");
}

#[test]
fn a_registrar_that_cannot_be_reached_exits_with_2() {
    let home = Home::new("unreachable");
    let closed = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let aor = format!("sip:a@{closed}");
    for command in [&["register"][..], &["call", "echo", "--registrar", &aor]] {
        let arguments = [command, &["--aor", &aor, "--transport", "tcp"], &QUIET].concat();
        let ended = home.run(&arguments, b"");
        assert_eq!(ended.code, Some(2), "{ended:?}");
        assert!(ended.stderr.contains("does not answer"), "{ended:?}");
    }
}

#[test]
fn a_wrong_password_exits_with_3_and_is_never_printed() {
    let home = Home::new("wrong-password");
    for (password, answer) in [(Some("hunter2"), "403 Forbidden"), (None, "503 Service Unavailable")] {
        let registrar = UdpSocket::bind("127.0.0.1:0").unwrap();
        let aor = format!("sip:a@{}", registrar.local_addr().unwrap());
        let file =
            home.write("account.toml", format!("aor = '{aor}'\npassword-env = 'SIDETONE_TEST_PASSWORD'\n"));
        std::thread::spawn(move || answer_all(&registrar, answer));
        let mut command =
            home.command(&[&["register", "--log", "trace", "--account", text(&file)], &QUIET[..]].concat());
        let output = command.env("SIDETONE_TEST_PASSWORD", password.unwrap_or_default()).output().unwrap();
        let ended = crate::run::Ended::from(output);
        assert_eq!(ended.code, Some(3), "{ended:?}");
        assert!(ended.stderr.contains("is not registered"), "{ended:?}");
        assert!(!ended.stderr.contains("hunter2") && !ended.stdout.contains("hunter2"));
    }
}

/// A registrar that gives every request the same answer.
fn answer_all(socket: &UdpSocket, status: &str) {
    let mut buffer = [0; 65_536];
    while let Ok((length, from)) = socket.recv_from(&mut buffer) {
        let request = String::from_utf8_lossy(&buffer[..length]).into_owned();
        let copied = ["Via", "From", "To", "Call-ID", "CSeq"];
        let headers =
            request.lines().filter(|line| copied.iter().any(|name| line.starts_with(&format!("{name}:"))));
        let headers: String =
            headers
                .map(|line| {
                    if line.starts_with("To:") { format!("{line};tag=t\r\n") } else { format!("{line}\r\n") }
                })
                .collect();
        let response = format!("SIP/2.0 {status}\r\n{headers}Content-Length: 0\r\n\r\n");
        if socket.send_to(response.as_bytes(), from).is_err() {
            return;
        }
    }
}
