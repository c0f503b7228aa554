//! What is kept over restarts.

use crate::kit::{LOOPBACK, Phone, account, kept_in, quiet, write_settings as write};
use sidetone_api::{
    AccountId, AudioSettings, Command, FailureCode, Secret, Settings, SettingsChange, Theme, UiSettings,
};
use sidetone_engine::Engine;
use std::{fs, net::SocketAddr};

#[tokio::test]
async fn accounts_and_choices_come_back_after_a_restart_and_passwords_are_in_no_file() {
    let dir = tempfile::tempdir().unwrap();
    let file = write(dir.path(), "");
    let phone = Phone::with(kept_in(dir.path())).await;
    let mut alice = account("alice", SocketAddr::new(LOOPBACK, 9));
    alice.enabled = false;
    let password = Some(Secret::new("a password nobody guesses"));
    phone.done(Command::SaveAccount { account: alice.clone(), password, remember: true }).await;
    let ui = Some(UiSettings { theme: Theme::Dark });
    phone.done(Command::ChangeSettings(SettingsChange { ui, ..SettingsChange::default() })).await;
    phone.finish().await;
    let text = fs::read_to_string(&file).unwrap();
    assert!(text.contains("alice") && !text.contains("nobody guesses"), "{text}");
    let phone = Phone::with(kept_in(dir.path())).await;
    let settings = &phone.state().settings;
    assert_eq!((settings.accounts.as_slice(), settings.ui.theme), ([alice].as_slice(), Theme::Dark));
    phone.done(Command::RemoveAccount { account_id: AccountId::new("alice") }).await;
    phone.finish().await;
    assert!(!fs::read_to_string(&file).unwrap().contains("alice"));
}

#[tokio::test]
async fn a_file_with_an_unknown_key_or_a_senseless_value_is_an_error_and_stays_as_it_is() {
    let dir = tempfile::tempdir().unwrap();
    for (more, named) in [
        ("colour = \"red\"", "colour"),
        ("ui = { theme = \"pink\" }", "pink"),
        ("[[accounts]]\nid = \"a\"\nname = \"a\"\naor = \"sip:a@b\"\nsecret = \"x\"", "secret"),
    ] {
        let file = write(dir.path(), more);
        let before = fs::read(&file).unwrap();
        let failure = Engine::start(kept_in(dir.path())).await.unwrap_err();
        assert_eq!(failure.code, FailureCode::Storage);
        assert!(failure.message.contains(named) && failure.message.contains("settings.toml"), "{failure}");
        assert_eq!(fs::read(&file).unwrap(), before);
    }
    let file = write(dir.path(), "");
    fs::write(&file, "[audio]\nspeaker = \"louder\"\n").unwrap();
    let failure = Engine::start(kept_in(dir.path())).await.unwrap_err();
    assert!(failure.message.contains("audio.speaker"), "{failure}");
}

#[tokio::test]
async fn a_stored_account_that_makes_no_sense_is_told_and_the_others_are_connected() {
    let dir = tempfile::tempdir().unwrap();
    let account = |id: &str, aor: &str| {
        format!("[[accounts]]\nid = \"{id}\"\nname = \"{id}\"\naor = \"{aor}\"\nregister = false\n")
    };
    write(dir.path(), &(account("bad", "sip:nobody:here") + &account("good", "sip:a@127.0.0.1:9")));
    let mut phone = Phone::with(kept_in(dir.path())).await;
    phone.notice("\"bad\"").await;
    let sessions: Vec<_> = phone.state().sessions.iter().map(|session| session.name.clone()).collect();
    assert_eq!(sessions, ["good"]);
    phone.finish().await;
}

#[tokio::test]
async fn settings_that_cannot_be_written_do_not_change() {
    let dir = tempfile::tempdir().unwrap();
    write(dir.path(), "");
    let phone = Phone::with(kept_in(dir.path())).await;
    // A folder where the new file would be.
    fs::create_dir(dir.path().join("config").join("settings.toml.new")).unwrap();
    let ui = Some(UiSettings { theme: Theme::Dark });
    let change = Command::ChangeSettings(SettingsChange { ui, ..SettingsChange::default() });
    assert_eq!(phone.ask(change).await.unwrap_err().code, FailureCode::Storage);
    assert_eq!(phone.state().settings.ui.theme, Theme::System);
    phone.finish().await;
}

#[tokio::test]
async fn what_is_wrong_in_new_settings_is_named() {
    let mut phone = Phone::start(quiet()).await;
    let silent = quiet().audio;
    for (field, audio) in [
        ("audio.codecs", AudioSettings { codecs: Vec::new(), ..silent.clone() }),
        ("audio.codecs", AudioSettings { codecs: vec!["G729".into()], ..silent.clone() }),
        ("audio.codecs", AudioSettings { codecs: vec!["PCMU".into(), "pcmu".into()], ..silent.clone() }),
        ("audio.microphone", AudioSettings { microphone: "x".into(), ..silent.clone() }),
        ("audio.speaker", AudioSettings { speaker: "x".into(), ..silent }),
    ] {
        let change =
            Command::ChangeSettings(SettingsChange { audio: Some(audio), ..SettingsChange::default() });
        let failure = phone.ask(change).await.unwrap_err();
        assert_eq!((failure.code, failure.field.as_deref()), (FailureCode::Invalid, Some(field)));
    }
    let gateway = Some(Settings::default().gateway);
    phone.done(Command::ChangeSettings(SettingsChange { gateway, ..SettingsChange::default() })).await;
    phone.notice("started again").await;
    phone.finish().await;
}
