//! From a SIP URI to servers: RFC 3263 section 4.

use super::{EXTRAS, MAX_RECORDS, Names, PATIENCE, is_host, is_local, silent};
use hickory_resolver::proto::rr::rdata::NAPTR;
use sidetone_sip::Transport;
use sidetone_sip::message::{Host, Scheme, Uri};
use std::net::SocketAddr;

/// Hops of one question that are tried.
const MAX_TARGETS: usize = 16;

/// What is looked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Goal {
    pub(crate) host: Host,
    pub(crate) port: Option<u16>,
    pub(crate) transport: Option<Transport>,
    /// Over TLS alone (`sips:`).
    pub(crate) secure: bool,
}

/// A server: how to speak with it, and where.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Target {
    pub(crate) transport: Transport,
    pub(crate) address: SocketAddr,
}

impl Goal {
    /// # Errors
    /// In words: a transport that `sips:` forbids, or a `maddr` that is no host.
    pub(crate) fn of(uri: &Uri, transport: Option<Transport>) -> Result<Self, String> {
        let secure = uri.scheme == Scheme::Sips;
        let named = uri.transport().map(|token| {
            Transport::from_token(token).ok_or_else(|| format!("transport {token:?} is not known"))
        });
        let transport = match transport.map(Ok).or(named).transpose()? {
            Some(Transport::Udp) if secure => return Err("sips: goes over TLS, not over UDP".into()),
            Some(Transport::Tcp) if secure => Some(Transport::Tls),
            Some(Transport::Ws) if secure => Some(Transport::Wss),
            other => other,
        };
        let host = match uri.params.get("maddr") {
            Some(address) => Host::parse(address).map_err(|error| format!("maddr: {error}"))?,
            None => uri.host.clone(),
        };
        Ok(Self { host, port: uri.port, transport, secure })
    }

    fn default_transport(&self) -> Transport {
        self.transport.unwrap_or(if self.secure { Transport::Tls } else { Transport::Udp })
    }

    /// The transports that may be chosen, ours first.
    fn transports(&self) -> Vec<Transport> {
        match self.transport {
            Some(transport) => vec![transport],
            None if self.secure => vec![Transport::Tls],
            None => vec![Transport::Udp, Transport::Tcp, Transport::Tls],
        }
    }
}

/// The servers of `goal`, best first, never none.
///
/// # Errors
/// In words, naming the host.
pub(crate) async fn locate(names: &Names, goal: &Goal) -> Result<Vec<Target>, String> {
    let transport = goal.default_transport();
    if let Some(ip) = goal.host.ip() {
        if !is_host(ip) {
            return Err(format!("{ip} is no server's address"));
        }
        let address = SocketAddr::new(ip, goal.port.unwrap_or(transport.default_port()));
        return Ok(vec![Target { transport, address }]);
    }
    let host = goal.host.bare();
    let mut found =
        tokio::time::timeout(PATIENCE, by_name(names, goal, &host)).await.map_err(|_| silent(&host))??;
    let mut seen = Vec::new();
    found.retain(|target| {
        !seen.contains(target) && {
            seen.push(*target);
            true
        }
    });
    found.truncate(MAX_TARGETS);
    Ok(found)
}

async fn by_name(names: &Names, goal: &Goal, host: &str) -> Result<Vec<Target>, String> {
    let transport = goal.default_transport();
    if let Some(port) = goal.port {
        return at(names, host, transport, port).await;
    }
    let mut problem = None;
    if !is_local(host) {
        // All questions at once: a server that is silent about one must not hold up the others.
        let (services, records) = tokio::join!(services(names, goal, host), published(names, goal, host));
        let chosen = if services.is_empty() { records } else { services };
        let mut targets = Vec::new();
        for service in chosen {
            if targets.len() >= MAX_TARGETS {
                break;
            }
            match service.targets(names, host).await {
                Ok(found) => targets.extend(found),
                Err(reason) => problem = Some(reason),
            }
        }
        if !targets.is_empty() {
            return Ok(targets);
        }
    }
    // Section 4.2: without SRV records the name itself is the server's; with unusable ones it is not.
    match problem {
        Some(reason) => Err(reason),
        None => at(names, host, transport, transport.default_port()).await,
    }
}

