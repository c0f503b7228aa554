use std::fmt;
use std::str::FromStr;

use super::Method;
use super::error::SyntaxError;
use super::lex::Cursor;
use super::numbers;

/// The CSeq header (RFC 3261 section 20.16). The number is below 2^31 (section 8.1.1.5).
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct CSeq {
    pub number: u32,
    pub method: Method,
}

impl CSeq {
    pub fn new(number: u32, method: Method) -> CSeq {
        CSeq { number, method }
    }

    pub fn parse(text: &str) -> Result<CSeq, SyntaxError> {
        let mut cursor = Cursor::new("CSeq value", text);
        cursor.skip_lws();
        let digits = cursor.take_while(|byte| byte.is_ascii_digit());
        let number = numbers::unsigned(digits).filter(|number: &u32| *number < 1 << 31);
        let number = number.ok_or_else(|| cursor.error("the number must be below 2147483648"))?;
        let before = cursor.rest().len();
        cursor.skip_lws();
        if cursor.rest().len() == before {
            return Err(cursor.error("white space must follow the number"));
        }
        let method = Method::parse(cursor.rest().trim_matches([' ', '\t']));
        method.map(|method| CSeq { number, method }).ok_or_else(|| cursor.error("the method is not a token"))
    }
}

impl FromStr for CSeq {
    type Err = SyntaxError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        CSeq::parse(text)
    }
}

impl fmt::Display for CSeq {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.number, self.method)
    }
}
