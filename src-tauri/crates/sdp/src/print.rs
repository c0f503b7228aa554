use std::fmt::{self, Display, Formatter};

use crate::description::{
    AddressType, Attribute, Bandwidth, Connection, Host, Media, OriginField, SessionDescription,
};

/// Text with CRLF line ends in the order of RFC 8866 section 5. Line breaks and NUL inside values are left out, so
/// that no value can add a line.
impl Display for SessionDescription {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        line(f, 'v', "0")?;
        line(f, 'o', &self.origin)?;
        line(f, 's', &self.session_name)?;
        optional(f, 'i', self.information.as_ref())?;
        optional(f, 'u', self.uri.as_ref())?;
        self.emails.iter().try_for_each(|email| line(f, 'e', email))?;
        self.phones.iter().try_for_each(|phone| line(f, 'p', phone))?;
        optional(f, 'c', self.connection.as_ref())?;
        self.bandwidths.iter().try_for_each(|bandwidth| line(f, 'b', bandwidth))?;
        if self.times.is_empty() {
            line(f, 't', "0 0")?;
        }
        for time in &self.times {
            line(f, 't', format_args!("{} {}", time.start, time.stop))?;
            time.repeats.iter().try_for_each(|repeat| line(f, 'r', repeat))?;
        }
        optional(f, 'z', self.time_zones.as_ref())?;
        optional(f, 'k', self.key.as_ref())?;
        self.attributes.iter().try_for_each(|attribute| line(f, 'a', attribute))?;
        self.media.iter().try_for_each(|media| media.fmt(f))
    }
}

impl Display for Media {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        let mut head = format!("{} {}", self.kind, self.port);
        if let Some(count) = self.port_count {
            head.push_str(&format!("/{count}"));
        }
        head.push(' ');
        head.push_str(&self.protocol);
        if self.formats.is_empty() {
            head.push_str(" 0");
        }
        for format in &self.formats {
            head.push(' ');
            head.push_str(format);
        }
        line(f, 'm', head)?;
        optional(f, 'i', self.information.as_ref())?;
        self.connections.iter().try_for_each(|connection| line(f, 'c', connection))?;
        self.bandwidths.iter().try_for_each(|bandwidth| line(f, 'b', bandwidth))?;
        optional(f, 'k', self.key.as_ref())?;
        self.attributes.iter().try_for_each(|attribute| line(f, 'a', attribute))
    }
}

impl Display for OriginField {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        let username = if self.username.trim_ascii().is_empty() { "-" } else { &self.username };
        let Self { session_id, version, address_type, host, .. } = self;
        write!(f, "{username} {session_id} {version} IN {address_type} {host}")
    }
}

impl Display for Connection {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        write!(f, "IN {} {}", self.address_type, self.host)?;
        self.ttl.iter().try_for_each(|ttl| write!(f, "/{ttl}"))?;
        self.count.iter().try_for_each(|count| write!(f, "/{count}"))
    }
}

impl Display for AddressType {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Ip4 => "IP4",
            Self::Ip6 => "IP6",
        })
    }
}

impl Display for Host {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        match self {
            Self::Ip(address) => address.fmt(f),
            Self::Name(name) => f.write_str(name),
        }
    }
}

impl Display for Bandwidth {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.kind, self.value)
    }
}

impl Display for Attribute {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        f.write_str(&self.name)?;
        self.value.iter().try_for_each(|value| write!(f, ":{value}"))
    }
}

fn optional(f: &mut Formatter<'_>, letter: char, value: Option<&impl Display>) -> fmt::Result {
    value.map_or(Ok(()), |value| line(f, letter, value))
}

fn line(f: &mut Formatter<'_>, letter: char, value: impl Display) -> fmt::Result {
    use fmt::Write;
    write!(f, "{letter}=")?;
    write!(OneLine(f), "{value}")?;
    f.write_str("\r\n")
}

struct OneLine<'a, 'b>(&'a mut Formatter<'b>);

impl fmt::Write for OneLine<'_, '_> {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        text.split(['\r', '\n', '\0']).try_for_each(|part| self.0.write_str(part))
    }
}
