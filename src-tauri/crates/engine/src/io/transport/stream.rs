//! Bytes of a TCP or TLS connection.

use super::{Ends, Queue, WRITE_TIMEOUT, open::Io};
use crate::io::sip::FromNetwork;
use std::time::Duration;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};

const READ_BUFFER: usize = 16 * 1024;
/// How long a connection that we close is still read: a reset would take our last words from the peer.
const LINGER: Duration = Duration::from_secs(1);

/// Carries bytes until either side ends it; returns why. Who does not read our replies is not read either.
pub(super) async fn carry(stream: Box<dyn Io>, mut queue: Queue, ends: &Ends) -> String {
    let (mut reader, mut writer) = tokio::io::split(stream);
    let mut buffer = vec![0; READ_BUFFER];
    loop {
        tokio::select! {
            biased;
            bytes = queue.recv() => {
                let Some(bytes) = bytes else {
                    let _ = tokio::time::timeout(LINGER, writer.shutdown()).await;
                    let rest = async { while reader.read(&mut buffer).await.is_ok_and(|length| length > 0) {} };
                    let _ = tokio::time::timeout(LINGER, rest).await;
                    return "closed by us".into();
                };
                let writing = async {
                    writer.write_all(&bytes).await?;
                    writer.flush().await
                };
                match tokio::time::timeout(WRITE_TIMEOUT, writing).await {
                    Ok(Ok(())) => {}
                    Ok(Err(error)) => return error.to_string(),
                    Err(_) => return "the peer does not read".into(),
                }
            }
            result = reader.read(&mut buffer) => match result {
                Ok(0) => return "closed by the peer".into(),
                Ok(length) => {
                    let bytes = buffer[..length].to_vec();
                    if !ends.tell(|hop| FromNetwork::Stream { hop, bytes }).await {
                        return "stopping".into();
                    }
                }
                Err(error) if error.kind() == std::io::ErrorKind::UnexpectedEof => return "closed by the peer".into(),
                Err(error) => return error.to_string(),
            },
        }
    }
}
