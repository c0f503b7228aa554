//! Sessions, calls, streams and data as hooks tell of them, in the words of the Web Call Server.

use super::super::{Owner, call::Call};
use crate::{StreamOffer, hooks::Fields};
use serde_json::{Value, json};
use sidetone_api::{CallDirection, CallId, DataId, StreamDirection, StreamId};
use sidetone_peer::whip::Kind;

/// Who carries the media: not a browser.
const MEDIA: &str = "Native";

fn fields(value: Value) -> Fields {
    match value {
        Value::Object(fields) => fields,
        _ => Fields::new(),
    }
}

/// A message. `from`, `to`: URIs.
pub(in super::super) fn of_data(
    id: &DataId,
    incoming: bool,
    from: &str,
    to: &str,
    content_type: &str,
    body: &str,
) -> Fields {
    fields(json!({
        "operationId": id,
        "incoming": incoming,
        "payload": { "from": from, "to": to, "contentType": content_type, "body": body },
    }))
}

/// What a WHIP or WHEP client of the gateway wants.
pub(in super::super) fn of_offer(id: &str, offer: &StreamOffer) -> Fields {
    let published = offer.kind == Kind::Whip;
    fields(json!({
        "mediaSessionId": id,
        "name": offer.name,
        "published": published,
        "status": "PENDING",
        "sdp": offer.sdp,
        "record": false,
        "mediaProvider": "WebRTC",
        "mediaType": if published { "publish" } else { "play" },
    }))
}

/// The SIP status that a reason begins with.
pub(in super::super) fn sip_status(info: &str) -> Option<u16> {
    let status = info.split(' ').next()?.parse().ok()?;
    (100..700).contains(&status).then_some(status)
}

/// With `status`, and `info` where there is something to say.
pub(in super::super) fn with_status(mut fields: Fields, status: &str, info: &str) -> Fields {
    fields.insert("status".into(), status.into());
    fields.insert("info".into(), info.into());
    fields
}

impl Call {
    /// With the session that it belongs to.
    pub(in super::super) fn fields(&self, more: Fields) -> (String, Fields) {
        let mut all = fields(json!({
            "callId": self.id,
            "incoming": self.direction == CallDirection::Incoming,
            "status": self.shown_status(),
            "caller": self.caller.uri.to_string(),
            "callee": self.callee.uri.to_string(),
            "visibleName": self.caller.display,
            "hasAudio": true,
            "hasVideo": self.has_video(),
            "mediaProvider": MEDIA,
            "isMsrp": false,
            "holdForTransfer": false,
        }));
        let session = match &self.client {
            Some(client) => {
                client.rename(&mut all);
                &client.session
            }
            None => &self.session_id,
        };
        all.extend(more);
        (session.as_str().to_owned(), all)
    }
}

impl Owner {
    /// A connection; its password stays here.
    pub(super) fn session_fields(&self, id: &sidetone_api::SessionId) -> Fields {
        let Some(session) = self.sessions.get(id) else { return Fields::new() };
        let (account, aor) = (&session.account, &session.aor.uri);
        let login = aor.user_text();
        fields(json!({
            "mediaProviders": [MEDIA],
            "clientVersion": env!("CARGO_PKG_VERSION"),
            "clientOSVersion": std::env::consts::OS,
            "clientBrowserVersion": concat!("Sidetone/", env!("CARGO_PKG_VERSION")),
            "keepAlive": false,
            "useWsTunnel": false,
            "useWsTunnelPacketization2": false,
            "useBase64BinaryEncoding": false,
            "sipLogin": login,
            "sipAuthenticationName": account.user.clone().or(login),
            "sipDomain": aor.host.to_string(),
            "sipPort": aor.port,
            "sipOutboundProxy": account.outbound_proxy,
            "sipRegisterRequired": account.register,
        }))
    }

    /// With the session that it belongs to.
    pub(in super::super) fn call_fields(&self, id: &CallId, more: Fields) -> Option<(String, Fields)> {
        self.calls.get(id).map(|call| call.fields(more))
    }

    /// As [`Owner::call_fields`], when something has become of it.
    pub(super) fn call_status_fields(
        &self,
        id: &CallId,
        status: &str,
        info: &str,
    ) -> Option<(String, Fields)> {
        let (session, all) = self.call_fields(id, Fields::new())?;
        let mut all = with_status(all, status, info);
        if let Some(code) = sip_status(info) {
            all.insert("sipStatus".into(), code.into());
        }
        if let Some(message) = self.calls.get(id).and_then(|call| call.ended_by.as_deref()) {
            all.insert("sipMessageRaw".into(), message.into());
        }
        Some((session, all))
    }

    pub(in super::super) fn stream_fields(&self, id: &StreamId) -> Option<(String, Fields)> {
        let stream = self.streams.get(id)?;
        let view = stream.view();
        let published = view.direction == StreamDirection::Published;
        let (width, height) = view.video.as_ref().map_or((0, 0), |video| (video.width, video.height));
        let sources = view.sources.as_ref();
        let settings = stream.settings();
        let all = as_streams_are(json!({
            "mediaSessionId": id,
            "name": view.name,
            "published": published,
            "hasVideo": sources.is_none_or(|sources| sources.video.is_some()),
            "hasAudio": sources.is_none_or(|sources| !sources.audio.is_empty()),
            "status": view.status.map_or("PENDING", |status| status.as_str()),
            "record": view.recording.is_some(),
            "width": width,
            "height": height,
            "bitrate": 0,
            "minBitrate": if published { settings.min_kbit } else { 0 },
            "maxBitrate": if published { settings.max_kbit } else { 0 },
            "mediaProvider": MEDIA,
            "audioCodec": view.audio.as_ref().map(|codec| codec.name.clone()),
            "videoCodec": view.video.as_ref().map(|video| video.codec.clone()),
            "createDate": view.started_at,
            "mediaType": if published { "publish" } else { "play" },
            "audioState": { "muted": view.audio_muted },
            "videoState": { "muted": view.video_muted },
        }));
        Some((stream.session().unwrap_or_default().to_owned(), all))
    }
}

/// With what is the same of all our streams.
pub(in super::super) fn as_streams_are(stream: Value) -> Fields {
    let mut stream = fields(stream);
    stream.extend(fields(json!({
        "quality": 0,
        "history": false,
        "gop": 0,
        "fps": 0,
        "audioBitrate": 0,
        "codecImpl": "",
        "transport": "UDP",
        "cvoExtension": false,
    })));
    stream
}
