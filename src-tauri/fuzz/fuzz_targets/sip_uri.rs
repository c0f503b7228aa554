//! The values inside headers: URIs, addresses, Vias, hosts, CSeqs. What is accepted is printed and read back the same.
#![no_main]

use libfuzzer_sys::fuzz_target;
use sidetone_sip::message::{CSeq, HeaderName, Headers, Host, NameAddr, Uri, Via, ViaTransport};

fuzz_target!(|text: &str| {
    if let Ok(uri) = Uri::parse(text) {
        let printed = uri.to_string();
        assert_eq!(Uri::parse(&printed).as_ref(), Ok(&uri), "{printed}");
        assert!(uri.is_equivalent(&uri));
        let _ = uri.user_text();
    }
    if let Ok(address) = NameAddr::parse(text) {
        let printed = address.to_string();
        assert_eq!(NameAddr::parse(&printed).as_ref(), Ok(&address), "{printed}");
    }
    if let Ok(addresses) = NameAddr::parse_list(text) {
        let printed = addresses.iter().map(ToString::to_string).collect::<Vec<_>>().join(",");
        assert_eq!(NameAddr::parse_list(&printed), Ok(addresses), "{printed}");
    }
    if let Ok(vias) = Via::parse_list(text) {
        let printed = vias.iter().map(ToString::to_string).collect::<Vec<_>>().join(",");
        assert_eq!(Via::parse_list(&printed), Ok(vias), "{printed}");
    }
    if let Ok(host) = Host::parse(text) {
        assert_eq!(Host::parse(&host.to_string()), Ok(host));
    }
    if let Ok(cseq) = CSeq::parse(text) {
        assert_eq!(CSeq::parse(&cseq.to_string()), Ok(cseq));
    }
    set_by_code(text);
});

/// Any text that code puts into a value must come out as something that can be read.
fn set_by_code(text: &str) {
    let mut uri = Uri::sip(Some(text), Host::Name(text.to_owned()), None);
    uri.password = Some(text.to_owned());
    uri.params.set(text, text);
    uri.headers.push((text.to_owned(), text.to_owned()));
    let again = Uri::parse(&uri.to_string()).expect("a printed URI can be read");
    if !text.is_empty() {
        assert_eq!(again.user_text().as_deref(), Some(text));
    }
    let mut address = NameAddr::with_display(text, uri);
    address.set_tag(text);
    address.params.set(text, text);
    let again = NameAddr::parse(&address.to_string()).expect("a printed address can be read");
    let one_line = text.replace(['\r', '\n'], " ");
    assert_eq!(again.display.unwrap_or_default(), one_line);
    let mut via = Via::new(ViaTransport::from(text), Host::Name(text.to_owned()), Some(1));
    via.set_branch(text);
    let again = Via::parse(&via.to_string()).expect("a printed Via can be read");
    assert_eq!(again.branch(), Some(one_line.as_str()));
    let mut headers = Headers::new();
    headers.push(text, text);
    headers.push(HeaderName::ROUTE, text);
    headers.replace_first_element(&HeaderName::ROUTE, text);
    headers.remove_first_element(&HeaderName::ROUTE);
    assert!(headers.iter().all(|(name, value)| !format!("{name}{value}").contains(['\r', '\n'])));
}
