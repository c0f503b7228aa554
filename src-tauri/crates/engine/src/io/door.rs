//! A thread that waits in `mio`'s poll, and the door to it: asks and packets go in and wake it, news come out, and with the
//! door it ends.

use super::streams::{Inlet, Key, inlet, inlet::Inward};
use mio::{Events, Poll, Registry, Token, Waker};
use std::{
    fmt, io,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    thread::{self, JoinHandle},
    time::Duration,
};
use tokio::sync::mpsc;

/// Whoever wakes the thread; all other tokens are the thread's own.
pub(crate) const WAKE: Token = Token(0);
/// Messages that may wait on either side. Room for them is made as they come.
const MESSAGES: usize = 4_096;

type Packets = mpsc::Sender<(Key, Inward)>;

/// A way to the thread that anybody may have.
pub(crate) struct Asker<A> {
    thread: &'static str,
    asks: mpsc::Sender<A>,
    waker: Arc<Waker>,
}

impl<A> Asker<A> {
    /// Never waits. A thread that does not take its asks any more is a defect that the log names.
    pub(crate) fn ask(&self, ask: A) {
        match self.asks.try_send(ask) {
            Ok(()) => {
                let _ = self.waker.wake();
            }
            Err(error) => tracing::error!("the {} thread does not listen: {error}", self.thread),
        }
    }
}

impl<A> Clone for Asker<A> {
    fn clone(&self) -> Self {
        Self { thread: self.thread, asks: self.asks.clone(), waker: Arc::clone(&self.waker) }
    }
}

impl<A> fmt::Debug for Asker<A> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Asker").field(&self.thread).finish()
    }
}

/// The owner's way to the thread, which ends with it.
pub(crate) struct Door<A, N> {
    asker: Asker<A>,
    packets: Packets,
    news: mpsc::Sender<N>,
    is_closed: Arc<AtomicBool>,
    running: Option<JoinHandle<()>>,
}

impl<A: Send + 'static, N: Send + 'static> Door<A, N> {
    /// Starts a thread of this name; what it tells comes out of the second.
    pub(crate) fn open(
        thread: &'static str,
        run: impl FnOnce(Inbox<A>, mpsc::Sender<N>) + Send + 'static,
    ) -> io::Result<(Self, mpsc::Receiver<N>)> {
        let (asker, packets, inbox) = pair(thread)?;
        let (news, told) = mpsc::channel(MESSAGES);
        let (is_closed, outward) = (Arc::clone(&inbox.is_closed), news.clone());
        let running = thread::Builder::new().name(thread.into()).spawn(move || run(inbox, outward))?;
        Ok((Self { asker, packets, news, is_closed, running: Some(running) }, told))
    }
}

impl<A, N> Door<A, N> {
    /// See [`Asker::ask`].
    pub(crate) fn ask(&self, ask: A) {
        self.asker.ask(ask);
    }

    pub(crate) fn asker(&self) -> Asker<A> {
        self.asker.clone()
    }

    /// The way in for the media of a stream or of a call's picture.
    pub(crate) fn inlet(&self, key: Key) -> Inlet {
        Inlet::new(key, self.packets.clone(), Arc::clone(&self.asker.waker))
    }

    /// Where others tell what they see of the thread's business.
    pub(crate) fn news(&self) -> mpsc::Sender<N> {
        self.news.clone()
    }
}

impl<A, N> Drop for Door<A, N> {
    fn drop(&mut self) {
        // Not an ask: it must come through where asks find no room.
        self.is_closed.store(true, Ordering::Release);
        let _ = self.asker.waker.wake();
        if let Some(running) = self.running.take() {
            let _ = running.join();
        }
    }
}

impl<A, N> fmt::Debug for Door<A, N> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Door").field(&self.asker.thread).finish()
    }
}

/// The thread's side of the door.
pub(crate) struct Inbox<A> {
    thread: &'static str,
    poll: Poll,
    registry: Arc<Registry>,
    asks: mpsc::Receiver<A>,
    packets: mpsc::Receiver<(Key, Inward)>,
    is_closed: Arc<AtomicBool>,
    is_last: bool,
}

impl<A> Inbox<A> {
    /// Where the thread's sockets are watched.
    pub(crate) fn registry(&self) -> &Arc<Registry> {
        &self.registry
    }

    /// Until there is something to do, for `patience` at the longest. False: the thread is to end, and everything that was
    /// asked before is taken.
    pub(crate) fn wait(&mut self, events: &mut Events, patience: Option<Duration>) -> bool {
        if self.is_last {
            return false;
        }
        match self.poll.poll(events, patience) {
            Err(error) if error.kind() != io::ErrorKind::Interrupted => {
                tracing::error!("the {} thread cannot wait for packets: {error}", self.thread);
                return false;
            }
            _ => {}
        }
        self.is_last = self.is_closed.load(Ordering::Acquire);
        true
    }

    /// The next ask that waits.
    pub(crate) fn ask(&mut self) -> Option<A> {
        self.asks.try_recv().ok()
    }

    /// The next that came through an [`Inlet`].
    pub(crate) fn packet(&mut self) -> Option<(Key, Inward)> {
        self.packets.try_recv().ok()
    }
}

/// The two sides of a door without its thread, and the way of packets between them.
pub(crate) fn pair<A>(thread: &'static str) -> io::Result<(Asker<A>, Packets, Inbox<A>)> {
    let (asks, asked) = mpsc::channel(MESSAGES);
    let (packets, inward) = mpsc::channel(inlet::PACKETS);
    let poll = Poll::new()?;
    let waker = Arc::new(Waker::new(poll.registry(), WAKE)?);
    let (registry, is_closed) = (Arc::new(poll.registry().try_clone()?), Arc::default());
    let inbox = Inbox { thread, poll, registry, asks: asked, packets: inward, is_closed, is_last: false };
    Ok((Asker { thread, asks, waker }, packets, inbox))
}

#[cfg(test)]
mod tests {
    use super::{Door, MESSAGES};
    use mio::Events;
    use std::sync::mpsc;

    /// Gives on what it is asked, until the door is gone.
    fn echo(gate: mpsc::Receiver<()>) -> (Door<usize, ()>, mpsc::Receiver<usize>) {
        let (out, heard) = mpsc::channel();
        let (door, _) = Door::open("echo", move |mut inbox, _| {
            let _ = gate.recv();
            let mut events = Events::with_capacity(4);
            while inbox.wait(&mut events, None) {
                while let Some(ask) = inbox.ask() {
                    let _ = out.send(ask);
                }
            }
        })
        .unwrap();
        (door, heard)
    }

    #[test]
    fn asks_wake_the_thread_and_come_in_order() {
        let (open, gate) = mpsc::channel();
        let (door, heard) = echo(gate);
        open.send(()).unwrap();
        door.ask(1);
        assert_eq!(heard.recv().unwrap(), 1);
        door.asker().ask(2);
        door.ask(3);
        assert_eq!(heard.iter().take(2).collect::<Vec<_>>(), [2, 3]);
    }

    #[test]
    fn the_thread_ends_with_its_door_and_takes_what_was_asked_before_even_where_there_is_no_room_for_more() {
        let (open, gate) = mpsc::channel();
        let (door, heard) = echo(gate);
        let asker = door.asker();
        for ask in 0..=MESSAGES {
            door.ask(ask);
        }
        let ending = std::thread::spawn(move || drop(door));
        open.send(()).unwrap();
        ending.join().unwrap();
        assert_eq!(heard.iter().collect::<Vec<_>>(), (0..MESSAGES).collect::<Vec<_>>());
        asker.ask(2);
        assert!(heard.recv().is_err());
    }
}
