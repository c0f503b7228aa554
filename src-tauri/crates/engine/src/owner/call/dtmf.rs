//! Keys: as telephone events (RFC 4733), by INFO (RFC 6086 with the bodies that everybody uses), or as tones in the sound.

use super::{
    super::{Owner, hooks, media_control},
    wrong_state,
};
use crate::{
    hooks::{Fields, Hook},
    io::media::Ask,
};
use sidetone_api::{CallId, DtmfMode, Event, Failure, NoticeLevel, Reply};
use std::time::Instant;

/// Digits of one command.
const LONGEST_DTMF: usize = 64;
/// Digits that are shown.
const SHOWN_DTMF: usize = 256;
const RELAY: &str = "application/dtmf-relay";
const PLAIN: &str = "application/dtmf";
/// What an INFO says of a key's length, milliseconds.
const LENGTH: u16 = 160;

/// How the digits of a call go out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Way {
    Events,
    /// By the Web Call Server, which calls the kind so.
    Server(&'static str),
    Info,
    Tones,
}

impl Way {
    /// As the Web Call Server names it.
    fn name(self) -> &'static str {
        match self {
            Self::Events => "RFC2833",
            Self::Server(kind) => kind,
            Self::Info => "INFO_RELAY",
            Self::Tones => "INBAND",
        }
    }
}

impl Owner {
    pub(in super::super) fn send_dtmf(&mut self, id: &CallId, dtmf: &str) -> Result<Reply, Failure> {
        let mode = self.dtmf_mode(id);
        keys(dtmf)?;
        let way = self.way_of_dtmf(id, mode)?.0.name();
        self.gate_dtmf(id, dtmf, way, move |owner, call, digits| owner.send_dtmf_by(call, digits, mode))
    }

    /// Once the backend lets it; it may say other keys.
    pub(in super::super) fn gate_dtmf(
        &mut self,
        id: &CallId,
        dtmf: &str,
        way: &str,
        send: impl FnOnce(&mut Self, &CallId, &str) -> Result<Reply, Failure> + 'static,
    ) -> Result<Reply, Failure> {
        let digits = keys(dtmf)?;
        let more =
            Fields::from_iter([("dtmf".to_owned(), digits.clone().into()), ("type".to_owned(), way.into())]);
        let call = id.clone();
        self.gate_call(Hook::SendDtmf, id, more, move |owner, fields| {
            let digits = hooks::changed(&fields, "dtmf").map_or(Ok(digits), keys)?;
            send(owner, &call, &digits)
        })
    }

    fn dtmf_mode(&self, id: &CallId) -> DtmfMode {
        let session = self.calls.get(id).and_then(|call| self.sessions.get(&call.session_id));
        session.map(|session| session.account.dtmf).unwrap_or_default()
    }

    /// Each key by an INFO that has it alone as its body.
    pub(in super::super) fn send_plain_info(&mut self, id: &CallId, dtmf: &str) -> Result<Reply, Failure> {
        let digits = keys(dtmf)?;
        let call = self.calls.get_mut(id).ok_or_else(|| Failure::not_found("call", id.as_str()))?;
        let (Some(sip), true) = (call.sip, call.is_established()) else {
            return Err(wrong_state("digits go by INFO once the call is answered"));
        };
        for digit in digits.chars() {
            call.infos.push_back(false);
            self.phone.ua.info(Instant::now(), sip, PLAIN, digit.to_string().into_bytes());
        }
        Ok(Reply::Done)
    }

    pub(in super::super) fn send_dtmf_by(
        &mut self,
        id: &CallId,
        dtmf: &str,
        mode: DtmfMode,
    ) -> Result<Reply, Failure> {
        let digits = keys(dtmf)?;
        let (way, leg) = self.way_of_dtmf(id, mode)?;
        match way {
            Way::Server(kind) => self.send_dtmf_at_server(id, kind, &digits),
            Way::Events => self.media.ask(Ask::SendDtmf { leg, digits: digits.clone() }),
            Way::Tones => self.media.ask(Ask::SendTones { leg, digits: digits.clone() }),
            Way::Info => {
                let sip = self.calls.get(id).and_then(|call| call.sip);
                for (content_type, body) in digits.chars().map(write_info) {
                    if let Some(call) = self.calls.get_mut(id) {
                        call.infos.push_back(false);
                    }
                    if let Some(sip) = sip {
                        self.phone.ua.info(Instant::now(), sip, content_type, body);
                    }
                }
            }
        }
        let is_ours = self.calls.get(id).is_some_and(super::Call::is_ours);
        if is_ours && self.settings.get().audio.dtmf_tones {
            self.media.ask(Ask::PadTones { digits: digits.clone() });
        }
        if let Some(call) = self.calls.get_mut(id) {
            call.dtmf.push_str(&digits);
            let excess = call.dtmf.len().saturating_sub(SHOWN_DTMF);
            call.dtmf.drain(..excess);
        }
        self.publish_call(id);
        Ok(Reply::Done)
    }

