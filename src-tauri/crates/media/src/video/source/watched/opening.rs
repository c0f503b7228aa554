use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc::{Receiver, TryRecvError, sync_channel};
use std::time::Instant;

use super::OpenVideo;
use crate::device::OpenedVideo;
use crate::error::DeviceError;

/// Threads of one source that may hang in its driver. No more are started until one of them comes back.
const MOST_HUNG: usize = 3;

/// Opens a source on threads, and counts those that do not come back.
pub(super) struct Opener {
    open: OpenVideo,
    hung: Arc<AtomicUsize>,
}

/// An opening that has not come back.
pub(super) struct Pending {
    opened: Receiver<Result<OpenedVideo, DeviceError>>,
    since: Instant,
}

/// Counts a thread for as long as it is there, however it ends.
struct Alive(Arc<AtomicUsize>);

impl Drop for Alive {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::AcqRel);
    }
}

impl Opener {
    pub(super) fn new(open: OpenVideo) -> Self {
        Self { open, hung: Arc::default() }
    }

    /// `None` where too many threads hang, or there is none to be had.
    pub(super) fn start(&mut self, now: Instant) -> Option<Pending> {
        if self.hung.load(Ordering::Acquire) >= MOST_HUNG {
            return None;
        }
        self.hung.fetch_add(1, Ordering::AcqRel);
        let alive = Alive(Arc::clone(&self.hung));
        let open = Arc::clone(&self.open);
        let (sender, opened) = sync_channel(1);
        let run = move || {
            let result = open();
            drop(alive);
            // One that comes too late is closed here.
            let _ = sender.send(result);
        };
        std::thread::Builder::new().name("open pictures".into()).spawn(run).ok()?;
        Some(Pending { opened, since: now })
    }

    /// Nobody waits for it any more. What comes after all is closed on its own thread.
    pub(super) fn leave(&self, pending: Pending) {
        drop(pending);
    }
}

impl Pending {
    pub(super) fn since(&self) -> Instant {
        self.since
    }

    /// What has become of it; `None` while it is under way.
    pub(super) fn result(&self) -> Option<Result<OpenedVideo, DeviceError>> {
        match self.opened.try_recv() {
            Ok(result) => Some(result),
            Err(TryRecvError::Empty) => None,
            Err(TryRecvError::Disconnected) => {
                Some(Err(DeviceError::Backend { reason: "it broke down while it was opened".into() }))
            }
        }
    }
}
