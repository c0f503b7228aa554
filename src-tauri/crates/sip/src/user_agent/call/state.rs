//! The states of a call. Each owns exactly what exists in it.

use std::collections::VecDeque;
use std::time::Duration;

use crate::dialog::Dialog;
use crate::message::{Request, Uri};
use crate::transaction::servers::ServerId;

use super::super::attempt::AttemptId;
use super::super::bye::Reason;
use super::super::hop::Hop;

#[derive(Debug)]
pub(in super::super) enum State {
    /// our INVITE has no final response
    Calling(Calling),
    /// the peer's INVITE has no final response
    Offered(Offered),
    /// there was a 2xx
    Up(Box<Up>),
    /// only leftovers: repeated 2xx to acknowledge, a BYE on its way
    Over,
}

#[derive(Debug)]
pub(in super::super) struct Calling {
    pub(in super::super) attempt: AttemptId,
    pub(in super::super) early: Vec<Early>,
    pub(in super::super) trying_told: bool,
    pub(in super::super) cancel_sent: bool,
    /// why, for the CANCEL
    pub(in super::super) cancel_reason: Option<Reason>,
    pub(in super::super) redirects: VecDeque<Uri>,
    pub(in super::super) redirects_left: usize,
}

impl Calling {
    pub(in super::super) fn new(attempt: AttemptId, redirects_left: usize) -> Self {
        Self {
            attempt,
            early: Vec::new(),
            trying_told: false,
            cancel_sent: false,
            cancel_reason: None,
            redirects: VecDeque::new(),
            redirects_left,
        }
    }
}

/// One branch of a forked INVITE.
#[derive(Debug)]
pub(in super::super) struct Early {
    pub(in super::super) dialog: Dialog,
    pub(in super::super) sdp: Option<Vec<u8>>,
    /// our offer was answered reliably (RFC 3262)
    pub(in super::super) answered: bool,
    /// RSeq of the last reliable response, and how many there were
    pub(in super::super) rseq: Option<u32>,
    pub(in super::super) reliable: u8,
}

#[derive(Debug)]
pub(in super::super) struct Offered {
    pub(in super::super) server: ServerId,
    pub(in super::super) request: Request,
    pub(in super::super) dialog: Dialog,
    /// source of the INVITE
    pub(in super::super) hop: Hop,
    /// the caller's Expires runs out before our own patience
    pub(in super::super) expires: bool,
    /// of the last provisional response
    pub(in super::super) last_status: u16,
    /// offer and answer have been exchanged reliably (RFC 3262)
    pub(in super::super) answered: bool,
}

#[derive(Debug)]
pub(in super::super) struct Up {
    pub(in super::super) dialog: Dialog,
    pub(in super::super) unacked: Option<Unacked>,
    /// CSeq of the peer's first INVITE
    pub(in super::super) invite_cseq: Option<u32>,
    /// the first ACK came, or we are the caller
    pub(in super::super) confirmed: bool,
    /// hung up before the ACK came: a callee must wait for it (RFC 3261 section 15)
    pub(in super::super) bye_on_ack: Option<Option<Reason>>,
}

/// A 2xx of ours that is repeated until its ACK comes.
#[derive(Debug)]
pub(in super::super) struct Unacked {
    pub(in super::super) cseq: u32,
    pub(in super::super) server: ServerId,
    pub(in super::super) hop: Hop,
    pub(in super::super) bytes: Vec<u8>,
    pub(in super::super) interval: Duration,
    /// the ACK must bring the answer
    pub(in super::super) late_offer: bool,
}

impl Up {
    pub(in super::super) fn new(dialog: Dialog, confirmed: bool) -> Box<Self> {
        Box::new(Self { dialog, unacked: None, invite_cseq: None, confirmed, bye_on_ack: None })
    }
}
