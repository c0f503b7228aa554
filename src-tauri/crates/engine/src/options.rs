use crate::{Directories, secrets::SecretStore};
use sidetone_api::{Secret, Settings};
use sidetone_media::device::Devices;
use std::{
    fmt,
    net::{IpAddr, SocketAddr},
    sync::Arc,
};

/// What an engine is started with.
pub struct Options {
    /// Where settings are read and written; `None` keeps them in memory.
    pub directories: Option<Directories>,
    /// The microphones and speakers of this machine, or synthetic ones.
    pub devices: Arc<dyn Devices>,
    pub secrets: Box<dyn SecretStore>,
    /// The secret of the settings' hooks, for this run alone; else the key store is asked.
    pub hook_secret: Option<Secret>,
    /// Used instead of the settings file, which is then neither read nor written.
    pub settings: Option<Settings>,
    /// Where the gateway's exchange listens; by default on loopback, at the port of the settings or one of the next.
    pub exchange: ExchangePlace,
    /// How the gateway's media goes over the network.
    pub media: MediaPlace,
    /// Local address of the phone's SIP sockets; all addresses where absent.
    pub sip_bind: Option<IpAddr>,
    /// Play ringing, ringback and busy tones on the speaker.
    pub tones: bool,
    /// A call that is placed, answered or resumed holds the others, as one person has it. Without it all are heard at once, as an
    /// answering machine has it.
    pub one_at_a_time: bool,
}

/// Where the gateway's exchange listens, and for whom.
#[derive(Debug, Clone, Default)]
pub struct ExchangePlace {
    /// Exactly here, UDP and TCP.
    pub address: Option<SocketAddr>,
    /// Who may register, by name and password; none: anybody as whoever they say.
    pub users: Vec<(String, Secret)>,
}

/// How the gateway's media goes over the network.
#[derive(Debug, Clone, Default)]
pub struct MediaPlace {
    /// Addresses by which others reach this machine through a NAT that changes addresses one for one and no ports: told before our
    /// own. [`check_advertised`] says which can be.
    pub advertise: Vec<IpAddr>,
    /// UDP port of streams, on each address of this machine; 0: any.
    pub port: u16,
    pub limits: MediaLimits,
}

/// Kbit/s that a stream of the gateway has at least: with less no picture can be followed.
pub const LEAST_KBIT: u32 = 100;

/// What the gateway's streams may take of the network, kbit/s, with what is around media on the wire; `None`: no limit.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct MediaLimits {
    /// What one session may send, and what it may be sent.
    pub session_kbit: Option<u32>,
    /// All that is sent and received.
    pub kbit: Option<u32>,
}

/// Whether others can reach a machine by this address.
///
/// # Errors
/// In words.
pub fn check_advertised(ip: IpAddr) -> Result<(), String> {
    let is_odd = match ip {
        IpAddr::V4(ip) => ip.is_link_local() || ip.is_broadcast(),
        IpAddr::V6(ip) => ip.is_unicast_link_local() || ip.to_ipv4_mapped().is_some(),
    };
    if is_odd || ip.is_unspecified() || ip.is_multicast() || ip.is_loopback() {
        return Err(format!("{ip} is no address by which others reach this machine"));
    }
    Ok(())
}

impl Options {
    /// An engine that reads and writes nothing: for one command, for a test.
    pub fn in_memory(devices: Arc<dyn Devices>, settings: Settings) -> Self {
        Self {
            directories: None,
            devices,
            secrets: crate::secrets::memory(),
            hook_secret: None,
            settings: Some(settings),
            exchange: ExchangePlace::default(),
            media: MediaPlace::default(),
            sip_bind: None,
            tones: false,
            one_at_a_time: true,
        }
    }
}

impl fmt::Debug for Options {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Options").field("directories", &self.directories).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::check_advertised;

    #[test]
    fn an_address_that_means_another_machine_elsewhere_cannot_be_told() {
        for good in ["203.0.113.7", "10.0.0.1", "2001:db8::7", "fd00::1"] {
            assert_eq!(check_advertised(good.parse().unwrap()), Ok(()), "{good}");
        }
        for bad in [
            "0.0.0.0",
            "127.0.0.1",
            "169.254.1.1",
            "224.0.0.1",
            "255.255.255.255",
            "::",
            "::1",
            "fe80::1",
            "ff02::1",
            "::ffff:192.0.2.1",
        ] {
            assert!(check_advertised(bad.parse().unwrap()).unwrap_err().contains(bad), "{bad}");
        }
    }
}
