//! What rooms of other servers need of the connection: a name, which a server learns when a session introduces itself.

use super::super::Owner;
use serde_json::{Map, Value};
use sidetone_api::{Failure, FailureCode, SessionId};
use std::time::Instant;

impl Owner {
    /// The server knows us by this name in rooms. A session that has introduced itself without one, and has nothing else to do, does
    /// it again.
    ///
    /// # Errors
    /// Names `login` or `sessionId`.
    pub(in super::super) fn be_named_at_server(
        &mut self,
        id: &SessionId,
        login: &str,
    ) -> Result<(), Failure> {
        self.check_allowed(id)?;
        self.open_session(id)?;
        let is_in_use = !self.streams.at_server(id).is_empty()
            || self.calls.values().any(|call| call.session_id == *id)
            || !self.far_rooms_of(id).is_empty();
        let connection = self.wcs(id).ok_or_else(|| {
            Failure::invalid("sessionId", "sessionId: this session is not at a Web Call Server")
        })?;
        let custom =
            connection.custom.as_deref().and_then(|text| serde_json::from_str::<Map<_, _>>(text).ok());
        let named = custom.and_then(|custom| custom.get("login").and_then(Value::as_str).map(str::to_owned));
        let is_of_account = named.is_some();
        if let Some(known) = named.or_else(|| connection.login_of_rooms.clone()) {
            if known == login {
                return Ok(());
            }
            if is_of_account || is_in_use {
                let words = format!("login: this session's server knows us as {known}");
                return Err(Failure::invalid("login", words));
            }
        } else if is_in_use {
            let words = "the session's server has not been told a name for rooms: end its streams and calls \
                         first, or give its account one as login of custom";
            return Err(Failure::new(FailureCode::WrongState, words));
        }
        connection.login_of_rooms = Some(login.to_owned());
        if connection.is_open || connection.stands {
            self.introduce_again(id);
        }
        Ok(())
    }

    /// As another session: what the server keeps of the last one has another name.
    fn introduce_again(&mut self, id: &SessionId) {
        let Some(connection) = self.wcs(id) else { return };
        connection.auth_token = None;
        connection.attempt += 1;
        (connection.door, connection.stands, connection.is_open) = (None, false, false);
        connection.due = None;
        connection.schedule.live(Instant::now());
        self.open_wcs(id);
    }

    /// It takes pages of its own alone.
    pub(in super::super) fn show_server_its_own_origin(&mut self, id: &SessionId) {
        if let Some(connection) = self.wcs(id) {
            connection.shows_origin = true;
        }
    }
}
