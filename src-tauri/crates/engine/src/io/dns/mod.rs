//! Names: NAPTR, SRV and address records, from the system's servers or from given ones.

mod locate;
mod srv;
#[cfg(test)]
mod tests;

pub(crate) use locate::{Goal, Target, locate};

use hickory_resolver::{
    Resolver, TokioResolver,
    config::{ConnectionConfig, NameServerConfig, ResolverConfig, ResolverOpts},
    net::runtime::TokioRuntimeProvider,
    proto::rr::{RData, rdata::NAPTR},
};
use srv::Srv;
use std::{
    collections::BTreeMap,
    net::{IpAddr, SocketAddr},
    sync::{Mutex, PoisonError},
    time::{Duration, Instant},
};

/// For everything that one name takes.
pub(crate) const PATIENCE: Duration = Duration::from_secs(5);
/// Some home routers never answer for types that they do not know: then the name's addresses have to do.
const EXTRAS: Duration = Duration::from_secs(2);
const TRY: Duration = Duration::from_millis(1500);
/// Answers that are kept, each no longer than its time to live.
const CACHED: u64 = 256;
const LONGEST_KEPT: Duration = Duration::from_secs(3600);
const LONGEST_KEPT_NEGATIVE: Duration = Duration::from_secs(60);
/// How long the system's servers are taken to be the same.
const LOOKED: Duration = Duration::from_secs(10);
const DNS_PORT: u16 = 53;
/// Records of one answer that are looked at.
const MAX_RECORDS: usize = 16;

/// Asks for names.
pub(crate) struct Names {
    source: Source,
}

enum Source {
    /// The servers were given: addresses come from them too, and not from the system.
    Given(Option<TokioResolver>),
    /// The system's, which change with the network.
    System(Mutex<System>),
}

#[derive(Default)]
struct System {
    looked: Option<Instant>,
    /// What the resolver was made of.
    described: String,
    resolver: Option<TokioResolver>,
}

/// The servers of the settings, `address:port` or an address alone.
///
/// # Errors
/// Names the text that is none.
pub(crate) fn servers(texts: &[String]) -> Result<Vec<SocketAddr>, String> {
    let read = |text: &String| {
        let alone = || text.parse::<IpAddr>().map(|ip| SocketAddr::new(ip, DNS_PORT));
        let wrong = || format!("{text:?} is no DNS server: an address, or address:port");
        text.parse().or_else(|_| alone()).map_err(|_| wrong())
    };
    if texts.len() > 8 {
        return Err("8 DNS servers are the most".into());
    }
    texts.iter().map(read).collect()
}

impl Names {
    /// Asks these servers; where there are none, the system's.
    pub(crate) fn new(servers: &[SocketAddr]) -> Self {
        let source = if servers.is_empty() {
            Source::System(Mutex::default())
        } else {
            Source::Given(resolver(given_servers(servers), ResolverOpts::default()))
        };
        Self { source }
    }

    fn resolver(&self) -> Option<TokioResolver> {
        match &self.source {
            Source::Given(resolver) => resolver.clone(),
            Source::System(system) => system.lock().unwrap_or_else(PoisonError::into_inner).resolver(),
        }
    }

    /// Best first; none where there are none, or nobody answers in time.
    async fn naptr(&self, name: &str) -> Vec<NAPTR> {
        let Some(resolver) = self.resolver() else { return Vec::new() };
        let asked = resolver.lookup(absolute(name), hickory_resolver::proto::rr::RecordType::NAPTR);
        let Ok(Ok(found)) = tokio::time::timeout(EXTRAS, asked).await else { return Vec::new() };
        let naptr = |record: &hickory_resolver::proto::rr::Record| match &record.data {
            RData::NAPTR(naptr) => Some(naptr.clone()),
            _ => None,
        };
        let mut found: Vec<NAPTR> = found.answers().iter().filter_map(naptr).take(MAX_RECORDS).collect();
        found.sort_by_key(|naptr| (naptr.order, naptr.preference));
        found
    }

    /// In the order of RFC 2782; `None` where there is no such record.
    async fn srv(&self, name: &str) -> Option<Vec<Srv>> {
        let resolver = self.resolver()?;
        let asked = resolver.lookup(absolute(name), hickory_resolver::proto::rr::RecordType::SRV);
        let found = tokio::time::timeout(EXTRAS, asked).await.ok()?.ok()?;
        let srv = |record: &hickory_resolver::proto::rr::Record| match &record.data {
            RData::SRV(srv) => Some(Srv {
                priority: srv.priority,
                weight: srv.weight,
                port: srv.port,
                target: bare(&srv.target.to_ascii()),
            }),
            _ => None,
        };
        let found: Vec<Srv> = found.answers().iter().filter_map(srv).take(MAX_RECORDS).collect();
        (!found.is_empty()).then(|| srv::ordered(found, srv::random_below))
    }

