//! Guests: the links that hosts give them, and what they may ask.

use super::super::Owner;
use crate::{
    ClientAsk,
    clients::ClientOpening,
    io::clock,
    rooms::{Invite, check_login},
};
use qrcode::{EcLevel, QrCode, render::svg};
use serde_json::{Map, Value};
use sidetone_api::{
    Failure, FailureCode, GatewayView, InviteReach, InviteView, ParticipantId, Reply, RoomId,
};
use std::time::Instant;

/// What the page of guests names as its program.
const APP: &str = "roomApp";
/// Of a session of a guest.
pub(in super::super) const NOT_BEGUN: &str = "this meeting has not begun, or is over";

impl Owner {
    pub(super) fn invite(
        &mut self,
        id: &RoomId,
        login: Option<String>,
        admitted: bool,
        once: bool,
    ) -> Result<Reply, Failure> {
        let room = self.hosted_room(id)?;
        let login = login.filter(|login| !login.is_empty());
        if let Some(login) = &login {
            check_login(login).map_err(|words| Failure::invalid("login", format!("login: {words}")))?;
        }
        let token = token()?;
        let view = self.exchange.view();
        let (base, reach, info) = reached(&view)?;
        let mut url = format!("{base}/guest/#room={}&invite={token}", escaped(&room));
        if let Some(login) = &login {
            url.push_str(&format!("&login={}", escaped(login)));
        }
        let qr = qr(&url)?;
        self.rooms.invites.give(Instant::now(), &token, Invite { room, login, admitted, once });
        Ok(Reply::Invite { invite: InviteView { url, qr, reach, info } })
    }

    pub(super) fn revoke_invites(&mut self, id: &RoomId) -> Result<(), Failure> {
        let room = self.hosted_room(id)?;
        self.rooms.invites.revoke(&room);
        Ok(())
    }

    /// Which room somebody from another machine is invited to. Its token is seen by nobody else, and it has nothing but the meeting.
    ///
    /// # Errors
    /// In words for the guest.
    pub(in super::super) fn invited(&mut self, opening: &mut ClientOpening) -> Result<String, String> {
        let now = Instant::now();
        let from = opening.remote.ip();
        if !self.rooms.guesses.may(now, from) {
            return Err("too many wrong invites: try again in a minute".into());
        }
        let token = taken_token(&mut opening.fields).ok_or("an invite is needed")?;
        let room = match self.rooms.invites.find(now, &token) {
            Ok(invite) => invite.room.clone(),
            Err(words) => {
                self.rooms.guesses.wrong(now, from);
                return Err(words.into());
            }
        };
        if !self.rooms.all.contains_key(&room) {
            return Err(NOT_BEGUN.into());
        }
        (opening.auth_token, opening.keep_alive) = (None, false);
        opening.app_key = APP.into();
        opening.fields.retain(|field, _| !field.starts_with("sip"));
        Ok(room)
    }

    /// What a guest asks for is of its meeting, or nothing comes of it.
    pub(in super::super) fn is_of_meeting(&self, room: &str, ask: &ClientAsk) -> bool {
        let custom = |custom: &Option<Value>| {
            custom.as_ref().and_then(|custom| custom.get("name")?.as_str()).is_some_and(|name| name == room)
        };
        match ask {
            ClientAsk::Publish(wanted) => custom(&wanted.custom),
            ClientAsk::Play(wanted) => {
                self.rooms.claims.get(&wanted.name).is_some_and(|claim| claim.room == room)
                    || self.is_inserted(room, &wanted.name)
            }
            ClientAsk::SendData { payload, .. } => named_room(payload) == Some(room),
            // Of its own streams alone, which are of its meeting.
            ClientAsk::Pause { .. }
            | ClientAsk::UnPublish { .. }
            | ClientAsk::Stop { .. }
            | ClientAsk::StreamEvent { .. } => true,
            _ => false,
        }
    }

    pub(super) fn on_gone(&mut self, who: &ParticipantId, was_sent_out: bool) {
        if was_sent_out {
            self.rooms.invites.kill(who);
        } else {
            self.rooms.invites.left(Instant::now(), who);
        }
    }
}

/// The room that a command is about.
fn named_room(payload: &Value) -> Option<&str> {
    let options = payload.get("options")?;
    match payload.get("command")?.as_str()? {
        "join" | "leave" | "ask" => options.get("name")?.as_str(),
        "sendMessage" => options.get("roomConfig")?.get("name")?.as_str(),
        _ => None,
    }
}

fn taken_token(fields: &mut Map<String, Value>) -> Option<String> {
    match fields.get_mut("custom")?.as_object_mut()?.remove("token")? {
        Value::String(token) if !token.is_empty() => Some(token),
        _ => None,
    }
}

/// 128 bits of the system's randomness.
fn token() -> Result<String, Failure> {
    let random: [u8; 16] = clock::random()
        .map_err(|error| Failure::new(FailureCode::Limit, format!("no randomness: {error}")))?;
    Ok(random.iter().fold(String::new(), |text, byte| format!("{text}{byte:02x}")))
}

