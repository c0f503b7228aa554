//! A backend for Sidetone's hooks: prints every hook, refuses what it is told to, sends calls and streams elsewhere, and says who
//! is calling. A place to begin from; src-tauri/docs/hooks.md has the rules.
//!
//! ```sh
//! cargo run -p sidetone-engine --example hook-backend -- --refuse hold --overwrite call.callee=echo --contact 1001="Ada Lovelace"
//! sidetone-cli call somebody --hooks http://127.0.0.1:8090/hooks
//! ```
#![allow(clippy::print_stdout)]

use axum::{
    Router,
    body::Bytes,
    extract::{DefaultBodyLimit, Path, State},
    http::{HeaderMap, StatusCode, header},
    response::{IntoResponse, Response},
    routing::post,
};
use clap::Parser;
use hmac::{Hmac, KeyInit as _, Mac as _};
use serde_json::{Map, Value, json};
use std::{
    collections::{HashMap, HashSet},
    error::Error,
    net::SocketAddr,
    sync::{Arc, Mutex},
    time::{SystemTime, UNIX_EPOCH},
};

/// How old a signature may be, seconds.
const OLDEST: u64 = 300;
/// Keys that are remembered. A real backend keeps them where its other data is.
const MOST_KEYS: usize = 100_000;
const LARGEST_HOOK: usize = 1024 * 1024;

#[derive(Debug, Clone, Parser)]
struct Options {
    #[arg(long, default_value = "127.0.0.1:8090")]
    listen: SocketAddr,
    /// Answer this hook 403 (repeat)
    #[arg(long, value_name = "HOOK")]
    refuse: Vec<String>,
    #[arg(long, default_value = "refused by the example backend")]
    reason: String,
    /// Change a field of a hook: call.callee=echo (repeat)
    #[arg(long, value_name = "HOOK.FIELD=VALUE", value_parser = overwrite)]
    overwrite: Vec<(String, String, String)>,
    /// Who a caller's number or name belongs to: 1001="Ada Lovelace" (repeat)
    #[arg(long, value_name = "WHO=NAME", value_parser = contact)]
    contact: Vec<(String, String)>,
    /// Environment variable with the key of `sha256` signatures; without it nothing is verified
    #[arg(long, value_name = "VAR")]
    secret_env: Option<String>,
}

struct Backend {
    options: Options,
    secret: Option<String>,
    /// Idempotency keys of events that came.
    seen: Mutex<HashSet<String>>,
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn Error>> {
    let options = Options::parse();
    let secret = options.secret_env.as_ref().map(std::env::var).transpose()?;
    let listener = tokio::net::TcpListener::bind(options.listen).await?;
    println!("hooks at http://{}/hooks", listener.local_addr()?);
    let backend = Arc::new(Backend { options, secret, seen: Mutex::default() });
    let routes =
        Router::new().route("/hooks/{hook}", post(on_hook)).layer(DefaultBodyLimit::max(LARGEST_HOOK));
    axum::serve(listener, routes.with_state(backend)).await?;
    Ok(())
}

async fn on_hook(
    State(backend): State<Arc<Backend>>,
    Path(hook): Path<String>,
    headers: HeaderMap,
    body: Bytes,
) -> Response {
    let key = text(&headers, "idempotency-key").to_owned();
    if !backend.is_genuine(&hook, &key, &headers, &body) {
        return answer(403, &json!({"status": 403, "reason": "the signature is wrong"}));
    }
    let Ok(Value::Object(mut fields)) = serde_json::from_slice(&body) else {
        return answer(400, &json!({"status": 400, "reason": "a JSON object is expected"}));
    };
    // The same event may come again, where our answer was lost: it is taken for done.
    let is_new = backend.remember(&key);
    println!("{hook}{} {}", if is_new { "" } else { " (again)" }, Value::Object(fields.clone()));
    if backend.options.refuse.contains(&hook) {
        return answer(403, &json!({"status": 403, "reason": backend.options.reason}));
    }
    if hook == "connect" {
        fields.insert("restClientConfig".into(), backend.config());
    }
    if hook == "OnCallEvent"
        && let Some(name) = backend.caller(&fields)
    {
        println!("--- {name} is calling ---");
        fields.insert("visibleName".into(), name.into());
    }
    for (_, field, value) in backend.options.overwrite.iter().filter(|(of, ..)| *of == hook) {
        fields.insert(field.clone(), value.as_str().into());
    }
    answer(200, &Value::Object(fields))
}

impl Backend {
    /// What is refused must fail, and what is changed must count: by default neither does.
    fn config(&self) -> Value {
        let mut overwritten: HashMap<&str, Vec<&str>> = HashMap::from([("OnCallEvent", vec!["visibleName"])]);
        for (hook, field, _) in &self.options.overwrite {
            overwritten.entry(hook).or_default().push(field);
        }
        let refused = self.options.refuse.iter().map(String::as_str);
        let hooks: HashSet<&str> = refused.chain(overwritten.keys().copied()).collect();
        let config = hooks.into_iter().map(|hook| {
            let policy = match overwritten.get(hook) {
                Some(fields) => json!({"restPolicy": "OVERWRITE", "restOverwrite": fields.join(","), "restOnError": "FAIL"}),
                None => json!({"restPolicy": "NOTIFY", "restOnError": "FAIL"}),
            };
            (hook.to_owned(), policy)
        });
        Value::Object(config.collect())
    }