    /// IPv4 and IPv6 addresses, best first.
    pub(crate) async fn addresses(&self, name: &str) -> Result<Vec<IpAddr>, String> {
        let found = match &self.source {
            Source::Given(Some(resolver)) if !is_local(name) => resolver
                .lookup_ip(absolute(name))
                .await
                .map(|found| found.iter().collect())
                .map_err(|error| in_words(name, &error))?,
            _ => tokio::net::lookup_host((name, 0))
                .await
                .map_err(|error| format!("{name}: {error}"))?
                .map(|address| address.ip())
                .collect::<Vec<_>>(),
        };
        let mut fit: Vec<IpAddr> = Vec::new();
        for address in found.iter().take(MAX_RECORDS) {
            if !fit.contains(address) && is_host(*address) {
                fit.push(*address);
            }
        }
        match found.first() {
            _ if !fit.is_empty() => Ok(fit),
            Some(other) => Err(format!("{name} leads to {other}, which is no server's address")),
            None => Err(format!("{name} has no address")),
        }
    }
}

impl System {
    /// Made anew where the system's servers are others than before.
    fn resolver(&mut self) -> Option<TokioResolver> {
        if self.looked.is_some_and(|looked| looked.elapsed() < LOOKED) {
            return self.resolver.clone();
        }
        self.looked = Some(Instant::now());
        match hickory_resolver::system_conf::read_system_conf() {
            Ok((config, options)) => {
                let described = format!("{config:?}");
                if described != self.described || self.resolver.is_none() {
                    self.resolver = resolver(config, options);
                    self.described = described;
                }
            }
            Err(error) => {
                tracing::warn!("the system's DNS servers are not known: {error}");
                self.resolver = None;
            }
        }
        self.resolver.clone()
    }
}

fn resolver(config: ResolverConfig, mut options: ResolverOpts) -> Option<TokioResolver> {
    options.timeout = TRY;
    options.attempts = 2;
    options.cache_size = CACHED;
    options.positive_max_ttl = Some(LONGEST_KEPT);
    options.negative_max_ttl = Some(LONGEST_KEPT_NEGATIVE);
    options.try_tcp_on_error = true;
    let mut builder = Resolver::builder_with_config(config, TokioRuntimeProvider::default());
    *builder.options_mut() = options;
    builder.build().inspect_err(|error| tracing::warn!("no DNS: {error}")).ok()
}

fn given_servers(servers: &[SocketAddr]) -> ResolverConfig {
    let mut by_address: BTreeMap<IpAddr, Vec<ConnectionConfig>> = BTreeMap::new();
    for server in servers {
        for mut connection in [ConnectionConfig::udp(), ConnectionConfig::tcp()] {
            connection.port = server.port();
            by_address.entry(server.ip()).or_default().push(connection);
        }
    }
    let server = |(ip, connections)| NameServerConfig::new(ip, true, connections);
    ResolverConfig::from_name_servers(by_address.into_iter().map(server).collect())
}

fn in_words(name: &str, error: &hickory_resolver::net::NetError) -> String {
    use hickory_resolver::net::NetError;
    match error {
        error if error.is_nx_domain() => format!("{name}: there is no such name"),
        error if error.is_no_records_found() => format!("{name} has no address"),
        NetError::Timeout => silent(name),
        NetError::NoConnections => format!("{name}: no DNS server can be reached"),
        other => format!("{name}: the DNS server's answer is of no use: {other}"),
    }
}

fn silent(name: &str) -> String {
    format!("{name}: no DNS server answered within {} s", PATIENCE.as_secs())
}

/// Answered by the system alone: no server of the Internet knows it (RFC 6761, RFC 6762), or the system adds its own domain.
fn is_local(name: &str) -> bool {
    let name = name.trim_end_matches('.').to_ascii_lowercase();
    !name.contains('.') || name.ends_with(".localhost") || name.ends_with(".local")
}

/// An address that a server can have.
fn is_host(address: IpAddr) -> bool {
    let broadcast = matches!(address, IpAddr::V4(address) if address.is_broadcast());
    !address.is_unspecified() && !address.is_multicast() && !broadcast
}

/// No search list is tried with it.
fn absolute(name: &str) -> String {
    format!("{}.", name.trim_end_matches('.'))
}

fn bare(name: &str) -> String {
    name.trim_end_matches('.').to_ascii_lowercase()
}
