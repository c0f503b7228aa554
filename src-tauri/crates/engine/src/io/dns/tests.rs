use super::{Goal, Names, PATIENCE, Target, locate};
use sidetone_sip::Transport;
use sidetone_sip::message::Uri;
use sidetone_testkit::{DnsHabit, DnsRecord, DnsServer};
use std::{
    net::{IpAddr, Ipv4Addr},
    time::Instant,
};

fn server() -> (DnsServer, Names) {
    let server = DnsServer::start(IpAddr::V4(Ipv4Addr::LOCALHOST)).unwrap();
    for (name, last) in
        [("example.org", 1), ("one.example.org", 2), ("two.example.org", 3), ("tls.example.org", 4)]
    {
        server.host(name, Ipv4Addr::new(192, 0, 2, last));
    }
    let names = Names::new(&[server.address()]);
    (server, names)
}

async fn found(names: &Names, uri: &str, transport: Option<Transport>) -> Result<Vec<String>, String> {
    let goal = Goal::of(&Uri::parse(uri).unwrap(), transport)?;
    let told = |Target { transport, address }| format!("{transport} {address}");
    Ok(locate(names, &goal).await?.into_iter().map(told).collect())
}

#[tokio::test]
async fn addresses_and_ports_that_are_given_need_no_question_for_services() {
    let (server, names) = server();
    assert_eq!(found(&names, "sip:192.0.2.9", None).await.unwrap(), ["udp 192.0.2.9:5060"]);
    assert_eq!(found(&names, "sips:192.0.2.9", None).await.unwrap(), ["tls 192.0.2.9:5061"]);
    assert_eq!(
        found(&names, "sip:[2001:db8::1];transport=tcp", None).await.unwrap(),
        ["tcp [2001:db8::1]:5060"]
    );
    assert_eq!(found(&names, "sip:x.invalid;maddr=192.0.2.8", None).await.unwrap(), ["udp 192.0.2.8:5060"]);
    assert_eq!(server.asked(), Vec::<String>::new());
    assert_eq!(found(&names, "sip:one.example.org:5070", None).await.unwrap(), ["udp 192.0.2.2:5070"]);
    assert_eq!(found(&names, "sips:one.example.org:5070", None).await.unwrap(), ["tls 192.0.2.2:5070"]);
    assert!(server.asked().iter().all(|asked| asked.starts_with('A')), "{:?}", server.asked());
}

#[tokio::test]
async fn a_name_without_records_is_the_server_itself() {
    let (_server, names) = server();
    assert_eq!(found(&names, "sip:example.org", None).await.unwrap(), ["udp 192.0.2.1:5060"]);
    assert_eq!(found(&names, "sip:EXAMPLE.org", Some(Transport::Tls)).await.unwrap(), ["tls 192.0.2.1:5061"]);
    assert_eq!(found(&names, "sip:example.org", Some(Transport::Wss)).await.unwrap(), ["wss 192.0.2.1:443"]);
}

#[tokio::test]
async fn srv_records_of_the_transport_are_followed_by_priority() {
    let (server, names) = server();
    server.srv("_sip._tcp.example.org", 20, 0, 5080, "two.example.org");
    server.srv("_sip._tcp.example.org", 10, 0, 5070, "one.example.org");
    server.srv("_sips._tcp.example.org", 10, 0, 5061, "tls.example.org");
    let tcp = ["tcp 192.0.2.2:5070", "tcp 192.0.2.3:5080"];
    assert_eq!(found(&names, "sip:example.org;transport=tcp", None).await.unwrap(), tcp);
    assert_eq!(found(&names, "sip:example.org", Some(Transport::Tls)).await.unwrap(), ["tls 192.0.2.4:5061"]);
    assert_eq!(found(&names, "sips:example.org;transport=tcp", None).await.unwrap(), ["tls 192.0.2.4:5061"]);
    // Without NAPTR records, those of every transport count, ours first (RFC 3263 section 4.1).
    let all = ["tcp 192.0.2.2:5070", "tcp 192.0.2.3:5080", "tls 192.0.2.4:5061"];
    assert_eq!(found(&names, "sip:example.org", None).await.unwrap(), all);
}

#[tokio::test]
async fn naptr_records_choose_the_transport_in_the_domains_order() {
    let (server, names) = server();
    server.naptr("example.org", 50, "SIP+D2U", "_sip._udp.example.org");
    server.naptr("example.org", 10, "SIPS+D2T", "_sips._tcp.elsewhere.org");
    server.naptr("example.org", 5, "X-OTHER+D2T", "_x._tcp.example.org");
    server.srv("_sip._udp.example.org", 0, 0, 5060, "one.example.org");
    server.srv("_sips._tcp.elsewhere.org", 0, 0, 5063, "tls.example.org");
    assert_eq!(
        found(&names, "sip:example.org", None).await.unwrap(),
        ["tls 192.0.2.4:5063", "udp 192.0.2.2:5060"]
    );
    assert_eq!(found(&names, "sips:example.org", None).await.unwrap(), ["tls 192.0.2.4:5063"]);
}

