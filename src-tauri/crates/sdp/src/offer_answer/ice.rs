//! ICE in offers and answers (RFC 8839).

use crate::description::{Attribute, Media, SessionDescription};
use crate::ice::IceCredentials;

use super::LocalIce;
use super::negotiated::NegotiatedIce;

/// What an offer of ours says.
pub(super) fn offered(
    local: Option<&LocalIce>,
    before: Option<&NegotiatedIce>,
    mux_agreed: bool,
) -> Vec<Attribute> {
    // What a dialog once had it keeps: an offer without would end ICE in the middle of a call.
    match local.filter(|ice| ice.offer || before.is_some()) {
        Some(ice) => said(ice, &ice.credentials, mux_agreed),
        None => Vec::new(),
    }
}

/// What our answer says, and what it comes to; nothing where the offer has no ICE.
pub(super) fn answered(
    offer: &SessionDescription,
    media: &Media,
    local: Option<&LocalIce>,
    before: Option<&NegotiatedIce>,
    rtcp_mux: bool,
) -> Option<(Vec<Attribute>, NegotiatedIce)> {
    let (local, remote) = (local?, offer.ice_credentials_of(media)?);
    let credentials = match before {
        Some(before) if before.remote != remote => &local.next,
        Some(before) => &before.local,
        None => &local.credentials,
    };
    let lite = offer.is_ice_lite();
    let agreed = NegotiatedIce {
        local: credentials.clone(),
        remote,
        candidates: media.candidates(),
        lite,
        controlling: lite || before.is_some_and(|before| before.controlling),
    };
    Some((said(local, credentials, rtcp_mux), agreed))
}

/// What the answer to an offer of ours comes to.
pub(super) fn accepted(
    our_offer: &SessionDescription,
    ours: &Media,
    answer: &SessionDescription,
    theirs: &Media,
    before: Option<&NegotiatedIce>,
) -> Option<NegotiatedIce> {
    let local = our_offer.ice_credentials_of(ours)?;
    let remote = answer.ice_credentials_of(theirs)?;
    let lite = answer.is_ice_lite();
    let controlling = lite || before.is_none_or(|before| before.controlling);
    Some(NegotiatedIce { local, remote, candidates: theirs.candidates(), lite, controlling })
}

fn said(local: &LocalIce, credentials: &IceCredentials, rtcp_mux: bool) -> Vec<Attribute> {
    let mut attributes = vec![
        Attribute::new("ice-ufrag", credentials.ufrag()),
        Attribute::new("ice-pwd", credentials.pwd()),
        Attribute::new("ice-options", "ice2"),
    ];
    let candidates = local.candidates.iter().filter(|candidate| candidate.component == 1 || !rtcp_mux);
    attributes.extend(candidates.map(|candidate| Attribute::new("candidate", candidate.to_string())));
    attributes
}
