use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// The integrator's backend: what it is asked, what it is told, and what counts where it says nothing.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "typescript", derive(ts_rs::TS))]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub struct HookSettings {
    /// `https://backend.example/sidetone`: each hook is a POST to this with `/` and its name behind it. Empty: there are none.
    pub url: String,
    /// What the backend knows this application by.
    pub app_key: String,
    pub authentication: HookAuthentication,
    /// Of HTTP Basic; `setSecret` gives the password, or the key of a signature.
    pub user: String,
    /// Whether the key store holds the password or key. Set by the engine alone.
    pub secret_kept: bool,
    /// How long an invocation waits for the backend, milliseconds, 100 to 15000.
    pub timeout_ms: u32,
    /// The hooks that are called; empty: all but the extras, which are called where they are named alone.
    pub methods: Vec<String>,
    /// Between two `StreamKeepAliveEvent`s of a stream, seconds, up to 3600; 0: none.
    pub keep_alive_seconds: u32,
    /// A further authority that the backend's certificate may come from, as PEM text.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "typescript", ts(optional))]
    pub trusted_ca: Option<String>,
    /// What counts until `connect` was answered, and where its answer says nothing, by the hook's name.
    pub policies: BTreeMap<String, HookPolicy>,
}

impl Default for HookSettings {
    fn default() -> Self {
        Self {
            url: String::new(),
            app_key: "defaultApp".into(),
            authentication: HookAuthentication::None,
            user: String::new(),
            secret_kept: false,
            timeout_ms: 2_000,
            methods: Vec::new(),
            policies: BTreeMap::new(),
            keep_alive_seconds: 30,
            trusted_ca: None,
        }
    }
}

/// How the backend knows that it is us.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "typescript", derive(ts_rs::TS))]
#[serde(rename_all = "camelCase")]
pub enum HookAuthentication {
    #[default]
    None,
    /// HTTP Basic (RFC 7617).
    Basic,
    /// `Authorization: WCS`, and HMAC-MD5 of the body in hexadecimal.
    Wcs,
    /// HMAC-SHA256 over time, hook, key and body: see the guide to hooks.
    Sha256,
}

/// One entry of `restClientConfig`.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "typescript", derive(ts_rs::TS))]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub struct HookPolicy {
    pub rest_on_error: RestOnError,
    pub rest_policy: RestPolicy,
    /// Fields that the answer may change, separated by commas.
    pub rest_overwrite: String,
    /// Fields that the backend does not get.
    pub rest_exclude: String,
    /// Fields whose change the client does not see.
    pub client_exclude: String,
}

/// What another status than 200, or no answer, does.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "typescript", derive(ts_rs::TS))]
#[serde(rename_all = "UPPERCASE")]
pub enum RestOnError {
    /// It goes on.
    #[default]
    Log,
    /// It is refused.
    Fail,
}

#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "typescript", derive(ts_rs::TS))]
#[serde(rename_all = "UPPERCASE")]
pub enum RestPolicy {
    /// Called; the fields of the answer do not count.
    #[default]
    Notify,
    /// The answer's fields that `restOverwrite` lists count.
    Overwrite,
    /// Not called.
    #[serde(alias = "DISABLED")]
    Disable,
}

/// How the backend and what waits for it are.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "typescript", derive(ts_rs::TS))]
#[serde(rename_all = "camelCase")]
pub struct HooksView {
    /// Events that have still to be delivered.
    pub waiting: u32,
    /// Events that the backend refused, or that became too old; `sendHookAgain` tries them once more.
    pub failed: u32,
    /// When the oldest that waits happened, milliseconds since 1970.
    #[cfg_attr(feature = "typescript", ts(type = "number | null"))]
    pub oldest: Option<u64>,
    /// What is wrong, in words; `null` while all is well.
    pub problem: Option<String>,
}

/// An event that waits for the backend, or that it did not take.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "typescript", derive(ts_rs::TS))]
#[serde(rename_all = "camelCase")]
pub struct HookEventView {
    /// Its idempotency key: the same at every attempt.
    pub id: String,
    pub hook: String,
    /// The session, call, stream or message that it is about.
    pub object: String,
    /// Milliseconds since 1970.
    #[cfg_attr(feature = "typescript", ts(type = "number"))]
    pub at: u64,
    pub attempts: u32,
    pub failed: bool,
    /// What the last attempt came to; empty before the first.
    pub info: String,
}

/// What was sent to the backend, and what came back.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "typescript", derive(ts_rs::TS))]
#[serde(rename_all = "camelCase")]
pub struct HookExchange {
    pub url: String,
    /// `Name: value`, with secrets left out.
    pub request_headers: Vec<String>,
    pub request_body: String,
    /// `null` where there was no answer.
    pub status: Option<u16>,
    pub answer_headers: Vec<String>,
    /// At most 4096 bytes of it.
    pub answer_body: String,
    /// What it comes to, in words.
    pub info: String,
    pub millis: u32,
}

#[cfg(test)]
mod tests {
    use super::{HookPolicy, HookSettings, RestOnError, RestPolicy};
    use serde_json::from_str;

    #[test]
    fn policies_are_written_as_in_rest_client_config() {
        let text = r#"{"restOnError":"FAIL","restPolicy":"OVERWRITE","restOverwrite":"name"}"#;
        let policy: HookPolicy = from_str(text).unwrap();
        assert_eq!((policy.rest_on_error, policy.rest_policy), (RestOnError::Fail, RestPolicy::Overwrite));
        let old: HookPolicy = from_str(r#"{"restPolicy":"DISABLED"}"#).unwrap();
        assert_eq!(old.rest_policy, RestPolicy::Disable);
    }

    #[test]
    fn an_unknown_key_is_named() {
        let error = from_str::<HookSettings>(r#"{"urll":"http://x"}"#).unwrap_err().to_string();
        assert!(error.contains("urll"), "{error}");
    }
}
