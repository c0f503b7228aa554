//! The media plane: one thread with all RTP sockets, codecs and open devices. It beats every 10 ms while there is anything
//! to do and sleeps in `poll` otherwise; packets are read when they arrive.

mod beat;
mod device;
mod leg;
mod measure;
mod record;
mod streams;
mod tape;
#[cfg(test)]
mod tests;
mod video;
mod worker;

pub(crate) use streams::{
    Change, Fader, FarSound, Input, Outlet, PlayedSound, PublishedSound, RoomMix, silence,
};
pub(crate) use video::{Ends, VideoOutlet};

use super::{door, ports::RtpPair, streams::Key};
use sidetone_api::{CallStatistics, Level};
use sidetone_media::device::{Sink, Source};
use sidetone_media::tone::CallProgress;
use sidetone_media::{ProcessingOptions, Recorded, Recorder, RecorderStatus, SoundProblem};
use sidetone_rtp::transport::{Credentials, DtlsIdentity};
use sidetone_sdp::Negotiated;
use tokio::sync::mpsc;

/// One transport of RTP, from its sockets' opening to their closing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct LegId(pub(crate) u64);

/// What a leg's media is joined to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Join {
    /// Received media is counted and dropped; nothing is sent.
    Nothing,
    /// The microphone and the speaker.
    Devices,
    /// Itself: what arrives goes back untouched.
    Echo,
    /// A 440 Hz tone; what arrives is dropped.
    Tone,
    /// Another leg, both ways.
    Leg(LegId),
    /// The local conference: all legs that are joined to it hear each other and us, and nobody himself.
    Conference,
    /// Nobody: it hears what [`Ask::Inject`] brings, else silence; what arrives is counted and dropped.
    Injected,
    /// A room: what arrives is its stream there ([`Ask::PublishLeg`]), and it hears what [`Ask::Inject`] brings.
    Room,
    /// Held by us: it hears [`Ask::HoldMusic`] where it was agreed that we send; what arrives is counted and dropped.
    Hold,
}

/// As what a leg shows itself to its peer.
#[derive(Debug, Clone, Default)]
pub(crate) struct Identities {
    /// The certificate; `None`: no DTLS.
    pub(crate) dtls: Option<DtlsIdentity>,
    /// What our first offer or answer says of ICE; `None`: no ICE.
    pub(crate) ice: Option<Credentials>,
}

/// What a leg's transport and RTP session begin with.
pub(crate) struct TransportSetup {
    pub(crate) pair: RtpPair,
    pub(crate) seed: [u8; 32],
    pub(crate) cname: String,
    pub(crate) identities: Identities,
}

/// What the held hear, from one tape that runs for all of them.
pub(crate) enum HoldMusic {
    /// Our own.
    Tune,
    Silence,
    /// A looped file, opened by [`sidetone_media::Devices::open_source`] with `loop:PATH`.
    Source(Box<dyn Source>),
}