/// One way that the domain offers.
enum Service {
    Srv(Transport, Vec<super::srv::Srv>),
    Name(Transport, String),
}

impl Service {
    async fn targets(self, names: &Names, host: &str) -> Result<Vec<Target>, String> {
        let (transport, records) = match self {
            Self::Name(transport, name) => {
                return at(names, &name, transport, transport.default_port()).await;
            }
            Self::Srv(transport, records) => (transport, records),
        };
        let mut targets = Vec::new();
        let mut problem = format!("{host} offers no SIP over {transport}: its SRV record says so");
        for record in records {
            if record.target.is_empty() || record.port == 0 {
                continue;
            }
            let looked_up = tokio::time::timeout(EXTRAS, at(names, &record.target, transport, record.port));
            match looked_up.await.unwrap_or_else(|_| Err(silent(&record.target))) {
                Ok(found) => targets.extend(found),
                Err(reason) => problem = reason,
            }
        }
        if targets.is_empty() { Err(problem) } else { Ok(targets) }
    }
}

/// Section 4.1: what the domain's NAPTR records offer of what we want, in its order.
async fn services(names: &Names, goal: &Goal, host: &str) -> Vec<Service> {
    // A transport that is given leaves nothing to choose but for WebSockets, which have no SRV names of their own.
    let web = matches!(goal.transport, Some(Transport::Ws | Transport::Wss));
    if goal.transport.is_some() && !web {
        return Vec::new();
    }
    let wanted = goal.transports();
    let mut found = Vec::new();
    for naptr in names.naptr(host).await.iter().take(MAX_RECORDS / 2) {
        let Some((transport, name)) = offered(naptr) else { continue };
        if !wanted.contains(&transport) {
            continue;
        }
        match naptr.flags.as_ref() {
            b"s" | b"S" => {
                if let Some(records) = names.srv(&name).await {
                    found.push(Service::Srv(transport, records));
                }
            }
            b"a" | b"A" => found.push(Service::Name(transport, name)),
            _ => {}
        }
    }
    found
}

fn offered(naptr: &NAPTR) -> Option<(Transport, String)> {
    let transport = match naptr.services.to_ascii_uppercase().as_slice() {
        b"SIP+D2U" => Transport::Udp,
        b"SIP+D2T" => Transport::Tcp,
        b"SIPS+D2T" => Transport::Tls,
        b"SIP+D2W" => Transport::Ws,
        b"SIPS+D2W" => Transport::Wss,
        _ => return None,
    };
    let name = super::bare(&naptr.replacement.to_ascii());
    (naptr.regexp.is_empty() && !name.is_empty()).then_some((transport, name))
}

/// The SRV records that the domain has without naming them in NAPTR records.
async fn published(names: &Names, goal: &Goal, host: &str) -> Vec<Service> {
    let one = async |transport: Transport| {
        let prefix = match transport {
            Transport::Udp => "_sip._udp",
            Transport::Tcp => "_sip._tcp",
            Transport::Tls => "_sips._tcp",
            Transport::Ws | Transport::Wss => return None,
        };
        let wanted = goal.transports().contains(&transport);
        let records = if wanted { names.srv(&format!("{prefix}.{host}")).await } else { None };
        records.map(|records| Service::Srv(transport, records))
    };
    let (udp, tcp, tls) = tokio::join!(one(Transport::Udp), one(Transport::Tcp), one(Transport::Tls));
    [udp, tcp, tls].into_iter().flatten().collect()
}

async fn at(names: &Names, name: &str, transport: Transport, port: u16) -> Result<Vec<Target>, String> {
    let addresses = names.addresses(name).await?;
    Ok(addresses.into_iter().map(|ip| Target { transport, address: SocketAddr::new(ip, port) }).collect())
}
