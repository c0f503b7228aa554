//! The client transactions that are alive, with the request each of them sent.

use std::collections::HashMap;
use std::time::Instant;

use crate::message::{Method, Request, Response};
use crate::user_agent::{Hop, Timers};

use super::invite_client::{self, InviteClient};
use super::key::ClientKey;
use super::non_invite_client::{self, NonInviteClient};
use super::{Class, ClientStep};

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct ClientId(u64);

#[derive(Debug)]
enum Machine {
    Invite(InviteClient),
    NonInvite(NonInviteClient),
}

/// A request as it goes out.
#[derive(Debug)]
pub(crate) struct Sent {
    /// of its top Via
    pub(crate) branch: String,
    pub(crate) hop: Hop,
    pub(crate) request: Request,
    pub(crate) bytes: Vec<u8>,
}

/// One request on the wire. `O` is whoever wants its responses.
#[derive(Debug)]
pub(crate) struct Client<O> {
    key: ClientKey,
    machine: Machine,
    pub(crate) hop: Hop,
    pub(crate) request: Request,
    pub(crate) bytes: Vec<u8>,
    pub(crate) owner: O,
}

impl<O> Client<O> {
    /// A response came from the peer before: an INVITE may be cancelled now.
    pub(crate) fn is_proceeding(&self) -> bool {
        matches!(&self.machine, Machine::Invite(machine) if machine.state() == invite_client::State::Proceeding)
    }

    pub(crate) fn on_response(&mut self, now: Instant, status: u16) -> ClientStep {
        let class = Class::of(status);
        match &mut self.machine {
            Machine::Invite(machine) => machine.on_response(now, class),
            Machine::NonInvite(machine) => machine.on_response(now, class),
        }
    }

    pub(crate) fn on_timer(&mut self, now: Instant) -> ClientStep {
        match &mut self.machine {
            Machine::Invite(machine) => machine.on_timer(now),
            Machine::NonInvite(machine) => machine.on_timer(now),
        }
    }

    pub(crate) fn on_transport_error(&mut self) -> ClientStep {
        match &mut self.machine {
            Machine::Invite(machine) => machine.on_transport_error(),
            Machine::NonInvite(machine) => machine.on_transport_error(),
        }
    }

    pub(crate) fn terminate(&mut self) {
        match &mut self.machine {
            Machine::Invite(machine) => machine.terminate(),
            Machine::NonInvite(machine) => machine.terminate(),
        }
    }

    pub(crate) fn is_terminated(&self) -> bool {
        match &self.machine {
            Machine::Invite(machine) => machine.state() == invite_client::State::Terminated,
            Machine::NonInvite(machine) => machine.state() == non_invite_client::State::Terminated,
        }
    }

    pub(crate) fn next_deadline(&self) -> Option<Instant> {
        match &self.machine {
            Machine::Invite(machine) => machine.next_deadline(),
            Machine::NonInvite(machine) => machine.next_deadline(),
        }
    }
}

#[derive(Debug)]
pub(crate) struct Clients<O> {
    by_key: HashMap<ClientKey, ClientId>,
    by_id: HashMap<ClientId, Client<O>>,
    last: u64,
}

impl<O> Clients<O> {
    pub(crate) fn new() -> Self {
        Self { by_key: HashMap::new(), by_id: HashMap::new(), last: 0 }
    }

    /// Starts the transaction of a request that is being sent now.
    pub(crate) fn start(&mut self, now: Instant, timers: Timers, sent: Sent, owner: O) -> ClientId {
        let Sent { branch, hop, request, bytes } = sent;
        let reliable = hop.transport.is_reliable();
        let machine = match request.method {
            Method::Invite => Machine::Invite(InviteClient::start(now, timers, reliable)),
            _ => Machine::NonInvite(NonInviteClient::start(now, timers, reliable)),
        };
        let key = ClientKey::new(&branch, request.method.clone());
        self.last += 1;
        let id = ClientId(self.last);
        self.by_key.insert(key.clone(), id);
        self.by_id.insert(id, Client { key, machine, hop, request, bytes, owner });
        id
    }

    /// The transaction that a response belongs to. Its top Via must be the one that we wrote (RFC 3261 section 18.1.2).
    pub(crate) fn find(&self, response: &Response) -> Option<ClientId> {
        let id = *self.by_key.get(&ClientKey::of(response)?)?;
        let theirs = response.headers.top_via().ok()?;
        let ours = self.by_id.get(&id)?.request.headers.top_via().ok()?;
        (ours.host == theirs.host && ours.port == theirs.port).then_some(id)
    }

    pub(crate) fn get(&self, id: ClientId) -> Option<&Client<O>> {
        self.by_id.get(&id)
    }

    pub(crate) fn get_mut(&mut self, id: ClientId) -> Option<&mut Client<O>> {
        self.by_id.get_mut(&id)
    }

    pub(crate) fn remove(&mut self, id: ClientId) -> Option<Client<O>> {
        let client = self.by_id.remove(&id)?;
        self.by_key.remove(&client.key);
        Some(client)
    }

    /// Those that use this flow.
    pub(crate) fn over(&self, hop: &Hop) -> Vec<ClientId> {
        self.by_id.iter().filter(|(_, client)| client.hop.same_flow(hop)).map(|(id, _)| *id).collect()
    }

    pub(crate) fn len(&self) -> usize {
        self.by_id.len()
    }
}
