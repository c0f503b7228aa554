//! Where a stream's far end is: at the endpoint of a URL, or at the Web Call Server of a session.

use crate::io::http::Schedule;
use sidetone_api::SessionId;
use sidetone_peer::whip::Endpoint;

/// Where a stream's far end is.
#[derive(Debug)]
pub(super) enum Place {
    Endpoint(Endpoint),
    Server(AtServer),
}

/// A stream at the Web Call Server of a session.
#[derive(Debug)]
pub(in super::super) struct AtServer {
    pub(in super::super) session: SessionId,
    /// As the server knows it, of the attempt that it was told of last.
    pub(in super::super) id: Option<String>,
    pub(in super::super) offer: String,
}

impl super::Stream {
    /// Where it is at a Web Call Server.
    pub(in super::super) fn at_server(&self) -> Option<&AtServer> {
        match &self.connection.as_ref()?.place {
            Place::Server(server) => Some(server),
            Place::Endpoint(_) => None,
        }
    }

    pub(in super::super) fn at_server_mut(&mut self) -> Option<&mut AtServer> {
        match &mut self.connection.as_mut()?.place {
            Place::Server(server) => Some(server),
            Place::Endpoint(_) => None,
        }
    }

    /// An attempt is under way, or stands.
    pub(in super::super) fn is_dialled(&self) -> bool {
        self.connection.as_ref().is_some_and(|connection| connection.dialled.is_some())
    }

    /// No attempt is under way any more, and none is due by itself.
    pub(in super::super) fn stop_dialling(&mut self) {
        if let Some(connection) = &mut self.connection {
            connection.attempt += 1;
            (connection.dialled, connection.schedule) = (None, Schedule::default());
        }
    }
}
