//! Fields as they are, or as they must have been meant.

use serde_json::{Map, Value};

/// An object of a client.
#[derive(Debug, Clone, Copy)]
pub(super) struct Fields<'a>(pub(super) &'a Map<String, Value>);

impl Fields<'_> {
    /// Empty where it is absent or no text. Numbers are texts, too.
    pub(super) fn text(self, key: &str) -> String {
        self.optional(key).unwrap_or_default()
    }

    pub(super) fn optional(self, key: &str) -> Option<String> {
        match self.0.get(key)? {
            Value::String(text) => Some(text.clone()),
            Value::Number(number) => Some(number.to_string()),
            _ => None,
        }
    }

    /// False where it is absent.
    pub(super) fn flag(self, key: &str) -> bool {
        match self.0.get(key) {
            Some(Value::Bool(flag)) => *flag,
            Some(Value::String(text)) => text.eq_ignore_ascii_case("true"),
            Some(Value::Number(number)) => number.as_f64().is_some_and(|number| number != 0.0),
            _ => false,
        }
    }

    /// 0 where it is absent, no number or below; the largest where it is larger.
    pub(super) fn number(self, key: &str) -> u32 {
        let number = match self.0.get(key) {
            Some(Value::Number(number)) => number.as_f64(),
            Some(Value::String(text)) => text.trim().parse().ok(),
            _ => None,
        };
        // Saturates; what is no number is 0.
        number.map_or(0, |number: f64| number as u32)
    }

    pub(super) fn value(self, key: &str) -> Value {
        self.0.get(key).cloned().unwrap_or_default()
    }

    pub(super) fn present(self, key: &str) -> Option<Value> {
        self.0.get(key).filter(|value| !value.is_null()).cloned()
    }
}
