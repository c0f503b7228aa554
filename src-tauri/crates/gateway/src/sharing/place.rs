//! Where we can be reached, and by which names.

use std::net::{IpAddr, Ipv4Addr};

/// Addresses of this machine that others of its networks reach, IPv4 before IPv6.
pub(super) fn addresses() -> Vec<IpAddr> {
    let mut found: Vec<_> = sidetone_engine::addresses().into_iter().filter(|ip| !ip.is_loopback()).collect();
    found.sort_by_key(IpAddr::is_ipv6);
    found
}

/// Our name as one label of a domain name (RFC 1123).
pub(super) fn host_label() -> String {
    label(&gethostname::gethostname().to_string_lossy())
}

fn label(name: &str) -> String {
    let first = name.split('.').next().unwrap_or_default().to_ascii_lowercase();
    let plain: String =
        first.chars().map(|c| if c.is_ascii_alphanumeric() { c } else { '-' }).take(63).collect();
    let plain = plain.trim_matches('-');
    if plain.is_empty() { "sidetone".into() } else { plain.into() }
}

/// `https://192.0.2.1:8443`.
pub(super) fn url(ip: IpAddr, port: u16) -> String {
    match ip {
        IpAddr::V4(ip) => format!("https://{ip}:{port}"),
        IpAddr::V6(ip) => format!("https://[{ip}]:{port}"),
    }
}

/// What a certificate is to name besides loopback.
pub(super) fn own_addresses(found: &[IpAddr]) -> Vec<IpAddr> {
    found.iter().copied().chain([Ipv4Addr::LOCALHOST.into()]).collect()
}

#[cfg(test)]
mod tests {
    use super::label;

    #[test]
    fn a_name_of_a_machine_becomes_a_label() {
        for (name, wanted) in [
            ("desk", "desk"),
            ("Desk.example.org", "desk"),
            ("Ada's Mac", "ada-s-mac"),
            ("-x-", "x"),
            ("日本", "sidetone"),
            ("", "sidetone"),
        ] {
            assert_eq!(label(name), wanted);
        }
        assert_eq!(label(&"a".repeat(100)).len(), 63);
    }
}
