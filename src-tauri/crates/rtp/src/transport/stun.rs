//! Binding requests and answers as ICE uses them (RFC 8489, RFC 8445 section 7).

use std::net::SocketAddr;

use rtc_stun::attributes::{
    ATTR_ERROR_CODE, ATTR_FINGERPRINT, ATTR_ICE_CONTROLLED, ATTR_ICE_CONTROLLING, ATTR_MESSAGE_INTEGRITY,
    ATTR_PRIORITY, ATTR_UNKNOWN_ATTRIBUTES, ATTR_USE_CANDIDATE, ATTR_USERNAME, ATTR_XORMAPPED_ADDRESS,
    AttrType,
};
use rtc_stun::fingerprint::FINGERPRINT;
use rtc_stun::integrity::MessageIntegrity;
use rtc_stun::message::{
    BINDING_ERROR, BINDING_REQUEST, BINDING_SUCCESS, CLASS_ERROR_RESPONSE, CLASS_REQUEST,
    CLASS_SUCCESS_RESPONSE, Getter as _, METHOD_BINDING, Message, MessageType, Setter as _, TransactionId,
};
use rtc_stun::xoraddr::XorMappedAddress;

use super::provider;

pub(super) type Id = [u8; 12];

/// Longer messages are no binding requests of anybody.
const LONGEST: usize = 1300;

/// Who chooses the pair, with the number that decides where both want to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Role {
    pub(super) controlling: bool,
    pub(super) tie_breaker: u64,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Class {
    Request,
    Success,
    Error(u16),
}

pub(super) struct Binding {
    pub(super) class: Class,
    pub(super) id: Id,
    message: Message,
}

impl Binding {
    /// None for everything that is not one whole binding message with the right checksum, if it has one.
    pub(super) fn parse(datagram: &[u8]) -> Option<Self> {
        let length =
            datagram.get(2..4).map(|bytes| bytes.iter().fold(0, |n, byte| n << 8 | usize::from(*byte)))?;
        if datagram.len() > LONGEST || datagram.len() != 20 + length || length % 4 != 0 {
            return None;
        }
        let mut message = Message::new();
        message.unmarshal_binary(datagram).ok()?;
        if message.typ.method != METHOD_BINDING {
            return None;
        }
        if message.contains(ATTR_FINGERPRINT) && FINGERPRINT.check(&message).is_err() {
            return None;
        }
        let class = match message.typ.class {
            CLASS_REQUEST => Class::Request,
            CLASS_SUCCESS_RESPONSE => Class::Success,
            CLASS_ERROR_RESPONSE => Class::Error(error_code(&message)),
            _ => return None,
        };
        Some(Self { class, id: message.transaction_id.0, message })
    }

    /// Whether who sent it knows the password.
    pub(super) fn is_authentic(&mut self, password: &str) -> bool {
        let once = self.message.attributes.0.iter().filter(|a| a.typ == ATTR_MESSAGE_INTEGRITY).count() == 1;
        once && MessageIntegrity::check(&mut self.message, password.as_bytes(), provider().crypto()).is_ok()
    }

    /// The two fragments of the user name: ours, and the sender's.
    pub(super) fn username(&self) -> Option<(String, String)> {
        let text = String::from_utf8(self.message.get(ATTR_USERNAME).ok()?).ok()?;
        let (ours, theirs) = text.split_once(':')?;
        Some((ours.to_owned(), theirs.to_owned()))
    }

    pub(super) fn priority(&self) -> Option<u32> {
        Some(u32::from_be_bytes(self.message.get(ATTR_PRIORITY).ok()?.try_into().ok()?))
    }

    pub(super) fn uses_candidate(&self) -> bool {
        self.message.contains(ATTR_USE_CANDIDATE)
    }

