use super::{Algorithm, Answer, Password, Protection, Qop};

struct Case<'a> {
    username: &'a str,
    realm: &'a str,
    password: &'a str,
    nonce: &'a str,
    method: &'a str,
    uri: &'a str,
    body: &'a [u8],
}

impl Case<'_> {
    fn respond(&self, algorithm: Algorithm, protection: Option<(Qop, u32, &str)>) -> String {
        let protection = protection.map(|(qop, nc, cnonce)| Protection { qop, nc, cnonce });
        let answer = Answer {
            algorithm,
            username: self.username,
            realm: self.realm,
            nonce: self.nonce,
            method: self.method,
            uri: self.uri,
            body: self.body,
            protection,
            session_cnonce: protection.map_or("", |protection| protection.cnonce),
        };
        answer.compute(&Password::new(self.password))
    }
}

#[test]
fn the_example_of_rfc_2617_section_3_5_is_met() {
    let case = Case {
        username: "Mufasa",
        realm: "testrealm@host.com",
        password: "Circle Of Life",
        nonce: "dcd98b7102dd2f0e8b11d0f600bfb0c093",
        method: "GET",
        uri: "/dir/index.html",
        body: b"",
    };
    let response = case.respond(Algorithm::Md5, Some((Qop::Auth, 1, "0a4f113b")));
    assert_eq!(response, "6629fae49393a05397450978507c4ef1");
}

#[test]
fn the_examples_of_rfc_7616_section_3_9_1_are_met() {
    let case = Case {
        username: "Mufasa",
        realm: "http-auth@example.org",
        password: "Circle of Life",
        nonce: "7ypf/xlj9XXwfDPEoM4URrv/xwf94BcCAzFZH4GiTo0v",
        method: "GET",
        uri: "/dir/index.html",
        body: b"",
    };
    let protection = Some((Qop::Auth, 1, "f2/wE4q74E6zIJEtWaHKaf5wv/H5QzzpXusqGemxURZJ"));
    assert_eq!(case.respond(Algorithm::Md5, protection), "8ca523f5e9506fed4657c9700eebdbec");
    assert_eq!(
        case.respond(Algorithm::Sha256, protection),
        "753927fa0e85d155564e2e272a28d1802ca10daf4496794697cf8db5856cb6c1"
    );
}

#[test]
fn the_example_of_rfc_7616_section_3_9_2_is_met_as_erratum_4897_corrects_it() {
    let case = Case {
        username: "Jäsøn Doe",
        realm: "api@example.org",
        password: "Secret, or not?",
        nonce: "5TsQWLVdgBdmrQ0XsxbDODV+57QdFR34I9HAbC/RVvkK",
        method: "GET",
        uri: "/doe.json",
        body: b"",
    };
    let protection = Some((Qop::Auth, 1, "NTg6RKcb9boFIAS3KrFK9BGeh+iDa/sm6jUMp2wds69v"));
    assert_eq!(
        case.respond(Algorithm::Sha512_256, protection),
        "3798d4131c277846293534c3edc11bd8a5e4cdcbff78b05db9d95eeb1cec68a5"
    );
}

/// Values computed with another implementation of the hash functions.
#[test]
fn every_algorithm_and_protection_gives_the_known_response() {
    let case = Case {
        username: "mara",
        realm: "office.example",
        password: "open sesame",
        nonce: "4f3c",
        method: "REGISTER",
        uri: "sip:office.example",
        body: b"v=0\r\n",
    };
    let auth = Some((Qop::Auth, 2, "99aa"));
    let int = Some((Qop::AuthInt, 2, "99aa"));
    let known = [
        (Algorithm::Md5, None, "4b59a38f2f60e264304436d0a86cef99"),
        (Algorithm::Md5, auth, "b84de15124752658d033c9a48dde29ac"),
        (Algorithm::Md5Sess, auth, "6da971c5a660ec91edfdf357857e1260"),
        (Algorithm::Md5, int, "79e04fa60a954d7db195e5c0177966c8"),
        (Algorithm::Sha256, None, "12a7c3cf2143c9c83eb36255d986691d0cda42905774e7c5da8b99d3c9fb4627"),
        (Algorithm::Sha256, auth, "3d8d3545ff2910bfee144b428458315d1fb641678bc164bd86d7942c129f82bd"),
        (Algorithm::Sha256Sess, auth, "a5dffb2c2c90e9fed5713c6e2d8df1c7978386a18c6b65fedfaeaf4a6d923e7b"),
        (Algorithm::Sha256, int, "48f4011d9e498f320b3a25db92cb4e0f56b1bf4ec787b71bfd9b8d8d1ef71bdc"),
        (Algorithm::Sha512_256, auth, "4ebbd444ca08058c102f62ee89552b9e0cd80e83ac3734e1f6227166f0352147"),
        (Algorithm::Sha512_256Sess, auth, "7d83bb2cda60bb696c57734b04d71865118e7f632bb23d8cd5ee03471dc63342"),
        (Algorithm::Sha512_256, int, "8a8fb5dabf91ab4709013485ce9b4237fdcc2ec247b69bdbe80b9a819fdd254d"),
    ];
    for (algorithm, protection, response) in known {
        assert_eq!(case.respond(algorithm, protection), response, "{algorithm} {protection:?}");
    }
}
