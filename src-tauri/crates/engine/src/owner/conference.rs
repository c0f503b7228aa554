//! The local conference: its calls hear each other and us.

use super::{Owner, call::Call};
use crate::hooks::{Fields, Hook};
use sidetone_api::{CallId, Failure, FailureCode, Reply};

impl Owner {
    /// Lets these calls, and those that are in the conference already, hear each other and us.
    pub(super) fn merge(&mut self, ids: &[CallId]) -> Result<Reply, Failure> {
        for id in ids {
            let call = self.calls.get(id).ok_or_else(|| Failure::not_found("call", id.as_str()))?;
            if !call.is_established() || call.hung_up || !call.is_ours() || call.in_room {
                let message = "only calls that have been answered can be merged";
                return Err(Failure { field: Some("callIds".into()), ..wrong_state(message) });
            }
        }
        let is_member = |call: &&Call| call.in_conference || ids.contains(&call.id);
        let members: Vec<CallId> =
            self.calls.values().filter(is_member).map(|call| call.id.clone()).collect();
        let Some(first) = members.first().cloned().filter(|_| members.len() > 1) else {
            return Err(Failure::invalid("callIds", "a conference needs two calls at least"));
        };
        if let Some(other) = self.others(&first, &members).into_iter().next() {
            let ids = ids.to_vec();
            return self.hold_for(&other, move |owner| owner.merge(&ids));
        }
        for id in &members {
            let Some(call) = self.calls.get_mut(id) else { continue };
            call.in_conference = true;
            let was_asked = self.withdraw(Hook::Hold, id.as_str());
            if was_asked || self.calls.get(id).is_some_and(Call::is_held_here) {
                self.tell_of_call(Hook::Unhold, id);
            }
        }
        for id in &members {
            self.want_hold(id, false);
            self.sound(id);
        }
        Ok(Reply::Done)
    }

    /// Takes a call out of the conference, and holds it, where the backend lets it.
    pub(super) fn split(&mut self, id: &CallId) -> Result<Reply, Failure> {
        let call = self.calls.get(id).ok_or_else(|| Failure::not_found("call", id.as_str()))?;
        if !call.in_conference {
            return Err(wrong_state("this call is in no conference"));
        }
        let call = id.clone();
        self.gate_call(Hook::Hold, id, Fields::new(), move |owner, _| {
            owner.leave_conference(&call);
            owner.want_hold(&call, true);
            Ok(Reply::Done)
        })
    }

    /// The others stay together; the last one is a call like any other.
    pub(super) fn leave_conference(&mut self, id: &CallId) {
        let Some(call) = self.calls.get_mut(id) else { return };
        if std::mem::take(&mut call.in_conference) {
            self.sound(id);
            self.publish_call(id);
        }
        self.dissolve_conference();
    }

    /// One alone is no conference.
    pub(super) fn dissolve_conference(&mut self) {
        let mut members = self.calls.values_mut().filter(|call| call.in_conference);
        let (Some(last), None) = (members.next(), members.next()) else { return };
        last.in_conference = false;
        let last = last.id.clone();
        self.sound(&last);
        self.publish_call(&last);
    }
}

fn wrong_state(message: &str) -> Failure {
    Failure::new(FailureCode::WrongState, message)
}
