use crate::{
    Account, AccountId, AudioSettings, CallId, GatewaySettings, NetworkSettings, Secret, SessionId, Snapshot,
    UiSettings,
};
use serde::{Deserialize, Serialize};

/// What a client asks for: `{"command":"call","callee":"echo"}`. Names are the contract's; it is answered at once and
/// reports through events. An unknown command or key is an error that names it.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[cfg_attr(feature = "typescript", derive(ts_rs::TS))]
#[serde(tag = "command", rename_all = "camelCase", rename_all_fields = "camelCase", deny_unknown_fields)]
pub enum Command {
    /// Open a session for a stored account. The password is used for this run only.
    Connect {
        account_id: AccountId,
        #[serde(default)]
        #[cfg_attr(feature = "typescript", ts(optional))]
        password: Option<Secret>,
    },
    /// Unregister, hang up the session's calls, close it.
    Disconnect {
        session_id: SessionId,
    },
    Register {
        session_id: SessionId,
    },
    Unregister {
        session_id: SessionId,
    },
    /// Place a call. Where no session is named, the first one that can place calls is taken.
    Call {
        /// A SIP URI, `user@host`, or a number or name at the session's domain.
        callee: String,
        #[serde(default)]
        #[cfg_attr(feature = "typescript", ts(optional))]
        session_id: Option<SessionId>,
    },
    Answer {
        call_id: CallId,
    },
    /// Cancel, decline (486) or end.
    Hangup {
        call_id: CallId,
    },
    /// `dtmf`: digits of `0-9 * # A-D`.
    SendDtmf {
        call_id: CallId,
        dtmf: String,
    },
    MuteAudio {
        call_id: CallId,
        muted: bool,
    },
    /// Choose devices, in calls too; an absent one stays.
    SelectDevices {
        #[serde(default)]
        #[cfg_attr(feature = "typescript", ts(optional))]
        microphone: Option<String>,
        #[serde(default)]
        #[cfg_attr(feature = "typescript", ts(optional))]
        speaker: Option<String>,
    },
    /// Measure the microphone outside a call; `MicrophoneLevel` events follow until it is switched off.
    TestMicrophone {
        on: bool,
    },
    /// Play a short test tone on the speaker.
    TestSpeaker,
    /// Create or replace an account and connect it where it is enabled.
    SaveAccount {
        account: Account,
        #[serde(default)]
        #[cfg_attr(feature = "typescript", ts(optional))]
        password: Option<Secret>,
        /// Put the password into the platform's key store; otherwise it lives in memory.
        #[serde(default)]
        remember: bool,
    },
    RemoveAccount {
        account_id: AccountId,
    },
    /// Replace the named parts of the settings.
    ChangeSettings {
        #[serde(default)]
        #[cfg_attr(feature = "typescript", ts(optional))]
        audio: Option<AudioSettings>,
        #[serde(default)]
        #[cfg_attr(feature = "typescript", ts(optional))]
        network: Option<NetworkSettings>,
        #[serde(default)]
        #[cfg_attr(feature = "typescript", ts(optional))]
        gateway: Option<GatewaySettings>,
        #[serde(default)]
        #[cfg_attr(feature = "typescript", ts(optional))]
        ui: Option<UiSettings>,
    },
    ClearHistory,
    /// The whole state, and the number of the last event that it contains.
    GetSnapshot,
}

/// The answer to a command.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[cfg_attr(feature = "typescript", derive(ts_rs::TS))]
#[serde(tag = "reply", rename_all = "camelCase", rename_all_fields = "camelCase")]
pub enum Reply {
    Done,
    Session { session_id: SessionId },
    Call { call_id: CallId },
    Account { account_id: AccountId },
    Snapshot { snapshot: Snapshot },
}

#[cfg(test)]
mod tests {
    use super::Command;
    use serde_json::from_str;

    #[test]
    fn a_call_is_one_line_of_json() {
        let command: Command = from_str(r#"{"command":"call","callee":"echo"}"#).unwrap();
        assert_eq!(command, Command::Call { callee: "echo".into(), session_id: None });
        assert_eq!(from_str::<Command>(r#"{"command":"testSpeaker"}"#).unwrap(), Command::TestSpeaker);
    }

    #[test]
    fn an_unknown_command_or_key_is_named() {
        let error = from_str::<Command>(r#"{"command":"cal","callee":"echo"}"#).unwrap_err().to_string();
        assert!(error.contains("cal"), "{error}");
        let error = from_str::<Command>(r#"{"command":"call","calee":"echo"}"#).unwrap_err().to_string();
        assert!(error.contains("calee"), "{error}");
    }

    #[test]
    fn a_missing_key_is_named() {
        let error = from_str::<Command>(r#"{"command":"answer"}"#).unwrap_err().to_string();
        assert!(error.contains("callId"), "{error}");
    }
}
