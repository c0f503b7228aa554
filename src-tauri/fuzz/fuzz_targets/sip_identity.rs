//! What headers say of who calls, who sent the call here and whether it wants an answer; and a user agent that hears all of it.
#![no_main]

use std::net::SocketAddr;
use std::time::{Duration, Instant};

use libfuzzer_sys::fuzz_target;
use sidetone_sip::message::{Headers, Message, NameAddr};
use sidetone_sip::{Config, Event, Hop, Input, Output, Registration, Subscription, Transport, UserAgent, headers, identity};

fuzz_target!(|text: &str| {
    let fields = text.lines().filter_map(|line| line.split_once(':'));
    let all: Headers = fields.map(|(name, value)| (name, value.to_owned())).collect();
    let _ = (identity::auto_answer(&all), identity::diverted_by(&all));
    for trusted in [false, true] {
        if let Some(caller) = identity::caller(&all, trusted) {
            assert!(identity::display_name(&caller).chars().count() <= 128);
            let _ = identity::is_anonymous(&caller);
        }
    }
    if let Some((name, value)) = text.split_once(':')
        && let Ok((name, value)) = headers::custom(name, value)
    {
        assert!(!headers::is_reserved(&name) && !value.contains(['\r', '\n']));
    }
    spoken_to(text);
});

/// Messages, one after the other behind a line `%`, to a user agent that is registered and subscribed. `@ID` in them is the Call-ID
/// of its subscription and `@TAG` its tag.
fn spoken_to(text: &str) {
    let mut now = Instant::now();
    let local: SocketAddr = ([192, 0, 2, 1], 5060).into();
    let hop = Hop::new(Transport::Udp, local, ([192, 0, 2, 9], 5060).into());
    let mut ua = UserAgent::new(Config::default(), [1; 32]);
    let own = NameAddr::parse("<sip:alice@192.0.2.9>").expect("an address");
    let instance = Some("f81d4fae-7dec-11d0-a765-00a0c91e6bf6".to_owned());
    ua.register(now, Registration { keep_alive: true, outbound: true, instance, ..Registration::of(own.clone()) });
    let accepted = "application/simple-message-summary";
    ua.subscribe(now, Subscription::new("message-summary", accepted, own.clone(), own.uri));
    let mut names = (String::new(), String::new());
    drain(&mut ua, now, hop, &mut names);
    for message in text.split("\n%\n").take(8) {
        let message = message.replace("@ID", &names.0).replace("@TAG", &names.1).replace('\n', "\r\n");
        ua.handle_input(now, Input::Datagram { hop, bytes: message.as_bytes() });
        drain(&mut ua, now, hop, &mut names);
        now += Duration::from_secs(7);
        ua.handle_timeout(now);
        drain(&mut ua, now, hop, &mut names);
    }
}

fn drain(ua: &mut UserAgent, now: Instant, hop: Hop, names: &mut (String, String)) {
    for _ in 0..1000 {
        match ua.poll_output() {
            None => return,
            Some(Output::Resolve { query, .. }) => ua.handle_input(now, Input::Resolved { query, result: Ok(vec![hop]) }),
            Some(Output::Event(Event::MessageReceived(message))) => ua.reply_message(now, message.id, 200, ""),
            Some(Output::Transmit { bytes, .. }) => {
                if let Ok(Message::Request(request)) = Message::parse(&bytes)
                    && request.method.as_str() == "SUBSCRIBE"
                {
                    let tag = request.headers.from().ok().and_then(|from| from.tag().map(str::to_owned));
                    *names = (request.headers.call_id().unwrap_or_default().to_owned(), tag.unwrap_or_default());
                }
            }
            Some(_) => {}
        }
    }
    panic!("output without end");
}
