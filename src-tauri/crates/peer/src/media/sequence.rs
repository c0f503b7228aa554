/// Numbers that wrap at 16 bits, counted on (RFC 3550 appendix A.1).
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Unwrap {
    last: Option<u64>,
}

impl Unwrap {
    /// The number of all that has the nearest to the one before. Begins at 65536, so that earlier ones have room.
    pub(crate) fn unwrap(&mut self, number: u16) -> u64 {
        let next = self.peek(number);
        if self.last.is_none_or(|last| next > last) {
            self.last = Some(next);
        }
        next
    }

    /// As [`Self::unwrap`], and nothing is remembered.
    pub(crate) fn peek(&self, number: u16) -> u64 {
        let Some(last) = self.last else { return 65_536 + u64::from(number) };
        let ahead = number.wrapping_sub(last as u16) as i16;
        last.saturating_add_signed(i64::from(ahead))
    }
}
