//! What waits for one client to read it.

use std::{
    collections::VecDeque,
    sync::{Mutex, MutexGuard, PoisonError},
};
use tokio::sync::Notify;

/// Most messages that wait.
const MAX_ITEMS: usize = 512;
/// Most bytes that wait, but for a single message that is larger.
const MAX_BYTES: usize = 4 * 1024 * 1024;
/// From here on measurements are not queued: the client is late already.
const LATE: usize = 32;

#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Item {
    Text(String),
    /// May be lost.
    Measurement(String),
    Ping,
}

/// The client has not read for so long that news would be lost.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct TooSlow;

#[derive(Default)]
pub(crate) struct Outbox {
    queue: Mutex<Queue>,
    news: Notify,
    /// Something was taken out.
    taken: Notify,
}

#[derive(Default)]
struct Queue {
    items: VecDeque<Item>,
    bytes: usize,
}

impl Outbox {
    pub(crate) fn push(&self, item: Item) -> Result<(), TooSlow> {
        let mut queue = self.queue();
        if matches!(item, Item::Measurement(_)) && queue.items.len() >= LATE {
            return Ok(());
        }
        if queue.is_full(&item) {
            queue.drop_measurements();
        }
        if queue.is_full(&item) {
            return Err(TooSlow);
        }
        queue.bytes += item.len();
        queue.items.push_back(item);
        drop(queue);
        self.news.notify_one();
        Ok(())
    }

    pub(crate) async fn next(&self) -> Item {
        loop {
            if let Some(item) = self.queue().pop() {
                self.taken.notify_one();
                return item;
            }
            self.news.notified().await;
        }
    }

    /// Returns when half of it is free: the rest is for what cannot wait. For one writer.
    pub(crate) async fn room(&self) {
        while !self.queue().has_room() {
            self.taken.notified().await;
        }
    }

    fn queue(&self) -> MutexGuard<'_, Queue> {
        self.queue.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Queue {
    fn is_full(&self, item: &Item) -> bool {
        self.items.len() >= MAX_ITEMS || (self.bytes + item.len() > MAX_BYTES && !self.items.is_empty())
    }

    fn has_room(&self) -> bool {
        self.items.len() < MAX_ITEMS / 2 && self.bytes < MAX_BYTES / 2
    }

    fn drop_measurements(&mut self) {
        self.items.retain(|item| !matches!(item, Item::Measurement(_)));
        self.bytes = self.items.iter().map(Item::len).sum();
    }

    fn pop(&mut self) -> Option<Item> {
        let item = self.items.pop_front()?;
        self.bytes -= item.len();
        Some(item)
    }
}

impl Item {
    fn len(&self) -> usize {
        match self {
            Self::Text(text) | Self::Measurement(text) => text.len(),
            Self::Ping => 0,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{Item, LATE, MAX_BYTES, MAX_ITEMS, Outbox, TooSlow};

    fn text() -> Item {
        Item::Text("x".into())
    }

    #[tokio::test]
    async fn measurements_are_lost_before_news() {
        let outbox = Outbox::default();
        outbox.push(Item::Measurement("first".into())).unwrap();
        for _ in 1..MAX_ITEMS {
            outbox.push(text()).unwrap();
        }
        outbox.push(Item::Measurement("late".into())).unwrap();
        outbox.push(text()).unwrap();
        for _ in 0..MAX_ITEMS {
            assert_eq!(outbox.next().await, text());
        }
        assert!(outbox.queue().items.is_empty());
        for _ in 0..2 * LATE {
            outbox.push(Item::Measurement("m".into())).unwrap();
        }
        assert_eq!(outbox.queue().items.len(), LATE);
    }

    #[test]
    fn a_full_queue_means_too_slow() {
        let outbox = Outbox::default();
        for _ in 0..MAX_ITEMS {
            outbox.push(text()).unwrap();
        }
        assert_eq!(outbox.push(text()), Err(TooSlow));
    }

    #[tokio::test]
    async fn whoever_waits_for_room_loses_nothing_and_leaves_half_of_it() {
        for length in [1, MAX_BYTES / MAX_ITEMS * 4] {
            let (outbox, all) = (Outbox::default(), 4 * MAX_ITEMS);
            let written = async {
                for _ in 0..all {
                    outbox.room().await;
                    outbox.push(Item::Text("x".repeat(length))).expect("there was room");
                    let queue = outbox.queue();
                    assert!(queue.items.len() <= MAX_ITEMS / 2 && queue.bytes <= MAX_BYTES / 2);
                }
            };
            let read = async {
                for _ in 0..all {
                    outbox.next().await;
                }
            };
            tokio::join!(written, read);
        }
    }

    #[tokio::test]
    async fn bytes_are_bounded_but_one_large_snapshot_passes() {
        let outbox = Outbox::default();
        outbox.push(Item::Text("x".repeat(MAX_BYTES + 1))).unwrap();
        assert_eq!(outbox.push(text()), Err(TooSlow));
        outbox.next().await;
        assert_eq!(outbox.push(text()), Ok(()));
    }
}
