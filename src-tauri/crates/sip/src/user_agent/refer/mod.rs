//! Transfer: REFER and the reports of its outcome (RFC 3515, RFC 3892, RFC 4488, RFC 6665).
//!
//! `sent` is the transferor: our REFER and the NOTIFYs that report on it. `asked` is the transferee: the peer's REFER up to its
//! response; `report` the NOTIFYs that we owe for it. The target of a transfer only sees an INVITE, see `replaces`.

mod asked;
mod report;
mod sent;
mod sipfrag;

use crate::message::{NameAddr, Uri};

use super::replaces::DialogName;

pub(super) use asked::ReferIn;
pub(super) use sent::ReferOut;

/// A transfer to ask the peer for.
#[derive(Debug, Clone)]
pub struct Refer {
    /// whom the peer shall call
    pub to: Uri,
    /// the call there that the new one takes the place of: an attended transfer
    pub replaces: Option<DialogName>,
    /// who asks for it, told to the target (RFC 3892)
    pub referred_by: Option<NameAddr>,
}

impl Refer {
    pub fn blind(to: Uri) -> Self {
        Self { to, replaces: None, referred_by: None }
    }
}
