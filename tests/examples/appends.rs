//! appends HELPER NAME SECONDS: appends entries one by one through one helper, and prints how many a second, for
//! `scripts/bench remote`.

#![allow(
    clippy::expect_used,
    clippy::panic,
    clippy::print_stdout,
    reason = "what fails shall stop the bench, which reads the figure"
)]

use std::time::{Duration, Instant};

use gate_ledger::remote::{Outcome, Remote as _};
use gate_tests::remote::{Chain, Helper};

fn main() {
    let args: Vec<String> = std::env::args().skip(1).collect();
    let [helper, name, seconds] = args.as_slice() else { panic!("usage: appends HELPER NAME SECONDS") };
    let span = Duration::from_secs_f64(seconds.parse().expect("SECONDS"));
    let here = std::env::current_dir().expect("a working directory");
    let password = std::env::var("PGPASSWORD").unwrap_or_default();
    let mut remote = Helper::new(helper, [name], here).with("PGPASSWORD", &password).start();
    let mut chain = Chain::new(0x5e);
    assert_eq!(remote.create(&chain.batch(1, "begin")).expect("a ledger"), Outcome::Taken);
    let (begun, mut count) = (Instant::now(), 0_u32);
    while begun.elapsed() < span {
        let after = chain.head();
        let text = "a decision as long as they are ".repeat(10);
        assert_eq!(remote.append(after, &chain.batch(1, &text)).expect("an answer"), Outcome::Taken);
        count += 1;
    }
    println!("{}", f64::from(count) / begun.elapsed().as_secs_f64());
}
