//! Transfers (RFC 5589): `sent` where we ask the far end to call somebody else, `asked` where it asks us, `replaced` where a
//! third party takes the place of the one we speak with.

mod asked;
mod replaced;
mod sent;

pub(super) use asked::{Asked, Referred};
pub(super) use sent::Sent;
