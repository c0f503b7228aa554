use super::{Fields, Hook, Kind, Policy};
use serde_json::Value;

/// What the backend said.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    /// The reason phrase, where it came with one, or the one that is usual.
    pub(crate) reason: String,
    pub(crate) body: Vec<u8>,
}

/// Why there is no answer.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(crate) enum Trouble {
    #[error("the backend did not answer in time")]
    TimedOut,
    /// In words.
    #[error("{0}")]
    Unreachable(String),
    /// It answered, with something that cannot be taken: in words.
    #[error("{0}")]
    Unusable(String),
}

impl Trouble {
    /// Nobody is there, as far as anybody can tell.
    pub(crate) fn is_silence(&self) -> bool {
        !matches!(self, Self::Unusable(_))
    }
}

pub(crate) type Outcome = Result<Answer, Trouble>;

/// What comes of an invocation that waited.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Verdict {
    /// It goes on, with these fields changed.
    Go(Fields),
    /// It does not; `info` is for the client.
    Refused { info: String },
}

const OK: u16 = 200;

impl Answer {
    /// The body, where it is a JSON object.
    pub(crate) fn fields(&self) -> Option<Fields> {
        match serde_json::from_slice(&self.body) {
            Ok(Value::Object(fields)) => Some(fields),
            _ => None,
        }
    }

    /// The reason for a refusal: of a body with exactly `status` and `reason`, else the reason phrase.
    pub(crate) fn info(&self) -> String {
        let told = self.fields().filter(|fields| fields.len() == 2 && fields.contains_key("status"));
        let told = told.as_ref().and_then(|fields| fields.get("reason")).and_then(Value::as_str);
        match told.filter(|_| (400..500).contains(&self.status)) {
            Some(reason) if !reason.trim().is_empty() => reason.into(),
            _ if self.reason.is_empty() => format!("REST error {}", self.status),
            _ => self.reason.clone(),
        }
    }

    pub(crate) fn is_ok(&self) -> bool {
        self.status == OK
    }
}

/// What anybody but the client is told of an outcome that is no 200.
pub(crate) fn in_words(outcome: &Outcome) -> Option<String> {
    match outcome {
        Ok(answer) if answer.is_ok() => None,
        Ok(answer) if (300..400).contains(&answer.status) => {
            Some(format!("{} {}: redirects are not followed", answer.status, answer.reason))
        }
        Ok(answer) => Some(format!("{} {}", answer.status, answer.info())),
        Err(trouble) => Some(trouble.to_string()),
    }
}

/// Nobody decided: another time somebody may.
pub(super) fn may_pass(outcome: &Outcome) -> bool {
    outcome.as_ref().map_or(true, |answer| answer.status >= 500)
}

/// What an outcome means for what waits.
pub(super) fn judge(hook: Hook, policy: &Policy, outcome: &Outcome) -> Verdict {
    match outcome {
        Ok(answer) if answer.is_ok() => Verdict::Go(match hook.kind() {
            // Whatever its policy: this is how a backend gives a session its account.
            Kind::Connect => answer.fields().unwrap_or_default(),
            _ => policy.overwritten(answer.fields()),
        }),
        _ if hook.kind() != Kind::Connect && !policy.fails() => Verdict::Go(Fields::new()),
        Ok(answer) => Verdict::Refused { info: answer.info() },
        Err(trouble) => Verdict::Refused { info: trouble.to_string() },
    }
}
