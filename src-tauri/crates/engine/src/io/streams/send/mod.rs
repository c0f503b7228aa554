//! The pictures of one published stream: a thread that takes them from their sources, puts them together, encodes and packs them.

mod encode;
mod slot;
mod thread;

use super::{Inlet, News, Own, router::Key};
use sidetone_media::{
    device::{Devices, VideoSelection},
    video::{ContentHint, MediaClock, PacketizationMode, VideoCodec},
};
use std::{
    fmt, io,
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicU32, Ordering::Relaxed},
        mpsc as std_mpsc,
    },
};
use tokio::sync::mpsc;

/// Layers of simulcast.
pub(crate) const MOST_LAYERS: usize = 3;

/// What the stream thread tells the encoders.
#[derive(Debug, Clone, Default)]
pub(crate) struct Control(Arc<Wishes>);

#[derive(Debug, Default)]
struct Wishes {
    key: [AtomicBool; MOST_LAYERS],
    /// kbit/s of all layers; 0 where nothing is known.
    allowed_kbit: AtomicU32,
    held: AtomicBool,
}

impl Control {
    pub(crate) fn want_key_frame(&self, layer: u8) {
        if let Some(key) = self.0.key.get(usize::from(layer)) {
            key.store(true, Relaxed);
        }
    }

    /// What the path carries.
    pub(crate) fn allow(&self, kbit: u32) {
        self.0.allowed_kbit.store(kbit, Relaxed);
    }

    /// The path has no room: pictures had better be left out for a while.
    pub(crate) fn hold(&self, held: bool) {
        self.0.held.store(held, Relaxed);
    }

    fn is_held(&self) -> bool {
        self.0.held.load(Relaxed)
    }

    pub(crate) fn take_key(&self, layer: usize) -> bool {
        self.0.key.get(layer).is_some_and(|key| key.swap(false, Relaxed))
    }

    fn wants_key(&self) -> bool {
        self.0.key.iter().any(|key| key.load(Relaxed))
    }

    fn allowed_kbit(&self) -> Option<u32> {
        Some(self.0.allowed_kbit.load(Relaxed)).filter(|kbit| *kbit > 0)
    }
}

/// What is shown.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Scene {
    pub(crate) main: VideoSelection,
    pub(crate) inset: Option<Inset>,
}

impl Scene {
    fn selections(&self) -> impl Iterator<Item = &VideoSelection> {
        std::iter::once(&self.main).chain(self.inset.as_ref().map(|inset| &inset.source))
    }

    fn has(&self, selection: &VideoSelection) -> bool {
        self.selections().any(|other| other == selection)
    }
}

#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Inset {
    pub(crate) source: VideoSelection,
    pub(crate) place: sidetone_media::video::Inset,
}

/// How it is encoded.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Encoding {
    pub(crate) codec: VideoCodec,
    pub(crate) width: u32,
    pub(crate) height: u32,
    pub(crate) frames_per_second: u32,
    pub(crate) min_kbit: u32,
    pub(crate) max_kbit: u32,
    pub(crate) start_kbit: u32,
    /// `None`: as the source is.
    pub(crate) hint: Option<ContentHint>,
    /// Of H.264.
    pub(crate) packetization: PacketizationMode,
    /// 1 to 3, each half as wide as the next.
    pub(crate) layers: u8,
}

pub(crate) struct Plan {
    pub(crate) stream: Key,
    pub(crate) devices: Arc<dyn Devices>,
    pub(crate) scene: Scene,
    pub(crate) encoding: Encoding,
    /// One for all that is sent under one SSRC.
    pub(crate) clock: MediaClock,
    pub(crate) muted: bool,
    /// Pictures are shown here alone: nothing is encoded.
    pub(crate) shown_only: bool,
    pub(crate) inlet: Inlet,
    pub(crate) own: Own,
    pub(crate) control: Control,
    pub(crate) news: mpsc::Sender<News>,
}

enum Change {
    Scene(Scene),
    Mute(bool),
}

/// What sends the pictures, until it is dropped.
pub(crate) struct Sending {
    changes: std_mpsc::Sender<Change>,
}

impl Sending {
    pub(crate) fn start(plan: Plan) -> io::Result<Self> {
        let (changes, changed) = std_mpsc::channel();
        let thread = thread::Thread::new(plan, changed);
        std::thread::Builder::new().name("publish stream".into()).spawn(move || thread.run())?;
        Ok(Self { changes })
    }

    /// Shows something else as soon as it gives pictures; until then what was shown before.
    pub(crate) fn show(&self, scene: Scene) {
        let _ = self.changes.send(Change::Scene(scene));
    }

    /// Black goes out.
    pub(crate) fn mute(&self, muted: bool) {
        let _ = self.changes.send(Change::Mute(muted));
    }
}

impl fmt::Debug for Sending {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Sending")
    }
}
