//! Whose turn it is: the rooms of a run share the machine, but one that measures what time media takes has it to itself.

use std::env;
use std::fs::File;
use std::io;

/// Held while a room is in use. Ends with its value, or with the process.
#[derive(Debug)]
pub(crate) struct Turn {
    _lock: Option<File>,
}

impl Turn {
    /// Waits for it. Where no file can be locked everybody takes his turn at once.
    pub(crate) fn take(alone: bool) -> Self {
        Self { _lock: lock(alone).ok() }
    }
}

fn lock(alone: bool) -> io::Result<File> {
    // Held while the rooms in use come to their end, too, so that those who come later wait behind who wants to be alone.
    let door = open("door")?;
    door.lock()?;
    let rooms = open("rooms")?;
    if alone {
        rooms.lock()?;
    } else {
        rooms.lock_shared()?;
    }
    Ok(rooms)
}

/// Beside the test programs of this build.
fn open(name: &str) -> io::Result<File> {
    let folder = env::current_exe()?.parent().map(ToOwned::to_owned).unwrap_or_default();
    File::options()
        .create(true)
        .truncate(false)
        .write(true)
        .open(folder.join(format!("sidetone-tests-{name}.lock")))
}

#[cfg(test)]
mod tests {
    use super::Turn;
    use std::sync::atomic::{AtomicU32, Ordering::SeqCst};
    use std::sync::mpsc::channel;
    use std::thread;
    use std::time::Duration;

    #[test]
    fn rooms_are_shared_but_for_one_that_is_alone() {
        let inside = AtomicU32::new(0);
        let (inside, shared) = (&inside, Turn::take(false));
        thread::scope(|scope| {
            let (sender, entered) = channel();
            // Others come in meanwhile.
            drop(scope.spawn(|| drop(Turn::take(false))).join());
            scope.spawn(move || {
                let turn = Turn::take(true);
                sender.send(()).unwrap();
                inside.fetch_add(1, SeqCst);
                thread::sleep(Duration::from_millis(50));
                inside.fetch_sub(1, SeqCst);
                drop(turn);
            });
            assert!(entered.recv_timeout(Duration::from_millis(100)).is_err(), "it is not alone yet");
            drop(shared);
            entered.recv().unwrap();
            let _turn = Turn::take(false);
            assert_eq!(inside.load(SeqCst), 0, "it was alone");
        });
    }
}
