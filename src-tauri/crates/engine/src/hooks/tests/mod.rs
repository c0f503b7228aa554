//! The rules of hooks under virtual time.

mod gates;
mod identity;
mod outbox;
mod pages;

use super::{Answer, Config, Fields, Outcome, Trouble};
use serde_json::{Value, json};
use sidetone_api::HookSettings;

fn fields(value: Value) -> Fields {
    value.as_object().cloned().expect("an object")
}

fn answer(status: u16, reason: &str, body: &str) -> Outcome {
    Ok(Answer { status, reason: reason.into(), body: body.into() })
}

fn ok(body: Value) -> Outcome {
    answer(200, "OK", &body.to_string())
}

fn forbidden() -> Outcome {
    answer(403, "Forbidden", "")
}

fn timed_out() -> Outcome {
    Err(Trouble::TimedOut)
}

/// Policies as the settings have them.
fn config(policies: Value) -> Config {
    let policies = serde_json::from_value(policies).expect("policies");
    Config::of(&HookSettings { policies, ..HookSettings::default() })
}

fn failing(hook: &str) -> Config {
    config(json!({ hook: { "restOnError": "FAIL" } }))
}
