//! What is done with every text, of these tests and of the fuzz target `sdp`.

use std::net::IpAddr;

use sidetone_sdp::{
    Candidate, CandidateKind, Capability, Direction, Fingerprint, HashFunction, IceCredentials, LocalIce,
    LocalMedia, LocalSecurity, OfferAnswer, Origin, Protection, Sdes, SessionDescription, SrtpKey, Suite,
};

/// Reads, prints, answers, offers again and takes it as an answer; whether it could be read.
///
/// A description prints to one that reads the same, an answer has a line for every line of its offer, and one alone is open.
pub(crate) fn exercise(bytes: &[u8]) -> bool {
    let Ok(description) = SessionDescription::parse(bytes) else { return false };
    reads_the_same(&description);

    let mut exchange = OfferAnswer::new(Origin { username: String::new(), session_id: 1, version: 1 });
    if let Ok((answer, mut negotiated)) = exchange.answer(&description, &local()) {
        reads_the_same(&answer);
        assert_eq!(answer.media.len(), description.media.len());
        assert_eq!(answer.media.iter().filter(|line| line.port != 0).count(), 1);
        assert!((10..=120).contains(&negotiated.ptime));
        let again = exchange.offer(&local());
        reads_the_same(&again);
        assert_eq!(again.media.len(), description.media.len());
        while let Some(name) = negotiated.unresolved().map(str::to_owned) {
            negotiated.resolve(&name, IpAddr::from([192, 0, 2, 2]));
        }
        let _ = exchange.accept(&description);
    }

    let mut exchange = OfferAnswer::new(Origin { username: String::new(), session_id: 1, version: 1 });
    exchange.offer(&local());
    let _ = exchange.accept(&description);
    true
}

fn reads_the_same(description: &SessionDescription) {
    let text = description.to_string();
    assert_eq!(SessionDescription::parse(text.as_bytes()).as_ref(), Ok(description), "{text}");
}

fn local() -> LocalMedia {
    LocalMedia {
        address: IpAddr::from([192, 0, 2, 1]),
        rtp_port: 4000,
        rtcp_port: None,
        rtcp_mux: true,
        codecs: vec![Capability::opus(), Capability::g722(), Capability::pcmu(), Capability::pcma()],
        dtmf: true,
        comfort_noise: true,
        ptime: Some(20),
        direction: Direction::SendRecv,
        security: LocalSecurity {
            offer: Protection::SdesWherePossible,
            required: false,
            sdes: Sdes::Keys(Suite::ALL.map(|suite| SrtpKey::from_random(suite, &[7; 46])).to_vec()),
            fingerprints: vec![Fingerprint { hash: HashFunction::Sha256, bytes: vec![9; 32] }],
        },
        ice: Some(LocalIce {
            offer: true,
            credentials: IceCredentials::from_random(&[1; 32]),
            next: IceCredentials::from_random(&[2; 32]),
            candidates: [1, 2]
                .map(|part| {
                    Candidate::new(part, 0, CandidateKind::Host, ([192, 0, 2, 1], 3999 + part).into())
                })
                .to_vec(),
        }),
    }
}
