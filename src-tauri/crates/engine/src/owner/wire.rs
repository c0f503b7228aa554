//! How an account's link is spoken to: its addresses, its transport, whom it trusts.

use crate::io::{
    tls,
    transport::{Link, WebSocketUrl},
};
use sidetone_api::{Account, Failure, SignallingView, Transport as Told};
use sidetone_sip::message::{Scheme, Uri};
use sidetone_sip::{Hop, Transport};

/// # Errors
/// Names `field` where the text is no `sip:` or `sips:` URI.
pub(super) fn sip_uri(field: &str, text: &str) -> Result<Uri, Failure> {
    let text = text.trim();
    let lower = text.to_ascii_lowercase();
    let has_scheme = lower.starts_with("sip:") || lower.starts_with("sips:");
    let full = if has_scheme { text.to_owned() } else { format!("sip:{text}") };
    let uri = Uri::parse(&full).map_err(|error| Failure::invalid(field, format!("{text:?}: {error}")))?;
    let named = uri.transport().map(|token| (token.to_owned(), Transport::from_token(token)));
    match named {
        Some((token, None)) => {
            Err(Failure::invalid(field, format!("{text:?}: transport={token} is not spoken")))
        }
        Some((_, Some(Transport::Udp))) if uri.scheme == Scheme::Sips => {
            Err(Failure::invalid(field, format!("{text:?}: sips: goes over TLS, not over UDP")))
        }
        _ => Ok(uri),
    }
}

/// Whom the account trusts, and its WebSocket server.
///
/// # Errors
/// Names `trustedCa` or `websocketUrl`.
pub(super) fn link(account: &Account) -> Result<Link, Failure> {
    let given = |text: &Option<String>| text.as_ref().filter(|text| !text.trim().is_empty()).cloned();
    let trusted_ca = given(&account.trusted_ca);
    if let Some(pem) = &trusted_ca {
        tls::check_ca(pem).map_err(|reason| Failure::invalid("trustedCa", format!("trustedCa: {reason}")))?;
    }
    let websocket = given(&account.websocket_url)
        .map(|url| WebSocketUrl::parse(url.trim()))
        .transpose()
        .map_err(|reason| Failure::invalid("websocketUrl", format!("websocketUrl: {reason}")))?;
    Ok(Link { trusted_ca: trusted_ca.map(Into::into), websocket })
}

/// The transport to insist on: the account's, or the one that its addresses or its WebSocket URL ask for; `None` leaves it to DNS.
///
/// # Errors
/// Names the field that says something else.
pub(super) fn transport(
    account: &Account,
    link: &Link,
    first: &Uri,
    aor: &Uri,
) -> Result<Option<Transport>, Failure> {
    let chosen = account.transport.map(|transport| match transport {
        Told::Udp => Transport::Udp,
        Told::Tcp => Transport::Tcp,
        Told::Tls => Transport::Tls,
        Told::Ws => Transport::Ws,
        Told::Wss => Transport::Wss,
    });
    let secure = first.scheme == Scheme::Sips || aor.scheme == Scheme::Sips;
    if secure && chosen.is_some_and(|transport| !transport.is_secure()) {
        return Err(Failure::invalid("transport", "sips: goes over TLS or WSS"));
    }
    let by_url = link.websocket.as_ref().map(WebSocketUrl::transport);
    if let (Some(chosen), Some(by_url)) = (chosen, by_url)
        && chosen != by_url
    {
        let message =
            format!("websocketUrl begins with {by_url}://, but the account's transport is {chosen}");
        return Err(Failure::invalid("websocketUrl", message));
    }
    let named = |uri: &Uri| uri.transport().and_then(Transport::from_token);
    let wanted = chosen.or(by_url).or_else(|| named(first)).or_else(|| named(aor));
    Ok(match wanted {
        None | Some(Transport::Tcp) if secure => Some(Transport::Tls),
        Some(Transport::Ws) if secure => Some(Transport::Wss),
        other => other,
    })
}

/// The truth about the first hop. `info` is what the connection proved.
pub(super) fn signalling(hop: &Hop, info: Option<String>) -> SignallingView {
    let transport = match hop.transport {
        Transport::Udp => Told::Udp,
        Transport::Tcp => Told::Tcp,
        Transport::Tls => Told::Tls,
        Transport::Ws => Told::Ws,
        Transport::Wss => Told::Wss,
    };
    let proved = info.filter(|_| hop.transport.is_secure());
    SignallingView {
        transport,
        remote: hop.remote.to_string(),
        secure: proved.is_some(),
        info: proved.unwrap_or_else(|| "not encrypted".into()),
    }
}

#[cfg(test)]
mod tests {
    use super::{link, sip_uri, transport};
    use sidetone_api::{Account, AccountId, Failure, Transport as Told};
    use sidetone_sip::Transport;

    fn account(aor: &str) -> Account {
        Account::new(AccountId::new("a"), "A", aor)
    }

    fn wanted(account: &Account) -> Result<Option<Transport>, Failure> {
        let aor = sip_uri("aor", &account.aor)?;
        transport(account, &link(account)?, &aor, &aor)
    }

    #[test]
    fn the_transport_is_the_accounts_or_its_addresses() {
        assert_eq!(wanted(&account("sip:a@pbx.example")), Ok(None));
        assert_eq!(wanted(&account("sips:a@pbx.example")), Ok(Some(Transport::Tls)));
        assert_eq!(wanted(&account("sip:a@pbx.example;transport=tls")), Ok(Some(Transport::Tls)));
        let chosen = Account { transport: Some(Told::Tcp), ..account("sip:a@pbx.example;transport=tls") };
        assert_eq!(wanted(&chosen), Ok(Some(Transport::Tcp)));
        let url =
            Account { websocket_url: Some("wss://edge.example/ws".into()), ..account("sip:a@pbx.example") };
        assert_eq!(wanted(&url), Ok(Some(Transport::Wss)));
    }

    #[test]
    fn what_contradicts_itself_is_refused_by_the_field() {
        let field = |account: &Account| wanted(account).unwrap_err().field;
        let plain = Account { transport: Some(Told::Udp), ..account("sips:a@pbx.example") };
        assert_eq!(field(&plain).as_deref(), Some("transport"));
        let url = Some("ws://edge.example".to_owned());
        let secure =
            Account { transport: Some(Told::Wss), websocket_url: url, ..account("sip:a@pbx.example") };
        assert_eq!(field(&secure).as_deref(), Some("websocketUrl"));
        let url = Account { websocket_url: Some("http://x".into()), ..account("sip:a@pbx.example") };
        assert_eq!(field(&url).as_deref(), Some("websocketUrl"));
        for pem in [
            "rubbish",
            "-----BEGIN CERTIFICATE-----\nMAA=\n-----END CERTIFICATE-----\n",
            "-----BEGIN PRIVATE KEY-----",
        ] {
            let own = Account { trusted_ca: Some(pem.into()), ..account("sip:a@pbx.example") };
            assert_eq!(field(&own).as_deref(), Some("trustedCa"), "{pem}");
        }
        assert_eq!(field(&account("sips:a@pbx.example;transport=udp")).as_deref(), Some("aor"));
        assert_eq!(field(&account("sip:a@pbx.example;transport=dccp")).as_deref(), Some("aor"));
    }
}
