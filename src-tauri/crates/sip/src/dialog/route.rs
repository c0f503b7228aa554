//! Route sets: RFC 3261 sections 12.2.1.1 and 8.1.2.

use crate::message::{NameAddr, Uri};

/// The Request-URI and the Route headers of a request to `target` over `route_set`, and the URI that it goes to next.
///
/// A strict router (no `lr` in the first route) wants its own URI as Request-URI and the target as the last route.
pub(super) fn apply(target: &Uri, route_set: &[NameAddr]) -> (Uri, Vec<NameAddr>, Uri) {
    let Some((first, rest)) = route_set.split_first() else {
        return (target.clone(), Vec::new(), target.clone());
    };
    if first.uri.is_loose_route() {
        return (target.clone(), route_set.to_vec(), first.uri.clone());
    }
    let mut uri = first.uri.clone();
    // not allowed in a Request-URI (RFC 3261 section 19.1.1)
    uri.headers.clear();
    uri.params.remove("method");
    let mut routes = rest.to_vec();
    routes.push(NameAddr::new(target.clone()));
    (uri.clone(), routes, uri)
}

/// The URI whose servers get a request outside a dialog: the first loose route, else the Request-URI.
pub(crate) fn next_hop<'a>(request_uri: &'a Uri, routes: &'a [NameAddr]) -> &'a Uri {
    match routes.first() {
        Some(first) if first.uri.is_loose_route() => &first.uri,
        _ => request_uri,
    }
}
