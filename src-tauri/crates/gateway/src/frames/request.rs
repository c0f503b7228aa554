//! What a page asks for.

use serde::Deserialize;
use sidetone_api::{Failure, StreamId, StreamSources};
use sidetone_media::video::{Size, VideoCodec};
use std::collections::HashSet;

/// Bytes of one message: sources have paths in them.
pub(crate) const LONGEST: usize = 64 * 1024;
/// Channels of one socket.
pub(crate) const MOST_CHANNELS: usize = 64;
/// Pictures that a page can have asked for and not have had.
pub(crate) const MOST_CREDITS: usize = 8;

#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(tag = "ask", rename_all = "camelCase", deny_unknown_fields)]
pub(crate) enum Request {
    /// What the page decodes by itself, by encoding names of RTP; unknown ones are left out. Of channels that are opened from now on.
    Decoders {
        codecs: Vec<String>,
    },
    /// Show a stream on a channel that is free. Width and height are what the page has room for, in pixels of the screen.
    Open {
        channel: u32,
        stream: StreamId,
        width: u32,
        height: u32,
        credits: usize,
        /// As pictures, whatever the page decodes.
        #[serde(default)]
        decoded: bool,
    },
    /// Show sources that are not published, and what they sound like. They are closed with the channel.
    Preview {
        channel: u32,
        sources: StreamSources,
        width: u32,
        height: u32,
        credits: usize,
    },
    /// Of a preview: show these from now on.
    Sources {
        channel: u32,
        sources: StreamSources,
    },
    /// The page has other room for it now.
    Size {
        channel: u32,
        width: u32,
        height: u32,
    },
    /// So many more pictures can come.
    Credit {
        channel: u32,
        credits: usize,
    },
    /// The page's decoder has lost its way: from the next key frame on.
    Key {
        channel: u32,
    },
    Close {
        channel: u32,
    },
}

impl Request {
    pub(crate) fn parse(text: &str) -> Result<Self, Failure> {
        serde_json::from_str(text).map_err(|error| Failure::invalid("request", error.to_string()))
    }
}

/// Those of the names that we know.
pub(super) fn decoders(names: &[String]) -> HashSet<VideoCodec> {
    names.iter().filter_map(|name| name.parse().ok()).collect()
}

/// The room of a channel; a hidden one is still a pixel.
pub(crate) fn room(width: u32, height: u32) -> Size {
    Size::clamped(width, height)
}

#[cfg(test)]
mod tests {
    use super::{Request, decoders};
    use sidetone_api::StreamId;
    use sidetone_media::video::VideoCodec;
    use std::collections::HashSet;

    #[test]
    fn a_request_is_one_line_and_whatever_is_wrong_with_it_is_named() {
        let open = r#"{"ask":"open","channel":1,"stream":"st1","width":640,"height":360,"credits":2}"#;
        let wanted = Request::Open {
            channel: 1,
            stream: StreamId::new("st1"),
            width: 640,
            height: 360,
            credits: 2,
            decoded: false,
        };
        assert_eq!(Request::parse(open).unwrap(), wanted);
        for (bad, named) in [
            (r#"{"ask":"explode","channel":1}"#, "explode"),
            (r#"{"ask":"close"}"#, "channel"),
            (r#"{"ask":"close","channel":-1}"#, "-1"),
            (r#"{"ask":"credit","channel":1,"credits":2,"more":3}"#, "more"),
            ("", "EOF"),
        ] {
            let failure = Request::parse(bad).unwrap_err();
            assert!(failure.message.contains(named), "{bad}: {failure}");
        }
    }

    #[test]
    fn codecs_of_which_nobody_knows_are_left_out() {
        let names = ["vp8", "H264", "AV1", "H264", ""].map(str::to_owned);
        assert_eq!(decoders(&names), HashSet::from([VideoCodec::H264, VideoCodec::Vp8]));
    }
}
