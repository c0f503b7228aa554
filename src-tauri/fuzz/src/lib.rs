//! What several targets share.

pub mod depacketizer;
