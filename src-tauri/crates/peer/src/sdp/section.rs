use super::Extension;
use crate::{CodecParameters, Direction, Kind};

/// A media section as the one who describes it sees it: the far end's, or ours.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct MediaSection {
    /// Of its description; 0 in ours.
    pub(crate) line: usize,
    pub(crate) media: String,
    pub(crate) protocol: String,
    /// One format, for a declined section must list some.
    pub(crate) format: String,
    /// `None`: neither sound nor picture.
    pub(crate) kind: Option<Kind>,
    pub(crate) mid: String,
    pub(crate) declined: bool,
    pub(crate) direction: Direction,
    pub(crate) codecs: Vec<CodecParameters>,
    pub(crate) extensions: Vec<(u8, Extension)>,
    /// Layers that it sends (RFC 8853); empty: one.
    pub(crate) sends: Vec<String>,
    /// Layers that it would receive.
    pub(crate) receives: Vec<String>,
    /// SSRCs that it announces, with those of their retransmissions; ours with layers announce none.
    pub(crate) flows: Vec<(u32, Option<u32>)>,
    pub(crate) reduced_size: bool,
}
