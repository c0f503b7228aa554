//! A running `sidetone-cli phone`.

use serde_json::{Value, json};
use std::{
    io::{BufRead, BufReader, Write},
    path::Path,
    process::{Child, ChildStdin, Command, Stdio},
    sync::mpsc::{Receiver, RecvTimeoutError, channel},
    time::{Duration, Instant},
};

/// How long anything may take that needs no time-out of SIP.
pub(crate) const SOON: Duration = Duration::from_secs(10);

pub(crate) const LONG_PASSWORD: &str = "correct-horse-battery-staple";

pub(crate) struct Phone {
    child: Child,
    stdin: Option<ChildStdin>,
    lines: Receiver<Value>,
    /// Everything that came, in order.
    pub(crate) seen: Vec<Value>,
    /// How much of `seen` earlier waits have passed.
    passed: usize,
    next_id: u64,
}

impl Phone {
    /// Starts with these arguments after `phone`. The password of every account is `secret`.
    pub(crate) fn start(arguments: &[&str]) -> Self {
        Self::launch(arguments, Stdio::inherit())
    }

    /// The same with the log of everything in a file. Here the password is `LONG_PASSWORD`, which nothing else is called.
    pub(crate) fn logged(arguments: &[&str], log: &Path) -> Self {
        let file = std::fs::File::create(log).expect("a log can be written");
        Self::launch(&[arguments, &["--log", "trace"]].concat(), file.into())
    }

    fn launch(arguments: &[&str], stderr: Stdio) -> Self {
        let mut child = Command::new(env!("CARGO_BIN_EXE_sidetone-cli"))
            .arg("phone")
            .args(arguments)
            .env("SIDETONE_TEST_PASSWORD", "secret")
            .env("SIDETONE_WRONG_PASSWORD", "wrong")
            .env("SIDETONE_LONG_PASSWORD", LONG_PASSWORD)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(stderr)
            .spawn()
            .expect("sidetone-cli starts");
        let (sender, lines) = channel();
        let stdout = child.stdout.take().expect("stdout is piped");
        std::thread::spawn(move || {
            for line in BufReader::new(stdout).lines().map_while(Result::ok) {
                let value = serde_json::from_str(&line)
                    .unwrap_or_else(|error| panic!("{line:?} is no JSON: {error}"));
                if sender.send(value).is_err() {
                    return;
                }
            }
        });
        let stdin = child.stdin.take();
        Self { child, stdin, lines, seen: Vec::new(), passed: 0, next_id: 0 }
    }

    /// An account with files or synthetic devices as microphone and speaker.
    pub(crate) fn with_account(aor: &str, extra: &[&str]) -> Self {
        let mut arguments = vec!["--aor", aor, "--password-env", "SIDETONE_TEST_PASSWORD"];
        arguments
            .extend(["--mic", "silence", "--speaker", "null"].iter().filter(|_| !extra.contains(&"--mic")));
        arguments.extend(extra);
        Self::start(&arguments)
    }

    /// Sends a command and gives its reply or failure.
    pub(crate) fn ask(&mut self, command: Value) -> Value {
        self.next_id += 1;
        let id = self.next_id;
        let line = json!({"id": id, "command": command});
        let stdin = self.stdin.as_mut().expect("stdin is open");
        writeln!(stdin, "{line}").expect("the phone reads");
        let deadline = Instant::now() + SOON;
        loop {
            if let Some(answer) = self.seen.iter().find(|value| value["id"] == id) {
                return answer.clone();
            }
            self.read(deadline, "a reply");
        }
    }

    /// Places a call and gives its id.
    pub(crate) fn call(&mut self, callee: &str) -> String {
        let reply = self.ask(json!({"command": "call", "callee": callee}));
        reply["reply"]["callId"].as_str().unwrap_or_else(|| panic!("no call: {reply}")).to_owned()
    }

    /// Waits for the next event that fits, after those of earlier waits.
    pub(crate) fn wait(&mut self, what: &str, patience: Duration, fits: impl Fn(&Value) -> bool) -> Value {
        let deadline = Instant::now() + patience;
        loop {
            while self.passed < self.seen.len() {
                self.passed += 1;
                if fits(&self.seen[self.passed - 1]) {
                    return self.seen[self.passed - 1].clone();
                }
            }
            self.read(deadline, what);
        }
    }

    /// Later waits are about what comes from now on.
    pub(crate) fn passed_to_now(&mut self) {
        self.ask(json!({"command": "getSnapshot"}));
        self.passed = self.seen.len();
    }

    /// Waits for a status event.
    pub(crate) fn status(&mut self, event: &str, status: &str) -> Value {
        self.status_within(event, status, SOON)
    }

    pub(crate) fn status_within(&mut self, event: &str, status: &str, patience: Duration) -> Value {
        self.wait(&format!("{event} {status}"), patience, |value| {
            value["event"] == event && value["status"] == status
        })
    }

    /// All statuses of a call so far, in order.
    pub(crate) fn statuses_of(&self, call: &str) -> Vec<String> {
        let of_call =
            self.seen.iter().filter(|value| value["event"] == "CallStatusEvent" && value["callId"] == call);
        of_call.filter_map(|value| value["status"].as_str().map(String::from)).collect()
    }

    /// The id of the process.
    pub(crate) fn process(&self) -> u32 {
        self.child.id()
    }

    /// End of input: hangs up, unregisters, exits.
    pub(crate) fn finish(mut self) -> Vec<Value> {
        drop(self.stdin.take());
        let status = self.child.wait().expect("the phone ends");
        assert!(status.success(), "phone ended with {status}");
        while let Ok(value) = self.lines.recv_timeout(Duration::from_secs(1)) {
            self.seen.push(value);
        }
        std::mem::take(&mut self.seen)
    }

    fn read(&mut self, deadline: Instant, what: &str) {
        match self.lines.recv_timeout(deadline.saturating_duration_since(Instant::now())) {
            Ok(value) => self.seen.push(value),
            Err(error) => {
                let why =
                    if error == RecvTimeoutError::Timeout { "in time" } else { "before the phone ended" };
                let tail: Vec<String> = self
                    .seen
                    .iter()
                    .filter(|value| value["event"] != "CallMeasured")
                    .map(Value::to_string)
                    .collect();
                panic!("{what} did not come {why}; what came:\n{}", tail.join("\n"));
            }
        }
    }
}

impl Drop for Phone {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

pub(crate) fn text(path: &Path) -> String {
    path.display().to_string()
}
