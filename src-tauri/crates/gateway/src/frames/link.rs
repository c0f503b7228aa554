//! What a socket for pictures does, without a socket: for the app's own window where its webview opens none to this machine.

use super::{
    request::LONGEST,
    session::{Page, refused},
};
use crate::door::Door;
use axum::extract::ws::Message;
use sidetone_api::Failure;
use sidetone_engine::Handle;
use std::{
    fmt,
    sync::{Arc, PoisonError},
};
use tokio::sync::{Mutex, mpsc, watch};

/// One page's pictures, asked for and taken one by one. Everything that it shows is closed with it.
pub struct FrameLink {
    page: std::sync::Mutex<Page>,
    out: mpsc::Sender<Message>,
    queue: Mutex<mpsc::Receiver<Message>>,
    closed: watch::Sender<bool>,
}

impl FrameLink {
    /// Runs on the tokio runtime that calls it.
    pub fn open(handle: Handle) -> Self {
        Self::of(Arc::new(handle))
    }

    pub(crate) fn of(door: Arc<dyn Door>) -> Self {
        // As with a socket: what waits here is already old.
        let (out, queue) = mpsc::channel(1);
        let page = std::sync::Mutex::new(Page::new(door, out.clone()));
        Self { page, out, queue: Mutex::new(queue), closed: watch::Sender::new(false) }
    }

    /// One request, as a text frame of a socket has it. Returns when there is room for the answer to a wrong one.
    pub async fn ask(&self, request: &str) {
        let refusal = if request.len() > LONGEST {
            Some(refused(&Failure::invalid("request", format!("longer than {LONGEST} bytes"))))
        } else if *self.closed.borrow() {
            None
        } else {
            self.page().obey(request)
        };
        if let Some(refusal) = refusal {
            tokio::select! {
                _ = self.out.send(Message::Text(refusal.into())) => {}
                () = self.closed() => {}
            }
        }
    }

    /// What comes next, as the content of a frame: JSON, or a picture, whose fifth byte is less than 32. `None` when it is closed.
    pub async fn next(&self) -> Option<Vec<u8>> {
        let next = async {
            let mut queue = self.queue.lock().await;
            loop {
                match queue.recv().await? {
                    Message::Text(text) => return Some(text.as_str().into()),
                    Message::Binary(bytes) => return Some(bytes.into()),
                    _ => {}
                }
            }
        };
        tokio::select! {
            biased;
            () = self.closed() => None,
            next = next => next,
        }
    }

    /// Whoever still asks is told that it is over.
    pub fn close(&self) {
        self.closed.send_replace(true);
        self.page().close();
    }

    async fn closed(&self) {
        let _ = self.closed.subscribe().wait_for(|closed| *closed).await;
    }

    fn page(&self) -> std::sync::MutexGuard<'_, Page> {
        self.page.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl fmt::Debug for FrameLink {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("FrameLink")
    }
}
