/// Records of a whole handshake with every flight repeated often; a real one has about 20.
const HANDSHAKE: u32 = 600;
/// Repeated last flights after it, and alerts.
const AFTERWARDS: u32 = 60;
/// The shortest fragment of a handshake message: its header, and a byte.
const SHORTEST: usize = 12 + 1;
/// What protection adds to a record at least.
const PROTECTION: usize = 16;
/// Of one handshake message; certificate chains stay below.
const LONGEST: usize = 16 * 1024;
/// Messages of a handshake; a real one has about 12.
const MESSAGES: u16 = 32;

/// Bounds what a peer can make the handshake keep and compute: anyone who can send from the peer's address can send
/// records before there are keys.
#[derive(Debug, Clone)]
pub(super) struct Guard {
    left: u32,
}

impl Default for Guard {
    fn default() -> Self {
        Self { left: HANDSHAKE }
    }
}

impl Guard {
    /// The handshake is over.
    pub(super) fn complete(&mut self) {
        self.left = AFTERWARDS;
    }

    /// Whether the datagram is well-formed records of a plausible handshake, within what is left.
    pub(super) fn admits(&mut self, datagram: &[u8], done: bool) -> bool {
        let Some(records) = records(datagram) else { return false };
        // An established association has use for alerts and repeated flights only.
        if done && !matches!(datagram, [20..=22, ..]) {
            return false;
        }
        match self.left.checked_sub(records) {
            Some(left) => {
                self.left = left;
                true
            }
            None => false,
        }
    }
}

/// How many records and handshake messages there are; None where one is not well-formed (RFC 6347 section 4.1).
fn records(mut rest: &[u8]) -> Option<u32> {
    let mut count = 0;
    while !rest.is_empty() {
        let (header, behind) = rest.split_at_checked(13)?;
        let [kind, 0xfe, 0xff | 0xfd, high, low, ..] = header else { return None };
        let is_plain = (*high, *low) == (0, 0);
        let length = usize::from(number(header.get(11..13)?));
        let (body, next) = behind.split_at_checked(length)?;
        // Application data without encryption means nothing.
        if !(20..=23).contains(kind) || *kind == 23 && is_plain || body.is_empty() {
            return None;
        }
        if *kind == 22 && is_plain {
            count += handshake(body)?;
        } else if *kind == 22 {
            // What cannot be read here may be as many fragments as find room in it, and the library puts them together by a call
            // in a call for each.
            count += u32::try_from(length.saturating_sub(PROTECTION) / SHORTEST).ok()?;
        }
        count += 1;
        rest = next;
    }
    (count > 0).then_some(count)
}

/// The random bytes of a ClientHello that opens a handshake: the first message, not answering a cookie.
pub(super) fn first_hello(datagram: &[u8]) -> Option<[u8; 32]> {
    let is_hello = matches!(datagram, [22, 0xfe, _, 0, 0, ..]) && datagram.get(13) == Some(&1);
    // A browser's ClientHello comes in several fragments, and only the first one begins with the random.
    let is_first = datagram.get(17..22) == Some(&[0; 5]);
    // Record header 13, message header 12, version 2.
    datagram.get(27..59).filter(|_| is_hello && is_first)?.try_into().ok()
}

fn handshake(mut body: &[u8]) -> Option<u32> {
    let mut count = 0;
    while !body.is_empty() {
        let (header, behind) = body.split_at_checked(12)?;
        let long =
            |at: usize| Some(header.get(at..at + 3)?.iter().fold(0, |n, byte| n << 8 | usize::from(*byte)));
        let (length, offset, here) = (long(1)?, long(6)?, long(9)?);
        let fits = length <= LONGEST && offset + here <= length && (here > 0 || length == 0);
        if !fits || number(header.get(4..6)?) > MESSAGES {
            return None;
        }
        body = behind.get(here..)?;
        count += 1;
    }
    Some(count)
}

fn number(bytes: &[u8]) -> u16 {
    bytes.iter().fold(0, |number, byte| number << 8 | u16::from(*byte))
}

#[cfg(test)]
mod tests {
    use super::first_hello;

    /// A handshake record: message type, message number, offset of the fragment, body.
    fn record(kind: u8, message: u8, offset: u8, body: &[u8]) -> Vec<u8> {
        let length = u8::try_from(body.len()).unwrap();
        let mut record = vec![22, 0xfe, 0xfd, 0, 0, 0, 0, 0, 0, 0, 0, 0, length + 12];
        record.extend([kind, 0, 0, 200, 0, message, 0, 0, offset, 0, 0, length]);
        record.extend(body);
        record
    }

    #[test]
    fn only_the_first_fragment_of_a_first_client_hello_begins_an_association() {
        let body: Vec<u8> = (0..100).collect();
        let random: [u8; 32] = body[2..34].try_into().unwrap();
        assert_eq!(first_hello(&record(1, 0, 0, &body)), Some(random));
        assert_eq!(first_hello(&record(1, 0, 100, &body)), None, "its second fragment");
        assert_eq!(first_hello(&record(1, 1, 0, &body)), None, "it answers a cookie");
        assert_eq!(first_hello(&record(2, 0, 0, &body)), None, "a ServerHello");
    }
}
