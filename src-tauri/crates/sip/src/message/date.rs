use super::error::SyntaxError;

const DAYS: [&str; 7] = ["Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"];
const MONTHS: [(&str, u8); 12] = [
    ("Jan", 31),
    ("Feb", 29),
    ("Mar", 31),
    ("Apr", 30),
    ("May", 31),
    ("Jun", 30),
    ("Jul", 31),
    ("Aug", 31),
    ("Sep", 30),
    ("Oct", 31),
    ("Nov", 30),
    ("Dec", 31),
];

/// Checks `Sat, 13 Nov 2010 23:29:00 GMT`, the only form of RFC 3261 section 20.17.
pub(crate) fn check(text: &str) -> Result<(), SyntaxError> {
    let error = |reason, offset| Err(SyntaxError { field: "date", reason, offset });
    let Some((day, rest)) = text.split_once(", ") else { return error("not \"weekday, date time GMT\"", 0) };
    if !DAYS.iter().any(|known| known.eq_ignore_ascii_case(day)) {
        return error("unknown weekday", 0);
    }
    let parts: Vec<&str> = rest.split(' ').collect();
    let [day, month, year, time, zone] = parts[..] else { return error("not \"weekday, date time GMT\"", 5) };
    let Some((_, days)) = MONTHS.iter().find(|(known, _)| known.eq_ignore_ascii_case(month)) else {
        return error("unknown month", 8);
    };
    if !(1..=*days).contains(&two_digits(day).unwrap_or(0)) || year.len() != 4 || digits(year).is_none() {
        return error("no such day", 5);
    }
    let clock: Vec<Option<u8>> = time.split(':').map(two_digits).collect();
    let [Some(0..=23), Some(0..=59), Some(0..=60)] = clock[..] else { return error("no such time", 17) };
    if !zone.eq_ignore_ascii_case("GMT") {
        return error("the time zone must be GMT", 26);
    }
    Ok(())
}

fn two_digits(text: &str) -> Option<u8> {
    if text.len() == 2 { digits(text).and_then(|number| number.try_into().ok()) } else { None }
}

fn digits(text: &str) -> Option<u16> {
    super::numbers::unsigned(text)
}
