use super::{Fields, Hook};
use serde_json::Value;
use sidetone_api::{Failure, HookPolicy, HookSettings, RestOnError, RestPolicy};
use std::collections::{BTreeMap, BTreeSet};

/// Fields of one list.
const MOST_FIELDS: usize = 64;
const LONGEST_FIELD: usize = 64;

/// What counts for one hook of one session.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Policy {
    on_error: RestOnError,
    policy: RestPolicy,
    overwrite: BTreeSet<String>,
    exclude: BTreeSet<String>,
    client_exclude: BTreeSet<String>,
}

impl Policy {
    pub(crate) fn of(policy: &HookPolicy) -> Self {
        Self {
            on_error: policy.rest_on_error,
            policy: policy.rest_policy,
            overwrite: list(&policy.rest_overwrite),
            exclude: list(&policy.rest_exclude),
            client_exclude: list(&policy.client_exclude),
        }
    }

    /// As a backend wrote it: what is not understood has its default, as in the Web Call Server.
    fn read(value: &Value) -> Self {
        let text = |key| value.get(key).and_then(Value::as_str).unwrap_or_default();
        let on_error = match text("restOnError") {
            word if word.eq_ignore_ascii_case("FAIL") => RestOnError::Fail,
            _ => RestOnError::Log,
        };
        let policy = match text("restPolicy").to_ascii_uppercase().as_str() {
            "OVERWRITE" => RestPolicy::Overwrite,
            "DISABLE" | "DISABLED" => RestPolicy::Disable,
            _ => RestPolicy::Notify,
        };
        Self {
            on_error,
            policy,
            overwrite: list(text("restOverwrite")),
            exclude: list(text("restExclude")),
            client_exclude: list(text("clientExclude")),
        }
    }

    pub(crate) fn is_off(&self) -> bool {
        self.policy == RestPolicy::Disable
    }

    pub(crate) fn fails(&self) -> bool {
        self.on_error == RestOnError::Fail
    }

    /// What the backend gets.
    pub(crate) fn without_excluded(&self, mut fields: Fields) -> Fields {
        fields.retain(|field, _| !self.exclude.contains(field));
        fields
    }

    /// What counts of an answer.
    pub(super) fn overwritten(&self, answer: Option<Fields>) -> Fields {
        let mut fields = answer.unwrap_or_default();
        fields.retain(|field, _| {
            self.policy == RestPolicy::Overwrite && self.overwrite.contains(field.as_str())
        });
        fields
    }

    /// The client goes on seeing what it asked for.
    pub(crate) fn hides(&self, field: &str) -> bool {
        self.client_exclude.contains(field)
    }
}

/// The policies of a session: the settings', and over them what the backend said when it was connected.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Config {
    policies: BTreeMap<Hook, Policy>,
}

impl Config {
    pub(crate) fn of(settings: &HookSettings) -> Self {
        let named = settings
            .policies
            .iter()
            .filter_map(|(name, policy)| Hook::of_name(name).map(|hook| (hook, Policy::of(policy))));
        Self { policies: named.collect() }
    }

    /// With what `connect` was answered.
    pub(super) fn changed_by(&self, answer: Option<&Fields>) -> Self {
        let mut config = self.clone();
        let given = answer.and_then(|answer| answer.get("restClientConfig")).and_then(Value::as_object);
        for (name, policy) in given.into_iter().flatten() {
            match Hook::of_name(name) {
                Some(hook) => drop(config.policies.insert(hook, Policy::read(policy))),
                None => tracing::debug!(%name, "restClientConfig names a hook that does not exist here"),
            }
        }
        config
    }

    pub(crate) fn names(&self, hook: Hook) -> bool {
        self.policies.contains_key(&hook)
    }

    pub(crate) fn policy(&self, hook: Hook) -> Policy {
        self.policies.get(&hook).cloned().unwrap_or_default()
    }
}

/// The hook of a name in the settings.
///
/// # Errors
/// Names `field`.
pub(crate) fn named(field: &str, name: &str) -> Result<Hook, Failure> {
    Hook::of_name(name).ok_or_else(|| {
        let names: Vec<_> = Hook::ALL.iter().map(|hook| hook.name()).collect();
        let name: String = name.chars().take(LONGEST_FIELD).collect();
        Failure::invalid(field, format!("{field}: {name:?} is no hook: {}", names.join(", ")))
    })
}

/// # Errors
/// Names `field`, where the lists of a policy are longer than any body.
pub(crate) fn check_fields(field: &str, policy: &HookPolicy) -> Result<(), Failure> {
    for (key, text) in [
        ("restOverwrite", &policy.rest_overwrite),
        ("restExclude", &policy.rest_exclude),
        ("clientExclude", &policy.client_exclude),
    ] {
        let names = text.split(',').filter(|name| !name.trim().is_empty());
        if text.len() > MOST_FIELDS * LONGEST_FIELD || names.count() > MOST_FIELDS {
            let words = format!("{field}.{key}: {MOST_FIELDS} names are the most");
            return Err(Failure::invalid(format!("{field}.{key}"), words));
        }
    }
    Ok(())
}

fn list(text: &str) -> BTreeSet<String> {
    let names = text.split(',').map(str::trim).filter(|name| !name.is_empty() && name.len() <= LONGEST_FIELD);
    names.take(MOST_FIELDS).map(str::to_owned).collect()
}
