//! SIP over WebSockets, as a client: RFC 7118. One message a frame, in text where it is text.

use super::{Ends, MAX_MESSAGE, Queue, WRITE_TIMEOUT, open::Io};
use crate::io::sip::FromNetwork;
use futures_util::{Sink, Stream};
use sidetone_sip::{Transport, framing};
use std::{future::poll_fn, pin::Pin, time::Duration};
use tokio::time::Instant;
use tokio_tungstenite::{
    WebSocketStream, client_async_with_config,
    tungstenite::{
        Error, Message,
        client::IntoClientRequest as _,
        error::ProtocolError,
        http::{HeaderValue, header::SEC_WEBSOCKET_PROTOCOL},
        protocol::WebSocketConfig,
    },
};

pub(super) type Messages = WebSocketStream<Box<dyn Io>>;

const SUBPROTOCOL: &str = "sip";
const UPGRADE: Duration = Duration::from_secs(5);
/// RFC 6455 section 5.5.2 by way of RFC 7118 section 6: so often a ping goes out, and so long its server may be silent.
const PING: Duration = Duration::from_secs(25);
const SILENCE: Duration = Duration::from_secs(60);
/// How long a server may take to say goodbye.
const GOODBYE: Duration = Duration::from_secs(1);

/// Asks the server at the other end of `stream` to speak SIP over WebSocket.
///
/// # Errors
/// The reason in words.
pub(super) async fn open(
    host: &str,
    port: u16,
    path: &str,
    transport: Transport,
    stream: Box<dyn Io>,
) -> Result<Messages, String> {
    let bracketed = if host.contains(':') { format!("[{host}]") } else { host.to_owned() };
    let at = if port == transport.default_port() { bracketed } else { format!("{bracketed}:{port}") };
    // The scheme says nothing here but which port is the usual one; the stream is open.
    let url = format!("{transport}://{at}{path}");
    let mut request = url.as_str().into_client_request().map_err(|error| format!("{url}: {error}"))?;
    request.headers_mut().insert(SEC_WEBSOCKET_PROTOCOL, HeaderValue::from_static(SUBPROTOCOL));
    let mut config = WebSocketConfig::default();
    config.max_message_size = Some(MAX_MESSAGE);
    config.max_frame_size = Some(MAX_MESSAGE);
    let asking = client_async_with_config(request, stream, Some(config));
    match tokio::time::timeout(UPGRADE, asking).await {
        Ok(Ok((messages, _))) => Ok(messages),
        Ok(Err(error)) => Err(in_words(&url, &error)),
        Err(_) => Err(format!("{url} did not answer the WebSocket request within {} s", UPGRADE.as_secs())),
    }
}

fn in_words(url: &str, error: &Error) -> String {
    match error {
        Error::Http(response) => format!("{url} answered the WebSocket request with {}", response.status()),
        Error::Protocol(ProtocolError::SecWebSocketSubProtocolError(_)) => {
            format!("{url} is a WebSocket server, but not for SIP")
        }
        other => format!("{url}: {other}"),
    }
}

/// Carries messages until either side ends it; returns why.
pub(super) async fn carry(mut messages: Messages, mut queue: Queue, ends: &Ends) -> String {
    let mut heard = Instant::now();
    // The user agent's own pings become the protocol's: servers need not know those of RFC 5626.
    let mut owed = false;
    let mut pings = tokio::time::interval_at(heard + PING, PING);
    loop {
        let next = poll_fn(|context| Pin::new(&mut messages).poll_next(context));
        tokio::select! {
            biased;
            bytes = queue.recv() => {
                let Some(bytes) = bytes else {
                    let goodbye = poll_fn(|context| Pin::new(&mut messages).poll_close(context));
                    let _ = tokio::time::timeout(GOODBYE, goodbye).await;
                    return "closed by us".into();
                };
                let ping = bytes == framing::PING;
                owed |= ping;
                let message = if ping { Message::Ping(Default::default()) } else { framed(bytes) };
                if let Err(reason) = send(&mut messages, message).await {
                    return reason;
                }
            }
            _ = pings.tick() => {
                if heard.elapsed() > SILENCE {
                    return format!("the server did not answer for {} s", SILENCE.as_secs());
                }
                if let Err(reason) = send(&mut messages, Message::Ping(Default::default())).await {
                    return reason;
                }
            }
            message = next => {
                heard = Instant::now();
                let bytes = match message {
                    None | Some(Ok(Message::Close(_))) => return "closed by the peer".into(),
                    Some(Err(error)) => return error.to_string(),
                    Some(Ok(Message::Text(text))) => text.as_bytes().to_vec(),
                    Some(Ok(Message::Binary(bytes))) => bytes.to_vec(),
                    Some(Ok(Message::Pong(_))) if std::mem::take(&mut owed) => {
                        let bytes = framing::PONG.to_vec();
                        if !ends.tell(|hop| FromNetwork::Stream { hop, bytes }).await {
                            return "stopping".into();
                        }
                        continue;
                    }
                    Some(Ok(_)) => continue,
                };
                if bytes == framing::PING {
                    if let Err(reason) = send(&mut messages, framed(framing::PONG.to_vec())).await {
                        return reason;
                    }
                } else if !ends.tell(|hop| FromNetwork::Datagram { hop, bytes }).await {
                    return "stopping".into();
                }
            }
        }
    }
}

fn framed(bytes: Vec<u8>) -> Message {
    match String::from_utf8(bytes) {
        Ok(text) => Message::text(text),
        Err(error) => Message::binary(error.into_bytes()),
    }
}

async fn send(messages: &mut Messages, message: Message) -> Result<(), String> {
    let sending = async {
        poll_fn(|context| Pin::new(&mut *messages).poll_ready(context)).await?;
        Pin::new(&mut *messages).start_send(message)?;
        poll_fn(|context| Pin::new(&mut *messages).poll_flush(context)).await
    };
    match tokio::time::timeout(WRITE_TIMEOUT, sending).await {
        Ok(result) => result.map_err(|error: Error| error.to_string()),
        Err(_) => Err("the peer does not read".into()),
    }
}
