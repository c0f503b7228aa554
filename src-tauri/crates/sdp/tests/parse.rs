#![allow(clippy::unwrap_used, clippy::expect_used)]

use std::net::IpAddr;

use sidetone_sdp::{
    AddressType, Attribute, Direction, Host, Limits, OpusParameters, ParseError, SessionDescription,
};

const FULL: &str = "v=0\r\n\
o=jdoe 3724394400 3724394405 IN IP4 198.51.100.1\r\n\
s=Call to John Smith\r\n\
i=SDP Offer #1\r\n\
u=http://www.jdoe.example.com/home.html\r\n\
e=Jane Doe <jane@jdoe.example.com>\r\n\
p=+1 617 555-6011\r\n\
c=IN IP4 198.51.100.1\r\n\
b=CT:128\r\n\
t=3724394400 3724398000\r\n\
r=604800 3600 0 90000\r\n\
z=3724394400 -1h\r\n\
a=tool:thing 1.0\r\n\
a=sendonly\r\n\
m=audio 49170/2 RTP/AVP 0 8 97\r\n\
i=microphone\r\n\
c=IN IP6 2001:db8::2\r\n\
b=AS:64\r\n\
a=rtpmap:97 iLBC/8000\r\n\
a=x-unknown:kept as it is: really\r\n\
a=x-flag\r\n\
m=video 51372 RTP/AVP 99\r\n\
c=IN IP4 224.2.36.42/127/3\r\n\
a=rtpmap:99 h263-1998/90000\r\n";

fn parse(text: &str) -> SessionDescription {
    SessionDescription::parse(text.as_bytes()).expect(text)
}

fn with(media: &str) -> String {
    format!("v=0\r\no=- 1 1 IN IP4 192.0.2.1\r\ns=-\r\nc=IN IP4 192.0.2.1\r\nt=0 0\r\n{media}")
}

fn refused(text: &str) -> ParseError {
    SessionDescription::parse(text.as_bytes()).expect_err(text)
}

#[test]
fn a_full_description_is_printed_as_it_was_read() {
    assert_eq!(parse(FULL).to_string(), FULL);
}

#[test]
fn all_parts_of_a_description_are_found() {
    let description = parse(FULL);
    assert_eq!(description.origin.username, "jdoe");
    assert_eq!(description.origin.version, "3724394405");
    assert_eq!(description.times[0].repeats, ["604800 3600 0 90000"]);
    let [audio, video] = &description.media[..] else { panic!("two media lines") };
    assert_eq!((audio.port, audio.port_count, audio.payload_types()), (49170, Some(2), vec![0, 8, 97]));
    assert_eq!(audio.connections[0].host, Host::Ip("2001:db8::2".parse::<IpAddr>().unwrap()));
    assert_eq!(audio.connections[0].address_type, AddressType::Ip6);
    assert_eq!((video.connections[0].ttl, video.connections[0].count), (Some(127), Some(3)));
    assert_eq!(audio.bandwidths[0].value, 64);
    assert!(audio.attributes.contains(&Attribute::new("x-unknown", "kept as it is: really")));
    assert!(audio.attributes.contains(&Attribute::flag("x-flag")));
}

#[test]
fn the_direction_of_the_session_holds_for_media_without_one() {
    let description = parse(FULL);
    assert_eq!(description.direction_of(&description.media[0]), Direction::SendOnly);
    let text = FULL.replace("a=x-flag", "a=recvonly");
    let description = parse(&text);
    assert_eq!(description.direction_of(&description.media[0]), Direction::RecvOnly);
}

#[test]
fn line_feeds_alone_and_empty_lines_at_the_end_are_taken() {
    let text = FULL.replace("\r\n", "\n") + "\n\r\n\n";
    assert_eq!(parse(&text), parse(FULL));
}

#[test]
fn lines_out_of_order_inside_a_section_and_a_missing_time_are_taken() {
    let text = "v=0\no=- 1 1 IN IP4 192.0.2.1\na=sendrecv\nb=AS:64\ns=\nc=IN IP4 192.0.2.1\n";
    let description = parse(text);
    assert_eq!(description.session_name, "");
    assert!(description.to_string().contains("t=0 0\r\n"));
}

#[test]
fn a_user_name_with_spaces_is_taken() {
    let text = with("").replace("o=- 1", "o=Some Phone 7 1");
    assert_eq!(parse(&text).origin.username, "Some Phone 7");
}

#[test]
fn session_ids_longer_than_64_bits_are_kept() {
    let id = "184467440737095516150000";
    let description = parse(&with("").replace("o=- 1 1", &format!("o=- {id} {id}")));
    assert_eq!(description.origin.session_id, id);
}

