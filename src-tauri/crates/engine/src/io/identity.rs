//! The certificate that this process shows in DTLS handshakes: one for all calls, gone with the process.

use sidetone_rtp::transport::DtlsIdentity;
use std::sync::OnceLock;

/// `None` where none can be made; the log says why.
pub(crate) fn dtls() -> Option<&'static DtlsIdentity> {
    static IDENTITY: OnceLock<Option<DtlsIdentity>> = OnceLock::new();
    let make = || DtlsIdentity::generate().inspect_err(|error| tracing::error!("no DTLS: {error}")).ok();
    IDENTITY.get_or_init(make).as_ref()
}
