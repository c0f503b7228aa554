//! Who has which tile in a room that is one stream.

use crate::{
    io::streams::stage::Shown,
    rooms::{Member, Published},
};
use sidetone_api::ParticipantKind;
use sidetone_media::video::{Size, compose::places};
use std::collections::HashMap;

/// Of one participant, with the stream of each: what it shares, and itself.
pub(super) fn tiles_of(member: &Member, speaks: bool) -> Vec<(Shown, Option<String>)> {
    let is_stream = member.kind == ParticipantKind::Stream;
    let shown =
        |large: bool| Shown { name: member.login.clone(), pictures: None, large, speaks: speaks && !large };
    let pictures = || member.streams.iter().filter(|stream| stream.has_video && !stream.video_muted);
    let name = |stream: &Published| Some(stream.name.clone());
    let mut tiles: Vec<_> = pictures()
        .filter(|stream| stream.screen || is_stream)
        .map(|stream| (shown(true), name(stream)))
        .collect();
    let cameras = pictures().filter(|stream| !stream.screen && !is_stream);
    let cameras: Vec<_> = cameras.map(|stream| (shown(false), name(stream))).collect();
    // Who has no camera is there all the same; a stream that is played is what it shows.
    if cameras.is_empty() && (!is_stream || tiles.is_empty()) {
        tiles.push((shown(false), None));
    }
    tiles.extend(cameras);
    tiles
}

/// How large each picture is in the whole, by the name of its stream.
pub(super) fn sizes(shown: &[Shown], streams: &[Option<String>], size: Size) -> HashMap<String, (u32, u32)> {
    let large = shown.iter().filter(|shown| shown.large).count();
    let places = places(large, shown.len() - large, size);
    let (mut large, mut small) = (places.large.into_iter(), places.small.into_iter());
    let each = shown.iter().zip(streams).filter_map(|(shown, stream)| {
        let place = if shown.large { large.next() } else { small.next() }?;
        Some((stream.clone()?, (place.width, place.height)))
    });
    each.collect()
}

/// Of a URL the server alone.
pub(super) fn server_of(name: &str) -> &str {
    let Some(at) = name.find("://").map(|at| at + 3) else { return name };
    let end = name[at..].find(['/', '?', '#']).map_or(name.len(), |end| at + end);
    &name[..end]
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rooms::{Entry, Room};
    use sidetone_api::ParticipantId;

    fn room(kind: ParticipantKind, streams: &[(&str, bool, bool, bool)]) -> Room {
        let mut room = Room::new("tea".into(), Default::default(), None);
        let id = ParticipantId::new("p1");
        let entry = Entry {
            id: id.clone(),
            login: "Anna".into(),
            kind,
            guest: false,
            own: true,
            admitted: true,
            password: None,
            origin: String::new(),
            at: 0,
        };
        room.join(entry).unwrap();
        for (name, screen, has_video, video_muted) in streams.iter().copied() {
            let name = name.to_owned();
            room.publish(&id, Published { name, screen, has_video, has_audio: true, video_muted });
        }
        room
    }

    fn tiles(kind: ParticipantKind, streams: &[(&str, bool, bool, bool)]) -> Vec<(bool, Option<String>)> {
        let room = room(kind, streams);
        tiles_of(&room.members()[0], true).into_iter().map(|(shown, stream)| (shown.large, stream)).collect()
    }

    #[test]
    fn everybody_has_a_tile_and_what_is_shared_a_large_one() {
        use ParticipantKind::{Phone, Stream, Web};
        let named = |name: &str| Some(name.to_owned());
        assert_eq!(tiles(Phone, &[("tea-1", false, false, false)]), [(false, None)]);
        assert_eq!(tiles(Web, &[("tea-1", false, true, false)]), [(false, named("tea-1"))]);
        assert_eq!(tiles(Web, &[("tea-1", false, true, true)]), [(false, None)], "it is muted");
        let both = [("tea-1", false, true, false), ("tea-1-screen", true, true, false)];
        assert_eq!(tiles(Web, &both), [(true, named("tea-1-screen")), (false, named("tea-1"))]);
        assert_eq!(tiles(Web, &both[1..]), [(true, named("tea-1-screen")), (false, None)]);
        assert_eq!(tiles(Stream, &[("film", false, true, false)]), [(true, named("film"))]);
        assert_eq!(tiles(Stream, &[("radio", false, false, false)]), [(false, None)]);
    }

    #[test]
    fn others_are_told_no_more_than_the_server_of_an_address() {
        assert_eq!(server_of("tv"), "tv");
        assert_eq!(server_of("https://live.example:8443/whip/key?x=1"), "https://live.example:8443");
        assert_eq!(server_of("https://live.example"), "https://live.example");
    }
}