pub(crate) enum Ask {
    Open {
        leg: LegId,
        setup: TransportSetup,
    },
    /// The video of a leg that is open: it goes where the leg's sound goes. Configured and closed as a leg is.
    OpenVideo {
        leg: LegId,
        of: LegId,
        setup: TransportSetup,
    },
    /// The pictures of a leg of video are shown and made here while its sound is at the devices or in the conference.
    ShowVideo {
        leg: LegId,
        ends: Box<Ends>,
    },
    /// The peer of a leg wants a key frame, and said so outside of RTCP.
    KeyFrame {
        leg: LegId,
    },
    /// Asks this STUN server how the sockets are seen from there; [`News::Gathered`] tells of each.
    Gather {
        leg: LegId,
        server: std::net::SocketAddr,
    },
    /// What the signalling agreed on; comes again with every offer/answer.
    Configure {
        leg: LegId,
        negotiated: Box<Negotiated>,
    },
    Join {
        leg: LegId,
        with: Join,
    },
    /// The microphone does not go to this leg, but is still watched for somebody who speaks.
    Mute {
        leg: LegId,
        muted: bool,
    },
    /// As telephone events (RFC 4733); nothing where they were not negotiated.
    SendDtmf {
        leg: LegId,
        digits: String,
    },
    /// As tones in the sound, in place of the voice, 100 ms each; at most 32 wait.
    SendTones {
        leg: LegId,
        digits: String,
    },
    /// Keys of our own pad, heard on our speaker and nowhere else.
    PadTones {
        digits: String,
    },
    /// Which parts work on the microphone. They leave alone what is no microphone (file, tone, silence), and begin anew
    /// with another device. Everything is on before it is asked.
    Processing(ProcessingOptions),
    /// The tune before it is asked.
    HoldMusic(HoldMusic),
    /// The leg hears this once, to its end, in the place of whatever it is joined to; another one before is over with that. `None`:
    /// what it is joined to.
    Inject {
        leg: LegId,
        source: Option<Box<dyn Source>>,
    },
    /// What the leg says from now on is given to another, too.
    Tee {
        leg: LegId,
        to: FarSound,
    },
    /// What a leg that is joined to a room says goes out as this; `None`: no more.
    PublishLeg {
        leg: LegId,
        sound: Option<Box<PublishedSound>>,
    },
    /// What a leg of video, whose sound is joined to a room, shows goes out as this; `None`: no more.
    PublishVideo {
        leg: LegId,
        outlet: Option<Box<VideoOutlet>>,
    },
    /// Writes the leg's sound into `recorder` until it is stopped or the leg closes. Channel 1 is what we send of ourselves
    /// (silence while muted or held), 2 what `leg` says, 3 and on what `others` say (a conference's). Replaces the leg's
    /// recording before. [`News::Recording`] follows each second, [`News::Recorded`] at the end.
    Record {
        leg: LegId,
        others: Vec<LegId>,
        recorder: Box<Recorder>,
        /// With the tone that tells all of them, at once and every 15 s.
        announced: bool,
    },
    PauseRecording {
        leg: LegId,
        paused: bool,
    },
    StopRecording {
        leg: LegId,
    },
    Close {
        leg: LegId,
    },
    Microphone(Option<Box<dyn Source>>),
    Speaker(Option<Box<dyn Sink>>),
    /// Where incoming calls ring; without one they do on the speaker.
    Ringer(Option<Box<dyn Sink>>),
    MeasureMicrophone(bool),
    /// A call-progress tone on the speaker.
    Progress(Option<CallProgress>),
    /// A test tone on the speaker for so many 10 ms beats; 0 ends it.
    TestTone {
        beats: u32,
    },
    /// Sends the sound of a stream; silence before there are [`Ask::Faders`].
    Publish {
        stream: Key,
        sound: Box<PublishedSound>,
    },
    /// What is mixed for a stream that is published; in place of what was before.
    Faders {
        stream: Key,
        faders: Vec<Fader>,
    },
    /// Of the faders, in their order.
    Gains {
        stream: Key,
        gains: Vec<f32>,
    },
    /// A published stream: silence goes out.
    MuteStream {
        stream: Key,
        muted: bool,
    },
    /// Plays the sound of a stream on the speaker.
    Play {
        stream: Key,
        sound: Box<PlayedSound>,
    },
    /// Of a played stream, 0.0 to 2.0.
    Volume {
        stream: Key,
        volume: f32,
    },
    /// Of what is published or played.
    EndStream {
        stream: Key,
    },
}

/// What the media thread reports: counters and edges, never packets.
#[derive(Debug)]
pub(crate) enum News {
    /// Twice a second for a leg that is joined to the devices.
    Measured {
        leg: LegId,
        statistics: CallStatistics,
    },
    /// The far end pressed a key: by telephone event, or by a tone in the sound of a leg that is joined to the devices or the
    /// conference.
    Digit {
        leg: LegId,
        digit: char,
    },
    /// A key of ours was not sent: too many wait. Told once for all of them that are pressed together.
    KeyLost {
        leg: LegId,
    },
    /// What is wrong with the sound of a leg that is joined to the devices or the conference, noticed within 3 s; `None`
    /// when all is well again. Told when it changes.
    Sound {
        leg: LegId,
        problem: Option<SoundProblem>,
    },
    /// What is wrong with what a stream's sound is mixed of, in words; `None` when all is well again. Told when it changes.
    StreamSound {
        stream: Key,
        problem: Option<String>,
    },
    /// How the recording of a leg stands: at its start and pauses, each second, and when it fails.
    Recording {
        leg: LegId,
        status: RecorderStatus,
    },
    /// A recording is over and whole on disk.
    Recorded {
        recorded: Recorded,
    },
    /// How the STUN server sees a socket of the leg; `None`: it gave no answer.
    Gathered {
        leg: LegId,
        /// 1 is RTP, 2 RTCP.
        component: u16,
        address: Option<std::net::SocketAddr>,
    },
    /// The DTLS handshake is done: the media is protected by this SRTP suite.
    Secured {
        leg: LegId,
        suite: &'static str,
    },
    /// The first picture of this leg of video is shown.
    VideoShown {
        leg: LegId,
    },
    /// The picture that comes on this leg of video cannot go on without a key frame, and its peer takes no requests in RTCP.
    KeyFrameWanted {
        leg: LegId,
    },
    /// There will be no media: no path, or no trustworthy peer at its end.
    NoMedia {
        leg: LegId,
        reason: String,
        /// As clients of the gateway know it.
        brief: &'static str,
    },
    /// The peer has not answered for so long that nothing is sent to it any more.
    Silent {
        leg: LegId,
    },
    MicrophoneLevel(Level),
    TestToneEnded,
    /// The microphone's or speaker's own words about trouble and its end.
    Microphone(sidetone_media::DeviceFault),
    Speaker(sidetone_media::DeviceFault),
    /// A file microphone has been read to its end.
    MicrophoneEnded,
}

/// The owner's way to the media thread.
pub(crate) type Door = door::Door<Ask, News>;

/// Starts the media thread.
pub(crate) fn start() -> std::io::Result<(Door, mpsc::Receiver<News>)> {
    Door::open("media", |inbox, news| worker::Worker::new(inbox, news).run())
}
