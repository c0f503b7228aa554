//! Lines of a client's log on their way to the engine: a page that is debugged makes a flood of them, one message each.

use sidetone_engine::ClientAsk;
use std::{future::pending, mem::take, time::Duration};
use tokio::time::{Instant, sleep_until};

/// Between two batches.
const EVERY: Duration = Duration::from_secs(1);
/// Bytes of a batch. Lines that have no room in it are left out.
const MOST: usize = 16 * 1024;

#[derive(Debug, Default)]
pub(super) struct Logs {
    text: String,
    left_out: u32,
    due: Option<Instant>,
}

impl Logs {
    /// One line, or some.
    pub(super) fn add(&mut self, lines: &str) {
        for line in lines.lines() {
            if self.text.len() + line.len() < MOST {
                self.text.push_str(line);
                self.text.push('\n');
            } else {
                self.left_out = self.left_out.saturating_add(1);
            }
        }
        if !self.text.is_empty() || self.left_out > 0 {
            self.due.get_or_insert_with(|| Instant::now() + EVERY);
        }
    }

    /// The next batch, when its time has come; safe to be dropped before.
    pub(super) async fn due(&mut self) -> ClientAsk {
        match self.due {
            Some(due) => sleep_until(due).await,
            None => pending().await,
        }
        self.due = None;
        ClientAsk::PushLogs { logs: take(&mut self.text), left_out: take(&mut self.left_out) }
    }
}

#[cfg(test)]
mod tests {
    use super::{EVERY, Logs, MOST};
    use sidetone_engine::ClientAsk;
    use tokio::time::{Instant, timeout};

    #[tokio::test(start_paused = true)]
    async fn a_flood_of_lines_is_one_batch_a_second_and_says_what_it_leaves_out() {
        let (mut logs, begun) = (Logs::default(), Instant::now());
        let line = "x".repeat(99);
        for _ in 0..1_000 {
            logs.add(&format!("{line}\n"));
        }
        logs.add("");
        let ClientAsk::PushLogs { logs: text, left_out } = logs.due().await else { panic!() };
        assert_eq!(begun.elapsed(), EVERY);
        assert!(text.len() <= MOST && text.lines().all(|kept| kept == line));
        assert_eq!((text.lines().count(), left_out), (163, 837));
        assert!(timeout(EVERY * 10, logs.due()).await.is_err(), "there is nothing more to say");
        logs.add("a\nb");
        let ClientAsk::PushLogs { logs: text, left_out } = logs.due().await else { panic!() };
        assert_eq!((text.as_str(), left_out), ("a\nb\n", 0));
    }
}
