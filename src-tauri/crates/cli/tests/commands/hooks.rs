//! `--hooks`: a run's backend.

use crate::run::Home;
use serde_json::{Value, json};
use std::{
    io::{BufRead, BufReader, Read, Write},
    net::{TcpListener, TcpStream},
    sync::{Arc, Mutex},
    thread,
};

/// Name, signature and body of a hook.
type Heard = (String, Option<String>, Value);

/// A backend that remembers what came.
struct Backend {
    url: String,
    heard: Arc<Mutex<Vec<Heard>>>,
}

impl Backend {
    /// `answer` gives status and body.
    fn start(answer: fn(&str, &Value) -> (u16, Value)) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let url = format!("http://{}/hooks", listener.local_addr().unwrap());
        let heard = Arc::new(Mutex::new(Vec::new()));
        let of_server = Arc::clone(&heard);
        thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let heard = Arc::clone(&of_server);
                thread::spawn(move || serve(stream, &heard, answer));
            }
        });
        Self { url, heard }
    }

    fn heard(&self) -> Vec<Heard> {
        self.heard.lock().unwrap().clone()
    }

    /// Names, with the statuses of calls.
    fn names(&self) -> Vec<String> {
        let name = |(hook, _, body): Heard| match hook.as_str() {
            "CallStatusEvent" => format!("{hook} {}", body["status"].as_str().unwrap_or_default()),
            _ => hook,
        };
        self.heard().into_iter().map(name).collect()
    }
}

fn serve(stream: TcpStream, heard: &Mutex<Vec<Heard>>, answer: fn(&str, &Value) -> (u16, Value)) {
    let mut reader = BufReader::new(stream.try_clone().unwrap());
    let mut stream = stream;
    loop {
        let mut head = Vec::new();
        loop {
            let mut line = String::new();
            if reader.read_line(&mut line).unwrap_or_default() == 0 {
                return;
            }
            if line.trim().is_empty() {
                break;
            }
            head.push(line.trim().to_owned());
        }
        let header = |name: &str| {
            let found = head.iter().filter_map(|line| line.split_once(": "));
            found
                .into_iter()
                .find(|(key, _)| key.eq_ignore_ascii_case(name))
                .map(|(_, value)| value.to_owned())
        };
        let length = header("content-length").and_then(|length| length.parse().ok()).unwrap_or_default();
        let mut body = vec![0; length];
        reader.read_exact(&mut body).unwrap();
        let body: Value = serde_json::from_slice(&body).unwrap_or_default();
        let path = head[0].split(' ').nth(1).unwrap_or_default();
        let hook = path.strip_prefix("/hooks/").unwrap_or_default().to_owned();
        let (status, text) = answer(&hook, &body);
        heard.lock().unwrap().push((hook, header("x-sidetone-signature"), body));
        let text = text.to_string();
        let head = format!("HTTP/1.1 {status} Told\r\nContent-Length: {}\r\n\r\n", text.len());
        if stream.write_all((head + &text).as_bytes()).is_err() {
            return;
        }
    }
}

fn call<'a>(more: &[&'a str]) -> Vec<&'a str> {
    [&["call", "echo", "--json", "--for", "1s", "--mic", "silence", "--speaker", "null"], more].concat()
}

#[test]
fn a_backend_hears_a_call_to_its_end_and_who_signs_it() {
    let home = Home::new("hooks");
    let backend = Backend::start(|_, body| (200, body.clone()));
    let more = ["--hooks", &backend.url, "--hooks-auth", "sha256", "--hooks-secret-env", "OUR_KEY"];
    let output = home.command(&call(&more)).env("OUR_KEY", "a long key").output().unwrap();
    assert_eq!(output.status.code(), Some(0), "{output:?}");
    let names = backend.names();
    let place = |name: &str| names.iter().position(|other| other == name);
    assert_eq!(place("connect"), Some(0), "{names:?}");
    assert!(place("call").is_some() && place("call") < place("CallStatusEvent ESTABLISHED"), "{names:?}");
    assert!(place("CallStatusEvent ESTABLISHED") < place("CallStatusEvent FINISH"), "{names:?}");
    assert!(backend.heard().iter().all(|(_, signature, _)| {
        signature.as_ref().is_some_and(|code| code.starts_with("v1=") && code.len() == 67)
    }));
}

#[test]
fn a_refused_call_ends_with_5_and_the_backends_reason() {
    let home = Home::new("hooks-refused");
    let backend = Backend::start(|hook, body| match hook {
        "connect" => (200, json!({"restClientConfig": {"call": {"restOnError": "FAIL"}}})),
        "call" => (403, json!({"status": 403, "reason": "not before nine"})),
        _ => (200, body.clone()),
    });
    let ended = home.run(&call(&["--hooks", &backend.url]), b"");
    assert_eq!(ended.code, Some(5), "{ended:?}");
    assert!(
        ended.stdout.contains(r#""status":"FAILED""#) && ended.stdout.contains("not before nine"),
        "{ended:?}"
    );
}
