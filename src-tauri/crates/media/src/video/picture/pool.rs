use std::fmt;
use std::sync::{Arc, Mutex, PoisonError, Weak};

use super::{Canvas, Size};
use crate::video::error::VideoError;

/// Pixels that go back to their pool when the last picture that shares them is gone.
pub(super) struct Buffer {
    pub(super) data: Vec<u8>,
    home: Weak<Shelf>,
}

impl Buffer {
    pub(super) fn unpooled(data: Vec<u8>) -> Self {
        Self { data, home: Weak::new() }
    }
}

impl Drop for Buffer {
    fn drop(&mut self) {
        if let Some(home) = self.home.upgrade() {
            home.take_back(std::mem::take(&mut self.data));
        }
    }
}

/// A bounded number of pictures whose memory is used again. Clones share it. Where all pictures are in use, no new one
/// is given: the newest is dropped instead of memory growing without end.
#[derive(Clone)]
pub struct FramePool {
    shelf: Arc<Shelf>,
}

struct Shelf {
    limit: usize,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    out: usize,
    free: Vec<Vec<u8>>,
}

impl Shelf {
    fn take_back(&self, data: Vec<u8>) {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        state.out = state.out.saturating_sub(1);
        if state.free.len() < self.limit {
            state.free.push(data);
        }
    }
}

impl FramePool {
    /// At most `limit` pictures at once, at least 1.
    pub fn new(limit: usize) -> Self {
        Self { shelf: Arc::new(Shelf { limit: limit.max(1), state: Mutex::default() }) }
    }

    /// A picture to draw; what it shows is undefined until it was drawn.
    pub fn take(&self, size: Size) -> Result<Canvas, VideoError> {
        let need = size.i420_len();
        let mut data = {
            let mut state = self.shelf.state.lock().unwrap_or_else(PoisonError::into_inner);
            if state.out >= self.shelf.limit {
                return Err(VideoError::PoolEmpty { limit: self.shelf.limit });
            }
            state.out += 1;
            let fits =
                state.free.iter().position(|free| free.capacity() >= need && free.capacity() / 4 <= need);
            match fits {
                Some(at) => state.free.swap_remove(at),
                None => {
                    // Another size than before: what lies there is of no use any more.
                    state.free.pop();
                    Vec::new()
                }
            }
        };
        data.resize(need, 0);
        Ok(Canvas::of(Buffer { data, home: Arc::downgrade(&self.shelf) }, size))
    }

    /// Pictures that are in use.
    pub fn in_use(&self) -> usize {
        self.shelf.state.lock().unwrap_or_else(PoisonError::into_inner).out
    }

    /// Most pictures at once.
    pub fn limit(&self) -> usize {
        self.shelf.limit
    }
}

impl Default for FramePool {
    /// Enough for a source, an encoder of three sizes, a preview and a screen that is late.
    fn default() -> Self {
        Self::new(24)
    }
}

impl fmt::Debug for FramePool {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("FramePool").field("limit", &self.limit()).field("in_use", &self.in_use()).finish()
    }
}
