//! What was negotiated, as the RTP session, its transport and the encoder want it.

use sidetone_media::{AudioSender, Codec, SenderOptions};
use sidetone_rtp::PayloadType;
use sidetone_rtp::transport::{
    Credentials, DtlsRole, Fingerprint, HashFunction, IceParameters, MasterKey, RemoteCandidate, Security,
    Suite,
};
use sidetone_sdp as sdp;
use sidetone_sdp::{Negotiated, PayloadTypes};

/// What may come, by number.
pub(super) fn received(negotiated: &Negotiated) -> Vec<PayloadType> {
    list_types(negotiated, |types| types.receive.clone())
}

/// What we send; the same number may mean something else than in the other direction.
pub(super) fn sent(negotiated: &Negotiated) -> Vec<PayloadType> {
    list_types(negotiated, |types| vec![types.send])
}

fn list_types(negotiated: &Negotiated, numbers: impl Fn(&PayloadTypes) -> Vec<u8>) -> Vec<PayloadType> {
    let mut list = Vec::new();
    for events in &negotiated.events {
        let numbers = numbers(&events.payload_types).into_iter();
        list.extend(numbers.map(|number| PayloadType::telephone_event(number, events.clock_rate)));
    }
    if let Some(types) = &negotiated.comfort_noise {
        list.extend(numbers(types).into_iter().map(|number| PayloadType::comfort_noise(number, 8000)));
    }
    for codec in &negotiated.codecs {
        let clock_rate = codec.capability.clock_rate;
        list.extend(
            numbers(&codec.payload_types).into_iter().map(|number| PayloadType::audio(number, clock_rate)),
        );
    }
    list
}

pub(super) fn sender(codec: Codec, negotiated: &Negotiated) -> Option<AudioSender> {
    let options =
        SenderOptions { ptime_ms: codec.nearest_ptime(negotiated.ptime), ..SenderOptions::default() };
    AudioSender::new(codec, options).inspect_err(|error| tracing::error!("{codec:?}: {error}")).ok()
}

pub(super) fn security(security: &sdp::Security) -> Security {
    match security {
        sdp::Security::None => Security::None,
        sdp::Security::Sdes { local, remote } => match (key(local), key(remote)) {
            (Some(local), Some(remote)) => Security::Sdes { local, remote },
            // Of the wrong length, which no key of a description is: nothing may go out in the open then.
            _ => Security::Dtls { role: DtlsRole::Server, fingerprints: Vec::new() },
        },
        sdp::Security::Dtls { fingerprints, role } => Security::Dtls {
            role: match role {
                sdp::DtlsRole::Client => DtlsRole::Client,
                sdp::DtlsRole::Server => DtlsRole::Server,
            },
            fingerprints: fingerprints.iter().map(fingerprint).collect(),
        },
    }
}

pub(super) fn ice(ice: &sdp::NegotiatedIce) -> IceParameters {
    let candidates = ice.candidates.iter().map(|candidate| RemoteCandidate {
        component: candidate.component,
        priority: candidate.priority,
        address: candidate.address,
    });
    IceParameters {
        local: credentials(&ice.local),
        remote: credentials(&ice.remote),
        candidates: candidates.collect(),
        controlling: ice.controlling,
    }
}

fn credentials(credentials: &sdp::IceCredentials) -> Credentials {
    Credentials::new(credentials.ufrag(), credentials.pwd())
}

fn fingerprint(fingerprint: &sdp::Fingerprint) -> Fingerprint {
    let hash = match fingerprint.hash {
        sdp::HashFunction::Sha256 => HashFunction::Sha256,
        sdp::HashFunction::Sha384 => HashFunction::Sha384,
        sdp::HashFunction::Sha512 => HashFunction::Sha512,
    };
    Fingerprint { hash, bytes: fingerprint.bytes.clone() }
}

fn key(key: &sdp::SrtpKey) -> Option<MasterKey> {
    let suite = match key.suite() {
        sdp::Suite::AesCm128HmacSha1_80 => Suite::AesCm128HmacSha1_80,
        sdp::Suite::AesCm128HmacSha1_32 => Suite::AesCm128HmacSha1_32,
        sdp::Suite::Aes256CmHmacSha1_80 => Suite::Aes256CmHmacSha1_80,
        sdp::Suite::Aes256CmHmacSha1_32 => Suite::Aes256CmHmacSha1_32,
        sdp::Suite::AeadAes128Gcm => Suite::AeadAes128Gcm,
        sdp::Suite::AeadAes256Gcm => Suite::AeadAes256Gcm,
    };
    MasterKey::new(suite, key.master_key(), key.master_salt())
}
