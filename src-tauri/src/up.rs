use serde::{Serialize, Serializer};
use sidetone_api::{Envelope, Snapshot};
use std::sync::Arc;

/// What the page receives: the state first, `{"snapshot":…}`, then every event after it; a new state where events were missed.
#[derive(Debug, Serialize)]
#[serde(untagged)]
pub(crate) enum Up {
    State { snapshot: Box<Snapshot> },
    Event(#[serde(serialize_with = "shared")] Arc<Envelope>),
}

fn shared<S: Serializer>(envelope: &Arc<Envelope>, serializer: S) -> Result<S::Ok, S::Error> {
    envelope.as_ref().serialize(serializer)
}

#[cfg(test)]
mod tests {
    use super::Up;
    use sidetone_api::{Envelope, Event};
    use std::sync::Arc;

    #[test]
    fn an_event_goes_up_as_its_bare_envelope() {
        let up = Up::Event(Arc::new(Envelope { seq: 3, time: 5, event: Event::HistoryCleared }));
        assert_eq!(serde_json::to_string(&up).unwrap(), r#"{"seq":3,"time":5,"event":"HistoryCleared"}"#);
    }
}
