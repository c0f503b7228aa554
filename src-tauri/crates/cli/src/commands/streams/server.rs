//! Streams at a Web Call Server: the session that they need.

use crate::{
    arguments::Endpoint,
    client::Client,
    exit::{Error, Exit},
};
use sidetone_api::{Account, AccountId, Command, Reply, Secret, SessionId, WcsServer};
use sidetone_engine::check_stream_name;

const ID: &str = "cli";

/// A name at a server.
pub(super) struct AtServer {
    pub(super) url: String,
    pub(super) name: String,
}

/// `None` where the stream is elsewhere. `wss://host:port/NAME` names the server and the stream.
///
/// # Errors
/// There is no name, or one that no stream can have.
pub(super) fn of(endpoint: &Endpoint) -> Result<Option<AtServer>, Error> {
    let stream = endpoint.stream.as_str();
    let (url, name) = match (&endpoint.wcs, is_url(stream)) {
        (Some(url), false) => (url.clone(), stream.to_owned()),
        (None, true) => match stream.rsplit_once('/') {
            Some((url, name)) if !url.ends_with('/') => (url.to_owned(), name.to_owned()),
            _ => return Err(Error::usage(format!("{stream}: a name is missing, as in {stream}/NAME"))),
        },
        (Some(_), true) => {
            return Err(Error::usage("--wcs names the server already: STREAM is a name there"));
        }
        (None, false) => return Ok(None),
    };
    check_stream_name(&name).map_err(|problem| Error::usage(format!("{name}: {problem}")))?;
    Ok(Some(AtServer { url, name }))
}

fn is_url(stream: &str) -> bool {
    let lower = stream.to_ascii_lowercase();
    lower.starts_with("ws://") || lower.starts_with("wss://")
}

/// A session that stands.
pub(super) async fn connect(
    client: &mut Client,
    endpoint: &Endpoint,
    url: String,
    token: Option<Secret>,
    trusted_ca: Option<String>,
) -> Result<SessionId, Error> {
    let wcs = WcsServer { url: url.clone(), app_key: endpoint.app_key.clone(), custom: None };
    let account = Account {
        enabled: false,
        register: false,
        trusted_ca,
        wcs: Some(wcs),
        ..Account::new(AccountId::new(ID), url, "")
    };
    let account_id = account.id.clone();
    client.command(Command::SaveAccount { account, password: None, remember: false }).await?;
    let session =
        match client.command(Command::Connect { account_id, password: token, auth_token: None }).await? {
            Reply::Session { session_id } => session_id,
            other => return Err(Error::new(Exit::Internal, format!("connect was answered by {other:?}"))),
        };
    client.established(&session).await?;
    Ok(session)
}

#[cfg(test)]
mod tests {
    use super::is_url;

    #[test]
    fn only_web_sockets_are_servers_of_this_kind() {
        assert!(is_url("WSS://example.com/tv") && is_url("ws://[::1]:8080/tv"));
        assert!(!is_url("https://example.com/whip/tv") && !is_url("tv"));
    }
}
