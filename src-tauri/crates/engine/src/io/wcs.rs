//! The connection to a Web Call Server: one WebSocket, a task of its own. Pings are answered here; what else is said goes to the owner.

use super::{
    dns::Names,
    names::local_address_towards,
    tls::{Rules, Trust},
    transport::{Io, WebSocketUrl, connect},
};
use crate::wcs::{LONGEST_OF_SERVER, ServerAsk, ServerSaid, Unreadable, hear};
use futures_util::{SinkExt as _, StreamExt as _};
use std::{
    net::{IpAddr, SocketAddr},
    sync::Arc,
    time::Duration,
};
use tokio::{
    net::TcpStream,
    sync::mpsc,
    time::{Instant, interval_at, sleep_until, timeout},
};
use tokio_tungstenite::{
    WebSocketStream, client_async_with_config,
    tungstenite::{Error, Message, client::IntoClientRequest as _, http::header, protocol::WebSocketConfig},
};

type Socket = WebSocketStream<Box<dyn Io>>;

/// Messages of ours that wait; a server that lets it come to that does not read.
const MOST_UNSENT: usize = 256;
/// Of a host that are tried in turn.
const MOST_ADDRESSES: usize = 4;
const UPGRADE: Duration = Duration::from_secs(5);
const WRITE_TIMEOUT: Duration = Duration::from_secs(10);
/// So often we ask whether the server is there, and so long it may be silent.
const PING: Duration = Duration::from_secs(10);
const SILENCE: Duration = Duration::from_secs(35);
const GOODBYE: Duration = Duration::from_secs(1);
/// A server that says more in a second waits for the next.
const PER_SECOND: u32 = 500;

/// A server to connect to.
pub(crate) struct Call {
    pub(crate) url: WebSocketUrl,
    pub(crate) trust: Arc<Trust>,
    pub(crate) names: Arc<Names>,
    /// It takes pages of its own alone: we say that we are one.
    pub(crate) shows_origin: bool,
    /// Said as soon as it listens.
    pub(crate) first: ServerAsk,
}

/// What becomes of it.
#[derive(Debug)]
pub(crate) enum News {
    Open {
        remote: SocketAddr,
        /// Ours towards it.
        local: IpAddr,
        /// What TLS proved; `None` where it is not spoken.
        proof: Option<String>,
    },
    Said(ServerSaid),
    Unreadable(Unreadable),
    /// It is over, or did not come about.
    Over(String),
}

/// The owner's side. Dropped, the connection is closed.
#[derive(Debug)]
pub(crate) struct Door(mpsc::Sender<String>);

impl Door {
    /// False where the server does not read.
    pub(crate) fn say(&self, ask: &ServerAsk) -> bool {
        self.0.try_send(ask.text()).is_ok()
    }
}

