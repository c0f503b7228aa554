//! Which pictures our screen shows: the others are not received, and of small ones a small layer where the sender has some.

use super::super::Owner;
use crate::io::streams::Ask;
use sidetone_api::{Failure, RoomId, ShownPicture};
use std::collections::HashMap;

/// Pictures on one screen.
const MOST_SHOWN: usize = 256;
/// A layer is good for a tile that is so much larger.
const STRETCH: f64 = 1.25;
pub(super) const NOT_SHOWN: &str = "paused: nobody looks at it";

impl Owner {
    pub(super) fn show(&mut self, id: &RoomId, pictures: Vec<ShownPicture>) -> Result<(), Failure> {
        check_pictures(&pictures)?;
        let stay = self.stay(id)?;
        let shown: HashMap<_, _> =
            pictures.into_iter().map(|picture| (picture.name, (picture.width, picture.height))).collect();
        stay.shown = Some(shown);
        for name in stay.played.keys().cloned().collect::<Vec<_>>() {
            self.show_picture(id, &name);
        }
        Ok(())
    }

    /// As the screen wants this stream now.
    pub(super) fn show_picture(&mut self, id: &RoomId, name: &str) {
        // What another server sends is not ours to choose.
        let Some(stay) = self.rooms.stays.get_mut(id).filter(|stay| stay.far.is_none()) else { return };
        let tile = match &stay.shown {
            None => Some((u32::MAX, u32::MAX)),
            Some(shown) => shown.get(name).copied(),
        };
        // What goes out of the room as one stream shows it, too.
        let composed = self.rooms.composed.get(id).and_then(|composition| composition.tile(name));
        let tile = tile.max(composed);
        let Some(played) = stay.played.get_mut(name) else { return };
        played.hidden = tile.is_none();
        stay.changed = true;
        let Some(stream) = played.stream.clone().and_then(|stream| self.streams.get(&stream)) else { return };
        let picture = tile.map(|tile| layers_below(stream.largest_picture(), tile));
        self.stream_door.ask(Ask::Watch { stream: stream.key(), picture });
    }
}

pub(super) fn check_pictures(pictures: &[ShownPicture]) -> Result<(), Failure> {
    if pictures.len() > MOST_SHOWN {
        return Err(Failure::invalid("pictures", format!("pictures: {MOST_SHOWN} are the most")));
    }
    Ok(())
}

/// How many halvings of the picture still fill the tile.
pub(super) fn layers_below(picture: Option<(u32, u32)>, (width, height): (u32, u32)) -> u8 {
    let Some((of_width, of_height)) = picture else { return 0 };
    let fills = |halvings: i32| {
        let part = 0.5_f64.powi(halvings) * STRETCH;
        f64::from(of_width) * part >= f64::from(width) && f64::from(of_height) * part >= f64::from(height)
    };
    (1..=2).rev().find(|halvings| fills(i32::from(*halvings))).unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::layers_below;

    #[test]
    fn a_tile_gets_the_smallest_layer_that_fills_it() {
        let of = |tile| layers_below(Some((1280, 720)), tile);
        assert_eq!((of((1920, 1080)), of((1280, 720)), of((900, 500))), (0, 0, 0));
        assert_eq!((of((800, 450)), of((640, 360)), of((420, 230))), (1, 1, 1));
        assert_eq!((of((400, 225)), of((320, 180)), of((0, 0))), (2, 2, 2));
        assert_eq!(layers_below(None, (10, 10)), 0, "nothing is known of it yet");
        assert_eq!(of((u32::MAX, u32::MAX)), 0);
    }
}
