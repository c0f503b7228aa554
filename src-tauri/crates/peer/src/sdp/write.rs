//! What we say.

use std::fmt::Write as _;

use super::{Candidate, MediaSection, Setup};
use crate::{Codec, CodecParameters, Direction};

pub(crate) struct Local<'a> {
    pub(crate) session: u64,
    pub(crate) version: u64,
    pub(crate) lite: bool,
    pub(crate) ufrag: &'a str,
    pub(crate) pwd: &'a str,
    pub(crate) fingerprint: &'a str,
    pub(crate) setup: Setup,
    pub(crate) candidates: &'a [Candidate],
    pub(crate) complete: bool,
    /// The stream's name and our CNAME.
    pub(crate) stream: &'a str,
    pub(crate) sections: &'a [MediaSection],
}

impl Local<'_> {
    pub(crate) fn text(&self) -> String {
        let mut out = Text(String::with_capacity(4096));
        out.line(format_args!("v=0"));
        out.line(format_args!("o=- {} {} IN IP4 127.0.0.1", self.session, self.version));
        out.line(format_args!("s=-"));
        out.line(format_args!("t=0 0"));
        let mids: Vec<&str> =
            self.sections.iter().filter(|s| !s.declined).map(|section| section.mid.as_str()).collect();
        if !mids.is_empty() {
            out.line(format_args!("a=group:BUNDLE {}", mids.join(" ")));
        }
        out.line(format_args!("a=extmap-allow-mixed"));
        out.line(format_args!("a=msid-semantic: WMS {}", self.stream));
        if self.lite {
            out.line(format_args!("a=ice-lite"));
        }
        let mut first = true;
        for section in self.sections {
            if section.declined {
                out.declined(section);
            } else {
                self.section(&mut out, section, first);
                first = false;
            }
        }
        out.0
    }

    fn section(&self, out: &mut Text, section: &MediaSection, first: bool) {
        let mut formats: Vec<String> = Vec::new();
        for codec in &section.codecs {
            formats.push(codec.payload_type.to_string());
        }
        for rtx in section.codecs.iter().filter_map(|codec| codec.rtx) {
            formats.push(rtx.to_string());
        }
        out.line(format_args!("m={} 9 {} {}", section.media, section.protocol, formats.join(" ")));
        out.line(format_args!("c=IN IP4 0.0.0.0"));
        out.line(format_args!("a=rtcp:9 IN IP4 0.0.0.0"));
        if first {
            for candidate in self.candidates {
                out.line(format_args!("a={candidate}"));
            }
            if self.complete {
                out.line(format_args!("a=end-of-candidates"));
            }
        }
        out.line(format_args!("a=ice-ufrag:{}", self.ufrag));
        out.line(format_args!("a=ice-pwd:{}", self.pwd));
        if !self.complete {
            out.line(format_args!("a=ice-options:trickle"));
        }
        out.line(format_args!("a=fingerprint:sha-256 {}", self.fingerprint.to_ascii_uppercase()));
        let setup = match self.setup {
            Setup::Actpass => "actpass",
            Setup::Active => "active",
            Setup::Passive => "passive",
        };
        out.line(format_args!("a=setup:{setup}"));
        out.line(format_args!("a=mid:{}", section.mid));
        for (id, extension) in &section.extensions {
            out.line(format_args!("a=extmap:{id} {}", extension.uri()));
        }
        let direction = match section.direction {
            Direction::Both => "sendrecv",
            Direction::Send => "sendonly",
            Direction::Receive => "recvonly",
            Direction::Inactive => "inactive",
        };
        out.line(format_args!("a={direction}"));
        if section.direction.sends() {
            out.line(format_args!("a=msid:{} {}-{}", self.stream, self.stream, section.mid));
        }
        out.line(format_args!("a=rtcp-mux"));
        if section.reduced_size {
            out.line(format_args!("a=rtcp-rsize"));
        }
        for codec in &section.codecs {
            out.codec(codec);
        }
        for (words, rids) in [("send", &section.sends), ("recv", &section.receives)] {
            for rid in rids {
                out.line(format_args!("a=rid:{rid} {words}"));
            }
        }
        let simulcast = [("send", &section.sends), ("recv", &section.receives)];
        let simulcast: Vec<String> = simulcast
            .iter()
            .filter(|(_, rids)| !rids.is_empty())
            .map(|(word, rids)| format!("{word} {}", rids.join(";")))
            .collect();
        if !simulcast.is_empty() {
            out.line(format_args!("a=simulcast:{}", simulcast.join(" ")));
        }
        if let Some((ssrc, rtx)) = section.flows.first().copied()
            && section.sends.is_empty()
        {
            if let Some(rtx) = rtx {
                out.line(format_args!("a=ssrc-group:FID {ssrc} {rtx}"));
            }
            for ssrc in [Some(ssrc), rtx].into_iter().flatten() {
                out.line(format_args!("a=ssrc:{ssrc} cname:{}", self.stream));
                out.line(format_args!("a=ssrc:{ssrc} msid:{} {}-{}", self.stream, self.stream, section.mid));
            }
        }
    }
}

struct Text(String);

impl Text {
    fn line(&mut self, line: std::fmt::Arguments<'_>) {
        // Writing to a string cannot fail.
        let _ = write!(self.0, "{line}\r\n");
    }

    fn declined(&mut self, section: &MediaSection) {
        self.line(format_args!("m={} 0 {} {}", section.media, section.protocol, section.format));
        self.line(format_args!("c=IN IP4 0.0.0.0"));
        self.line(format_args!("a=mid:{}", section.mid));
        self.line(format_args!("a=inactive"));
    }

    /// Feedback stands between rtpmap and fmtp: there are readers that want it so.
    fn codec(&mut self, codec: &CodecParameters) {
        let CodecParameters { codec: name, payload_type: number, fmtp, rtx, feedback } = codec;
        let rate = name.clock_rate();
        match name {
            Codec::Opus => self.line(format_args!("a=rtpmap:{number} opus/{rate}/2")),
            _ => self.line(format_args!("a=rtpmap:{number} {}/{rate}", name.name())),
        }
        let feedback = [
            (feedback.remb, "goog-remb"),
            (feedback.transport_cc, "transport-cc"),
            (feedback.fir, "ccm fir"),
            (feedback.nack, "nack"),
            (feedback.pli, "nack pli"),
        ];
        for (_, word) in feedback.into_iter().filter(|(is_on, _)| *is_on) {
            self.line(format_args!("a=rtcp-fb:{number} {word}"));
        }
        if !fmtp.is_empty() {
            self.line(format_args!("a=fmtp:{number} {fmtp}"));
        }
        if let Some(rtx) = rtx {
            self.line(format_args!("a=rtpmap:{rtx} rtx/{rate}"));
            self.line(format_args!("a=fmtp:{rtx} apt={number}"));
        }
    }
}
