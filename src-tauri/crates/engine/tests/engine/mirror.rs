//! The state as a client keeps it: a snapshot, and events applied to it.

use sidetone_api::{CallStatus, Envelope, Event, HistoryEntry, Snapshot, StreamStatus};

/// What a client knows. Checks on the way that no event is missing.
pub(crate) struct Mirror(Snapshot);

impl Mirror {
    pub(crate) fn new(snapshot: Snapshot) -> Self {
        Self(snapshot)
    }

    pub(crate) fn seq(&self) -> u64 {
        self.0.seq
    }

    pub(crate) fn state(&self) -> &Snapshot {
        &self.0
    }

    pub(crate) fn apply(&mut self, envelope: &Envelope) {
        let state = &mut self.0;
        assert_eq!(envelope.seq, state.seq + 1, "a gap before {envelope:?}");
        state.seq = envelope.seq;
        match envelope.event.clone() {
            Event::SessionChanged { session } => {
                state.sessions.retain(|other| other.session_id != session.session_id);
                state.sessions.push(session);
            }
            Event::SessionClosed { session_id } => {
                state.sessions.retain(|other| other.session_id != session_id);
            }
            Event::CallChanged { call } => {
                state.calls.retain(|other| other.call_id != call.call_id);
                if !has_ended(call.status) {
                    state.calls.push(call);
                }
            }
            Event::CallMeasured { call_id, statistics } => {
                for call in state.calls.iter_mut().filter(|call| call.call_id == call_id) {
                    call.statistics = Some(statistics);
                }
            }
            Event::StreamChanged { stream } => {
                state.streams.retain(|other| other.stream_id != stream.stream_id);
                if !stream.status.is_some_and(StreamStatus::is_end) {
                    state.streams.push(stream);
                }
            }
            Event::StreamMeasured { stream_id, statistics } => {
                for stream in state.streams.iter_mut().filter(|stream| stream.stream_id == stream_id) {
                    stream.statistics = Some(statistics);
                }
            }
            Event::RoomChanged { room } => {
                state.rooms.retain(|other| other.room_id != room.room_id);
                if !room.status.is_end() {
                    state.rooms.push(room);
                }
            }
            Event::DevicesChanged { devices } => state.devices = devices,
            Event::GatewayChanged { gateway } => state.gateway = gateway,
            Event::HistoryAdded { entry } => {
                let newer = |other: &HistoryEntry| other.started_at > entry.started_at;
                let place = state.history.partition_point(newer);
                state.history.insert(place, entry);
                state.history.truncate(200);
            }
            Event::HistoryRemoved { call_id } => state.history.retain(|entry| entry.call_id != call_id),
            Event::HistoryCleared => state.history.clear(),
            Event::MissedCallsChanged { missed_calls } => state.missed_calls = missed_calls,
            Event::ContactChanged { contact } => {
                state.contacts.retain(|other| other.id != contact.id);
                state.contacts.push(contact);
            }
            Event::ContactRemoved { contact_id } => state.contacts.retain(|other| other.id != contact_id),
            Event::ContactStateChanged { state: contact } => {
                state.contact_states.retain(|other| other.contact_id != contact.contact_id);
                state.contact_states.push(contact);
            }
            Event::SettingsChanged { settings } => state.settings = settings,
            Event::HooksChanged { hooks } => state.hooks = hooks,
            Event::ConnectionStatusEvent { .. }
            | Event::RegistrationStatusEvent { .. }
            | Event::OnCallEvent { .. }
            | Event::CallStatusEvent { .. }
            | Event::TransferStatusEvent { .. }
            | Event::OnTransferEvent { .. }
            | Event::StreamStatusEvent { .. }
            | Event::SnapshotTaken { .. }
            | Event::DataStatusEvent { .. }
            | Event::OnDataEvent { .. }
            | Event::OnStreamEvent { .. }
            | Event::SessionDebugStatusEvent { .. }
            | Event::BugReportStatusEvent { .. }
            | Event::RoomStatusEvent { .. }
            | Event::RoomMessage { .. }
            | Event::RoomReaction { .. }
            | Event::RoomMeasured { .. }
            | Event::DtmfReceived { .. }
            | Event::ErrorEvent { .. }
            | Event::Notice { .. }
            | Event::MicrophoneLevel { .. } => {}
        }
    }

    /// # Panics
    /// Where the engine's own state is another one.
    pub(crate) fn assert_same(&self, mut theirs: Snapshot) {
        let mut ours = self.0.clone();
        for state in [&mut ours, &mut theirs] {
            state.sessions.sort_by(|a, b| a.session_id.cmp(&b.session_id));
            state.calls.sort_by(|a, b| a.call_id.cmp(&b.call_id));
            state.contacts.sort_by(|a, b| a.id.cmp(&b.id));
            state.rooms.sort_by(|a, b| a.room_id.cmp(&b.room_id));
            state.streams.sort_by(|a, b| a.stream_id.cmp(&b.stream_id));
            state.contact_states.sort_by(|a, b| a.contact_id.cmp(&b.contact_id));
        }
        assert_eq!(ours, theirs);
    }
}

pub(crate) fn has_ended(status: CallStatus) -> bool {
    matches!(status, CallStatus::Busy | CallStatus::Finish | CallStatus::Failed)
}