#[tokio::test]
async fn websockets_are_found_by_naptr_to_an_address() {
    let (server, names) = server();
    server.add(
        "example.org",
        DnsRecord::Naptr {
            order: 1,
            preference: 1,
            flags: "A".into(),
            service: "SIPS+D2W".into(),
            replacement: "two.example.org".into(),
        },
    );
    assert_eq!(found(&names, "sip:example.org", Some(Transport::Wss)).await.unwrap(), ["wss 192.0.2.3:443"]);
}

#[tokio::test]
async fn a_target_without_address_is_passed_over_and_a_dot_offers_nothing() {
    let (server, names) = server();
    server.srv("_sip._udp.example.org", 1, 0, 5060, "gone.example.org");
    server.srv("_sip._udp.example.org", 2, 0, 5060, "one.example.org");
    assert_eq!(found(&names, "sip:example.org", Some(Transport::Udp)).await.unwrap(), ["udp 192.0.2.2:5060"]);
    server.srv("_sip._tcp.example.org", 0, 0, 0, ".");
    let reason = found(&names, "sip:example.org", Some(Transport::Tcp)).await.unwrap_err();
    assert_eq!(reason, "example.org offers no SIP over tcp: its SRV record says so");
}

#[tokio::test]
async fn what_is_wrong_is_said_in_words_that_name_the_host() {
    let (server, names) = server();
    assert_eq!(found(&names, "sip:nobody.org", None).await.unwrap_err(), "nobody.org: there is no such name");
    server.host("nowhere.org", Ipv4Addr::UNSPECIFIED);
    let reason = found(&names, "sip:nowhere.org", None).await.unwrap_err();
    assert_eq!(reason, "nowhere.org leads to 0.0.0.0, which is no server's address");
    server.host("group.org", Ipv4Addr::new(224, 0, 1, 75));
    assert!(found(&names, "sip:group.org", None).await.is_err());
    assert!(found(&names, "sip:224.0.1.75", None).await.is_err());
    assert_eq!(
        found(&names, "sips:x.org;transport=udp", None).await.unwrap_err(),
        "sips: goes over TLS, not over UDP"
    );
    assert!(found(&names, "sip:x.org;transport=dccp", None).await.unwrap_err().contains("dccp"));
    for habit in [DnsHabit::Failing, DnsHabit::Rubbish] {
        server.behave(habit);
        assert!(found(&names, "sip:broken.org", None).await.unwrap_err().contains("broken.org"), "{habit:?}");
    }
}

#[tokio::test]
async fn silence_ends_after_five_seconds_in_words() {
    let (server, names) = server();
    server.behave(DnsHabit::Silent);
    let began = Instant::now();
    let reason = found(&names, "sip:silent.org", None).await.unwrap_err();
    assert_eq!(reason, "silent.org: no DNS server answered within 5 s");
    assert!(began.elapsed() < PATIENCE * 3 / 2, "{:?}", began.elapsed());
}

#[tokio::test]
async fn a_server_that_is_silent_about_services_still_gives_addresses() {
    let (server, names) = server();
    server.behave(DnsHabit::SilentButForAddresses);
    assert_eq!(found(&names, "sip:example.org", None).await.unwrap(), ["udp 192.0.2.1:5060"]);
}

#[tokio::test]
async fn what_does_not_fit_a_datagram_is_asked_over_tcp() {
    let (server, names) = server();
    server.behave(DnsHabit::Truncating);
    assert_eq!(found(&names, "sip:example.org", None).await.unwrap(), ["udp 192.0.2.1:5060"]);
}

#[tokio::test]
async fn answers_to_other_questions_are_not_believed() {
    let (server, names) = server();
    server.behave(DnsHabit::Lying);
    let result = found(&names, "sip:victim.org", None).await;
    assert!(result.is_err(), "{result:?}");
}

#[tokio::test]
async fn answers_are_kept_as_long_as_they_say() {
    let (server, names) = server();
    let asked = |question: &str| server.asked().iter().filter(|asked| *asked == question).count();
    for _ in 0..2 {
        found(&names, "sip:example.org:5060", None).await.unwrap();
    }
    assert_eq!(asked("A example.org"), 1);
    server.set_ttl(0);
    for _ in 0..2 {
        found(&names, "sip:one.example.org:5060", None).await.unwrap();
    }
    assert_eq!(asked("A one.example.org"), 2);
}

#[test]
fn servers_of_the_settings_are_checked() {
    let read = |texts: &[&str]| super::servers(&texts.iter().map(|text| (*text).into()).collect::<Vec<_>>());
    assert_eq!(read(&["192.0.2.1", "[::1]:5353"]).unwrap().len(), 2);
    assert!(read(&["dns.example"]).unwrap_err().contains("dns.example"));
    assert!(read(&["192.0.2.1"; 9]).is_err());
}
