//! Wrong arguments: what is said, and with which exit code.

use crate::run::{Home, text};

#[test]
fn wrong_arguments_are_named_and_exit_with_1() {
    let home = Home::new("usage");
    for (arguments, named) in [
        (&[][..], "Usage"),
        (&["explode"], "explode"),
        (&["call"], "TARGET"),
        (&["call", "echo", "--mice", "tone"], "--mice"),
        (&["call", "echo", "--mic", "loudspeaker"], "loudspeaker"),
        (&["call", "echo", "--mic", "null"], "null"),
        (&["call", "echo", "--mic", "tone:1000000"], "1000000"),
        (&["call", "echo", "--speaker", "tone"], "tone"),
        (&["call", "echo", "--codec", "mp3"], "mp3"),
        (&["call", "echo", "--for", "soon"], "soon"),
        (&["call", "echo", "--transport", "smoke"], "smoke"),
        (&["call", "echo", "--sip-port", "70000"], "70000"),
        (&["call", "echo", "--registrar", "sip:x"], "--aor"),
        (&["call", "echo", "--account", "a.toml", "--aor", "sip:a@b"], "--account"),
        (&["call", "echo", "--aor", "sip:a@b", "--password", "secret"], "--password"),
        (&["call", "echo", "--log", "==", "--aor", "sip:a@b"], "--log"),
        (&["call", "echo", "--hooks", "ftp://backend"], "ftp"),
        (&["play", "tv", "--hooks", "http://user:word@backend"], "authentication"),
        (&["register", "--hooks", "http://backend", "--hooks-auth", "md5", "--hooks-secret-env", "A"], "md5"),
        (&["gateway", "--hooks", "http://backend", "--hooks-auth", "wcs"], "--hooks-secret-env"),
        (
            &[
                "phone",
                "--hooks",
                "http://backend",
                "--hooks-auth",
                "wcs",
                "--hooks-secret-env",
                "SIDETONE_NOT_SET",
            ],
            "SIDETONE_NOT_SET",
        ),
        (&["sip", "parse", "a", "b"], "b"),
        (&["publish"], "STREAM"),
        (&["publish", "tv", "--camera", "webcam"], "webcam"),
        (&["publish", "tv", "--mic", "null"], "null"),
        (&["publish", "tv", "--size", "big"], "big"),
        (&["publish", "tv", "--codec", "AV1"], "AV1"),
        (&["publish", "tv", "--camera", "none", "--mic", "none"], "nothing to publish"),
        (&["publish", "a/b", "--camera", "bars", "--mic", "none"], "a/b"),
        (&["publish", "tv", "--camera", "bars", "--mic", "none", "--fps", "1000"], "--fps"),
        (&["publish", "tv", "--camera", "bars", "--mic", "none", "--size", "9x9"], "--size"),
        (&["publish", "tv", "--camera", "bars", "--mic", "none", "--bitrate", "1"], "--bitrate"),
        (&["publish", "tv", "--token", "a", "--token-env", "B"], "--token-env"),
        (&["play", "tv", "--video", "window"], "window"),
        (&["play", "tv", "--gateway", "localhost"], "localhost"),
        (&["play", "tv", "--speaker", "null", "--token-env", "SIDETONE_NOT_SET"], "SIDETONE_NOT_SET"),
        (&["snapshot", "tv"], "FILE"),
    ] {
        let ended = home.run(arguments, b"");
        assert_eq!((ended.code, ended.stdout.as_str()), (Some(1), ""), "{arguments:?}: {ended:?}");
        assert!(ended.stderr.contains(named), "{arguments:?}: {}", ended.stderr);
    }
}

#[test]
fn help_says_the_exit_codes_and_exits_with_0() {
    let home = Home::new("help");
    for arguments in [
        &["--help"][..],
        &["call", "--help"],
        &["answer", "-h"],
        &["gateway", "--help"],
        &["publish", "--help"],
        &["--version"],
    ] {
        let ended = home.run(arguments, b"");
        assert_eq!((ended.code, ended.stderr.as_str()), (Some(0), ""), "{arguments:?}");
        assert!(ended.stdout.contains("Exit codes") || arguments == ["--version"], "{}", ended.stdout);
    }
}

#[test]
fn an_account_file_is_checked_and_its_fault_named() {
    let home = Home::new("account");
    for (text_of_file, named) in [
        ("aor = 'sip:a@b'\nregistar = 'sip:b'\n", "registar"),
        ("aor = 'sip:a@b'\npassword = 'hunter2'\n", "password-env"),
        ("aor = 'sip:a@b'\npassword-env = 7\n", "password-env"),
        ("aor = 'sip:a@b'\npassword-env = 'SIDETONE_NOT_SET'\n", "SIDETONE_NOT_SET"),
        ("aor = 'sip:a@b'\ntransport = 'sctp'\n", "sctp"),
        ("aor = 'sip:a@b'\nexpires = 'long'\n", "string"),
        ("aor = 7\n", "string"),
        ("name = 'no address'\n", "aor"),
        ("aor = \n", "--account"),
    ] {
        let file = home.write("account.toml", text_of_file);
        let ended = home.run(&["register", "--account", text(&file)], b"");
        assert_eq!((ended.code, ended.stdout.as_str()), (Some(1), ""), "{text_of_file}: {ended:?}");
        assert!(ended.stderr.contains(named), "{text_of_file}: {}", ended.stderr);
        assert!(!ended.stderr.contains("hunter2"), "{}", ended.stderr);
        assert_eq!(ended.stderr.trim_end().lines().count(), 1, "{}", ended.stderr);
    }
    let missing = home.run(&["register", "--account", "missing.toml"], b"");
    assert!(missing.code == Some(1) && missing.stderr.contains("missing.toml"), "{missing:?}");
}

#[test]
fn a_password_that_is_not_in_the_environment_is_named() {
    let home = Home::new("password");
    let ended = home.run(&["register", "--aor", "sip:a@b", "--password-env", "SIDETONE_NOT_SET"], b"");
    assert!(ended.code == Some(1) && ended.stderr.contains("SIDETONE_NOT_SET"), "{ended:?}");
}

#[test]
fn a_file_that_cannot_be_opened_ends_the_run_before_anything_is_sent() {
    let home = Home::new("files");
    for arguments in [["--mic", "file:missing.wav"], ["--speaker", "file:missing/out.wav"]] {
        let ended = home.run(&[&["call", "echo"], &arguments[..]].concat(), b"");
        assert!(ended.code == Some(6) && ended.stderr.contains("missing"), "{ended:?}");
    }
}

#[test]
fn a_link_of_a_gateway_that_does_not_run_is_an_error() {
    let home = Home::new("no-gateway");
    let ended = home.run(&["gateway", "--link"], b"");
    assert!(ended.code == Some(2) && ended.stderr.contains("no gateway"), "{ended:?}");
    let pages = home.run(&["gateway", "--ui", "nowhere"], b"");
    assert!(pages.code == Some(1) && pages.stderr.contains("nowhere"), "{pages:?}");
}
