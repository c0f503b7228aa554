//! What is done with every text, of these tests and of the fuzz target `sdp`.

use std::net::IpAddr;

use sidetone_sdp::{
    Candidate, CandidateKind, Capability, Direction, Fingerprint, HashFunction, IceCredentials, LocalIce,
    LocalMedia, LocalSecurity, LocalVideo, OfferAnswer, Origin, Protection, Sdes, SessionDescription,
    SrtpKey, Suite,
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
    if description.video().is_some() {
        with_video(&description);
    }
    true
}

/// The same with video: at most two lines are open.
fn with_video(description: &SessionDescription) {
    let codecs = vec![Capability::h264(1), Capability::h264(0), Capability::vp8()];
    let video = LocalVideo::new(LocalMedia { rtp_port: 4010, codecs, ..local() });
    let mut exchange = OfferAnswer::new(Origin { username: String::new(), session_id: 1, version: 1 });
    if let Ok(answered) = exchange.answer_with(description, &local(), Some(&video)) {
        reads_the_same(&answered.description);
        let is_open = |line: &&sidetone_sdp::Media| line.port != 0;
        let open = answered.description.media.iter().filter(is_open).count();
        assert_eq!(open, 1 + usize::from(matches!(answered.video, Ok(Some(_)))));
        if let Ok(Some(video)) = &answered.video {
            for codec in &video.codecs {
                assert_eq!(codec.capability.is_h264(), codec.h264_parameters().is_some());
                let _ = codec.h264_parameters().map(|parameters| parameters.limits());
            }
        }
        for video in [Some(&video), None, Some(&video)] {
            let offer = exchange.offer_with(&local(), video);
            reads_the_same(&offer);
            assert!((description.media.len()..=description.media.len() + 1).contains(&offer.media.len()));
            let _ = exchange.accept_with(description);
        }
    }
    let mut exchange = OfferAnswer::new(Origin { username: String::new(), session_id: 1, version: 1 });
    exchange.offer_with(&local(), Some(&video));
    let _ = exchange.accept_with(description);
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
