//! The SIP account of a client: it is in the first message, and lives as long as the session.

use serde_json::{Map, Value};
use sidetone_api::{Account, AccountId, IncomingTransfer, Secret};

/// Of each text.
const LONGEST: usize = 256;
const SIP_PORT: u16 = 5060;

/// What a client wants to be at a SIP server.
pub(super) struct SipAccount {
    pub(super) account: Account,
    pub(super) password: Secret,
    pub(super) login: String,
    /// The client is told of its registration.
    pub(super) registers: bool,
}

/// `None` where the client has no account.
///
/// # Errors
/// Names the field that is wrong.
pub(super) fn sip_account(id: AccountId, fields: &Map<String, Value>) -> Result<Option<SipAccount>, String> {
    let Some(login) = text(fields, "sipLogin")? else { return Ok(None) };
    let domain = text(fields, "sipDomain")?;
    let proxy = text(fields, "sipOutboundProxy")?.or(text(fields, "sipProxy")?);
    let domain =
        domain.or_else(|| proxy.clone()).ok_or("sipDomain: it is not there, and no sipOutboundProxy")?;
    let port = match fields.get("sipPort") {
        None | Some(Value::Null) => None,
        Some(port) => {
            let number = port.as_u64().or_else(|| port.as_str().and_then(|port| port.trim().parse().ok()));
            let number = number.and_then(|number| u16::try_from(number).ok()).filter(|port| *port > 0);
            Some(number.ok_or("sipPort: it is no port")?)
        }
    };
    let registers =
        fields.get("sipRegisterRequired").is_some_and(|it| it == &Value::Bool(true) || it == "true");
    let mut account = Account::new(id, login.clone(), format!("sip:{login}@{domain}"));
    let at = |host: &str| match port {
        Some(port) if !has_port(host) => format!("sip:{host}:{port}"),
        _ => format!("sip:{host}"),
    };
    match &proxy {
        Some(proxy) if *proxy != domain => account.outbound_proxy = Some(at(proxy)),
        _ if port.is_some_and(|port| port != SIP_PORT) => account.registrar = Some(at(&domain)),
        _ => {}
    }
    account.user = text(fields, "sipAuthenticationName")?;
    account.display_name = text(fields, "sipVisibleName")?;
    account.register = registers;
    account.mwi = false;
    account.outbound = false;
    account.incoming_transfer = IncomingTransfer::Refuse;
    let password = Secret::new(text(fields, "sipPassword")?.unwrap_or_default());
    Ok(Some(SipAccount { account, password, login, registers }))
}

fn has_port(host: &str) -> bool {
    let after = host.rfind(']').map_or(host, |end| host.get(end..).unwrap_or_default());
    after.contains(':')
}

fn text(fields: &Map<String, Value>, key: &str) -> Result<Option<String>, String> {
    let text = match fields.get(key) {
        None | Some(Value::Null) => return Ok(None),
        Some(Value::String(text)) => text.trim().to_owned(),
        Some(Value::Number(number)) => number.to_string(),
        Some(_) => return Err(format!("{key}: it is no text")),
    };
    if text.len() > LONGEST || text.chars().any(char::is_control) {
        return Err(format!("{key}: it is a line of at most {LONGEST} bytes"));
    }
    Ok((!text.is_empty()).then_some(text))
}

#[cfg(test)]
mod tests {
    use super::sip_account;
    use serde_json::{Value, json};
    use sidetone_api::{Account, AccountId};

    fn read(fields: &Value) -> Result<Option<Account>, String> {
        let account = sip_account(AccountId::new("c1"), fields.as_object().unwrap())?;
        Ok(account.map(|account| account.account))
    }

    #[test]
    fn an_account_is_put_together_of_what_the_client_says() {
        assert_eq!(read(&json!({ "appKey": "x" })), Ok(None));
        let account = read(&json!({ "sipLogin": 1001, "sipDomain": "pbx.example", "sipPort": "5080",
            "sipAuthenticationName": "auth", "sipRegisterRequired": true }));
        let account = account.unwrap().unwrap();
        assert_eq!((account.aor.as_str(), account.user.as_deref()), ("sip:1001@pbx.example", Some("auth")));
        assert_eq!((account.registrar.as_deref(), account.register), (Some("sip:pbx.example:5080"), true));
        let account = read(&json!({ "sipLogin": "a", "sipDomain": "example.org", "sipPort": 5061,
            "sipOutboundProxy": "10.0.0.1" }));
        let account = account.unwrap().unwrap();
        assert_eq!((account.outbound_proxy.as_deref(), account.register), (Some("sip:10.0.0.1:5061"), false));
        assert_eq!(account.registrar, None);
    }

    #[test]
    fn what_cannot_be_an_account_is_named() {
        for (fields, field) in [
            (json!({ "sipLogin": "a" }), "sipDomain"),
            (json!({ "sipLogin": "a", "sipDomain": "x", "sipPort": 70000 }), "sipPort"),
            (json!({ "sipLogin": "a", "sipDomain": "x", "sipPort": [] }), "sipPort"),
            (json!({ "sipLogin": "a\r\nVia: x", "sipDomain": "x" }), "sipLogin"),
            (json!({ "sipLogin": {}, "sipDomain": "x" }), "sipLogin"),
        ] {
            assert!(read(&fields).unwrap_err().starts_with(field), "{fields}");
        }
    }
}
