use crate::AccountId;
use serde::{Deserialize, Serialize};

/// A SIP account, or a session at a Web Call Server, through which that account is used.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "typescript", derive(ts_rs::TS))]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Account {
    pub id: AccountId,
    /// What the user calls it.
    pub name: String,
    /// Address of record, `sip:user@domain`; may be empty where `wcs` is set: then nobody calls us there.
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
    /// PEM text of a private CA that this account trusts besides the system's.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "typescript", ts(optional))]
    pub trusted_ca: Option<String>,
    /// URL path and host of a WebSocket server where the registrar's URI does not say it: `wss://host:port/path`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "typescript", ts(optional))]
    pub websocket_url: Option<String>,
    /// How media is protected.
    #[serde(default)]
    pub media_encryption: MediaEncryption,
    /// Let SDES keys travel over a transport that everybody on the way can read.
    #[serde(default)]
    pub sdes_over_plain: bool,
    /// Gather candidates and check them (RFC 8445).
    #[serde(default)]
    pub ice: bool,
    /// `host:port` of a STUN server.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "typescript", ts(optional))]
    pub stun: Option<String>,
    /// RTP and RTCP on one port (RFC 5761); always with DTLS and ICE.
    #[serde(default)]
    pub rtcp_mux: bool,
    /// How digits are sent.
    #[serde(default)]
    pub dtmf: DtmfMode,
    /// Reliable provisional responses (RFC 3262).
    #[serde(default)]
    pub prack: Prack,
    /// Session timer, seconds (RFC 4028); 0: none is asked for.
    #[serde(default = "default_session_expires")]
    pub session_expires: u32,
    /// Keep flows open and be reachable through them (RFC 5626).
    #[serde(default = "yes")]
    pub outbound: bool,
    /// Ask for message-waiting indications (RFC 3842).
    #[serde(default = "yes")]
    pub mwi: bool,
    /// Number of the mailbox.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "typescript", ts(optional))]
    pub voicemail: Option<String>,
    /// Publish presence (RFC 3903).
    #[serde(default)]
    pub publish_presence: bool,
    /// Answer by itself after so many seconds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "typescript", ts(optional))]
    pub auto_answer: Option<u32>,
    /// Answer by itself where the caller asks for it (RFC 5373, Call-Info).
    #[serde(default)]
    pub auto_answer_by_header: bool,
    /// What becomes of a REFER that the far end sends in a call.
    #[serde(default)]
    pub incoming_transfer: IncomingTransfer,
    /// Where every incoming call is sent (302).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "typescript", ts(optional))]
    pub forward_always: Option<String>,
    /// Where calls go that come while we are in one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "typescript", ts(optional))]
    pub forward_busy: Option<String>,
    /// Where calls go that nobody answers.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "typescript", ts(optional))]
    pub forward_no_answer: Option<String>,
    /// Seconds of ringing before `forward_no_answer`.
    #[serde(default = "default_no_answer")]
    pub no_answer_seconds: u32,
    /// Hide who calls (RFC 3323).
    #[serde(default)]
    pub anonymous: bool,
    /// Headers added to every INVITE of this account.
    #[serde(default)]
    pub headers: Vec<SipHeader>,
    /// A Web Call Server. It speaks SIP for us, with the address, the user name and the registrar of this account.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "typescript", ts(optional))]
    pub wcs: Option<WcsServer>,
}

/// A Web Call Server, and how a session there introduces itself.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "typescript", derive(ts_rs::TS))]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct WcsServer {
    /// `wss://host:port` or `ws://host:port`.
    pub url: String,
    /// Which of the server's apps decides; `defaultApp` where absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "typescript", ts(optional))]
    pub app_key: Option<String>,
    /// For the server's backend: the text of a JSON object. The account's password, where it has no address of its own, is added to
    /// it as `token`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "typescript", ts(optional))]
    pub custom: Option<String>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "typescript", derive(ts_rs::TS))]
#[serde(rename_all = "lowercase")]
pub enum Transport {
    Udp,
    Tcp,
    Tls,
    /// SIP over WebSocket, RFC 7118.
    Ws,
    Wss,
}

/// How media is protected on the way to the next hop.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "typescript", derive(ts_rs::TS))]
#[serde(rename_all = "camelCase")]
pub enum MediaEncryption {
    /// SDES is offered over TLS and WSS besides plain RTP; whatever the far end offers is taken.
    #[default]
    Automatic,
    /// Plain RTP.
    None,
    /// SRTP with keys in the SDP (RFC 4568), or no call.
    Sdes,
    /// SRTP with keys from a DTLS handshake (RFC 5764), or no call.
    Dtls,
}

#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "typescript", derive(ts_rs::TS))]
#[serde(rename_all = "camelCase")]
pub enum DtmfMode {
    /// RFC 4733 where negotiated, else INFO where the far end allows it, else tones.
    #[default]
    Automatic,
    Rfc4733,
    Info,
    InBand,
}

#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "typescript", derive(ts_rs::TS))]
#[serde(rename_all = "camelCase")]
pub enum Prack {
    #[default]
    Supported,
    Required,
    Off,
}

#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "typescript", derive(ts_rs::TS))]
#[serde(rename_all = "camelCase")]
pub enum IncomingTransfer {
    #[default]
    Ask,
    Allow,
    Refuse,
}

/// A header of a SIP message. Names that the user agent writes itself (Via, Contact, CSeq, …) are refused.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "typescript", derive(ts_rs::TS))]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct SipHeader {
    pub name: String,
    pub value: String,
}

impl Account {
    /// An account that registers, with everything else as it is by default.
    pub fn new(id: AccountId, name: impl Into<String>, aor: impl Into<String>) -> Self {
        Self {
            id,
            name: name.into(),
            aor: aor.into(),
            display_name: None,
            user: None,
            registrar: None,
            outbound_proxy: None,
            transport: None,
            register: true,
            expires: default_expires(),
            enabled: true,
            trusted_ca: None,
            websocket_url: None,
            media_encryption: MediaEncryption::default(),
            sdes_over_plain: false,
            ice: false,
            stun: None,
            rtcp_mux: false,
            dtmf: DtmfMode::default(),
            prack: Prack::default(),
            session_expires: default_session_expires(),
            outbound: true,
            mwi: true,
            voicemail: None,
            publish_presence: false,
            auto_answer: None,
            auto_answer_by_header: false,
            incoming_transfer: IncomingTransfer::default(),
            forward_always: None,
            forward_busy: None,
            forward_no_answer: None,
            no_answer_seconds: default_no_answer(),
            anonymous: false,
            headers: Vec::new(),
            wcs: None,
        }
    }
}

fn yes() -> bool {
    true
}

fn default_expires() -> u32 {
    600
}

fn default_session_expires() -> u32 {
    1800
}

fn default_no_answer() -> u32 {
    20
}
