use super::{Client, LONGEST, Problem};
use sidetone_peer::whip::{
    Cause, Endpoint, Fragment, IceServer, Kind, Link, Opened, Patched, Refusal, Resource,
};
use std::{
    fmt,
    time::{Duration, SystemTime},
};
use tokio::{runtime::Handle, sync::oneshot};

/// For a goodbye.
const DELETING: Duration = Duration::from_secs(3);

/// A stream's session at a server. What is dropped without [`Session::delete`] is deleted in the background.
pub(crate) struct Session {
    client: Client,
    kind: Kind,
    /// `None` once it is deleted.
    resource: Option<Resource>,
    /// The server has refused news: it gets no more.
    deaf: bool,
}

/// What the server said to an offer.
#[derive(Debug)]
pub(crate) struct Began {
    pub(crate) session: Session,
    /// An answer, or where `countered` an offer, to be answered with [`Session::answer`].
    pub(crate) sdp: String,
    pub(crate) countered: bool,
    pub(crate) ice_servers: Vec<IceServer>,
    /// Links of extensions.
    #[cfg_attr(not(test), expect(dead_code, reason = "no extension is known yet"))]
    pub(crate) extensions: Vec<Link>,
}

impl Session {
    /// Sends the offer. Whoever does not wait for the answer leaves no session behind at the server.
    ///
    /// # Errors
    /// [`Problem`].
    pub(crate) async fn open(client: Client, endpoint: Endpoint, offer: String) -> Result<Began, Problem> {
        let (done, opened) = oneshot::channel();
        // Of its own, as the POST may have been carried out when this future is dropped.
        tokio::spawn(async move {
            let _ = done.send(Self::post(client, &endpoint, &offer).await);
        });
        opened.await.unwrap_or_else(|_| Err(Problem::Network("the program is stopping".into())))
    }

    async fn post(client: Client, endpoint: &Endpoint, offer: &str) -> Result<Began, Problem> {
        let answered = client.carry_out(endpoint.offer(offer)?, LONGEST).await?;
        let (sdp, countered, resource, ice_servers, extensions) =
            match endpoint.read_opened(&answered, SystemTime::now())? {
                Opened::Answered { answer, resource, ice_servers, extensions } => {
                    (answer, false, resource, ice_servers, extensions)
                }
                Opened::CounterOffer { offer, resource, ice_servers, extensions } => {
                    (offer, true, resource, ice_servers, extensions)
                }
            };
        let session = Self { client, kind: endpoint.kind(), resource: Some(resource), deaf: false };
        Ok(Began { session, sdp, countered, ice_servers, extensions })
    }

    /// The ICE servers that an endpoint tells before there is an offer; none where it does not answer soon.
    pub(crate) async fn ice_servers(client: &Client, endpoint: &Endpoint) -> Vec<IceServer> {
        let answered = client.carry_out(endpoint.options(), DELETING).await;
        answered.map(|answered| Endpoint::read_options(&answered)).unwrap_or_default()
    }

    /// Sends candidates. A server that takes none is not asked again, which is no error: it learns ours from our checks.
    ///
    /// # Errors
    /// [`Problem`]; the session goes on.
    pub(crate) async fn trickle(&mut self, fragment: &Fragment) -> Result<(), Problem> {
        if self.deaf {
            return Ok(());
        }
        let exchange = self.resource()?.trickle(fragment)?;
        match self.patch(exchange, false).await {
            Err(problem) if problem.cause() == Some(Cause::NotSupported) => {
                self.deaf = true;
                Ok(())
            }
            other => other.map(|_| ()),
        }
    }

    /// Restarts ICE with our new credentials; returns the server's.
    ///
    /// # Errors
    /// [`Problem`]. With `Cause::NotSupported` and `Cause::NotFound` a new session is what helps.
    pub(crate) async fn restart(&mut self, fragment: &Fragment) -> Result<Fragment, Problem> {
        let exchange = self.resource()?.restart(fragment)?;
        match self.patch(exchange, true).await? {
            Patched::Restarted(theirs) => Ok(theirs),
            Patched::Noted => Ok(Fragment::default()),
        }
    }

    /// Answers the server's offer.
    ///
    /// # Errors
    /// [`Problem`].
    pub(crate) async fn answer(&mut self, sdp: &str) -> Result<(), Problem> {
        let exchange = self.resource()?.answer(sdp)?;
        self.patch(exchange, false).await.map(|_| ())
    }

    /// Ends the session.
    ///
    /// # Errors
    /// [`Problem`]: the server will have to notice by itself.
    pub(crate) async fn delete(mut self) -> Result<(), Problem> {
        match self.resource.take() {
            Some(resource) => delete(&self.client, &resource).await,
            None => Ok(()),
        }
    }

    fn resource(&self) -> Result<&Resource, Problem> {
        self.resource.as_ref().ok_or_else(|| Problem::Network("the session has ended".into()))
    }

    async fn patch(
        &mut self,
        exchange: sidetone_peer::whip::Exchange,
        restart: bool,
    ) -> Result<Patched, Problem> {
        let answered = self.client.carry_out(exchange, LONGEST).await?;
        let Some(resource) = &mut self.resource else {
            return Err(Problem::Network("the session has ended".into()));
        };
        let patched = resource.read_patched(&answered, restart, SystemTime::now());
        patched.map_err(|refusal: Refusal| refusal.into())
    }
}

async fn delete(client: &Client, resource: &Resource) -> Result<(), Problem> {
    let answered = client.carry_out(resource.delete(), DELETING).await?;
    Ok(Resource::read_deleted(&answered, SystemTime::now())?)
}

impl Drop for Session {
    fn drop(&mut self) {
        let (Some(resource), Ok(runtime)) = (self.resource.take(), Handle::try_current()) else { return };
        let client = self.client.clone();
        runtime.spawn(async move {
            if let Err(problem) = delete(&client, &resource).await {
                tracing::debug!(at = %resource.place(), %problem, "a session was left behind");
            }
        });
    }
}

impl fmt::Debug for Session {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Session")
            .field("kind", &self.kind)
            .field("resource", &self.resource)
            .finish_non_exhaustive()
    }
}