#[test]
fn host_names_are_kept_for_the_caller_to_resolve() {
    let description = parse(&with("").replace("c=IN IP4 192.0.2.1", "c=IN IP4 media.example.com"));
    let connection = description.connection.unwrap();
    assert_eq!(connection.host, Host::Name("media.example.com".to_owned()));
}

#[test]
fn free_text_in_another_charset_is_taken() {
    let mut bytes = b"v=0\no=- 1 1 IN IP4 192.0.2.1\ns=caf".to_vec();
    bytes.extend([0xe9, b'\n']);
    assert!(SessionDescription::parse(&bytes).is_ok());
    bytes.extend(b"a=tool:caf\xe9\n");
    assert_eq!(SessionDescription::parse(&bytes).unwrap_err().field, "a=");
}

#[test]
fn attributes_of_audio_have_typed_values() {
    let media = "m=audio 4000 RTP/AVP 96 101 18 0 0 300x\r\n".replace(" 300x", "")
        + "a=rtpmap:96 OPUS/48000/2\r\na=fmtp:96 maxaveragebitrate=20000; useinbandfec=1;usedtx=1\r\n\
           a=rtpmap:101 telephone-event/8000\r\na=fmtp:101 0-16\r\na=ptime:20\r\na=maxptime:2.5\r\n\
           a=rtcp:53020 IN IP6 2001:db8::1\r\na=rtcp-mux\r\n";
    let description = parse(&with(&media));
    let audio = &description.media[0];
    assert_eq!(audio.payload_types(), [96, 101, 18, 0]);
    let map = audio.rtp_map(96).unwrap();
    assert_eq!((map.name.as_str(), map.clock_rate, map.channels), ("OPUS", 48000, 2));
    assert_eq!(audio.rtp_map(18).unwrap().name, "G729");
    assert_eq!(audio.rtp_map(9).unwrap().clock_rate, 8000);
    assert_eq!(audio.fmtp(101), Some("0-16"));
    assert_eq!((audio.ptime(), audio.max_ptime()), (Some(20.0), Some(2.5)));
    assert_eq!(audio.rtcp().unwrap().port, 53020);
    assert!(audio.rtcp_mux());
    let opus = OpusParameters::parse(audio.fmtp(96).unwrap());
    assert_eq!(opus.max_average_bitrate, Some(20_000));
    assert!(opus.in_band_fec && opus.dtx && !opus.stereo && !opus.constant_bitrate);
}

#[test]
fn opus_values_out_of_range_count_as_absent() {
    let opus = OpusParameters::parse("maxaveragebitrate=4294967295;maxplaybackrate=1;stereo=2;cbr");
    assert_eq!(opus, OpusParameters::default());
}

