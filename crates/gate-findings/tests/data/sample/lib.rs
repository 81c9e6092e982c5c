//! Sample code.
#[cfg(test)]
mod tests {
    #[test]
    fn passes() {}
    #[test]
    fn panics() {
        assert_eq!(1, 2, "one is <not> two");
    }
    #[test]
    #[ignore = "later"]
    fn ignored() {}
    #[test]
    fn flaky() {
        let mark = std::env::temp_dir().join("gate-sample-flaky");
        if std::fs::remove_file(&mark).is_err() { std::fs::write(&mark, "").unwrap(); panic!("first time"); }
    }
}
