//! Calls of the accounts. The files beside this one: what clients ask of them, what the far end says of them, and how their
//! status and end are told.

mod asked;
mod dtmf;
mod early;
mod events;
mod gathering;
mod hold;
mod incoming;
mod parameters;
mod placing;
mod server;
mod status;
mod video;

pub(super) use dtmf::{read_info, write_info};
pub(super) use gathering::StunServer;
pub(super) use incoming::{Arrival, Arriving};
pub(super) use placing::{Wish, custom_headers};

use super::{
    leg::Leg,
    policy::Due,
    recording::Recording,
    session::Session,
    text,
    transfer::{Asked, Referred, Sent},
};
use crate::io::{clock, media::Join};
use sidetone_api::{
    AccountId, CallDirection, CallId, CallProblem, CallStatistics, CallStatus, CallView, Encryption, Event,
    Failure, FailureCode, HoldView, SessionId, SignallingView,
};
use sidetone_sip::message::NameAddr;

/// Calls at a time, in both directions.
pub(super) const MAX_CALLS: usize = 256;
/// Of them, callers who wait for the user: nobody answers more.
pub(super) const MAX_RINGING: usize = 64;
/// Of both, what clients of the gateway may have: the rest is the user's own.
const MOST_OF_CLIENTS: usize = MAX_CALLS / 4 * 3;
const MOST_RINGING_CLIENTS: usize = MAX_RINGING / 4 * 3;

pub(super) struct Call {
    pub(super) id: CallId,
    pub(super) session_id: SessionId,
    account_id: AccountId,
    /// Of a client of the gateway, with whose leg it is joined instead of the devices.
    for_client: bool,
    /// As that client and its backend call it.
    pub(super) client: Option<Box<super::clients::CallOfClient>>,
    pub(super) direction: CallDirection,
    /// `None` while the way to the callee is looked up.
    pub(super) sip: Option<sidetone_sip::CallId>,
    /// As the Web Call Server of its session knows it.
    pub(super) at_server: Option<String>,
    pub(super) leg: Option<Leg>,
    pub(super) caller: NameAddr,
    pub(super) callee: NameAddr,
    status: CallStatus,
    info: String,
    started_at: u64,
    established_at: Option<u64>,
    /// Our answer to the caller's offer, kept until the user answers; `None` where the caller made no offer.
    prepared: Option<Vec<u8>>,
    pub(super) muted: bool,
    dtmf: String,
    pub(super) statistics: Option<CallStatistics>,
    /// What is wrong with its sound.
    pub(super) problem: Option<CallProblem>,
    /// A status event has been sent: the first one is owed to a message of the far end.
    announced: bool,
    /// Media of the far end is played: early, or since the answer.
    audible: bool,
    early: early::Early,
    /// The user ended it.
    pub(super) hung_up: bool,
    hold: hold::Hold,
    pub(super) in_conference: bool,
    pub(super) in_room: bool,
    /// What the leg was last joined to.
    joined: Option<Join>,
    /// Another phone answered or declined it (RFC 3326).
    taken_elsewhere: bool,
    /// The far end's message that ended it, for the backend.
    pub(super) ended_by: Option<Box<str>>,
    /// What its INVITE will say.
    outgoing: placing::Outgoing,
    pub(super) due: Due,
    /// Its INVITE, until it is known how a STUN server sees us.
    waiting: Option<gathering::Waiting>,
    /// Our address towards the far end's media, when it was looked at last.
    pub(super) route: Option<std::net::IpAddr>,
    /// When it answers itself, milliseconds since 1970.
    auto_answer_at: Option<u64>,
    pub(super) recording: Option<Recording>,
    pub(super) transfer: Option<Sent>,
    pub(super) asked: Option<Asked>,
    /// The far end of another call asked for this one.
    pub(super) referred: Option<Referred>,
    /// The call that was placed because the far end asked for it.
    pub(super) successor: Option<CallId>,
    diverted_by: String,
    pub(super) emergency: bool,
    /// Where the client is not to know whom it calls.
    shown_callee: Option<String>,
    /// By the caller.
    has_offered_video: bool,
    /// How the first hop was reached.
    signalling: Option<SignallingView>,
    video: Option<video::CallVideo>,
    /// Our INFOs without an answer: whether each asks for a key frame.
    infos: std::collections::VecDeque<bool>,
}

impl Call {
    fn new(id: CallId, session: &Session, direction: CallDirection, far: NameAddr) -> Self {
        let near = session.aor.clone();
        let (caller, callee) = match direction {
            CallDirection::Outgoing => (near, far),
            CallDirection::Incoming => (far, near),
        };
        Self {
            id,
            session_id: session.id.clone(),
            account_id: session.account.id.clone(),
            for_client: session.is_of_client(),
            client: None,
            direction,
            sip: None,
            at_server: None,
            leg: None,
            caller,
            callee,
            status: CallStatus::Trying,
            info: String::new(),
            started_at: clock::wallclock_ms(),
            established_at: None,
            prepared: None,
            muted: false,
            dtmf: String::new(),
            statistics: None,
            problem: None,
            announced: false,
            audible: false,
            early: early::Early::default(),
            hung_up: false,
            hold: hold::Hold::default(),
            in_conference: false,
            in_room: false,
            joined: None,
            taken_elsewhere: false,
            ended_by: None,
            outgoing: placing::Outgoing::default(),
            due: Due::default(),
            waiting: None,
            route: None,
            auto_answer_at: None,
            recording: None,
            transfer: None,
            asked: None,
            referred: None,
            successor: None,
            diverted_by: String::new(),
            emergency: false,
            shown_callee: None,
            has_offered_video: false,
            signalling: None,
            video: None,
            infos: std::collections::VecDeque::new(),
        }
    }

