//! What a user agent tells its owner.

use std::fmt;
use std::net::SocketAddr;
use std::time::Duration;

use crate::message::{Headers, NameAddr, Uri};
use crate::publication::PublicationState;
use crate::registrar::Binding;
use crate::subscription::SubscriptionState;

use super::hop::Hop;
use super::replaces::DialogName;

/// One call, from its INVITE to its single [`CallEvent::Ended`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct CallId(pub u64);

/// One registration of an address of record at a registrar.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct RegistrationId(pub u64);

/// One OPTIONS request.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct OptionsId(pub u64);

/// One subscription, over all its refreshes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct SubscriptionId(pub u64);

/// One publication, over all its refreshes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct PublicationId(pub u64);

/// One MESSAGE, sent or received.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct MessageId(pub u64);

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Side {
    Local,
    Remote,
    /// nobody decided it: time-out, unreachable, lost
    Network,
}

/// Why something ended or failed: a SIP status code, its text, and who brought it about.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Cause {
    pub code: u16,
    pub text: String,
    pub by: Side,
    /// the peer's message that says so, as [`crate::message::Message::told`] words it
    pub message: Option<Box<str>>,
}

impl Cause {
    pub fn new(code: u16, text: impl Into<String>, by: Side) -> Self {
        Self { code, text: text.into(), by, message: None }
    }

    pub(crate) fn said_by(self, message: String) -> Self {
        Self { message: Some(message.into()), ..self }
    }
}

impl fmt::Display for Cause {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.code, self.text)
    }
}

/// Why a registration is not there.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FailureKind {
    /// challenged again after our credentials, challenged without credentials to give, or 403
    AuthenticationFailed,
    /// any other refusal
    Refused,
    /// no answer, no address, transport failure
    Unreachable,
}

#[derive(Debug)]
pub enum Event {
    /// The registrar accepted us, again at each refresh. `public` is our address as the registrar sees it (Via received and rport),
    /// where that differs from `hop.local`: there is a NAT between.
    Registered {
        id: RegistrationId,
        expires: Duration,
        hop: Hop,
        public: Option<SocketAddr>,
    },
    /// An attempt failed. With `retry_in` it is tried again by itself, without it only by `refresh`.
    RegistrationFailed {
        id: RegistrationId,
        cause: Cause,
        kind: FailureKind,
        retry_in: Option<Duration>,
    },
    /// The end of `unregister`; the id is gone.
    Unregistered {
        id: RegistrationId,
        reason: String,
    },
    /// Somebody calls. 100 has been sent; nothing else is until `ring`, `progress`, `answer`, `reject` or `hang_up`.
    Incoming {
        call: CallId,
        from: NameAddr,
        to: NameAddr,
        request_uri: Uri,
        headers: Headers,
        /// the SDP offer; without one, `answer` carries ours and [`CallEvent::Confirmed`] brings the answer
        offer: Option<Vec<u8>>,
        hop: Hop,
        /// the user whose credentials were checked (registrar side)
        authenticated: Option<String>,
        /// the registration whose contact was called
        registration: Option<RegistrationId>,
        /// the call of ours that this one wants to take the place of (RFC 3891): answer this one, hang up that one
        replaces: Option<CallId>,
    },
    Call {
        call: CallId,
        event: CallEvent,
    },
    /// The answer to `options`: the status is 408 without an answer and 503 without a way to ask.
    OptionsAnswered {
        id: OptionsId,
        status: u16,
        reason: String,
        /// where it was asked last
        hop: Option<Hop>,
    },
    /// The answer to `message` or `message_in_call`: the status is 408 without an answer, 503 without a way to send it.
    MessageAnswered {
        id: MessageId,
        status: u16,
        reason: String,
    },
    /// A MESSAGE came (RFC 3428): reply with `reply_message`.
    MessageReceived(ReceivedMessage),
    /// A subscription's state changed.
    Subscription {
        id: SubscriptionId,
        state: SubscriptionState,
    },
    /// A publication's state changed.
    Publication {
        id: PublicationId,
        state: PublicationState,
    },
    /// A NOTIFY of a subscription; it has been answered. An active one without a body says that there is nothing to tell of the
    /// resource now.
    Notified {
        id: SubscriptionId,
        /// `type/subtype` in lower case, one of those that were accepted
        content_type: String,
        body: Vec<u8>,
    },
    /// A NOTIFY that nobody asked for, from the registrar of this registration; it has been answered. `message-summary` only.
    UnsolicitedNotify {
        registration: RegistrationId,
        event: String,
        content_type: String,
        body: Vec<u8>,
    },
    /// A user's bindings at our registrar changed: registered, refreshed to another contact, removed or expired.
    BindingsChanged {
        user: String,
        bindings: Vec<Binding>,
    },
}

