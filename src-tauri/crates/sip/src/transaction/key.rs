//! How messages find their transaction: RFC 3261 sections 17.1.3, 17.2.3 and 8.2.2.2.

use crate::message::{Host, Method, Request, Response, Via};

const MAGIC_COOKIE: &str = "z9hG4bK";

/// Identifies a client transaction.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(crate) struct ClientKey {
    branch: String,
    method: Method,
}

impl ClientKey {
    pub(crate) fn new(branch: &str, method: Method) -> Self {
        Self { branch: branch.to_owned(), method }
    }

    pub(crate) fn of(response: &Response) -> Option<Self> {
        let via = response.headers.top_via().ok()?;
        let cseq = response.headers.cseq().ok()?;
        Some(Self::new(via.branch()?, cseq.method))
    }
}

/// Identifies a server transaction.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(crate) enum ServerKey {
    Branch {
        branch: String,
        sent_by: String,
        method: Method,
    },
    /// A request from before RFC 3261: everything that makes two copies of it the same.
    Rfc2543 {
        uri: String,
        from_tag: Option<String>,
        call_id: String,
        cseq: u32,
        via: String,
        method: Method,
    },
}

impl ServerKey {
    /// The ACK of a non-2xx gets the key of its INVITE. `None` if the request lacks a header that it must have.
    pub(crate) fn of(request: &Request) -> Option<Self> {
        let via = request.headers.top_via().ok()?;
        let method = match &request.method {
            Method::Ack => Method::Invite,
            other => other.clone(),
        };
        match via.branch() {
            Some(branch) if has_cookie(branch) => {
                Some(Self::Branch { branch: branch.to_owned(), sent_by: sent_by(&via), method })
            }
            _ => Some(Self::Rfc2543 {
                uri: request.uri.to_string(),
                from_tag: request.headers.from().ok()?.tag().map(str::to_owned),
                call_id: request.headers.call_id().ok()?.to_owned(),
                cseq: request.headers.cseq().ok()?.number,
                via: format!("{} {}", sent_by(&via), via.branch().unwrap_or_default()),
                method,
            }),
        }
    }

    /// The bytes of its texts.
    pub(crate) fn size(&self) -> usize {
        match self {
            Self::Branch { branch, sent_by, method } => branch.len() + sent_by.len() + method.as_str().len(),
            Self::Rfc2543 { uri, from_tag, call_id, via, method, .. } => {
                let tag = from_tag.as_ref().map_or(0, String::len);
                uri.len() + tag + call_id.len() + via.len() + method.as_str().len()
            }
        }
    }

    /// The key of the INVITE that a CANCEL with this key wants to stop.
    pub(crate) fn of_cancelled_invite(&self) -> Self {
        let mut key = self.clone();
        match &mut key {
            Self::Branch { method, .. } | Self::Rfc2543 { method, .. } => *method = Method::Invite,
        }
        key
    }
}

fn has_cookie(branch: &str) -> bool {
    branch.get(..MAGIC_COOKIE.len()).is_some_and(|start| start.eq_ignore_ascii_case(MAGIC_COOKIE))
        && branch.len() > MAGIC_COOKIE.len()
}

fn sent_by(via: &Via) -> String {
    let host = match &via.host {
        Host::Name(name) => name.to_ascii_lowercase(),
        other => other.to_string(),
    };
    format!("{host}:{}", via.port.unwrap_or(5060))
}

/// Two requests outside a dialog with the same merge key but other branches took two ways to us (RFC 3261 section 8.2.2.2).
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(crate) struct MergeKey {
    from_tag: Option<String>,
    call_id: String,
    cseq: u32,
    method: Method,
}

impl MergeKey {
    /// The bytes of its texts.
    pub(crate) fn size(&self) -> usize {
        self.from_tag.as_ref().map_or(0, String::len) + self.call_id.len() + self.method.as_str().len()
    }

    pub(crate) fn of(request: &Request) -> Option<Self> {
        let cseq = request.headers.cseq().ok()?;
        Some(Self {
            from_tag: request.headers.from().ok()?.tag().map(str::to_owned),
            call_id: request.headers.call_id().ok()?.to_owned(),
            cseq: cseq.number,
            method: cseq.method,
        })
    }
}