    /// Us, and the far end.
    pub(super) fn parties(&self) -> (&NameAddr, &NameAddr) {
        match self.direction {
            CallDirection::Outgoing => (&self.caller, &self.callee),
            CallDirection::Incoming => (&self.callee, &self.caller),
        }
    }

    pub(super) fn far(&self) -> &NameAddr {
        match self.direction {
            CallDirection::Outgoing => &self.callee,
            CallDirection::Incoming => &self.caller,
        }
    }

    fn far_name(&self) -> String {
        text::shown(self.far().display.as_deref().unwrap_or_default())
    }

    /// What tells of it when it comes.
    fn arrival(&self) -> Event {
        Event::OnCallEvent {
            call_id: self.id.clone(),
            session_id: self.session_id.clone(),
            caller: self.caller.uri.to_string(),
            callee: self.shown_callee(),
            info: self.far_name(),
        }
    }

    fn shown_callee(&self) -> String {
        self.shown_callee.clone().unwrap_or_else(|| self.callee.uri.to_string())
    }

    /// Where it is not to be known who was called.
    pub(super) fn shown_instead(&self) -> Option<&str> {
        self.shown_callee.as_deref()
    }

    /// The far end, as the client and the history may know it.
    fn shown_far(&self) -> String {
        match self.direction {
            CallDirection::Outgoing => self.shown_callee(),
            CallDirection::Incoming => self.caller.uri.to_string(),
        }
    }

    /// PENDING until the first status was told.
    pub(super) fn shown_status(&self) -> &'static str {
        if self.announced { self.status.as_str() } else { "PENDING" }
    }

    /// With video, or about to be.
    pub(super) fn has_video(&self) -> bool {
        let has_line = self.leg.as_ref().is_some_and(|leg| leg.video_id().is_some());
        self.outgoing.is_with_video() || self.has_offered_video || self.video.is_some() || has_line
    }

    /// Of the user of this machine: his devices, his screen, his history.
    pub(super) fn is_ours(&self) -> bool {
        !self.for_client
    }

    /// The far end, by its name where it has one.
    pub(super) fn far_shown(&self) -> String {
        let far = match self.direction {
            CallDirection::Outgoing => &self.callee,
            CallDirection::Incoming => &self.caller,
        };
        let named = far.display.clone().filter(|name| !name.trim().is_empty());
        named.or_else(|| far.uri.user_text()).unwrap_or_else(|| far.uri.to_string())
    }

    /// Who calls and who is called, as short as they can be shown.
    pub(super) fn parties_shown(&self) -> (String, String) {
        let short = |party: &NameAddr| party.uri.user_text().unwrap_or_else(|| party.uri.to_string());
        (text::shown(&short(&self.caller)), text::shown(&short(&self.callee)))
    }

    /// What it is joined to is news.
    pub(super) fn is_joined_anew(&mut self, join: Join) -> bool {
        self.joined.replace(join) != Some(join)
    }

    /// Waits for the user to answer.
    pub(super) fn is_ringing_here(&self) -> bool {
        self.direction == CallDirection::Incoming && self.status == CallStatus::Ring && !self.hung_up
    }

    /// Nobody answered or declined it, here or elsewhere.
    fn is_missed(&self) -> bool {
        self.direction == CallDirection::Incoming
            && self.established_at.is_none()
            && !self.hung_up
            && !self.taken_elsewhere
    }

    pub(super) fn is_established(&self) -> bool {
        matches!(self.status, CallStatus::Established | CallStatus::Hold)
    }

    pub(super) fn view(&self) -> CallView {
        CallView {
            call_id: self.id.clone(),
            session_id: self.session_id.clone(),
            direction: self.direction,
            caller: self.caller.uri.to_string(),
            callee: self.shown_callee(),
            remote_name: self.far_name(),
            status: self.status,
            info: self.info.clone(),
            started_at: self.started_at,
            established_at: self.established_at,
            muted: self.muted,
            codec: self.leg.as_ref().and_then(Leg::codec_view),
            encryption: self.leg.as_ref().map_or(Encryption::None, Leg::encryption),
            dtmf: self.dtmf.clone(),
            statistics: self.statistics,
            hold: HoldView { local: self.holds_locally(), remote: self.is_held_there() },
            in_conference: self.in_conference,
            transfer: self.transfer.as_ref().map(Sent::view),
            transfer_requested: self.asked.as_ref().map(Asked::shown),
            recording: self.recording.as_ref().and_then(Recording::view),
            problem: self.problem.clone(),
            suite: self.leg.as_ref().and_then(Leg::suite).map(str::to_owned),
            signalling: self.signalling.clone(),
            diverted_by: self.diverted_by.clone(),
            auto_answer_at: self.auto_answer_at.filter(|_| self.is_ringing_here()),
            emergency: self.emergency,
            video: self.video_view(),
        }
    }
}

fn wrong_state(message: &str) -> Failure {
    Failure::new(FailureCode::WrongState, message)
}
