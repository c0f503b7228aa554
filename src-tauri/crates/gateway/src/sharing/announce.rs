//! That we are here, for this network (RFC 6762, RFC 6763).

use mdns_sd::{ServiceDaemon, ServiceInfo};

const KIND: &str = "_sidetone._tcp.local.";

/// It is told until this is dropped.
pub(super) struct Announcement {
    daemon: ServiceDaemon,
    name: String,
}

impl Announcement {
    /// `host`: our name without `.local`.
    ///
    /// # Errors
    /// In words.
    pub(super) fn new(host: &str, port: u16) -> Result<Self, mdns_sd::Error> {
        let daemon = ServiceDaemon::new()?;
        let properties = [("path", "/"), ("version", env!("CARGO_PKG_VERSION"))];
        let service = ServiceInfo::new(KIND, host, &format!("{host}.local."), "", port, &properties[..])?;
        let name = service.get_fullname().to_owned();
        daemon.register(service.enable_addr_auto())?;
        Ok(Self { daemon, name })
    }
}

impl Drop for Announcement {
    fn drop(&mut self) {
        // Says goodbye by itself, after which nobody asks for it.
        let _ = self.daemon.unregister(&self.name);
        let _ = self.daemon.shutdown();
    }
}