    /// The contact whose number or name the caller's address begins with.
    fn caller(&self, fields: &Map<String, Value>) -> Option<String> {
        let caller = fields.get("caller")?.as_str()?;
        let user = caller.trim_start_matches("sips:").trim_start_matches("sip:").split('@').next()?;
        let found = self.options.contact.iter().find(|(who, _)| who == user);
        found.map(|(_, name)| name.clone())
    }

    fn remember(&self, key: &str) -> bool {
        let Ok(mut seen) = self.seen.lock() else { return true };
        if seen.len() >= MOST_KEYS {
            seen.clear();
        }
        seen.insert(key.to_owned())
    }

    fn is_genuine(&self, hook: &str, key: &str, headers: &HeaderMap, body: &[u8]) -> bool {
        let Some(secret) = &self.secret else { return true };
        let at = text(headers, "x-sidetone-timestamp");
        let now = SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs());
        let is_fresh = at.parse::<u64>().is_ok_and(|at| at.abs_diff(now) <= OLDEST);
        let code = text(headers, "x-sidetone-signature").strip_prefix("v1=").and_then(unhex);
        let (Some(code), Ok(mac)) = (code, Hmac::<sha2::Sha256>::new_from_slice(secret.as_bytes())) else {
            return false;
        };
        let mac = mac.chain_update(format!("{at}.{hook}.{key}.")).chain_update(body);
        is_fresh && mac.verify_slice(&code).is_ok()
    }
}

fn answer(status: u16, body: &Value) -> Response {
    let status = StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    (status, [(header::CONTENT_TYPE, "application/json")], body.to_string()).into_response()
}

fn text<'a>(headers: &'a HeaderMap, name: &str) -> &'a str {
    headers.get(name).and_then(|value| value.to_str().ok()).unwrap_or_default()
}

fn unhex(text: &str) -> Option<Vec<u8>> {
    let digits = text.as_bytes().chunks(2);
    digits.map(|pair| u8::from_str_radix(std::str::from_utf8(pair).ok()?, 16).ok()).collect()
}

fn overwrite(text: &str) -> Result<(String, String, String), String> {
    let parts = text.split_once('=').and_then(|(place, value)| Some((place.split_once('.')?, value)));
    let ((hook, field), value) = parts.ok_or("HOOK.FIELD=VALUE is expected")?;
    Ok((hook.into(), field.into(), value.into()))
}

fn contact(text: &str) -> Result<(String, String), String> {
    let (who, name) = text.split_once('=').ok_or("WHO=NAME is expected")?;
    Ok((who.into(), name.into()))
}
