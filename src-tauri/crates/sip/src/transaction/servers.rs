//! The server transactions that are alive, with the last response of each.

use std::collections::HashMap;
use std::net::SocketAddr;
use std::time::Instant;

use crate::message::{Method, Request};
use crate::user_agent::{CallId, Hop, Timers};

use super::invite_server::{self, InviteServer};
use super::key::{MergeKey, ServerKey};
use super::non_invite_server::{self, NonInviteServer};
use super::{Class, ServerStep};

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct ServerId(u64);

#[derive(Debug)]
enum Machine {
    Invite(InviteServer),
    NonInvite(NonInviteServer),
}

/// One request that we serve.
#[derive(Debug)]
pub(crate) struct Server {
    key: ServerKey,
    merge: Option<MergeKey>,
    machine: Machine,
    /// where responses go
    pub(crate) hop: Hop,
    /// where they go once the stream connection is gone (RFC 3261 section 18.2.2)
    pub(crate) fallback: SocketAddr,
    /// the call whose INVITE this is
    pub(crate) call: Option<CallId>,
    /// empty before the first
    last_response: Vec<u8>,
}

impl Server {
    pub(crate) fn last_response(&self) -> &[u8] {
        &self.last_response
    }

    /// What the sender of the request made us keep, in bytes.
    fn size(&self) -> usize {
        // both are kept here and in the table that finds them
        let keys = self.key.size() + self.merge.as_ref().map_or(0, MergeKey::size);
        size_of::<Self>() + 2 * keys + self.last_response.len()
    }

    pub(crate) fn on_send(&mut self, now: Instant, status: u16) -> ServerStep {
        match &mut self.machine {
            Machine::Invite(machine) => machine.on_send(now, Class::of(status)),
            Machine::NonInvite(machine) => machine.on_send(now, Class::of(status)),
        }
    }

    pub(crate) fn on_request(&mut self) -> ServerStep {
        match &mut self.machine {
            Machine::Invite(machine) => machine.on_request(),
            Machine::NonInvite(machine) => machine.on_request(),
        }
    }

    pub(crate) fn on_ack(&mut self, now: Instant) -> ServerStep {
        match &mut self.machine {
            Machine::Invite(machine) => machine.on_ack(now),
            Machine::NonInvite(_) => ServerStep::Nothing,
        }
    }

    pub(crate) fn on_timer(&mut self, now: Instant) -> ServerStep {
        match &mut self.machine {
            Machine::Invite(machine) => machine.on_timer(now),
            Machine::NonInvite(machine) => machine.on_timer(now),
        }
    }

    pub(crate) fn is_terminated(&self) -> bool {
        match &self.machine {
            Machine::Invite(machine) => machine.state() == invite_server::State::Terminated,
            Machine::NonInvite(machine) => machine.state() == non_invite_server::State::Terminated,
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
pub(crate) struct Servers {
    by_key: HashMap<ServerKey, ServerId>,
    by_merge: HashMap<MergeKey, ServerId>,
    by_id: HashMap<ServerId, Server>,
    last: u64,
    /// the sizes of all, together
    size: usize,
}

impl Servers {
    pub(crate) fn new() -> Self {
        Self { by_key: HashMap::new(), by_merge: HashMap::new(), by_id: HashMap::new(), last: 0, size: 0 }
    }

    /// Starts the transaction of a new request; responses will go to `hop`. `None` if the request lacks what makes its key.
    pub(crate) fn start(
        &mut self,
        timers: Timers,
        request: &Request,
        hop: Hop,
        fallback: SocketAddr,
    ) -> Option<ServerId> {
        let reliable = hop.transport.is_reliable();
        let machine = match request.method {
            Method::Invite => Machine::Invite(InviteServer::start(timers, reliable)),
            _ => Machine::NonInvite(NonInviteServer::start(timers, reliable)),
        };
        let key = ServerKey::of(request)?;
        let merge = MergeKey::of(request);
        self.last += 1;
        let id = ServerId(self.last);
        self.by_key.insert(key.clone(), id);
        if let Some(merge) = merge.clone() {
            self.by_merge.entry(merge).or_insert(id);
        }
        let server = Server { key, merge, machine, hop, fallback, call: None, last_response: Vec::new() };
        self.size += server.size();
        self.by_id.insert(id, server);
        Some(id)
    }

    /// Keeps a response, for when the request comes again.
    pub(crate) fn keep_response(&mut self, id: ServerId, bytes: Vec<u8>) {
        let Some(server) = self.by_id.get_mut(&id) else { return };
        self.size -= server.size();
        server.last_response = bytes;
        self.size += server.size();
    }

    pub(crate) fn find(&self, request: &Request) -> Option<ServerId> {
        self.by_key.get(&ServerKey::of(request)?).copied()
    }

    /// The INVITE that this CANCEL wants to stop.
    pub(crate) fn find_cancelled(&self, cancel: &Request) -> Option<ServerId> {
        self.by_key.get(&ServerKey::of(cancel)?.of_cancelled_invite()).copied()
    }

    /// Another transaction has the same request, which came another way.
    pub(crate) fn is_merged(&self, request: &Request) -> bool {
        MergeKey::of(request).is_some_and(|key| self.by_merge.contains_key(&key))
    }

    pub(crate) fn get(&self, id: ServerId) -> Option<&Server> {
        self.by_id.get(&id)
    }

    pub(crate) fn get_mut(&mut self, id: ServerId) -> Option<&mut Server> {
        self.by_id.get_mut(&id)
    }

    pub(crate) fn remove(&mut self, id: ServerId) {
        let Some(server) = self.by_id.remove(&id) else { return };
        self.size -= server.size();
        self.by_key.remove(&server.key);
        if let Some(merge) = server.merge
            && self.by_merge.get(&merge) == Some(&id)
        {
            self.by_merge.remove(&merge);
        }
    }

    /// Those that answer over this flow.
    pub(crate) fn over(&self, hop: &Hop) -> Vec<ServerId> {
        self.by_id.iter().filter(|(_, server)| server.hop.same_flow(hop)).map(|(id, _)| *id).collect()
    }

    pub(crate) fn len(&self) -> usize {
        self.by_id.len()
    }

    /// About how many bytes they hold.
    pub(crate) fn size(&self) -> usize {
        self.size
    }
}
