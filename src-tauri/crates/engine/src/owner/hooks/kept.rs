//! The outbox and the disk.

use super::super::Owner;
use crate::hooks::{MAX_PAGE, Seq};
use sidetone_api::{Failure, Reply};
use std::{
    sync::Arc,
    time::{Duration, Instant},
};

/// Until a disk that did not take something is asked again.
const AGAIN: Duration = Duration::from_secs(5);

impl Owner {
    /// One job at a time, with all that has come up meanwhile.
    pub(super) fn write_outbox(&mut self) {
        let hooks = &mut self.hooks;
        if hooks.writing || hooks.write_due.is_some() || !hooks.outbox.has_writes() {
            return;
        }
        hooks.writing = true;
        let writes = Arc::new(hooks.outbox.take_writes());
        let kept = Arc::clone(&writes);
        let asked = self.in_store(
            move |database| {
                let written = database.write_outbox(&writes);
                Ok((writes, written))
            },
            |owner, result| {
                owner.hooks.writing = false;
                if let Ok((writes, Err(failure))) = result {
                    owner.hooks.outbox.put_back(writes.to_vec());
                    owner.hooks.write_due = Some(Instant::now() + AGAIN);
                    owner.tell_trouble(format!("events for the backend: {}", failure.message));
                }
            },
        );
        if !asked {
            self.hooks.writing = false;
            self.hooks.write_due = Some(Instant::now() + AGAIN);
            self.hooks.outbox.put_back(kept.to_vec());
        }
    }

    /// At the end: what has come up since the last job.
    pub(in super::super) fn flush_outbox(&mut self) {
        let writes = self.hooks.outbox.take_writes();
        if !writes.is_empty() {
            let asked = self.store.ask(move |database| {
                if let Err(failure) = database.write_outbox(&writes) {
                    tracing::error!("events for the backend are not kept: {failure}");
                }
            });
            if !asked {
                tracing::error!("events for the backend are not kept: the disk does not answer");
            }
        }
    }

    pub(super) fn read_event(&mut self, seq: Seq, id: String) {
        let asked = self.in_store(
            move |database| database.outbox_body(&id),
            move |owner, body| match body {
                Ok(body) => owner.hooks.outbox.on_read(Instant::now(), seq, body),
                Err(failure) => {
                    owner.tell_trouble(format!("events for the backend: {}", failure.message));
                    owner.hooks.outbox.on_unreadable(Instant::now(), seq);
                }
            },
        );
        if !asked {
            self.hooks.outbox.on_unreadable(Instant::now(), seq);
        }
    }

    pub(in super::super) fn get_hook_events(&self, limit: u32) -> Result<Reply, Failure> {
        if limit == 0 || limit > MAX_PAGE {
            return Err(Failure::invalid("limit", format!("limit is 1 to {MAX_PAGE}")));
        }
        Ok(Reply::HookEvents { events: self.hooks.outbox.page(limit) })
    }

    pub(in super::super) fn send_hook_again(&mut self, id: Option<&str>) -> Result<Reply, Failure> {
        let sent = self.hooks.outbox.send_again(Instant::now(), id);
        found(sent, id)
    }

    pub(in super::super) fn forget_hook_events(&mut self, id: Option<&str>) -> Result<Reply, Failure> {
        found(self.hooks.outbox.forget_failed(id), id)
    }

    /// "Delete everything".
    pub(in super::super) fn forget_outbox(&mut self) {
        self.hooks.outbox.forget_all();
    }

    /// At the end: what could not be delivered is lost where nothing is kept.
    pub(in super::super) fn tell_undelivered(&mut self) {
        let waiting = self.hooks.view().waiting;
        if waiting > 0 && !self.hooks.durable {
            let info = format!("events that were not delivered to the backend and are lost: {waiting}");
            self.notice(sidetone_api::NoticeLevel::Warning, &info, None);
        }
    }
}

fn found(count: usize, id: Option<&str>) -> Result<Reply, Failure> {
    match id {
        Some(id) if count == 0 => Err(Failure::not_found("failed event", id)),
        _ => Ok(Reply::Done),
    }
}
