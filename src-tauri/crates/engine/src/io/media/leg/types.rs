//! The payload types of a leg as the RTP session wants them, and the encoder that they ask for.

use sidetone_media::{AudioSender, Codec, SenderOptions};
use sidetone_rtp::PayloadType;
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