/// Connects; `tell` waits until the owner has room for what is told, and says whether it is wanted.
pub(crate) fn open<T>(call: Call, tell: impl Fn(News) -> T + Send + Sync + 'static) -> Door
where
    T: Future<Output = bool> + Send,
{
    let (door, inward) = mpsc::channel(MOST_UNSENT);
    tokio::spawn(async move {
        let over = run(call, inward, &tell).await;
        tell(News::Over(over)).await;
    });
    Door(door)
}

/// Why it ended.
async fn run<T>(call: Call, mut inward: mpsc::Receiver<String>, tell: &impl Fn(News) -> T) -> String
where
    T: Future<Output = bool> + Send,
{
    let first = call.first.text();
    let opened = tokio::select! {
        opened = dial(call) => opened,
        () = dropped(&mut inward) => return "closed by us".into(),
    };
    let (mut socket, remote, local, proof) = match opened {
        Ok(opened) => opened,
        Err(reason) => return reason,
    };
    if let Err(reason) = send(&mut socket, Message::text(first)).await {
        return reason;
    }
    if !tell(News::Open { remote, local, proof }).await {
        return "closed by us".into();
    }
    carry(socket, inward, tell).await
}

/// Until the owner does not want it any more.
async fn dropped(inward: &mut mpsc::Receiver<String>) {
    while inward.recv().await.is_some() {}
}

async fn dial(call: Call) -> Result<(Socket, SocketAddr, IpAddr, Option<String>), String> {
    let Call { url, trust, names, shows_origin, .. } = call;
    let port = url.port.unwrap_or(if url.secure { 443 } else { 80 });
    let found = match url.host.parse::<IpAddr>() {
        Ok(ip) => vec![ip],
        Err(_) => names.addresses(&url.host).await?,
    };
    let (remote, stream) = reach(&url.host, found, port).await?;
    let local = stream.local_addr().map(|local| local.ip()).or_else(|_| local_address_towards(remote, None));
    let local = local.map_err(|error| format!("{remote}: {error}"))?;
    let (stream, proof): (Box<dyn Io>, Option<String>) = if url.secure {
        let (stream, proof) = trust.shake_hands(&url.host, Rules::Web, stream).await?;
        (Box::new(stream), Some(proof.info))
    } else {
        (Box::new(stream), None)
    };
    let mut config = WebSocketConfig::default();
    config.max_message_size = Some(LONGEST_OF_SERVER);
    config.max_frame_size = Some(LONGEST_OF_SERVER);
    let text = url.text();
    let mut request = text.as_str().into_client_request().map_err(|error| format!("{text}: {error}"))?;
    if let Some(origin) = shows_origin.then(|| text.replacen("ws", "http", 1)) {
        let origin = origin.trim_end_matches('/').parse().map_err(|error| format!("{text}: {error}"))?;
        request.headers_mut().insert(header::ORIGIN, origin);
    }
    match timeout(UPGRADE, client_async_with_config(request, stream, Some(config))).await {
        Ok(Ok((socket, _))) => Ok((socket, remote, local, proof)),
        Ok(Err(Error::Http(response))) => {
            Err(format!("{text} answered the WebSocket request with {}", response.status()))
        }
        Ok(Err(error)) => Err(format!("{text}: {error}")),
        Err(_) => Err(format!("{text} did not answer the WebSocket request within {} s", UPGRADE.as_secs())),
    }
}

/// The first of a host's addresses that takes us, IPv4 before IPv6.
async fn reach(host: &str, mut found: Vec<IpAddr>, port: u16) -> Result<(SocketAddr, TcpStream), String> {
    found.sort_by_key(IpAddr::is_ipv6);
    let mut reason = format!("{host} has no address");
    for ip in found.into_iter().take(MOST_ADDRESSES) {
        let remote = SocketAddr::new(ip, port);
        match connect(remote, None).await {
            Ok(stream) => return Ok((remote, stream)),
            Err(refused) => reason = refused,
        }
    }
    Err(reason)
}

async fn carry<T>(mut socket: Socket, mut inward: mpsc::Receiver<String>, tell: &impl Fn(News) -> T) -> String
where
    T: Future<Output = bool> + Send,
{
    let mut heard = Instant::now();
    let mut pings = interval_at(heard + PING, PING);
    let mut said = 0;
    let mut second = heard;
    loop {
        tokio::select! {
            biased;
            text = inward.recv() => {
                let Some(text) = text else {
                    let _ = timeout(GOODBYE, socket.close(None)).await;
                    return "closed by us".into();
                };
                if let Err(reason) = send(&mut socket, Message::text(text)).await {
                    return reason;
                }
            }
            _ = pings.tick() => {
                if heard.elapsed() > SILENCE {
                    return format!("the server said nothing for {} s", SILENCE.as_secs());
                }
                // Either may be answered, and servers are known that answer one alone.
                for ping in [Message::Ping(Default::default()), Message::text(ServerAsk::Ping.text())] {
                    if let Err(reason) = send(&mut socket, ping).await {
                        return reason;
                    }
                }
            }
            message = socket.next() => {
                heard = Instant::now();
                let text = match message {
                    None => return "the server closed the connection".into(),
                    Some(Ok(Message::Close(frame))) => return match frame {
                        Some(frame) => {
                            format!("the server closed the connection: {} {}", frame.code, frame.reason)
                        }
                        None => "the server closed the connection".into(),
                    },
                    Some(Err(error)) => return error.to_string(),
                    Some(Ok(Message::Text(text))) => text,
                    // Not of this protocol.
                    Some(Ok(_)) => continue,
                };
                let news = match hear(text.as_str()) {
                    Ok(ServerSaid::Ping) => {
                        if let Err(reason) = send(&mut socket, Message::text(ServerAsk::Pong.text())).await {
                            return reason;
                        }
                        continue;
                    }
                    Ok(ServerSaid::Nothing) => continue,
                    Ok(said) => News::Said(said),
                    Err(unreadable) => News::Unreadable(unreadable),
                };
                drop(text);
                if !tell(news).await {
                    return "closed by us".into();
                }
                said += 1;
                if second.elapsed() >= Duration::from_secs(1) {
                    (second, said) = (Instant::now(), 0);
                } else if said >= PER_SECOND {
                    sleep_until(second + Duration::from_secs(1)).await;
                }
            }
        }
    }
}

async fn send(socket: &mut Socket, message: Message) -> Result<(), String> {
    match timeout(WRITE_TIMEOUT, socket.send(message)).await {
        Ok(sent) => sent.map_err(|error| error.to_string()),
        Err(_) => Err("the server does not read".into()),
    }
}

// Elsewhere loopback has one address.
#[cfg(all(test, target_os = "linux"))]
mod tests {
    use super::reach;
    use std::net::{IpAddr, Ipv4Addr};

    #[tokio::test]
    async fn the_next_address_is_tried_where_one_does_not_answer() {
        let listener = tokio::net::TcpListener::bind("127.0.0.2:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let here = |last| IpAddr::V4(Ipv4Addr::new(127, 0, 0, last));
        let (remote, _) = reach("wcs.example", vec![here(3), here(2)], port).await.unwrap();
        assert_eq!(remote.ip(), here(2));
        let words = reach("wcs.example", vec![here(3)], port).await.unwrap_err();
        assert!(words.contains("127.0.0.3"), "{words}");
        let words = reach("wcs.example", Vec::new(), port).await.unwrap_err();
        assert!(words.contains("wcs.example"), "{words}");
    }
}
