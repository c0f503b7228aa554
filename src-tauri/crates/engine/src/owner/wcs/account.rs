//! Who we are at a server: what the account says, as the first message has it.

use super::{super::session::Session, Connection};
use crate::{
    io::transport::WebSocketUrl,
    wcs::{self, ServerAsk},
};
use serde_json::{Map, Value, json};
use sidetone_api::{Failure, WcsServer};

pub(super) const DEFAULT_APP: &str = "defaultApp";
const LONGEST_APP: usize = 128;
const LONGEST_CUSTOM: usize = 16 * 1024;

/// The URL, and what is for the server's backend.
///
/// # Errors
/// Names the field that is wrong.
pub(super) fn check(server: &WcsServer) -> Result<(WebSocketUrl, Option<String>), Failure> {
    let url = WebSocketUrl::parse(server.url.trim())
        .map_err(|reason| Failure::invalid("wcs.url", format!("wcs.url: {reason}")))?;
    if let Some(app) = &server.app_key
        && (app.is_empty() || app.len() > LONGEST_APP || app.chars().any(char::is_control))
    {
        let message = format!("wcs.appKey: it is a line of 1 to {LONGEST_APP} bytes");
        return Err(Failure::invalid("wcs.appKey", message));
    }
    let custom = server.custom.as_ref().map(|text| text.trim()).filter(|text| !text.is_empty());
    if let Some(custom) = custom {
        let wrong = |why: &str| Failure::invalid("wcs.custom", format!("wcs.custom: {why}"));
        if custom.len() > LONGEST_CUSTOM {
            return Err(wrong(&format!("{LONGEST_CUSTOM} bytes are the most")));
        }
        serde_json::from_str::<Map<String, Value>>(custom)
            .map_err(|error| wrong(&format!("it is no JSON object: {error}")))?;
    }
    Ok((url, custom.map(str::to_owned)))
}

/// The first message of a session.
pub(in super::super) fn introduction(session: &Session, connection: &Connection) -> ServerAsk {
    let mut fields = wcs::introduction(&connection.app_key);
    let mut put = |key: &str, value: Value| {
        if !value.is_null() {
            fields.insert(key.to_owned(), value);
        }
    };
    if let Some(token) = &connection.auth_token {
        put("authToken", json!(token.expose()));
    }
    let custom = connection.custom.as_deref().and_then(|text| serde_json::from_str::<Map<_, _>>(text).ok());
    let mut custom = custom.unwrap_or_default();
    if let Some(login) = &connection.login_of_rooms {
        custom.entry("login").or_insert_with(|| json!(login));
    }
    let password = connection.password.as_ref().map(|password| password.expose());
    if let Some(password) = password.filter(|_| !connection.has_address) {
        custom.entry("token").or_insert_with(|| json!(password));
    }
    if !custom.is_empty() {
        put("custom", Value::Object(custom));
    }
    // A session that is taken up again has its account.
    if connection.has_address && connection.auth_token.is_none() {
        let (account, aor, registrar) = (&session.account, &session.aor.uri, &session.registrar);
        put("sipLogin", json!(aor.user_text()));
        put("sipAuthenticationName", json!(account.user.clone().or_else(|| aor.user_text())));
        put("sipPassword", json!(password));
        put("sipDomain", json!(aor.host.to_string()));
        let proxy = session.outbound_proxy.as_ref();
        let first = proxy.unwrap_or(registrar);
        if proxy.is_some() || registrar.host != aor.host {
            put("sipOutboundProxy", json!(first.host.to_string()));
        }
        put("sipPort", json!(first.port.or(aor.port)));
        put("sipRegisterRequired", json!(account.register));
        put("sipVisibleName", json!(account.display_name));
    }
    ServerAsk::Connect(fields)
}
