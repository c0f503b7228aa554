//! Video of a call: a line of its own in the SDP, added and dropped by re-INVITE; the camera of the settings; the threads that
//! encode and decode, which are those of the streams.

mod encoding;

use super::{
    super::{
        Owner,
        leg::{Leg, VideoWish},
        media_control,
        rooms::Seen,
        text,
    },
    Call, wrong_state,
};
use crate::io::{
    media::{Ask, Ends, LegId},
    streams::{
        Key, Own, Pictures,
        send::{Control, Encoding, Plan, Scene, Sending},
    },
};
use encoding::{capabilities, encoding};
use sidetone_api::{CallId, CallVideoView, Failure, NoticeLevel, Reply, VideoView};
use sidetone_media::{device::VideoSelection, video::MediaClock};
use sidetone_sdp::Capability;
use std::{sync::Arc, time::Instant};

/// What an id of pictures has behind a call's for our own.
const SELF: &str = ".self";

/// The threads of a call's pictures.
#[derive(Debug)]
pub(in super::super) struct CallVideo {
    key: Key,
    far: Own,
    near: Own,
    control: Control,
    /// Of our pictures, whenever the camera is opened.
    clock: MediaClock,
    sending: Option<(Encoding, Sending)>,
    /// Of the far end's picture, as it was told last: what is asked for between two events is what they say.
    size: Option<(u32, u32)>,
    /// What is wrong with the camera or the encoder.
    problem: Option<String>,
}

impl CallVideo {
    pub(super) fn close(&self) {
        self.far.close();
        self.near.close();
    }
}

impl Owner {
    /// Gives a leg a video line; where there is no port or codec for it, the call goes on without.
    pub(in super::super) fn video_of_leg(&mut self, leg: &mut Leg, wish: VideoWish) -> Option<CallVideo> {
        let codecs = capabilities(&self.settings.get().video);
        if codecs.is_empty() {
            let info = "no video: this build has none of the codecs of the settings";
            self.notice(NoticeLevel::Warning, info, None);
            return None;
        }
        let (id, first_port) = (self.new_leg(), self.settings.get().network.rtp_port);
        if let Err(failure) = leg.open_video(id, first_port, codecs, &self.media) {
            self.notice(NoticeLevel::Warning, &format!("no video: {failure}"), None);
            return None;
        }
        leg.want_video(wish);
        let key = self.streams.new_key();
        let (far, near, control) = (Own::default(), Own::default(), Control::default());
        let ends = Ends::new(key, far.clone(), near.clone(), control.clone(), self.media.inlet(key));
        self.media.ask(Ask::ShowVideo { leg: id, ends: Box::new(ends) });
        // The RTP session adds what is random.
        let clock = MediaClock::new(Instant::now(), 0);
        Some(CallVideo { key, far, near, control, clock, sending: None, size: None, problem: None })
    }

    /// Sockets for video that is passed on between the leg and a client's, in one of these codecs.
    pub(in super::super) fn pass_video_on(&mut self, leg: &mut Leg, codecs: Vec<Capability>) {
        let (id, first_port) = (self.new_leg(), self.settings.get().network.rtp_port);
        if let Err(failure) = leg.open_video(id, first_port, codecs, &self.media) {
            tracing::warn!("a client's call goes on without video: {failure}");
        }
    }

    /// Adds video to a call, drops it, or decides on what the far end has added.
    pub(in super::super) fn set_call_video(&mut self, id: &CallId, on: bool) -> Result<Reply, Failure> {
        let call = self.calls.get(id).ok_or_else(|| Failure::not_found("call", id.as_str()))?;
        if !call.is_established() || call.hung_up {
            return Err(wrong_state("only a call that has been answered gets video or loses it"));
        }
        if on && call.at_server.is_some() {
            return Err(wrong_state("calls at a Web Call Server have sound alone"));
        }
        self.want_call_video(id, if on { VideoWish::On } else { VideoWish::Off });
        self.on_video_agreed(id);
        self.ask_hold(id);
        self.publish_call(id);
        Ok(Reply::Done)
    }

    /// The user answers, with a picture or without.
    pub(super) fn decide_on_video(&mut self, id: &CallId, on: bool) {
        let Some(call) = self.calls.get_mut(id) else { return };
        let wish = if on { VideoWish::On } else { VideoWish::Off };
        if call.video.is_some() {
            let Some(leg) = call.leg.as_mut() else { return };
            leg.want_video(wish);
            if call.prepared.is_some()
                && let Some(answer) = leg.prepare_again()
            {
                call.prepared = Some(answer);
            }
        } else if on && call.prepared.is_none() {
            // The caller leaves the offer to us.
            self.want_call_video(id, wish);
        }
    }