/// Where guests find us, and who of them does.
fn reached(view: &GatewayView) -> Result<(String, InviteReach, String), Failure> {
    let shared = view.sharing.as_ref().filter(|sharing| sharing.port != 0);
    let first = shared.and_then(|sharing| sharing.urls.first());
    if let Some((sharing, public)) = shared.and_then(|sharing| Some((sharing, sharing.public.as_ref()?))) {
        let info = format!(
            "Everybody who can reach {public}, which has to lead to port {} of this machine.",
            sharing.port
        );
        return Ok((public.clone(), InviteReach::World, info));
    }
    if let Some(url) = first {
        let trust = match view.sharing.as_ref().and_then(|sharing| sharing.fingerprint.as_ref()) {
            Some(_) => " Browsers warn once, until their device trusts this machine's certificate.",
            None => "",
        };
        let info = format!("Everybody on this network.{trust}");
        return Ok((url.clone(), InviteReach::Network, info));
    }
    let here = view.http_address.clone();
    let here = here.ok_or_else(|| Failure::new(FailureCode::WrongState, "the pages are not served"))?;
    let info = match &view.sharing {
        Some(sharing) if !sharing.info.is_empty() => {
            format!("Browsers on this machine alone: {}.", sharing.info)
        }
        Some(_) => "Browsers on this machine alone: it is on no network.".into(),
        None => {
            "Browsers on this machine alone. Share meetings with your network in the settings to invite others."
                .into()
        }
    };
    Ok((here.trim_end_matches('/').to_owned(), InviteReach::Machine, info))
}

/// As it stands behind `#` of a URL (RFC 3986, section 2.1).
fn escaped(text: &str) -> String {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-._~".contains(&byte);
    text.bytes().fold(String::new(), |text, byte| match plain(byte) {
        true => text + &char::from(byte).to_string(),
        false => format!("{text}%{byte:02X}"),
    })
}

fn qr(url: &str) -> Result<String, Failure> {
    let code = QrCode::with_error_correction_level(url, EcLevel::M)
        .map_err(|error| Failure::new(FailureCode::Limit, format!("no QR code: {error}")))?;
    Ok(code.render::<svg::Color<'_>>().min_dimensions(240, 240).build())
}

#[cfg(test)]
mod tests {
    use super::{escaped, named_room, reached, taken_token};
    use serde_json::json;
    use sidetone_api::{GatewayView, InviteReach, SharingView};

    #[test]
    fn a_link_says_truly_who_can_follow_it() {
        let local = GatewayView { http_address: Some("http://127.0.0.1:8088/".into()), ..Default::default() };
        let with = |sharing| GatewayView { sharing: Some(sharing), ..local.clone() };
        let urls = vec!["https://192.0.2.1:8443".to_owned()];
        let (url, reach, _) = reached(&local).unwrap();
        assert_eq!((url.as_str(), reach), ("http://127.0.0.1:8088", InviteReach::Machine));
        let shared = SharingView { urls, port: 8443, ..Default::default() };
        assert_eq!(reached(&with(shared.clone())).unwrap().1, InviteReach::Network);
        let public = SharingView { public: Some("https://meet.example".into()), ..shared };
        let (url, reach, info) = reached(&with(public)).unwrap();
        assert_eq!((url.as_str(), reach), ("https://meet.example", InviteReach::World));
        assert!(info.contains("8443"), "{info}");
        let failed = SharingView { info: "port 8443 is busy".into(), ..Default::default() };
        let (_, reach, info) = reached(&with(failed)).unwrap();
        assert!(reach == InviteReach::Machine && info.contains("busy"), "{info}");
        assert!(reached(&GatewayView::default()).is_err());
    }

    #[test]
    fn names_are_escaped_and_tokens_taken_away() {
        assert_eq!(escaped("Ada L.&x=#"), "Ada%20L.%26x%3D%23");
        let mut fields = json!({ "custom": { "login": "ada", "token": "t" } }).as_object().unwrap().clone();
        assert_eq!(taken_token(&mut fields).as_deref(), Some("t"));
        assert_eq!(json!(fields), json!({ "custom": { "login": "ada" } }));
        assert_eq!(taken_token(&mut fields), None);
    }

    #[test]
    fn a_guest_speaks_of_rooms_alone() {
        assert_eq!(named_room(&json!({ "command": "join", "options": { "name": "r" } })), Some("r"));
        let message = json!({ "command": "sendMessage", "options": { "roomConfig": { "name": "r" } } });
        assert_eq!(named_room(&message), Some("r"));
        for other in
            [json!({ "to": "sip:x@y" }), json!(7), json!({ "command": "pay", "options": { "name": "r" } })]
        {
            assert_eq!(named_room(&other), None, "{other}");
        }
    }
}
