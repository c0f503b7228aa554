use crate::{Account, HookSettings, VideoSettings};
use serde::{Deserialize, Serialize};

/// Everything that is kept over restarts, but for secrets. An unknown key in the file is an error that names it.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "typescript", derive(ts_rs::TS))]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub struct Settings {
    pub audio: AudioSettings,
    pub network: NetworkSettings,
    pub gateway: GatewaySettings,
    pub ui: UiSettings,
    pub calls: CallSettings,
    pub video: VideoSettings,
    pub hooks: HookSettings,
    pub accounts: Vec<Account>,
}

/// Devices are named as `default`, `device:ID`, `file:PATH`, `tone`, `silence` or `null`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "typescript", derive(ts_rs::TS))]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub struct AudioSettings {
    pub microphone: String,
    pub speaker: String,
    /// Where incoming calls ring; empty: on the speaker.
    pub ringer: String,
    /// Devices by preference, best first: the first that is there is used where `default` is chosen. Empty: the system's default.
    pub preferred_microphones: Vec<String>,
    pub preferred_speakers: Vec<String>,
    pub echo_cancellation: bool,
    pub noise_suppression: bool,
    pub gain_control: bool,
    /// Keys of the pad are heard here too.
    pub dtmf_tones: bool,
    /// In order of preference: `opus`, `G722`, `PCMA`, `PCMU`.
    pub codecs: Vec<String>,
}

#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "typescript", derive(ts_rs::TS))]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub struct NetworkSettings {
    /// UDP and TCP port of the phone's own SIP; 0 lets the system choose.
    pub sip_port: u16,
    /// First port for RTP; 0 lets the system choose.
    pub rtp_port: u16,
    /// TLS port of the phone's own SIP; `None`: connections go out only.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "typescript", ts(optional))]
    pub sip_tls_port: Option<u16>,
    /// DNS servers as `address:port`; empty: the system's.
    pub dns: Vec<String>,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "typescript", derive(ts_rs::TS))]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub struct GatewaySettings {
    pub enabled: bool,
    /// Preferred port of the registrar (UDP and TCP); the next free one is taken where it is busy.
    pub sip_port: u16,
    /// Preferred port of the pages and sockets.
    pub http_port: u16,
    /// Streams are published and played over HTTP with the bearer token of `setSecret` alone.
    pub stream_token: bool,
    pub sharing: SharingSettings,
}

/// What others of this network reach: by default nothing.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "typescript", derive(ts_rs::TS))]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub struct SharingSettings {
    /// Guests with an invite reach meetings from this network, by TLS.
    pub on: bool,
    /// Preferred; the next free one is taken where it is busy.
    pub port: u16,
    /// Where the world reaches that port: `meet.example` or `203.0.113.5:8443`; empty: nowhere.
    pub public: String,
    /// PEM files of a certificate and its key; empty: one of an authority of our own, which guests' devices are to trust.
    pub certificate: String,
    pub key: String,
}

impl Default for SharingSettings {
    fn default() -> Self {
        Self { on: false, port: 8443, public: String::new(), certificate: String::new(), key: String::new() }
    }
}

#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "typescript", derive(ts_rs::TS))]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub struct UiSettings {
    pub theme: Theme,
}

#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "typescript", derive(ts_rs::TS))]
#[serde(rename_all = "camelCase")]
pub enum Theme {
    #[default]
    System,
    Light,
    Dark,
}

/// What happens to calls, whatever account they belong to.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "typescript", derive(ts_rs::TS))]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub struct CallSettings {
    /// Incoming calls are refused with 486 and do not ring; they are in the history.
    pub do_not_disturb: bool,
    /// A call that comes during another rings; otherwise it is refused with 486.
    pub call_waiting: bool,
    /// What the held party hears.
    pub hold_music: HoldMusic,
    /// Applied in order to what is dialled; the first that matches decides.
    pub dial_plan: Vec<DialRule>,
    /// Besides 112 and 911: never rewritten, refused, asked about or held up.
    pub emergency_numbers: Vec<String>,
    /// A recording begins with a tone that both parties hear, and repeats it.
    pub recording_tone: bool,
    /// Folder of recordings; empty: `Sidetone` in the user's music or documents.
    pub recordings: String,
    /// Days that history is kept; 0: for ever.
    pub keep_history_days: u32,
}

#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "typescript", derive(ts_rs::TS))]
#[serde(rename_all = "camelCase", rename_all_fields = "camelCase")]
pub enum HoldMusic {
    /// A quiet tune of our own.
    #[default]
    Tune,
    Silence,
    /// A WAV file, played over and over.
    File {
        path: String,
    },
}

/// `{"match":"0(.+)","replace":"+49$1"}`: a regular expression over the whole number, and what it becomes.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "typescript", derive(ts_rs::TS))]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct DialRule {
    #[serde(rename = "match")]
    pub pattern: String,
    pub replace: String,
    /// The account that such numbers are called by; any where absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "typescript", ts(optional))]
    pub account_id: Option<crate::AccountId>,
    /// Calls to it are refused in words instead.
    #[serde(default)]
    pub refuse: bool,
}

impl Default for CallSettings {
    fn default() -> Self {
        Self {
            do_not_disturb: false,
            call_waiting: true,
            hold_music: HoldMusic::Tune,
            dial_plan: Vec::new(),
            emergency_numbers: Vec::new(),
            recording_tone: false,
            recordings: String::new(),
            keep_history_days: 0,
        }
    }
}

impl Default for AudioSettings {
    fn default() -> Self {
        Self {
            microphone: "default".into(),
            speaker: "default".into(),
            ringer: String::new(),
            preferred_microphones: Vec::new(),
            preferred_speakers: Vec::new(),
            echo_cancellation: true,
            noise_suppression: true,
            gain_control: true,
            dtmf_tones: true,
            codecs: ["opus", "G722", "PCMA", "PCMU"].map(String::from).into(),
        }
    }
}

impl Default for GatewaySettings {
    fn default() -> Self {
        Self {
            enabled: true,
            sip_port: 5060,
            http_port: 8088,
            stream_token: false,
            sharing: SharingSettings::default(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::Settings;

    #[test]
    fn an_unknown_key_is_an_error_that_names_it() {
        let error = serde_json::from_str::<Settings>(r#"{"audio":{"mircophone":"default"}}"#).unwrap_err();
        assert!(error.to_string().contains("mircophone"), "{error}");
    }

    #[test]
    fn what_a_client_reads_without_asking_is_always_there() {
        let json = serde_json::to_value(Settings::default()).unwrap();
        for (part, key) in [("network", "dns"), ("calls", "dialPlan"), ("audio", "preferredSpeakers")] {
            assert!(json[part][key].is_array(), "{part}.{key}");
        }
    }

    #[test]
    fn an_empty_file_gives_the_defaults() {
        assert_eq!(serde_json::from_str::<Settings>("{}").unwrap(), Settings::default());
    }
}
