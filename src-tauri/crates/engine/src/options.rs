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
