//! Replaces: one call takes the place of another (RFC 3891), out and in.

use std::fmt;

use crate::dialog::DialogId;
use crate::message::lex::{self, Cursor};
use crate::message::{HeaderName, Params, Request, Uri};

use super::UserAgent;
use super::call::State;
use super::event::CallId;

/// Bytes of a Call-ID or a tag that are taken from a peer.
const MAX_PART: usize = 512;

/// A dialog as the value of Replaces names it: the tags are those that the receiver of the header knows, `to_tag` its own and
/// `from_tag` that of its peer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DialogName {
    pub call_id: String,
    pub to_tag: String,
    pub from_tag: String,
    /// only while it has not been answered
    pub early_only: bool,
}

impl DialogName {
    /// Reads the value of a Replaces header. `None` if it is not `callid;to-tag=…;from-tag=…` or too long to be true.
    pub fn parse(text: &str) -> Option<Self> {
        let mut cursor = Cursor::new("Replaces value", text);
        cursor.skip_lws();
        let call_id = cursor.take_while(|byte| lex::is_word_char(byte) || byte == b'@').to_owned();
        let params = Params::parse_header(&mut cursor).ok()?;
        cursor.skip_lws();
        let part = |name: &str| params.get(name).filter(|tag| (1..=MAX_PART).contains(&tag.len()));
        let (to_tag, from_tag) = (part("to-tag")?.to_owned(), part("from-tag")?.to_owned());
        let is_sound = cursor.at_end() && (1..=MAX_PART).contains(&call_id.len());
        is_sound.then_some(Self { call_id, to_tag, from_tag, early_only: params.has("early-only") })
    }

    /// Writes it into the URI of a Refer-To (RFC 3891 section 6), where a percent sign of its own must not start an escape.
    pub(super) fn put_into(&self, uri: &mut Uri) {
        uri.headers.push(("Replaces".to_owned(), self.to_string().replace('%', "%25")));
    }

    /// What the URI of a Refer-To names: `Err` if that cannot be read.
    pub(super) fn of_uri(uri: &Uri) -> Result<Option<Self>, ()> {
        let mut named = uri.headers.iter().filter(|(name, _)| name.eq_ignore_ascii_case("Replaces"));
        match (named.next(), named.next()) {
            (None, _) => Ok(None),
            (Some((_, value)), None) => Self::parse(&lex::unescape(value)).map(Some).ok_or(()),
            (Some(_), Some(_)) => Err(()),
        }
    }

    fn local(&self) -> DialogId {
        let no_tag = |tag: &str| if tag == "0" { String::new() } else { tag.to_owned() };
        DialogId {
            call_id: self.call_id.clone(),
            local_tag: self.to_tag.clone(),
            remote_tag: no_tag(&self.from_tag),
        }
    }
}

impl fmt::Display for DialogName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut params = Params::new();
        params.set("to-tag", self.to_tag.as_str());
        params.set("from-tag", self.from_tag.as_str());
        if self.early_only {
            params.set_flag("early-only");
        }
        f.write_str(&self.call_id)?;
        params.write_header(f)
    }
}

impl UserAgent {
    /// The name by which the peer of an answered call knows its dialog with us: to be given to whoever shall take our place.
    pub fn dialog_name(&self, call: CallId) -> Option<DialogName> {
        let State::Up(up) = &self.calls.get(&call).filter(|call| !call.ended)?.state else { return None };
        let id = &up.dialog.id;
        let to_tag = if id.remote_tag.is_empty() { "0".to_owned() } else { id.remote_tag.clone() };
        Some(DialogName {
            call_id: id.call_id.clone(),
            to_tag,
            from_tag: id.local_tag.clone(),
            early_only: false,
        })
    }

    /// The Contact of the peer of an answered call: where its requests, and a transfer to it, end up.
    pub fn remote_target(&self, call: CallId) -> Option<Uri> {
        match &self.calls.get(&call)?.state {
            State::Up(up) => Some(up.dialog.remote_target.clone()),
            _ => None,
        }
    }

    /// The call that an INVITE wants to replace, or the status to refuse it with (RFC 3891 section 3).
    pub(super) fn replaced_by(&self, invite: &Request) -> Result<Option<CallId>, u16> {
        let mut values = invite.headers.get_all(&HeaderName::REPLACES);
        let Some(value) = values.next() else { return Ok(None) };
        if values.next().is_some() || invite.headers.has(&HeaderName::JOIN) {
            return Err(400);
        }
        let name = DialogName::parse(value).ok_or(400u16)?;
        let wanted = name.local();
        let id = self.dialogs.get(&(wanted.call_id.clone(), wanted.local_tag.clone())).ok_or(481u16)?;
        let call = self.calls.get(id).ok_or(481u16)?;
        match &call.state {
            State::Up(up) if up.dialog.id != wanted => Err(481),
            State::Up(_) if call.ended => Err(603),
            State::Up(_) if name.early_only => Err(486),
            State::Up(_) => Ok(Some(*id)),
            State::Calling(calling)
                if !call.ended && calling.early.iter().any(|early| early.dialog.id == wanted) =>
            {
                Ok(Some(*id))
            }
            State::Over => Err(603),
            // a call that rings here was not begun by us: it is no one's to replace
            State::Calling(_) | State::Offered(_) => Err(481),
        }
    }
}
