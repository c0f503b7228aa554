//! Calls from one run of the program to a service or to another run.

use crate::{
    run::{Home, text},
    sound,
};

const LIKE: f32 = 0.8;

#[test]
fn what_is_spoken_to_echo_comes_back_through_a_gateway_of_the_run() {
    let home = Home::new("echo");
    let spoken = sound::speech(4.0, 0);
    let mic = home.path("spoken.wav");
    sound::write(&mic, &spoken);
    let mic = format!("file:{}", text(&mic));
    let calls = ["opus", "G722", "PCMA", "PCMU"].map(|codec| {
        let heard = home.path(&format!("{codec}.wav"));
        let speaker = format!("file:{}", text(&heard));
        let call =
            ["call", "echo", "--json", "--for", "3s", "--codec", codec, "--mic", &mic, "--speaker", &speaker];
        (codec, heard, home.start(&call))
    });
    for (codec, heard, call) in calls {
        let (code, lines) = call.end();
        assert_eq!(code, Some(0), "{lines:#?}");
        let statuses: Vec<_> = lines
            .iter()
            .filter(|line| line["event"] == "CallStatusEvent")
            .filter_map(|line| line["status"].as_str())
            .collect();
        assert_eq!(statuses.last(), Some(&"FINISH"), "{statuses:?}");
        assert!(statuses.contains(&"ESTABLISHED"), "{statuses:?}");
        let used = lines.iter().filter_map(|line| line["call"]["codec"]["name"].as_str()).next_back();
        assert_eq!(used, Some(codec));
        let likeness = sound::likeness(&spoken, &heard);
        assert!(likeness > LIKE, "{codec}: {likeness}");
    }
}

#[test]
fn two_runs_call_each_other_through_a_gateway_and_hear_each_other() {
    let home = Home::new("two");
    let mut gateway = home.start(&["gateway", "--json", "--mic", "silence", "--speaker", "null"]);
    gateway.until("its addresses", |line| line["login"].is_string());
    let (a, b) = (sound::speech(5.0, 1), sound::speech(5.0, 2));
    let (mic_a, mic_b) = (home.path("a.wav"), home.path("b.wav"));
    sound::write(&mic_a, &a);
    sound::write(&mic_b, &b);
    let (heard_a, heard_b) = (home.path("heard-a.wav"), home.path("heard-b.wav"));
    let files = |mic, speaker| (format!("file:{}", text(mic)), format!("file:{}", text(speaker)));
    let (mic, speaker) = files(&mic_b, &heard_b);
    let mut answer = home.start(&["answer", "--user", "bob", "--json", "--mic", &mic, "--speaker", &speaker]);
    answer.until_registered("bob");
    let (mic, speaker) = files(&mic_a, &heard_a);
    let call = home.start(&["call", "bob", "--json", "--for", "3s", "--mic", &mic, "--speaker", &speaker]);
    let (code, lines) = call.end();
    assert_eq!(code, Some(0), "{lines:#?}");
    let (code, lines) = answer.end();
    assert_eq!(code, Some(0), "{lines:#?}");
    let (to_b, to_a) = (sound::likeness(&a, &heard_b), sound::likeness(&b, &heard_a));
    assert!(to_b > LIKE && to_a > LIKE, "{to_b} {to_a}");
    let wrong = sound::likeness(&a, &heard_a);
    assert!(wrong < LIKE, "A hears itself: {wrong}");
}

#[test]
fn a_second_caller_finds_the_line_busy_and_a_wrong_name_fails() {
    let home = Home::new("busy");
    let quiet = ["--json", "--mic", "silence", "--speaker", "null"];
    let mut answer = home.start(&[&["answer", "--user", "bob"], &quiet[..]].concat());
    answer.until_registered("bob");
    let mut first = home.start(&[&["call", "bob"], &quiet[..]].concat());
    first.until_status("CallStatusEvent", "ESTABLISHED");
    let (code, lines) = home.start(&[&["call", "bob"], &quiet[..]].concat()).end();
    assert_eq!(code, Some(4), "{lines:#?}");
    assert!(lines.iter().any(|line| line["status"] == "BUSY"), "{lines:#?}");
    let (code, lines) = home.start(&[&["call", "nobody"], &quiet[..]].concat()).end();
    assert_eq!(code, Some(5), "{lines:#?}");
    let failed = lines.iter().find(|line| line["status"] == "FAILED").unwrap();
    assert!(failed["info"].as_str().unwrap().contains("404"), "{failed}");
    #[cfg(unix)]
    {
        first.interrupt();
        let (code, lines) = first.end();
        assert_eq!(code, Some(130), "{lines:#?}");
        assert!(lines.iter().any(|line| line["status"] == "FINISH"), "{lines:#?}");
        assert_eq!(answer.end().0, Some(0));
    }
}

#[test]
fn lines_to_read_say_what_happens() {
    let home = Home::new("lines");
    let ended = home.run(&["call", "tone", "--for", "300ms", "--mic", "silence", "--speaker", "null"], b"");
    assert_eq!((ended.code, ended.stderr.as_str()), (Some(0), ""), "{ended:?}");
    for words in ["CallStatusEvent  TRYING", "CallStatusEvent  ESTABLISHED", "CallStatusEvent  FINISH"] {
        assert!(ended.stdout.contains(words), "{}", ended.stdout);
    }
}
