//! The user agent as its peers see it: two or more of them, or hand-made messages, in virtual time.

#![allow(clippy::unwrap_used, clippy::expect_used)]

mod authority;
mod bad_messages;
mod basic_call;
mod cancel;
mod challenge;
mod failover;
mod forking;
mod identity;
mod info;
mod kit;
mod leak;
mod limits;
mod loss;
mod messages;
mod net;
mod outbound;
mod own_gateway;
mod prack_heard;
mod prack_sent;
mod publishing;
mod refer_asked;
mod refer_sent;
mod registering;
mod registrar;
mod reinvite;
mod relocate;
mod replaces;
mod server_rules;
mod session_timers;
mod streams;
mod subscriptions;
mod terms;
mod uas_success;
mod update;
