//! Names of hooks' backends, by the system, which alone knows the names of its hosts file, of the house and of a VPN.

use reqwest::dns::{Addrs, Name, Resolve, Resolving};
use std::{
    io,
    net::{SocketAddr, ToSocketAddrs as _},
    sync::{Arc, Mutex, PoisonError},
    time::{Duration, Instant},
};
use tokio::sync::Semaphore;

/// How long an answer is taken for those who ask meanwhile.
const FRESH: Duration = Duration::from_secs(2);

type System = dyn Fn(&str) -> io::Result<Vec<SocketAddr>> + Send + Sync;

/// One lookup at a time. The system's cannot be given up: a DNS server that hangs keeps one thread for long, and not as many as
/// there are hooks.
#[derive(Clone)]
pub(super) struct Lookup {
    turn: Arc<Semaphore>,
    last: Arc<Mutex<Option<Found>>>,
    system: Arc<System>,
}

struct Found {
    name: String,
    at: Instant,
    addresses: Vec<SocketAddr>,
}

impl Lookup {
    pub(super) fn of_system() -> Self {
        Self::by(|name| Ok((name, 0_u16).to_socket_addrs()?.collect()))
    }

    pub(super) fn by(system: impl Fn(&str) -> io::Result<Vec<SocketAddr>> + Send + Sync + 'static) -> Self {
        Self { turn: Arc::new(Semaphore::new(1)), last: Arc::default(), system: Arc::new(system) }
    }

    fn fresh(&self, name: &str) -> Option<Vec<SocketAddr>> {
        let last = self.last.lock().unwrap_or_else(PoisonError::into_inner);
        let found = last.as_ref().filter(|found| found.name == name && found.at.elapsed() < FRESH);
        found.map(|found| found.addresses.clone())
    }

    async fn addresses(self, name: String) -> io::Result<Vec<SocketAddr>> {
        if let Some(addresses) = self.fresh(&name) {
            return Ok(addresses);
        }
        let turn = Arc::clone(&self.turn).acquire_owned().await.map_err(io::Error::other)?;
        if let Some(addresses) = self.fresh(&name) {
            return Ok(addresses);
        }
        let asked = tokio::task::spawn_blocking(move || {
            let addresses = (self.system)(&name)?;
            let found = Found { name, at: Instant::now(), addresses: addresses.clone() };
            *self.last.lock().unwrap_or_else(PoisonError::into_inner) = Some(found);
            // Not before it has come back, whether anybody waits for it or not.
            drop(turn);
            Ok(addresses)
        });
        asked.await.map_err(io::Error::other)?
    }
}

impl Resolve for Lookup {
    fn resolve(&self, name: Name) -> Resolving {
        let asked = self.clone().addresses(name.as_str().to_owned());
        Box::pin(async move {
            let addresses = asked.await?;
            Ok(Box::new(addresses.into_iter()) as Addrs)
        })
    }
}

#[cfg(test)]
mod tests {
    use super::Lookup;
    use std::{
        net::SocketAddr,
        sync::{
            Arc,
            atomic::{AtomicUsize, Ordering::SeqCst},
            mpsc,
        },
        time::Duration,
    };
    use tokio::time::timeout;

    fn address() -> SocketAddr {
        SocketAddr::from(([192, 0, 2, 1], 0))
    }

    #[tokio::test]
    async fn a_dns_server_that_hangs_keeps_one_thread() {
        let (answer, answers) = mpsc::channel::<()>();
        let (asked, answers) = (Arc::new(AtomicUsize::new(0)), std::sync::Mutex::new(answers));
        let lookup = Lookup::by({
            let asked = Arc::clone(&asked);
            move |_| {
                asked.fetch_add(1, SeqCst);
                let _ = answers.lock().unwrap().recv();
                Ok(vec![address()])
            }
        });
        for _ in 0..100 {
            let given_up = lookup.clone().addresses("backend.example".into());
            assert!(timeout(Duration::from_millis(1), given_up).await.is_err());
        }
        let waits = tokio::spawn(lookup.clone().addresses("backend.example".into()));
        answer.send(()).unwrap();
        assert_eq!(waits.await.unwrap().unwrap(), [address()]);
        assert_eq!(asked.load(SeqCst), 1, "who waited takes what came");
    }

    #[tokio::test]
    async fn what_has_failed_is_asked_again() {
        let asked = AtomicUsize::new(0);
        let lookup = Lookup::by(move |_| match asked.fetch_add(1, SeqCst) {
            0 => Err(std::io::Error::other("no such name")),
            _ => Ok(vec![address()]),
        });
        assert!(lookup.clone().addresses("backend.example".into()).await.is_err());
        assert_eq!(lookup.addresses("backend.example".into()).await.unwrap(), [address()]);
    }
}
