//! What the integrator's backend is asked and told: the rules, without a network, a clock or a disk.
//!
//! ```text
//!  owner ──ask──▶ Gates ──Send──▶ io::http ──answer──▶ Gates ──Decided──▶ owner goes on, or refuses
//!  owner ──add──▶ Outbox ──Send──▶ io::http ──answer──▶ Outbox            (its rows are kept by store::outbox)
//! ```
//!
//! [`Gates`]: invocations that wait for a verdict, one at a time for each object, each with a deadline, behind a breaker.
//! [`Outbox`]: events and what never waits, in order for each object, tried until the backend takes them.
//! Names, fields and meanings are those of the Web Call Server's REST hooks.

mod answer;
mod breaker;
mod gates;
mod hook;
mod outbox;
mod policy;
mod sign;
#[cfg(test)]
mod tests;

pub(crate) use answer::{Answer, Outcome, Trouble, Verdict, in_words};
pub(crate) use gates::{GateId, Gates, Output, Question};
pub(crate) use hook::Hook;
use hook::Kind;
pub(crate) use outbox::{Entry, MAX_PAGE, Outbox, Row, Seq, Task, Write};
use policy::Policy;
pub(crate) use policy::{Config, check_fields, named};
pub(crate) use sign::{Headers, Identity, headers};

use serde_json::{Map, Value};

/// The fields of a hook.
pub(crate) type Fields = Map<String, Value>;
