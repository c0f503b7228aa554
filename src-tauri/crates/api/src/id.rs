use serde::{Deserialize, Serialize};
use std::fmt;

macro_rules! id {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
        #[cfg_attr(feature = "typescript", derive(ts_rs::TS))]
        #[serde(transparent)]
        pub struct $name(String);

        impl $name {
            pub fn new(text: impl Into<String>) -> Self {
                Self(text.into())
            }

            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }
    };
}

id!(
    /// One stored account. Chosen by its owner, stable over restarts.
    AccountId
);
id!(
    /// One connection of this engine to one link. New at every `connect`.
    SessionId
);
id!(
    /// One call, from its first message to its end. Unique over restarts.
    CallId
);
id!(
    /// One message sent by `sendData`.
    DataId
);
id!(
    /// One stored contact.
    ContactId
);
id!(
    /// One stream that is published or played here, from the command to its end. Unique over restarts.
    StreamId
);
id!(
    /// One stay in a room, from joining to leaving. Unique over restarts.
    RoomId
);
id!(
    /// One who is in a room, or wants to come in.
    ParticipantId
);
