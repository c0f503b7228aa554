use crate::error::{Error, take, u32_at};

/// The chunks of a source description (RFC 3550 section 6.5).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Chunks<'a>(&'a [u8]);

/// One source and its items.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Chunk<'a> {
    pub ssrc: u32,
    pub items: Items<'a>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Items<'a>(&'a [u8]);

/// 1 is CNAME, 2 NAME, … 8 PRIV.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Item<'a> {
    pub kind: u8,
    pub text: &'a [u8],
}

impl<'a> Chunks<'a> {
    pub(super) fn parse(count: u8, body: &'a [u8]) -> Result<Self, Error> {
        let mut end = 0;
        for _ in 0..count {
            end += chunk(body.get(end..).unwrap_or_default())?.1;
        }
        Ok(Self(take(body, 0, end, "RTCP SDES chunks")?))
    }

    pub fn iter(&self) -> impl Iterator<Item = Chunk<'a>> + use<'a> {
        let mut rest = self.0;
        std::iter::from_fn(move || {
            let (found, len) = chunk(rest).ok()?;
            rest = rest.get(len..).unwrap_or_default();
            Some(found)
        })
    }
}

impl<'a> Items<'a> {
    pub fn iter(&self) -> impl Iterator<Item = Item<'a>> + use<'a> {
        let mut rest = self.0;
        std::iter::from_fn(move || match item(rest) {
            Ok(Some((found, len))) => {
                rest = rest.get(len..).unwrap_or_default();
                Some(found)
            }
            _ => None,
        })
    }

    pub fn cname(&self) -> Option<&'a [u8]> {
        self.iter().find(|item| item.kind == 1).map(|item| item.text)
    }
}

/// The first chunk and its length on the wire: items, a zero byte, zeros up to 4 bytes.
fn chunk(bytes: &[u8]) -> Result<(Chunk<'_>, usize), Error> {
    let ssrc = u32_at(bytes, 0, "RTCP SDES SSRC")?;
    let items = bytes.get(4..).unwrap_or_default();
    let mut len = 0;
    while let Some((_, item)) = item(items.get(len..).unwrap_or_default())? {
        len += item;
    }
    let whole = (4 + len + 1).next_multiple_of(4);
    take(bytes, 0, whole, "RTCP SDES chunk")?;
    Ok((Chunk { ssrc, items: Items(items.get(..len).unwrap_or_default()) }, whole))
}

fn item(bytes: &[u8]) -> Result<Option<(Item<'_>, usize)>, Error> {
    match bytes {
        [0, ..] | [] => Ok(None),
        [kind, len, ..] => {
            let text = take(bytes, 2, usize::from(*len), "RTCP SDES item")?;
            Ok(Some((Item { kind: *kind, text }, 2 + text.len())))
        }
        [_] => Err(Error::TooShort { field: "RTCP SDES item", needed: 2, available: 1 }),
    }
}