    fn way_of_dtmf(&self, id: &CallId, mode: DtmfMode) -> Result<(Way, crate::io::media::LegId), Failure> {
        let call = self.calls.get(id).ok_or_else(|| Failure::not_found("call", id.as_str()))?;
        let leg = call.leg.as_ref().filter(|_| call.audible && !call.hung_up);
        let Some((leg, negotiated)) = leg.and_then(|leg| Some((leg, leg.negotiated()?))) else {
            return Err(wrong_state("this call has no media yet"));
        };
        if let Some(kind) = self.kind_of_server_dtmf(id, mode) {
            if !call.is_established() {
                return Err(wrong_state("digits go by the server once the call is answered"));
            }
            return Ok((Way::Server(kind), leg.id));
        }
        let takes_info = || call.sip.is_some_and(|sip| self.phone.ua.takes_info(sip));
        let way = match mode {
            DtmfMode::Automatic if negotiated.dtmf.is_some() => Way::Events,
            DtmfMode::Automatic if takes_info() => Way::Info,
            DtmfMode::Automatic | DtmfMode::InBand => Way::Tones,
            DtmfMode::Info => Way::Info,
            DtmfMode::Rfc4733 if negotiated.dtmf.is_some() => Way::Events,
            DtmfMode::Rfc4733 => {
                return Err(wrong_state("the far end takes no telephone events (RFC 4733)"));
            }
        };
        if way == Way::Info && !call.is_established() {
            return Err(wrong_state("digits go by INFO once the call is answered"));
        }
        if way != Way::Info && !negotiated.direction.sends() {
            return Err(wrong_state("the far end holds this call and takes no digits"));
        }
        if way == Way::Tones && !call.is_active() && call.is_established() {
            return Err(wrong_state("this call is held here, and tones go where the voice goes"));
        }
        Ok((way, leg.id))
    }

    pub(super) fn on_info(&mut self, id: &CallId, content_type: &str, body: &[u8]) {
        if media_control::asks_for_key_frame(content_type, body) {
            let leg = self.calls.get(id).and_then(|call| call.leg.as_ref()).map(|leg| leg.id);
            return leg.into_iter().for_each(|leg| self.media.ask(Ask::KeyFrame { leg }));
        }
        if let Some(digit) = read_info(content_type, body) {
            self.publish(Event::DtmfReceived { call_id: id.clone(), digit: digit.into() });
        }
    }

    pub(super) fn on_info_answered(&mut self, id: &CallId, status: u16, reason: &str) {
        let is_ours = self.calls.get_mut(id).is_some_and(super::Call::take_video_info);
        if status >= 300 && !is_ours {
            let info = format!("the far end did not take the digit: {status} {reason}");
            self.notice(NoticeLevel::Warning, &info, Some(id));
        }
    }
}

/// # Errors
/// Some of it are no keys, or there are too many.
fn keys(dtmf: &str) -> Result<String, Failure> {
    let digits = dtmf.to_ascii_uppercase();
    if digits.is_empty() || digits.len() > LONGEST_DTMF || !digits.chars().all(is_key) {
        return Err(Failure::invalid("dtmf", format!("1 to {LONGEST_DTMF} of 0-9 * # A-D are sent")));
    }
    Ok(digits)
}

fn is_key(digit: char) -> bool {
    matches!(digit, '0'..='9' | '*' | '#' | 'A'..='D')
}

/// The key of an INFO: `Signal=5` among lines of `name=value`, or the key alone.
pub(in super::super) fn read_info(content_type: &str, body: &[u8]) -> Option<char> {
    let text = std::str::from_utf8(body).ok()?;
    let value = match content_type {
        RELAY => text.lines().find_map(|line| {
            let (name, value) = line.split_once('=')?;
            name.trim().eq_ignore_ascii_case("signal").then_some(value)
        })?,
        PLAIN => text,
        _ => return None,
    };
    let value = value.trim();
    let digit = match (value, value.chars().next()?.to_ascii_uppercase()) {
        // Some number the keys as RFC 4733 does.
        ("10", _) => '*',
        ("11", _) => '#',
        (_, digit) if value.len() == 1 => digit,
        _ => return None,
    };
    is_key(digit).then_some(digit)
}

/// The INFO that says the same as a key.
pub(in super::super) fn write_info(digit: char) -> (&'static str, Vec<u8>) {
    (RELAY, format!("Signal={digit}\r\nDuration={LENGTH}\r\n").into_bytes())
}

#[cfg(test)]
mod tests {
    use super::{PLAIN, RELAY, read_info};

    #[test]
    fn keys_are_read_as_the_field_writes_them() {
        for (kind, body, digit) in [
            (RELAY, "Signal=5\r\nDuration=160\r\n", Some('5')),
            (RELAY, "Duration=160\nsignal = # \n", Some('#')),
            (RELAY, "Signal=10\r\n", Some('*')),
            (RELAY, "Signal=a", Some('A')),
            (PLAIN, "7\r\n", Some('7')),
            (PLAIN, "12", None),
            (RELAY, "Signal=", None),
            (RELAY, "Signal=x", None),
            (RELAY, "Signal=\u{661}", None),
            ("text/plain", "5", None),
        ] {
            assert_eq!(read_info(kind, body.as_bytes()), digit, "{body:?}");
        }
        assert_eq!(read_info(PLAIN, b"\xff"), None);
    }
}