#[test]
fn a_fault_names_its_line_and_field() {
    let cases: &[(&str, usize, &str)] = &[
        ("", 1, "v="),
        ("hello", 1, "line"),
        ("s=x\r\n", 1, "s="),
        ("v=1\r\n", 1, "v="),
        ("v=0\r\n", 2, "o="),
        ("v=0\r\ns=x\r\n", 3, "o="),
        ("v=0\r\no=- 1 1 IN IP4 192.0.2.1\r\n", 3, "s="),
        ("v=0\r\no=- 1 1 IN IP4\r\n", 2, "o="),
        ("v=0\r\no=1 1 IN IP4 192.0.2.1\r\n", 2, "o="),
        ("v=0\r\no=- x 1 IN IP4 192.0.2.1\r\n", 2, "o= session id"),
        ("v=0\r\no=- 1 -1 IN IP4 192.0.2.1\r\n", 2, "o= version"),
        ("v=0\r\no=- 1 1 XX IP4 192.0.2.1\r\n", 2, "o= address"),
        ("v=0\r\no=- 1 1 IN IP5 192.0.2.1\r\n", 2, "o= address"),
        ("v=0\r\n\r\ns=x\r\n", 2, "line"),
        ("v=0\r\ns=a\r\ns=b\r\n", 3, "s="),
        ("v=0\r\ns=a\rb\r\n", 2, "s="),
        ("v=0\r\ns=a\0b\r\n", 2, "s="),
        ("v=0\r\nv=0\r\n", 2, "v="),
        ("v=0\r\nx=1\r\n", 2, "x="),
        ("v=0\r\nr=1\r\n", 2, "r="),
        ("v=0\r\nt=0\r\n", 2, "t="),
        ("v=0\r\nt=0 x\r\n", 2, "t= stop"),
        ("v=0\r\nb=AS\r\n", 2, "b="),
        ("v=0\r\nb=AS:-1\r\n", 2, "b= value"),
        ("v=0\r\nc=IN IP4 999.1.1.1\r\n", 2, "c= address"),
        ("v=0\r\nc=IN IP4 bad host\r\n", 2, "c="),
        ("v=0\r\nc=IN IP4 224.2.1.1/999\r\n", 2, "c= ttl"),
        ("v=0\r\nc=IN IP6 ff15::1/1/2\r\n", 2, "c= address"),
        ("v=0\r\na=:x\r\n", 2, "a="),
        ("v=0\r\nm=audio\r\n", 2, "m="),
        ("v=0\r\nm=audio 65536 RTP/AVP 0\r\n", 2, "m= port"),
        ("v=0\r\nm=audio +5 RTP/AVP 0\r\n", 2, "m= port"),
        ("v=0\r\nm=audio 4/0 RTP/AVP 0\r\n", 2, "m= number of ports"),
        ("v=0\r\nm=audio 4 RTP/AVP\r\n", 2, "m= format"),
        ("v=0\r\nm=audio 4 RTP/AVP 128\r\n", 2, "m= format"),
        ("v=0\r\nm=audio 4 RTP/AVP 0\r\na=rtpmap:200 x/8000\r\n", 3, "a=rtpmap payload type"),
        ("v=0\r\nm=audio 4 RTP/AVP 0\r\na=rtpmap:0\r\n", 3, "a=rtpmap"),
        ("v=0\r\nm=audio 4 RTP/AVP 0\r\na=rtpmap:0 PCMU/0\r\n", 3, "a=rtpmap clock rate"),
        ("v=0\r\nm=audio 4 RTP/AVP 0\r\na=rtpmap:0 PCMU/8000/x\r\n", 3, "a=rtpmap channels"),
        ("v=0\r\nm=audio 4 RTP/AVP 0\r\na=fmtp:x y\r\n", 3, "a=fmtp payload type"),
        ("v=0\r\nm=audio 4 RTP/AVP 0\r\na=ptime:much\r\n", 3, "a=ptime"),
        ("v=0\r\nm=audio 4 RTP/AVP 0\r\na=rtcp:70000\r\n", 3, "a=rtcp port"),
        ("v=0\r\nm=audio 4 RTP/AVP 0\r\na=rtcp:7 IN IP4\r\n", 3, "a=rtcp address"),
        ("v=0\r\nm=audio 4 RTP/AVP 0\r\ns=late\r\n", 3, "s="),
    ];
    for (text, line, field) in cases {
        let error = refused(text);
        assert_eq!((error.line, error.field.as_str()), (*line, *field), "{text:?}: {error}");
        assert!(error.to_string().starts_with(&format!("SDP line {line}, {field}")), "{error}");
    }
}

#[test]
fn attributes_of_media_that_we_do_not_speak_are_not_judged() {
    parse(&with("m=video 4 RTP/AVP 99\r\na=rtpmap:whatever\r\nm=audio 5 udp x y\r\na=ptime:z\r\n"));
}

#[test]
fn size_lines_line_length_and_media_lines_are_limited() {
    let limits = Limits { bytes: 1000, lines: 10, line_bytes: 100, media: 2 };
    let parse = |text: &str| SessionDescription::parse_within(text.as_bytes(), limits);
    assert!(parse(&with("m=audio 4 RTP/AVP 0\r\nm=audio 4 RTP/AVP 0\r\n")).is_ok());
    let error = parse(&with(&"m=audio 4 RTP/AVP 0\r\n".repeat(3))).unwrap_err();
    assert_eq!((error.line, error.field.as_str()), (8, "m="));
    assert_eq!(parse(&with(&"a=x\r\n".repeat(6))).unwrap_err().line, 11);
    assert_eq!(parse(&with(&format!("a={}\r\n", "x".repeat(200)))).unwrap_err().field, "a=");
    assert_eq!(parse(&"x".repeat(1001)).unwrap_err().field, "description");
}

#[test]
fn a_value_cannot_add_a_line_when_printed() {
    let mut description = parse(&with("m=audio 4 RTP/AVP 0\r\n"));
    description.session_name = "x\r\nm=video 1 RTP/AVP 1".to_owned();
    description.media[0].attributes.push(Attribute::new("note", "a\nb\0c"));
    let again = parse(&description.to_string());
    assert_eq!(again.media.len(), 1);
    assert_eq!(again.media[0].value("note"), Some("abc"));
}
