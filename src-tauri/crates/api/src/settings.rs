use crate::AccountId;
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
    pub accounts: Vec<Account>,
}

/// A SIP account.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "typescript", derive(ts_rs::TS))]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Account {
    pub id: AccountId,
    /// What the user calls it.
    pub name: String,
    /// Address of record, `sip:user@domain`.
    pub aor: String,
    /// The name that others see.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "typescript", ts(optional))]
    pub display_name: Option<String>,
    /// Authentication user name; the user part of `aor` where absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "typescript", ts(optional))]
    pub user: Option<String>,
    /// Registrar URI; the domain of `aor` where absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "typescript", ts(optional))]
    pub registrar: Option<String>,
    /// First hop for everything this account sends.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "typescript", ts(optional))]
    pub outbound_proxy: Option<String>,
    /// Where absent: UDP, and TCP for what does not fit a datagram.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "typescript", ts(optional))]
    pub transport: Option<Transport>,
    /// Register at the registrar, so that calls arrive.
    #[serde(default = "yes")]
    pub register: bool,
    /// Requested registration lifetime, seconds.
    #[serde(default = "default_expires")]
    pub expires: u32,
    /// Connect when the engine starts.
    #[serde(default = "yes")]
    pub enabled: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "typescript", derive(ts_rs::TS))]
#[serde(rename_all = "lowercase")]
pub enum Transport {
    Udp,
    Tcp,
}

/// Devices are named as `default`, `device:ID`, `file:PATH`, `tone`, `silence` or `null`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "typescript", derive(ts_rs::TS))]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub struct AudioSettings {
    pub microphone: String,
    pub speaker: String,
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

impl Default for AudioSettings {
    fn default() -> Self {
        Self {
            microphone: "default".into(),
            speaker: "default".into(),
            codecs: ["opus", "G722", "PCMA", "PCMU"].map(String::from).into(),
        }
    }
}

impl Default for GatewaySettings {
    fn default() -> Self {
        Self { enabled: true, sip_port: 5060, http_port: 8088 }
    }
}

fn yes() -> bool {
    true
}

fn default_expires() -> u32 {
    600
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
    fn an_empty_file_gives_the_defaults() {
        assert_eq!(serde_json::from_str::<Settings>("{}").unwrap(), Settings::default());
    }
}
