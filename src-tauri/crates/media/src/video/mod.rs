//! Pictures: where they come from, how they are encoded, packed, received and drawn.
//!
//! A picture is I420 (BT.601, limited range) from the source to the screen, shared and never changed after it was
//! made. Nothing here reads a clock: a picture carries the instant of its capture, and time is passed in.

pub mod bars;
pub mod codec;
pub mod compose;
pub mod error;
pub mod file;
pub mod packet;
pub mod picture;
pub mod receive;
pub mod record;
pub mod source;
pub mod sync;

pub use bars::{Bars, read_clock};
pub use codec::{
    CodecInfo, ContentHint, Encoded, EncoderOptions, MediaClock, VideoCodec, VideoDecoder, VideoEncoder,
    available_codecs,
};
pub use compose::{Compositor, Corner, Inset, Mosaic, Tile};
pub use error::VideoError;
pub use packet::{
    MAX_PAYLOAD, PacketizationMode, Packetizer, Payload, PayloadInfo, begins_key_frame, depacketize, inspect,
};
pub use picture::{Canvas, FramePool, Picture, PixelFormat, Rect, Rotation, Scaler, Size};
pub use receive::{
    Playout, PlayoutStatistics, ReceiveStatistics, ReceivedFrame, VideoPacket, VideoReceiver,
    VideoReceiverOptions,
};
pub use source::{Grabbed, Grabber, Grabbers, OpenVideo, Polled, VideoSource, WatchRules, Watched};
pub use sync::AvSync;
