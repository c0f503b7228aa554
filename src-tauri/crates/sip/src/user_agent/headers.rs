//! Header fields that our messages have in common.

use crate::message::{HeaderName, Headers, NameAddr, Request, Scheme, Uri};

use super::hop::{Hop, Transport};

pub(super) const SDP: &str = "application/sdp";

/// Our Contact but for the address, which depends on the hop (RFC 3261 section 8.1.1.8).
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Contact {
    /// user part with its escapes
    pub(super) user: Option<String>,
    /// tells the accounts of this user agent apart when a registrar calls their Contact
    pub(super) line: Option<String>,
    /// used instead of an address of ours
    pub(super) gruu: Option<Uri>,
    /// requests to it are to come over the flow of our registration (`ob`, RFC 5626 section 4.3)
    pub(super) through_flow: bool,
    /// this is the Contact of a REGISTER
    pub(super) binding: Option<Binding>,
}

/// What a REGISTER says of the device behind a Contact.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Binding {
    /// UUID
    pub(super) instance: String,
    /// by this flow, the first and only one of ours
    pub(super) outbound: bool,
}

impl Contact {
    pub(super) fn of(address: &NameAddr) -> Self {
        Self { user: address.uri.user.clone(), ..Self::default() }
    }

    /// The Contact towards `hop`, of a request to or from `uri`: sips asks for sips.
    pub(super) fn address(&self, hop: &Hop, uri: &Uri) -> NameAddr {
        if let Some(gruu) = &self.gruu {
            let mut contact = gruu.clone();
            if self.through_flow {
                contact.params.set_flag("ob");
            }
            return NameAddr::new(contact);
        }
        let (host, port) = hop.sent_by();
        let mut contact = Uri::sip(None, host, port);
        contact.user.clone_from(&self.user);
        if uri.scheme == Scheme::Sips {
            contact.scheme = Scheme::Sips;
        }
        if hop.transport != Transport::Udp {
            contact.params.set("transport", hop.transport.contact_token());
        }
        if let Some(line) = &self.line {
            contact.params.set("line", line.clone());
        }
        if self.through_flow {
            contact.params.set_flag("ob");
        }
        let mut contact = NameAddr::new(contact);
        if let Some(binding) = &self.binding {
            contact.params.set("+sip.instance", format!("<urn:uuid:{}>", binding.instance));
            if binding.outbound {
                contact.params.set("reg-id", "1");
            }
        }
        contact
    }
}

/// Adds a caller's fields; Max-Forwards replaces ours.
pub(super) fn add_extra(headers: &mut Headers, extra: &[(HeaderName, String)]) {
    for (name, value) in extra {
        if *name == HeaderName::MAX_FORWARDS {
            headers.set(name, value);
        } else if !crate::headers::is_own(name) {
            headers.push(name, value);
        }
    }
}

/// The SDP of a message; `None` for no body or another type.
pub(super) fn sdp(headers: &Headers, body: &[u8]) -> Option<Vec<u8>> {
    let is_sdp = headers.content_type().ok().flatten().is_some_and(|kind| kind == SDP);
    (is_sdp && !body.is_empty()).then(|| body.to_vec())
}

/// A URI as Request-URI: without what RFC 3261 section 19.1.1 forbids there.
pub(super) fn request_uri(uri: &Uri) -> Uri {
    let mut uri = uri.clone();
    uri.headers.clear();
    uri.params.remove("method");
    uri
}

/// A Route of ours: loose, whether the user wrote `;lr` or not.
pub(super) fn loose_route(uri: &Uri) -> NameAddr {
    let mut uri = request_uri(uri);
    if uri.is_sip() && !uri.is_loose_route() {
        uri.params.set_flag("lr");
    }
    NameAddr::new(uri)
}

/// The URI whose servers get this request.
pub(super) fn next_hop(request: &Request) -> Uri {
    let routes = request.headers.routes().unwrap_or_default();
    crate::dialog::next_hop(&request.uri, &routes).clone()
}

/// `type/subtype` with or without parameters.
pub(super) fn is_media_type(text: &str) -> bool {
    let mut headers = Headers::new();
    headers.push(HeaderName::CONTENT_TYPE, text);
    matches!(headers.content_type(), Ok(Some(_)))
}

/// The message lists this option tag in Supported or Require.
pub(super) fn supports(headers: &Headers, tag: &str) -> bool {
    let listed = |tags: Vec<String>| tags.iter().any(|listed| listed.eq_ignore_ascii_case(tag));
    listed(headers.supported().unwrap_or_default()) || listed(headers.require().unwrap_or_default())
}