    pub(super) fn role(&self) -> Option<Role> {
        let number = |kind: AttrType| Some(u64::from_be_bytes(self.message.get(kind).ok()?.try_into().ok()?));
        let controlling =
            number(ATTR_ICE_CONTROLLING).map(|tie_breaker| Role { controlling: true, tie_breaker });
        controlling.or_else(|| Some(Role { controlling: false, tie_breaker: number(ATTR_ICE_CONTROLLED)? }))
    }

    /// The address that the request came from, as the other side saw it.
    pub(super) fn mapped(&self) -> Option<SocketAddr> {
        let mut address = XorMappedAddress::default();
        address.get_from(&self.message).ok()?;
        Some(SocketAddr::new(address.ip.to_canonical(), address.port))
    }

    /// Attributes that must be understood, and are not (RFC 8489 section 6.3.1).
    pub(super) fn unknown(&self) -> Vec<u16> {
        let known = [
            ATTR_USERNAME,
            ATTR_MESSAGE_INTEGRITY,
            ATTR_PRIORITY,
            ATTR_USE_CANDIDATE,
            ATTR_XORMAPPED_ADDRESS,
            ATTR_ERROR_CODE,
        ];
        let attributes = self.message.attributes.0.iter().map(|attribute| attribute.typ);
        attributes
            .filter(|kind| kind.0 < 0x8000 && !known.contains(kind))
            .map(|kind| kind.0)
            .take(8)
            .collect()
    }
}

fn error_code(message: &Message) -> u16 {
    match message.get(ATTR_ERROR_CODE).unwrap_or_default().get(..4) {
        Some([_, _, class, number]) => u16::from(class & 7) * 100 + u16::from(*number % 100),
        _ => 0,
    }
}

/// A check (RFC 8445 section 7.1).
pub(super) fn check(
    id: Id,
    username: &str,
    password: &str,
    priority: u32,
    role: Role,
    nominate: bool,
) -> Vec<u8> {
    let mut message = begin(BINDING_REQUEST, id);
    message.add(ATTR_USERNAME, username.as_bytes());
    let kind = if role.controlling { ATTR_ICE_CONTROLLING } else { ATTR_ICE_CONTROLLED };
    message.add(kind, &role.tie_breaker.to_be_bytes());
    message.add(ATTR_PRIORITY, &priority.to_be_bytes());
    if nominate {
        message.add(ATTR_USE_CANDIDATE, &[]);
    }
    finish(message, Some(password))
}

/// Asks a server for our address (RFC 8489 section 2).
pub(super) fn ask(id: Id) -> Vec<u8> {
    finish(begin(BINDING_REQUEST, id), None)
}

pub(super) fn success(id: Id, mapped: SocketAddr, password: Option<&str>) -> Vec<u8> {
    let mut message = begin(BINDING_SUCCESS, id);
    let _ = XorMappedAddress { ip: mapped.ip(), port: mapped.port() }.add_to(&mut message);
    finish(message, password)
}

pub(super) fn error(id: Id, code: u16, reason: &str, unknown: &[u16], password: &str) -> Vec<u8> {
    let mut message = begin(BINDING_ERROR, id);
    let mut value = vec![0, 0, (code / 100) as u8, (code % 100) as u8];
    value.extend_from_slice(reason.as_bytes());
    message.add(ATTR_ERROR_CODE, &value);
    if !unknown.is_empty() {
        let kinds: Vec<u8> = unknown.iter().flat_map(|kind| kind.to_be_bytes()).collect();
        message.add(ATTR_UNKNOWN_ATTRIBUTES, &kinds);
    }
    finish(message, Some(password))
}

fn begin(kind: MessageType, id: Id) -> Message {
    let mut message = Message::new();
    message.typ = kind;
    message.transaction_id = TransactionId(id);
    message.write_header();
    message
}

fn finish(mut message: Message, password: Option<&str>) -> Vec<u8> {
    if let Some(password) = password {
        let provider = provider();
        let key = password.as_bytes();
        let _ =
            MessageIntegrity::new_raw_integrity_with_provider(key, provider.crypto()).add_to(&mut message);
    }
    let _ = FINGERPRINT.add_to(&mut message);
    message.raw
}
