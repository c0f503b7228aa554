//! Who we are for guests: a certificate that the user has, or one of our own authority for the addresses of the moment.

use super::{authority::Authority, place};
use crate::{TlsIdentity, tls};
use sidetone_api::{Secret, SharingSettings};
use std::{fs, net::IpAddr, path::Path, sync::Arc};
use tokio_rustls::TlsAcceptor;

pub(super) struct Identity {
    /// By which we are known besides our addresses.
    pub(super) names: Vec<String>,
    pub(super) acceptor: TlsAcceptor,
    own: Option<(Arc<Authority>, Arc<tls::Changing>)>,
}

impl Identity {
    /// # Errors
    /// In words, with the field or file.
    pub(super) fn open(
        folder: Option<&Path>,
        settings: &SharingSettings,
        addresses: &[IpAddr],
    ) -> Result<Self, String> {
        let label = place::host_label();
        let mut names = vec![label.clone(), format!("{label}.local")];
        let public = settings.public.trim();
        if !public.is_empty() {
            names.push(public.to_owned());
        }
        if !settings.certificate.is_empty() {
            let identity = given(settings)?;
            let acceptor = tls::acceptor(&identity).map_err(|error| error.to_string())?;
            return Ok(Self { names, acceptor, own: None });
        }
        let folder = folder.ok_or("there is no folder for the authority that signs certificates")?;
        let authority = Authority::open(folder, &label)?;
        let identity = authority.issue(&dns_names(&names), &place::own_addresses(addresses))?;
        let changing = Arc::new(tls::Changing::of(&identity).map_err(|error| error.to_string())?);
        let acceptor = tls::changing(Arc::clone(&changing)).map_err(|error| error.to_string())?;
        Ok(Self { names, acceptor, own: Some((Arc::new(authority), changing)) })
    }

    /// # Errors
    /// In words; what was shown before is shown on.
    pub(super) fn renew(&self, addresses: &[IpAddr]) -> Result<(), String> {
        let Some((authority, changing)) = &self.own else { return Ok(()) };
        let identity = authority.issue(&dns_names(&self.names), &place::own_addresses(addresses))?;
        changing.change(&identity).map_err(|error| error.to_string())
    }

    /// `None` where devices know who signed it by themselves.
    pub(super) fn authority(&self) -> Option<&Authority> {
        self.own.as_ref().map(|(authority, _)| &**authority)
    }

    pub(super) fn fingerprint(&self) -> Option<&str> {
        self.authority().map(Authority::fingerprint)
    }
}

/// Without ports; an address is no name.
fn dns_names(names: &[String]) -> Vec<String> {
    let bare = names.iter().map(|name| name.split(':').next().unwrap_or_default());
    bare.filter(|name| !name.is_empty() && name.parse::<IpAddr>().is_err()).map(str::to_owned).collect()
}

fn given(settings: &SharingSettings) -> Result<TlsIdentity, String> {
    let read = |field: &str, path: &str| {
        fs::read_to_string(path).map_err(|error| format!("{field}: {path}: {error}"))
    };
    Ok(TlsIdentity {
        certificates: read("certificate", &settings.certificate)?,
        key: Secret::new(read("key", &settings.key)?),
    })
}
