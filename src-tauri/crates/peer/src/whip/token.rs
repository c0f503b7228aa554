use std::fmt;

const LONGEST: usize = 4096;

/// A bearer token (RFC 6750). It is read by [`Token::expose`] alone and never printed.
#[derive(Clone, PartialEq, Eq)]
pub struct Token(String);

#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum TokenError {
    #[error("the token is empty")]
    Empty,
    #[error("the token has more than {LONGEST} characters")]
    TooLong,
    /// RFC 6750 section 2.1 allows fewer; servers have been seen to take any that fits into a header.
    #[error("the token has a space or a character that cannot be sent in it")]
    Character,
}

impl Token {
    /// # Errors
    /// [`TokenError`] where it cannot be sent.
    pub fn new(text: &str) -> Result<Self, TokenError> {
        let text = text.trim();
        match text.len() {
            0 => Err(TokenError::Empty),
            1..=LONGEST if text.bytes().all(|byte| byte.is_ascii_graphic()) => Ok(Self(text.to_owned())),
            1..=LONGEST => Err(TokenError::Character),
            _ => Err(TokenError::TooLong),
        }
    }

    /// The token of an `Authorization` header, whose scheme is `Bearer` in any case.
    pub fn of_authorization(value: &str) -> Option<Self> {
        let (scheme, token) = value.trim().split_once(' ')?;
        scheme.eq_ignore_ascii_case("bearer").then(|| Self::new(token).ok()).flatten()
    }

    /// A password that is not sent in a header: any characters but control characters.
    pub fn password(text: &str) -> Option<Self> {
        let fits = (1..=LONGEST).contains(&text.len()) && !text.chars().any(char::is_control);
        fits.then(|| Self(text.to_owned()))
    }

    pub fn expose(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Token {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Token(…)")
    }
}

#[cfg(test)]
mod tests {
    use super::{Token, TokenError};

    #[test]
    fn a_token_that_would_break_a_header_is_refused_and_none_is_printed() {
        assert_eq!(Token::new(" a.b-c~d+e/f== ").unwrap().expose(), "a.b-c~d+e/f==");
        assert_eq!(Token::new("a\r\nX: y").unwrap_err(), TokenError::Character);
        assert_eq!(Token::new("a b").unwrap_err(), TokenError::Character);
        assert_eq!(Token::new("ä").unwrap_err(), TokenError::Character);
        assert_eq!(Token::new("  ").unwrap_err(), TokenError::Empty);
        assert_eq!(Token::new(&"a".repeat(4097)).unwrap_err(), TokenError::TooLong);
        assert!(!format!("{:?}", Token::new("hunter2").unwrap()).contains("hunter2"));
    }

    #[test]
    fn an_authorization_header_is_read_whatever_the_case_of_its_scheme() {
        assert_eq!(Token::of_authorization("bEARER  abc ").unwrap().expose(), "abc");
        for bad in ["", "Bearer", "Bearer ", "Basic abc", "abc"] {
            assert_eq!(Token::of_authorization(bad), None, "{bad}");
        }
    }
}
