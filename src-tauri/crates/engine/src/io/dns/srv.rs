//! The order of SRV records: RFC 2782.

use crate::io::clock;

#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Srv {
    pub(super) priority: u16,
    pub(super) weight: u16,
    pub(super) port: u16,
    /// Empty: decidedly no such service here.
    pub(super) target: String,
}

/// By priority; among equals by chance, the heavier the likelier. `below(n)` is a random number from 0 to `n`, both included.
pub(super) fn ordered(mut records: Vec<Srv>, below: impl Fn(u32) -> u32) -> Vec<Srv> {
    // Those without weight come first in the running sum, so that they have a small chance.
    records.sort_by_key(|record| (record.priority, record.weight));
    let mut order = Vec::with_capacity(records.len());
    while let Some(priority) = records.first().map(|record| record.priority) {
        let equals = records.partition_point(|record| record.priority == priority);
        let total: u32 = records[..equals].iter().map(|record| u32::from(record.weight)).sum();
        let chosen = below(total);
        let mut sum = 0;
        let reaches = |record: &Srv| {
            sum += u32::from(record.weight);
            sum >= chosen
        };
        let index = records[..equals].iter().position(reaches).unwrap_or(0);
        order.push(records.remove(index));
    }
    order
}

/// From 0 to `limit`. Without randomness the heaviest is as good as any.
pub(super) fn random_below(limit: u32) -> u32 {
    let number = clock::random().map_or(u64::from(limit), |bytes| u64::from(u32::from_le_bytes(bytes)));
    u32::try_from(number % (u64::from(limit) + 1)).unwrap_or(limit)
}

#[cfg(test)]
mod tests {
    use super::{Srv, ordered, random_below};

    fn record(priority: u16, weight: u16, target: &str) -> Srv {
        Srv { priority, weight, port: 5060, target: target.into() }
    }

    fn names(records: Vec<Srv>) -> Vec<String> {
        records.into_iter().map(|record| record.target).collect()
    }

    #[test]
    fn a_lower_priority_comes_first_whatever_the_weight() {
        let records = vec![record(20, 100, "c"), record(10, 0, "a"), record(15, 1, "b")];
        assert_eq!(names(ordered(records, |limit| limit)), ["a", "b", "c"]);
    }

    #[test]
    fn among_equals_the_running_sum_of_weights_decides() {
        let records = || vec![record(1, 1, "light"), record(1, 3, "heavy"), record(1, 0, "none")];
        assert_eq!(names(ordered(records(), |_| 0))[0], "none");
        assert_eq!(names(ordered(records(), |_| 1))[0], "light");
        assert_eq!(names(ordered(records(), |_| 2))[0], "heavy");
        assert_eq!(names(ordered(records(), |limit| limit)), ["heavy", "light", "none"]);
    }

    #[test]
    fn the_heavy_one_is_chosen_more_often_but_not_always() {
        let first =
            || names(ordered(vec![record(1, 10, "light"), record(1, 90, "heavy")], random_below)).remove(0);
        let heavy = (0..2000).filter(|_| first() == "heavy").count();
        assert!((1650..1950).contains(&heavy), "{heavy} of 2000");
    }

    #[test]
    fn the_largest_weights_do_not_overflow() {
        let records = vec![record(0, u16::MAX, "x"); 16];
        assert_eq!(ordered(records, random_below).len(), 16);
    }
}
