//! Seeded random values for the property tests.

use sidetone_sip::message::{
    CSeq, HeaderName, Host, Message, Method, NameAddr, Request, Response, Scheme, Uri, Via, ViaTransport,
};

pub(crate) struct Generator(fastrand::Rng);

const TOKEN: &str = "abcXYZ019-.!%*_+`'~";
const TEXT: &str = "abc XYZ\t019-.!%*_+`'~\"\\<>;,:@?&=/[](){}|^#$\u{e9}\u{4e2d}\u{1f600}\u{0}\u{7f}\u{1}";
const USER: &str = "abcXYZ019-_.!~*'()&=+$,;?/";
const PARAM: &str = "abcXYZ019-_.!~*'()[]/:&+$";

impl Generator {
    pub(crate) fn new(seed: u64) -> Generator {
        Generator(fastrand::Rng::with_seed(seed))
    }

    pub(crate) fn next(&mut self) -> u64 {
        self.0.u64(..)
    }

    pub(crate) fn below(&mut self, end: usize) -> usize {
        self.0.usize(..end)
    }

    pub(crate) fn chance(&mut self, one_in: usize) -> bool {
        self.below(one_in) == 0
    }

    pub(crate) fn pick<T: Clone>(&mut self, from: &[T]) -> T {
        from[self.below(from.len())].clone()
    }

    fn chars(&mut self, alphabet: &str, least: usize) -> String {
        let alphabet: Vec<char> = alphabet.chars().collect();
        (0..least + self.below(8)).map(|_| self.pick(&alphabet)).collect()
    }

    pub(crate) fn token(&mut self) -> String {
        self.chars(TOKEN, 1)
    }

    /// A token that no two calls give, for names that must differ.
    pub(crate) fn name(&mut self) -> String {
        format!("n{:x}", self.next())
    }

    pub(crate) fn text(&mut self) -> String {
        self.chars(TEXT, 0)
    }

    fn escaped(&mut self, alphabet: &str) -> String {
        let mut text = self.chars(alphabet, 1);
        if self.chance(3) {
            text.push_str(&format!("%{:02X}", self.below(256)));
        }
        text
    }

    pub(crate) fn host(&mut self) -> Host {
        match self.below(3) {
            0 => Host::V4((self.next() as u32).into()),
            1 => Host::V6(((u128::from(self.next()) << 64) | u128::from(self.next())).into()),
            _ => Host::Name(format!("h{}.example", self.below(1000))),
        }
    }

    pub(crate) fn port(&mut self) -> Option<u16> {
        if self.chance(2) { Some(self.next() as u16) } else { None }
    }

    pub(crate) fn uri(&mut self) -> Uri {
        match self.below(8) {
            0 => return Uri::parse(&format!("tel:+{}-{}", self.below(999), self.below(9_999_999))).unwrap(),
            1 => return Uri::parse(&format!("x-{}:{}", self.below(99), self.escaped(PARAM))).unwrap(),
            _ => {}
        }
        let mut uri = Uri::sip(None, self.host(), self.port());
        uri.scheme = self.pick(&[Scheme::Sip, Scheme::Sips]);
        if self.chance(2) {
            uri.user = Some(self.escaped(USER));
            uri.password = self.chance(4).then(|| self.escaped("ab&=+$,"));
        }
        for _ in 0..self.below(3) {
            let name = self.name();
            if self.chance(3) {
                uri.params.set_flag(&name);
            } else {
                let value = self.escaped(PARAM);
                uri.params.set(&name, value);
            }
        }
        for _ in 0..self.below(3) {
            uri.headers.push((self.escaped(PARAM).replace('&', "+"), self.escaped("abc?:+$")));
        }
        uri
    }

    pub(crate) fn address(&mut self) -> NameAddr {
        let mut address = NameAddr::new(self.uri());
        address.display = Some(self.text()).filter(|text| !text.is_empty());
        for _ in 0..self.below(3) {
            let name = self.name();
            let value = self.text();
            address.params.set(&name, value);
        }
        if self.chance(2) {
            address.set_tag(self.token());
        }
        address
    }

    pub(crate) fn via(&mut self) -> Via {
        let known = [ViaTransport::Udp, ViaTransport::Tcp, ViaTransport::Wss, ViaTransport::TlsSctp];
        let transport = match self.below(5) {
            0 => ViaTransport::from(self.token().as_str()),
            _ => self.pick(&known),
        };
        let mut via = Via::new(transport, self.host(), self.port());
        via.set_branch(format!("z9hG4bK{}", self.token()));
        if self.chance(2) {
            via.request_rport();
        }
        if self.chance(3) {
            via.set_received(std::net::Ipv6Addr::from(u128::from(self.next())).into());
        }
        via
    }

    pub(crate) fn method(&mut self) -> Method {
        Method::parse(self.pick(&["INVITE", "BYE", "OPTIONS", "PUBLISH", "x-!%"])).unwrap()
    }

    pub(crate) fn message(&mut self) -> Message {
        let method = self.method();
        let mut request = Request::new(method.clone(), Uri { headers: Vec::new(), ..self.uri() });
        let vias: Vec<String> = (0..1 + self.below(3)).map(|_| self.via().to_string()).collect();
        if self.chance(2) {
            request.headers.push("v", vias.join(" , "));
        } else {
            vias.iter().for_each(|via| request.headers.push("Via", via));
        }
        request.headers.push("f", self.address());
        request.headers.push(HeaderName::TO, self.address());
        request.headers.push("i", format!("{}@{}", self.token(), self.token()));
        request.headers.push("cSEQ", CSeq::new(self.next() as u32 >> 1, method));
        for _ in 0..self.below(4) {
            request.headers.push("m", self.address());
            request.headers.push(HeaderName::from(self.name().as_str()), self.text());
        }
        request.body = self.text().into_bytes();
        if self.chance(3) {
            let mut response = Response::to(&request, 100 + self.below(600) as u16, Some("t"));
            response.reason = self.text();
            response.body = request.body;
            return Message::Response(response);
        }
        Message::Request(request)
    }
}
