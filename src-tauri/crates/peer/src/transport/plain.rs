//! The one description that the core gets to read: always the same section, with the far end's keys and candidates.

use std::fmt::Write as _;

use crate::sdp::{Candidate, RemoteTransport, Setup};

/// `setup` as the far end states it.
pub(super) fn description(remote: &RemoteTransport, setup: Setup, version: u64, candidates: bool) -> String {
    let setup = match setup {
        Setup::Actpass => "actpass",
        Setup::Active => "active",
        Setup::Passive => "passive",
    };
    let mut text = format!("v=0\r\no=- 1 {version} IN IP4 127.0.0.1\r\ns=-\r\nt=0 0\r\na=group:BUNDLE 0\r\n");
    if remote.lite {
        text.push_str("a=ice-lite\r\n");
    }
    text.push_str(
        "m=audio 9 UDP/TLS/RTP/SAVPF 0\r\nc=IN IP4 0.0.0.0\r\na=mid:0\r\na=sendonly\r\na=rtcp-mux\r\n",
    );
    text.push_str("a=rtpmap:0 PCMU/8000\r\n");
    // Writing to a string cannot fail.
    let _ = write!(text, "a=ice-ufrag:{}\r\na=ice-pwd:{}\r\n", remote.ufrag, remote.pwd);
    let _ = write!(text, "a=fingerprint:sha-256 {}\r\na=setup:{setup}\r\n", remote.fingerprint);
    if candidates {
        for candidate in &remote.candidates {
            let _ = write!(text, "a={candidate}\r\n");
        }
    }
    text
}

/// What the core says of itself.
pub(super) struct Said {
    pub(super) ufrag: String,
    pub(super) pwd: String,
    pub(super) setup: Setup,
}

pub(super) fn read(text: &str) -> Option<Said> {
    let value = |name: &str| text.lines().find_map(|line| line.strip_prefix(name));
    Some(Said {
        ufrag: value("a=ice-ufrag:")?.to_owned(),
        pwd: value("a=ice-pwd:")?.to_owned(),
        setup: match value("a=setup:")? {
            "active" => Setup::Active,
            "passive" => Setup::Passive,
            _ => Setup::Actpass,
        },
    })
}

/// A candidate of ours in the form that the core reads; the core takes no IPv6 scopes.
pub(super) fn candidate(candidate: &Candidate) -> String {
    let text = candidate.to_string();
    // A relay candidate without a related address is refused.
    match candidate.base {
        None if text.ends_with("relay") || text.ends_with("flx") => format!("{text} raddr 0.0.0.0 rport 0"),
        _ => text,
    }
}
