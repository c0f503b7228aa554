use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::sync_channel;
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;

use super::latest::Trace;
use super::{Deliver, Latest, latest};
use crate::error::DeviceError;
use crate::video::codec::ContentHint;
use crate::video::error::VideoError;
use crate::video::picture::Picture;

/// What a [`Grabber`] got.
#[derive(Debug)]
pub enum Grabbed {
    Picture(Picture),
    /// A picture that cannot be used, such as a damaged one; the next may be well.
    Unusable(VideoError),
    /// Nothing this time.
    Nothing,
}

/// A device that gives pictures to whoever waits for them, such as a camera's driver.
pub trait Grabber {
    /// Waits for the next picture, for as long as the device takes. An error is its end.
    fn grab(&mut self) -> Result<Grabbed, VideoError>;
}

/// Threads that may hang in the driver of one device: left behind, or not open yet. No more are started until one of them
/// comes back.
const MOST_LEFT: usize = 4;
/// The same of all devices.
const MOST_LEFT_OF_ALL: usize = 16;

/// Runs grabbers of one kind, each on a thread of its own, and counts those that do not come back.
#[derive(Default)]
pub struct Grabbers {
    threads: Mutex<Vec<Started>>,
}

/// What is known of a thread.
struct Started {
    name: String,
    trace: Trace,
    is_open: Arc<AtomicBool>,
}

impl Started {
    /// What it does not do, in words, where its driver may hang.
    fn fault(&self) -> Option<&'static str> {
        match self.is_open.load(Ordering::Acquire) {
            false => Some("does not open"),
            true => self.trace.is_left().then_some("was closed and does not let go"),
        }
    }
}

impl Grabbers {
    /// Opens a device on a thread, where it then stays: many cannot be moved between threads, and any of them may
    /// hang. Returns when it is open, or cannot be opened; the thread ends soon after the returned source is gone, or
    /// when the device lets go of it.
    pub fn open<G: Grabber>(
        &self,
        name: &str,
        content: ContentHint,
        open: impl FnOnce() -> Result<G, DeviceError> + Send + 'static,
    ) -> Result<Latest, DeviceError> {
        let failed = |reason: String| DeviceError::Backend { reason };
        let (deliver, source) = latest(name, content);
        let is_open = Arc::<AtomicBool>::default();
        {
            let mut threads = self.threads.lock().unwrap_or_else(PoisonError::into_inner);
            threads.retain(|thread| !thread.trace.is_over());
            let faults = || threads.iter().filter_map(|thread| Some((&thread.name, thread.fault()?)));
            let of_it = faults().filter(|(other, _)| *other == name);
            if let Some((_, fault)) = of_it.clone().nth(MOST_LEFT - 1) {
                return Err(failed(format!("{name} {fault}: its driver hangs")));
            }
            if let Some((other, fault)) = faults().nth(MOST_LEFT_OF_ALL - 1) {
                return Err(failed(format!("{name} is not opened while {other} {fault}: its driver hangs")));
            }
            threads.push(Started {
                name: name.to_owned(),
                trace: source.trace(),
                is_open: Arc::clone(&is_open),
            });
        }
        let (tell, told) = sync_channel(1);
        let run = move || {
            let grabber = match open() {
                Ok(grabber) => grabber,
                Err(error) => return drop(tell.send(Err(error))),
            };
            is_open.store(true, Ordering::Release);
            if tell.send(Ok(())).is_ok() {
                grab_all(grabber, &deliver);
            }
        };
        let spawned = thread::Builder::new().name("pictures".into()).spawn(run);
        spawned.map_err(|error| failed(error.to_string()))?;
        told.recv().map_err(|_| failed(format!("{name} broke down while it was opened")))??;
        Ok(source)
    }
}

impl std::fmt::Debug for Grabbers {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Grabbers").finish_non_exhaustive()
    }
}

fn grab_all(mut grabber: impl Grabber, deliver: &Deliver) {
    while !deliver.is_closed() {
        match grabber.grab() {
            Ok(Grabbed::Picture(picture)) => drop(deliver.picture(picture)),
            Ok(Grabbed::Unusable(error)) => deliver.fault(error),
            Ok(Grabbed::Nothing) => {}
            Err(error) => return deliver.fault(error),
        }
    }
}
