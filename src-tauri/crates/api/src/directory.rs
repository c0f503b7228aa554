//! People: contacts, who of them is there, and the calls with them.

use crate::{AccountId, CallDirection, CallId, CallStatus, ContactId};
use serde::{Deserialize, Serialize};

/// An ended call.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "typescript", derive(ts_rs::TS))]
#[serde(rename_all = "camelCase")]
pub struct HistoryEntry {
    pub call_id: CallId,
    pub account_id: AccountId,
    pub direction: CallDirection,
    /// The far end's URI: call it to call back.
    pub remote: String,
    pub remote_name: String,
    /// How it ended.
    pub status: CallStatus,
    pub info: String,
    /// Milliseconds since 1970.
    #[cfg_attr(feature = "typescript", ts(type = "number"))]
    pub started_at: u64,
    /// Talking time; `null` where it was never established.
    pub seconds: Option<u32>,
    /// It rang here and nobody answered.
    #[serde(default)]
    pub missed: bool,
    /// Path of its recording.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "typescript", ts(optional))]
    pub recording: Option<String>,
}

/// A person or a line.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "typescript", derive(ts_rs::TS))]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Contact {
    /// Empty: a new one.
    pub id: ContactId,
    pub name: String,
    #[serde(default)]
    pub organisation: String,
    /// SIP URIs and telephone numbers, the first is called.
    pub addresses: Vec<ContactAddress>,
    #[serde(default)]
    pub note: String,
    #[serde(default)]
    pub favourite: bool,
    /// Show whether its line is free (dialog-info, RFC 4235) and whether the person is there (RFC 3856).
    #[serde(default)]
    pub watch: bool,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "typescript", derive(ts_rs::TS))]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct ContactAddress {
    /// `sip:…`, `tel:…` or a number.
    pub address: String,
    /// `work`, `home`, `mobile`, or what its owner wrote.
    #[serde(default)]
    pub label: String,
}

/// What is known of a watched contact now.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "typescript", derive(ts_rs::TS))]
#[serde(rename_all = "camelCase")]
pub struct ContactState {
    pub contact_id: ContactId,
    pub line: LineState,
    /// From presence; `null` where nothing is known.
    pub available: Option<bool>,
    /// What the person says of itself, or why nothing is known.
    pub note: String,
}

/// The line of a watched contact. A line that is idle and one that nobody knows of are two facts.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "typescript", derive(ts_rs::TS))]
#[serde(rename_all = "camelCase")]
pub enum LineState {
    #[default]
    Unknown,
    Idle,
    Ringing,
    Busy,
}
