/// The RTP profile of a media line, with what it says about protection.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Profile {
    /// RTP/AVP and RTP/AVPF: protection is optional (RFC 8643).
    Plain,
    /// RTP/SAVP and RTP/SAVPF: keys from `a=crypto`, or from DTLS where `a=fingerprint` is there.
    Secure,
    /// UDP/TLS/RTP/SAVP and UDP/TLS/RTP/SAVPF: keys from DTLS (RFC 5764).
    Dtls,
}

impl Profile {
    /// None for other protocols, such as RTP over TCP.
    pub fn of(protocol: &str) -> Option<Self> {
        let (protocol, dtls) = match protocol.get(..8) {
            Some(head) if head.eq_ignore_ascii_case("UDP/TLS/") => (protocol.get(8..)?, true),
            _ => (protocol, false),
        };
        let is = |name: &str| protocol.eq_ignore_ascii_case(name);
        match dtls {
            false if is("RTP/AVP") || is("RTP/AVPF") => Some(Self::Plain),
            false if is("RTP/SAVP") || is("RTP/SAVPF") => Some(Self::Secure),
            true if is("RTP/SAVP") || is("RTP/SAVPF") => Some(Self::Dtls),
            _ => None,
        }
    }
}