/// See [`Event::MessageReceived`].
#[derive(Debug)]
pub struct ReceivedMessage {
    pub id: MessageId,
    pub from: NameAddr,
    pub to: NameAddr,
    pub request_uri: Uri,
    pub headers: Headers,
    /// `type/subtype` in lower case; `text/plain` where the sender named none
    pub content_type: String,
    pub body: Vec<u8>,
    /// the call whose dialog it came in
    pub call: Option<CallId>,
    /// the registration whose contact it was sent to
    pub registration: Option<RegistrationId>,
    /// the user whose credentials were checked (registrar side)
    pub authenticated: Option<String>,
    pub hop: Hop,
}

#[derive(Debug)]
pub enum CallEvent {
    /// 100 to our INVITE
    Trying,
    /// 101 to 199 to our INVITE. `early_dialog` counts the branches of a fork from 0.
    Provisional { status: u16, reason: String, sdp: Option<Vec<u8>>, early_dialog: usize },
    /// 2xx to our INVITE; its ACK is sent by the user agent. The SDP is the peer's that is in force, which may have come
    /// before. Empty if the peer sent no SDP at all.
    Answered { sdp: Vec<u8>, hop: Hop },
    /// The ACK to our 2xx came; the SDP answer where our 2xx carried the offer. Comes again for a re-INVITE without offer.
    Confirmed { sdp: Option<Vec<u8>> },
    /// The peer's re-INVITE, UPDATE or PRACK with an offer, before or after the answer to the call, or its offer in the 2xx to our
    /// `reinvite` without one: reply with `answer` or `reject`. Without an offer, `answer` carries ours.
    Reoffer { offer: Option<Vec<u8>> },
    /// Our offer was answered: 2xx to our re-INVITE or UPDATE (empty without SDP), or the PRACK to an offer in `progress`. Also tells of
    /// a new answer of the peer to the refresh of a session, which nobody asked for.
    ReofferAnswered { sdp: Vec<u8> },
    /// Our re-INVITE or UPDATE was refused, or the peer took its own back; the call goes on as it was.
    ReofferFailed { cause: Cause },
    /// The peer took our REFER (2xx); how the transfer goes follows.
    ReferAccepted { status: u16 },
    /// The peer refused our REFER, or it could not be sent; the call goes on as it was.
    ReferRefused { cause: Cause },
    /// A report on our transfer, 100 to 199.
    ReferProgress { status: u16, reason: String },
    /// The outcome of our transfer, once: 200 to 699; 408 where it was not told within 60 s, or never will be.
    ReferFinal { status: u16, reason: String },
    /// The peer wants us to call `target`, in place of the dialog `replaces` there: reply with `accept_refer` or `refuse_refer`.
    ReferRequested { target: Uri, replaces: Option<DialogName>, referred_by: Option<NameAddr> },
    /// The peer's INFO; it has been answered.
    Info { content_type: String, body: Vec<u8> },
    /// The answer to `info`: 408 without an answer, 503 without a way to ask.
    InfoAnswered { status: u16, reason: String },
    /// Exactly once per call, and nothing after it.
    Ended { cause: Cause },
}