    /// The far end offers video: seen, not answered with ours, until the user decides.
    pub(super) fn expect_video(&mut self, id: &CallId) {
        // A client's connection is described once: what comes later has no place in it.
        let Some(call) = self.calls.get(id).filter(|call| call.is_ours()) else { return };
        if call.leg.as_ref().and_then(Leg::video_wish).is_none_or(|wish| wish == VideoWish::Off) {
            self.want_call_video(id, VideoWish::See);
        }
    }

    fn want_call_video(&mut self, id: &CallId, wish: VideoWish) {
        let Some(call) = self.calls.get_mut(id) else { return };
        let Some(mut leg) = call.leg.take() else { return };
        if wish != VideoWish::Off && leg.drop_spent_video(&self.media) {
            call.replace_video(None);
        }
        let video = match (&call.video, wish) {
            (None, VideoWish::On | VideoWish::See) if call.is_ours() => self.video_of_leg(&mut leg, wish),
            _ => None,
        };
        leg.want_video(wish);
        let Some(call) = self.calls.get_mut(id) else { return leg.close(&self.media) };
        call.leg = Some(leg);
        if video.is_some() {
            call.video = video;
        }
    }

    /// What was wanted again while its line was being closed gets another transport, too.
    pub(super) fn renew_video(&mut self, id: &CallId) {
        let wish = self.calls.get(id).and_then(|call| call.leg.as_ref()?.wish_of_spent_video());
        if let Some(wish) = wish {
            self.want_call_video(id, wish);
        }
    }

    /// Begins or ends to send, as was agreed. Whoever holds the call, has left it, or has put it into a room is not seen: the camera
    /// is closed.
    pub(in super::super) fn on_video_agreed(&mut self, id: &CallId) {
        let settings = self.settings.get().video.clone();
        let Some(call) = self.calls.get_mut(id) else { return };
        let (is_settled, is_active) = (call.is_hold_settled(), call.is_active());
        let (Some(video), Some(leg)) = (&mut call.video, &mut call.leg) else { return };
        // What the far end has refused or dropped is not asked for again by itself.
        if is_settled && leg.agreed_video().is_none() && !leg.is_video_due() {
            leg.forget_video();
        }
        let wanted = is_active && !call.in_room && leg.video_wish() == Some(VideoWish::On);
        let agreed = leg.agreed_video().filter(|agreed| wanted && agreed.direction.sends());
        let encoding = agreed.and_then(|agreed| encoding(&settings, agreed));
        match encoding {
            None => (video.sending, video.problem) = (None, None),
            Some(encoding) if video.sending.as_ref().is_none_or(|(now, _)| *now != encoding) => {
                let plan = Plan {
                    stream: video.key,
                    devices: Arc::clone(&self.desk.devices),
                    scene: Scene {
                        main: settings.camera.parse().unwrap_or(VideoSelection::Default),
                        inset: None,
                    },
                    encoding: encoding.clone(),
                    clock: video.clock,
                    muted: false,
                    shown_only: false,
                    inlet: self.media.inlet(video.key),
                    own: video.near.clone(),
                    control: video.control.clone(),
                    news: self.stream_door.news(),
                };
                video.sending = None;
                match Sending::start(plan) {
                    Ok(sending) => video.sending = Some((encoding, sending)),
                    Err(error) => video.problem = Some(format!("no thread for the picture: {error}")),
                }
            }
            Some(_) => {}
        }
        let seen = Seen::of(leg);
        self.follow_picture(id, seen);
        self.publish_call(id);
    }

    /// The video of a call has no way, or nobody to be trusted at its end: the call goes on with its sound.
    pub(in super::super) fn on_no_video(&mut self, leg: LegId, reason: &str) -> bool {
        let call = self.calls.values_mut().find(|call| call.has_video_leg(leg));
        let Some(id) = call.map(|call| call.id.clone()) else { return false };
        self.want_call_video(&id, VideoWish::Off);
        if let Some(leg) = self.calls.get_mut(&id).and_then(|call| call.leg.as_mut()) {
            leg.blame_video(reason);
        }
        self.notice(NoticeLevel::Warning, &format!("no video: {reason}"), Some(&id));
        self.on_video_agreed(&id);
        self.ask_hold(&id);
        true
    }

    pub(in super::super) fn on_video_shown(&mut self, leg: LegId) {
        let call = self.calls.values().find(|call| call.has_video_leg(leg));
        if let Some(id) = call.map(|call| call.id.clone()) {
            self.publish_call(&id);
        }
    }

