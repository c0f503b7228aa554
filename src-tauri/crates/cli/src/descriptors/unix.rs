use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

/// Enough for every limit of ours.
const WANTED: u64 = 65_536;

pub(super) fn raise() {
    let Rlimit { current, maximum } = getrlimit(Resource::Nofile);
    let wanted = maximum.map_or(WANTED, |most| most.min(WANTED));
    if current.is_none_or(|current| current >= wanted) {
        return;
    }
    if let Err(error) = setrlimit(Resource::Nofile, Rlimit { current: Some(wanted), maximum }) {
        tracing::warn!(%error, "the system gives no more open files");
    }
}
