//! Sample code for the tests of gate: one test passes, one is ignored, one fails.

/// The sum of `prices`.
pub fn total(prices: &[u64]) -> u64 {
    prices.iter().sum()
}

#[cfg(test)]
mod tests {
    use super::total;

    #[test]
    fn total_adds_up() {
        assert_eq!(total(&[1, 2]), 3);
    }

    #[test]
    #[ignore = "shows how an ignored test is reported"]
    fn total_of_a_million() {
        assert_eq!(total(&vec![1; 1_000_000]), 1_000_000);
    }

    #[test]
    fn total_of_nothing_is_one() {
        assert_eq!(total(&[]), 1, "a wrong expectation with <markup> & \"quotes\"");
    }
}
