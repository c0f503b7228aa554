use crate::attribute::{Direction, RtpMap};
use crate::capability::Capability;
use crate::description::{Connection, Host, Media, SessionDescription};
use crate::fmtp::EventSet;
use crate::security::Profile;
use crate::video::Feedback;

use super::negotiated::{
    Endpoint, Negotiated, NegotiatedCodec, NegotiatedEvents, NegotiatedIce, PayloadTypes, Security,
};
use super::{LocalMedia, Refusal, quoted};

/// One format of a media line that both sides know.
#[derive(Debug, Clone)]
pub(super) struct Format {
    pub(super) role: Role,
    pub(super) capability: Capability,
    pub(super) payload_types: PayloadTypes,
    pub(super) remote_fmtp: Option<String>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Role {
    Codec,
    Event,
    ComfortNoise,
}

impl Role {
    pub(super) fn of(map: &RtpMap) -> Self {
        if map.name.eq_ignore_ascii_case("telephone-event") {
            Self::Event
        } else if map.name.eq_ignore_ascii_case("CN") {
            Self::ComfortNoise
        } else {
            Self::Codec
        }
    }
}

/// The formats that we would offer, in order: codecs, comfort noise, events.
pub(super) fn ours(local: &LocalMedia) -> Vec<(Role, Capability)> {
    let mut list: Vec<_> = local.codecs.iter().cloned().map(|codec| (Role::Codec, codec)).collect();
    if local.comfort_noise && local.codecs.iter().any(|codec| codec.clock_rate == 8000) {
        list.push((Role::ComfortNoise, Capability::comfort_noise()));
    }
    if local.dtmf {
        let mut rates = vec![8000];
        for codec in &local.codecs {
            if !rates.contains(&codec.clock_rate) {
                rates.push(codec.clock_rate);
            }
        }
        list.extend(rates.into_iter().map(|rate| (Role::Event, Capability::telephone_event(rate))));
    }
    list
}

/// A usable line of the peer: kind, protocol, address.
pub(super) fn check_line<'a>(
    description: &'a SessionDescription,
    media: &'a Media,
) -> Result<&'a Connection, Refusal> {
    if Profile::of(&media.protocol).is_none() {
        return Err(Refusal::UnsupportedProtocol(quoted(&media.protocol)));
    }
    let connection = description.connection_of(media).ok_or(Refusal::NoAddress)?;
    check_unicast(&connection.host)?;
    if let Some((_, host)) = media.rtcp().and_then(|rtcp| rtcp.address) {
        check_unicast(&host)?;
    }
    Ok(connection)
}

fn check_unicast(host: &Host) -> Result<(), Refusal> {
    match host {
        Host::Ip(address) if address.is_multicast() => Err(Refusal::UnusableAddress(*address)),
        Host::Ip(std::net::IpAddr::V4(v4)) if v4.is_broadcast() => {
            Err(Refusal::UnusableAddress((*v4).into()))
        }
        _ => Ok(()),
    }
}

/// The direction of the peer's stream; the null address takes receiving away (RFC 3264 section 8.4), unless it only
/// says that the candidates come later (RFC 8840 section 4.1.1).
pub(super) fn remote_direction(
    description: &SessionDescription,
    media: &Media,
    connection: &Connection,
) -> Direction {
    let said = description.direction_of(media);
    let is_hold = connection.is_null() && description.ice_credentials_of(media).is_none();
    if is_hold { Direction::from_flags(said.sends(), false) } else { said }
}

/// What the lines of both sides come to.
pub(super) struct Agreement<'a> {
    pub(super) remote: &'a SessionDescription,
    pub(super) media_index: usize,
    pub(super) media: &'a Media,
    pub(super) connection: &'a Connection,
    pub(super) formats: Vec<Format>,
    pub(super) rtcp_mux: bool,
    pub(super) local_ptime: Option<f32>,
    pub(super) direction: Direction,
    pub(super) held: bool,
    pub(super) security: Security,
    pub(super) ice: Option<NegotiatedIce>,
    pub(super) feedback: Feedback,
}

impl Agreement<'_> {
    pub(super) fn negotiated(self) -> Result<Negotiated, Refusal> {
        let Self { media, connection, formats, .. } = self;
        let (mut codecs, mut events, mut comfort_noise) = (Vec::new(), Vec::new(), None);
        for format in formats {
            let Format { role, capability, payload_types, remote_fmtp } = format;
            match role {
                Role::Codec => codecs.push(NegotiatedCodec { capability, payload_types, remote_fmtp }),
                Role::ComfortNoise => comfort_noise = Some(payload_types),
                Role::Event => events.push(NegotiatedEvents {
                    clock_rate: capability.clock_rate,
                    payload_types,
                    events: remote_fmtp.as_deref().map_or(EventSet::DIGITS, EventSet::parse),
                }),
            }
        }
        let codec: NegotiatedCodec = codecs.first().cloned().ok_or(Refusal::NoCommonCodec)?;
        let at = |rate: u32| events.iter().find(|found| found.clock_rate == rate);
        let dtmf = at(codec.capability.clock_rate).or_else(|| at(8000)).or(events.first()).cloned();
        let remote = Endpoint { host: connection.host.clone(), port: media.port };
        let remote_rtcp = if self.rtcp_mux { Some(remote.clone()) } else { rtcp_endpoint(media, &remote) };
        Ok(Negotiated {
            media_index: self.media_index,
            codec,
            codecs,
            remote,
            remote_rtcp,
            rtcp_mux: self.rtcp_mux,
            rtcp_disabled: rtcp_disabled(self.remote, media),
            bandwidth: bandwidth(self.remote, media),
            dtmf,
            events,
            comfort_noise,
            ptime: packet_time(media.ptime().or(self.local_ptime), media.max_ptime()),
            direction: self.direction,
            held: self.held,
            security: self.security,
            ice: self.ice,
            feedback: self.feedback,
        })
    }
}

fn rtcp_endpoint(media: &Media, remote: &Endpoint) -> Option<Endpoint> {
    match media.rtcp() {
        Some(rtcp) => {
            let host = rtcp.address.map_or_else(|| remote.host.clone(), |(_, host)| host);
            Some(Endpoint { host, port: rtcp.port })
        }
        None => Some(Endpoint { host: remote.host.clone(), port: remote.port.checked_add(1)? }),
    }
}

fn limit(description: &SessionDescription, media: &Media, kind: &str) -> Option<u64> {
    let mut all = media.bandwidths.iter().chain(&description.bandwidths);
    all.find(|bandwidth| bandwidth.kind.eq_ignore_ascii_case(kind)).map(|bandwidth| bandwidth.value)
}

fn rtcp_disabled(description: &SessionDescription, media: &Media) -> bool {
    ["RS", "RR"].iter().all(|kind| limit(description, media, kind) == Some(0))
}

fn bandwidth(description: &SessionDescription, media: &Media) -> Option<u64> {
    let exact = limit(description, media, "TIAS").map(|bits| bits.div_ceil(1000));
    exact.or_else(|| limit(description, media, "AS")).filter(|kilobits| *kilobits > 0)
}

fn packet_time(wished: Option<f32>, longest: Option<f32>) -> u32 {
    let milliseconds = wished.unwrap_or(20.0).min(longest.unwrap_or(f32::INFINITY));
    let whole = milliseconds.clamp(10.0, 120.0) as u32;
    whole - whole % 10
}
