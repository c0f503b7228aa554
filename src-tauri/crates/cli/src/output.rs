//! What goes to stdout: events as JSON lines, or as lines to read.

use sidetone_api::{CallId, Envelope, Event, SessionId};
use sidetone_gateway::wire;
use std::{
    fmt,
    io::{self, Write},
};

/// Writes events. Times of the readable form count from the first one.
#[derive(Debug)]
pub(crate) struct Output {
    json: bool,
    began: Option<u64>,
}

impl Output {
    pub(crate) fn new(json: bool) -> Self {
        Self { json, began: None }
    }

    /// # Errors
    /// The reader of stdout has gone.
    pub(crate) fn event(&mut self, envelope: &Envelope) -> io::Result<()> {
        if self.json {
            return self.line(&wire::line(envelope));
        }
        let Some(text) = Line::of(&envelope.event) else { return Ok(()) };
        let began = *self.began.get_or_insert(envelope.time);
        let millis = envelope.time.saturating_sub(began);
        self.line(&format!("{:>5}.{:03}  {text}", millis / 1000, millis % 1000))
    }

    /// A line of our own: where something listens, how to call us. Only in the readable form.
    pub(crate) fn say(&mut self, text: &str) -> io::Result<()> {
        if self.json { Ok(()) } else { self.line(text) }
    }

    pub(crate) fn line(&mut self, text: &str) -> io::Result<()> {
        let mut out = io::stdout().lock();
        out.write_all(text.as_bytes())?;
        out.write_all(b"\n")?;
        out.flush()
    }
}

/// One line to stderr.
pub(crate) fn complain(text: &str) {
    let line = format!("sidetone-cli: {}\n", text.replace('\n', " "));
    let _ = io::stderr().write_all(line.as_bytes());
}

/// An event to read: its name, its status, what it is about, why.
struct Line<'a> {
    event: &'static str,
    status: &'a str,
    id: &'a str,
    info: String,
}