    pub(in super::super) fn has_call_video(&self, key: Key) -> bool {
        self.calls.values().any(|call| call.video.as_ref().is_some_and(|video| video.key == key))
    }

    pub(in super::super) fn on_camera_problem(&mut self, key: Key, problem: Option<String>) {
        let found = self.calls.values_mut().find_map(|call| {
            let id = call.id.clone();
            call.video.as_mut().filter(|video| video.key == key).map(|video| (id, video))
        });
        let Some((id, video)) = found else { return };
        video.problem = problem.map(|problem| text::shown(&problem));
        if let Some(problem) = video.problem.clone() {
            self.notice(NoticeLevel::Warning, &problem, Some(&id));
        }
        self.publish_call(&id);
    }

    /// The far end takes no requests in RTCP: by INFO, where it takes those.
    pub(in super::super) fn ask_key_frame(&mut self, leg: LegId) {
        let Some(call) = self.calls.values_mut().find(|call| call.has_video_leg(leg)) else {
            return self.on_key_frame_wanted(leg);
        };
        let Some(sip) = call.sip.filter(|sip| self.phone.ua.takes_info(*sip)) else { return };
        call.infos.push_back(true);
        let (content_type, body) = media_control::key_frame();
        self.phone.ua.info(Instant::now(), sip, content_type, body);
    }

    /// The pictures of a call, by its id: the far end's, or our own.
    pub(in super::super) fn call_pictures(&self, id: &str) -> Option<Pictures> {
        let (id, own) = match id.strip_suffix(SELF) {
            Some(id) => (id, true),
            None => (id, false),
        };
        let video = self.calls.get(&CallId::new(id))?.video.as_ref()?;
        Some(if own { video.near.pictures() } else { video.far.pictures() })
    }
}

impl Call {
    /// Of its sound, and of its video where there is one.
    pub(super) fn legs(&self) -> impl Iterator<Item = LegId> + use<> {
        let leg = self.leg.as_ref();
        leg.map(|leg| leg.id).into_iter().chain(leg.and_then(Leg::video_id))
    }

    fn has_video_leg(&self, leg: LegId) -> bool {
        self.leg.as_ref().and_then(Leg::video_id) == Some(leg)
    }

    /// The pictures of another far end take the place of those of the last one.
    pub(in super::super) fn replace_video(&mut self, video: Option<CallVideo>) {
        if let Some(before) = std::mem::replace(&mut self.video, video) {
            before.close();
        }
    }

    /// Our answer to the caller has the video that the client has taken, if any.
    pub(in super::super) fn answer_video_in(&mut self, codec: Option<&Capability>) {
        let Some(leg) = self.leg.as_mut().filter(|leg| leg.video_id().is_some()) else { return };
        leg.answer_video_in(codec);
        if self.prepared.is_some()
            && let Some(answer) = leg.prepare_again()
        {
            self.prepared = Some(answer);
        }
    }

    /// Our picture is wanted, by us.
    pub(in super::super) fn is_seen(&self) -> bool {
        self.leg.as_ref().and_then(Leg::video_wish) == Some(VideoWish::On)
    }

    /// The INFO that has just been answered asked for a key frame.
    pub(super) fn take_video_info(&mut self) -> bool {
        self.infos.pop_front().unwrap_or(false)
    }

    /// Before it is told.
    pub(super) fn look_at_video(&mut self) {
        if let Some(video) = &mut self.video {
            video.size = video.far.counters.size();
        }
    }

    pub(super) fn video_view(&self) -> Option<CallVideoView> {
        let (video, leg) = (self.video.as_ref()?, self.leg.as_ref()?);
        let agreed = leg.agreed_video();
        let wish = leg.video_wish()?;
        let why = leg.video_problem();
        if wish == VideoWish::Off && agreed.is_none() && why.is_none() {
            return None;
        }
        let codec = agreed.map(|agreed| agreed.codec.capability.name.clone());
        let picture = video.size.zip(codec.clone());
        Some(CallVideoView {
            requested: wish == VideoWish::See,
            sending: video.sending.is_some(),
            receiving: agreed.is_some_and(|agreed| agreed.direction.receives()) && picture.is_some(),
            held: agreed.is_some_and(|agreed| agreed.held),
            codec,
            picture: picture.map(|((width, height), codec)| VideoView { codec, width, height }),
            problem: video.problem.clone().or_else(|| why.map(text::shown)),
        })
    }
}
