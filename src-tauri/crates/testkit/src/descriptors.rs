/// As many files and sockets at once as the system gives this process; it gives fewer than there can be clients in a test.
#[cfg(unix)]
pub fn raise_descriptors() {
    use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
    let Rlimit { maximum, .. } = getrlimit(Resource::Nofile);
    let wanted = maximum.map_or(65_536, |most| most.min(65_536));
    let _ = setrlimit(Resource::Nofile, Rlimit { current: Some(wanted), maximum });
}

/// There is no such limit.
#[cfg(not(unix))]
pub fn raise_descriptors() {}