impl<'a> Line<'a> {
    /// `None` for what only programs want: views and measurements.
    fn of(event: &'a Event) -> Option<Self> {
        let session = |event, status, id: &'a SessionId, info: &str| Self {
            event,
            status,
            id: id.as_str(),
            info: info.into(),
        };
        let call =
            |event, status, id: &'a CallId, info: String| Self { event, status, id: id.as_str(), info };
        Some(match event {
            Event::ConnectionStatusEvent { status, session_id, info } => {
                session("ConnectionStatusEvent", status.as_str(), session_id, info)
            }
            Event::RegistrationStatusEvent { status, session_id, info } => {
                session("RegistrationStatusEvent", status.as_str(), session_id, info)
            }
            Event::OnCallEvent { call_id, caller, callee, info, .. } => {
                call("OnCallEvent", "", call_id, format!("{caller} calls {callee} {info}"))
            }
            Event::CallStatusEvent { status, call_id, info, .. } => {
                call("CallStatusEvent", status.as_str(), call_id, info.clone())
            }
            Event::TransferStatusEvent { status, call_id, target, info, .. } => {
                call("TransferStatusEvent", status.as_str(), call_id, format!("{target} {info}"))
            }
            Event::OnTransferEvent { call_id, target, referred_by, .. } => {
                call("OnTransferEvent", "", call_id, format!("{referred_by} asks to call {target}"))
            }
            Event::StreamStatusEvent { status, stream_id, name, info } => Self {
                event: "StreamStatusEvent",
                status: status.as_str(),
                id: stream_id.as_str(),
                info: format!("{name} {info}"),
            },
            Event::SnapshotTaken { stream_id, file, info } => Self {
                event: "SnapshotTaken",
                status: "",
                id: stream_id.as_str(),
                info: file.as_ref().map_or_else(|| info.clone(), |file| file.path.clone()),
            },
            Event::DataStatusEvent { status, data_id, info, .. } => Self {
                event: "DataStatusEvent",
                status: status.as_str(),
                id: data_id.as_str(),
                info: info.clone(),
            },
            Event::OnDataEvent { session_id, incoming, from, to, content_type, body } => {
                let direction = if *incoming { "in" } else { "out" };
                let info = format!("{from} to {to}, {content_type}: {body}");
                session("OnDataEvent", direction, session_id, &info)
            }
            Event::OnStreamEvent { stream_id, kind, payload } => {
                Self { event: "OnStreamEvent", status: kind, id: stream_id.as_str(), info: payload.clone() }
            }
            Event::SessionDebugStatusEvent { status, session_id, info } => {
                session("SessionDebugStatusEvent", status.as_str(), session_id, info)
            }
            Event::BugReportStatusEvent { status, info } => {
                Self { event: "BugReportStatusEvent", status, id: "", info: info.clone() }
            }
            Event::RoomStatusEvent { status, room_id, name, info } => Self {
                event: "RoomStatusEvent",
                status: status.as_str(),
                id: room_id.as_str(),
                info: format!("{name} {info}"),
            },
            Event::RoomMessage { room_id, login, text, .. } => Self {
                event: "RoomMessage",
                status: "",
                id: room_id.as_str(),
                info: format!("{login}: {text}"),
            },
            Event::RoomReaction { room_id, from, reaction } => {
                Self { event: "RoomReaction", status: reaction, id: room_id.as_str(), info: from.to_string() }
            }
            Event::DtmfReceived { call_id, digit } => call("DtmfReceived", digit, call_id, String::new()),
            Event::ErrorEvent { hook, info, session_id, call_id, stream_id } => Self {
                event: "ErrorEvent",
                status: hook,
                id: match (call_id, stream_id, session_id) {
                    (Some(id), ..) => id.as_str(),
                    (None, Some(id), _) => id.as_str(),
                    (None, None, Some(id)) => id.as_str(),
                    (None, None, None) => "",
                },
                info: info.clone(),
            },
            Event::Notice { info, call_id, .. } => Self {
                event: "Notice",
                status: "",
                id: call_id.as_ref().map_or("", CallId::as_str),
                info: info.clone(),
            },
            Event::SessionChanged { .. }
            | Event::SessionClosed { .. }
            | Event::CallChanged { .. }
            | Event::CallMeasured { .. }
            | Event::StreamChanged { .. }
            | Event::StreamMeasured { .. }
            | Event::RoomChanged { .. }
            | Event::RoomMeasured { .. }
            | Event::MicrophoneLevel { .. }
            | Event::DevicesChanged { .. }
            | Event::GatewayChanged { .. }
            | Event::HistoryAdded { .. }
            | Event::HistoryRemoved { .. }
            | Event::HistoryCleared
            | Event::MissedCallsChanged { .. }
            | Event::ContactChanged { .. }
            | Event::ContactRemoved { .. }
            | Event::ContactStateChanged { .. }
            | Event::HooksChanged { .. }
            | Event::SettingsChanged { .. } => return None,
        })
    }
}

impl fmt::Display for Line<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.event)?;
        // What a far end says must not move the cursor of a terminal.
        let info: String = self.info.chars().filter(|c| !c.is_control()).collect();
        [self.status, self.id, info.trim_end()]
            .iter()
            .filter(|part| !part.is_empty())
            .try_for_each(|part| write!(f, "  {part}"))
    }
}

#[cfg(test)]
mod tests {
    use super::Line;
    use sidetone_api::{CallId, CallStatus, Event, NoticeLevel, SessionId};

    #[test]
    fn a_line_has_event_status_id_and_info() {
        let event = Event::CallStatusEvent {
            status: CallStatus::Ring,
            call_id: CallId::new("c1"),
            session_id: SessionId::new("s1"),
            info: "180 Ringing".into(),
        };
        assert_eq!(Line::of(&event).unwrap().to_string(), "CallStatusEvent  RING  c1  180 Ringing");
    }

    #[test]
    fn a_far_end_cannot_write_control_characters() {
        let event = Event::Notice { level: NoticeLevel::Info, info: "\u{1b}[2Jx\ny".into(), call_id: None };
        assert_eq!(Line::of(&event).unwrap().to_string(), "Notice  [2Jxy");
        assert!(Line::of(&Event::HistoryCleared).is_none());
    }
}
