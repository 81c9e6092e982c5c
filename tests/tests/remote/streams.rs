//! Client and helper on their streams: cut off anywhere, flooded, or fed with rubbish.

use std::io::{BufReader, PipeReader, PipeWriter, pipe};
use std::ops::ControlFlow;
use std::thread::JoinHandle;

use gate_ledger::remote::{
    Answer, Ask, Batch, Client, Failed, Hello, MAX_LINE, Outcome, Remote, RemoteError, Why, serve,
};
use gate_tests::remote::{Chain, Memory, Site};

use crate::copy::{at, ledger};

/// A remote in memory behind the loop that helpers run.
#[derive(Default)]
pub(crate) struct Served(Memory);

/// A client, and the thread that answers it.
struct Spoken {
    client: Option<Client<BufReader<PipeReader>, PipeWriter>>,
    helper: Option<JoinHandle<()>>,
}

impl Site for Served {
    fn connect(&self) -> Box<dyn Remote> {
        let ((asked, ask), (answered, mut answer)) = (pipe().unwrap(), pipe().unwrap());
        let mut memory = self.0.clone();
        let helper = std::thread::spawn(move || {
            serve(&mut memory, &mut BufReader::new(asked), &mut answer).unwrap();
        });
        let client = Client::new(BufReader::new(answered), ask);
        Box::new(Spoken { client: Some(client), helper: Some(helper) })
    }
}

impl Drop for Spoken {
    fn drop(&mut self) {
        // A helper ends when nobody can ask it any more.
        drop(self.client.take());
        self.helper.take().unwrap().join().unwrap();
    }
}

impl Spoken {
    fn client(&mut self) -> &mut dyn Remote {
        self.client.as_mut().unwrap()
    }
}

impl Remote for Spoken {
    fn hello(&mut self, ledger: Option<gate_ledger::chain::LedgerId>) -> Result<Hello, RemoteError> {
        self.client().hello(ledger)
    }
    fn read(
        &mut self,
        after: Option<u64>,
        most: u64,
        each: gate_ledger::remote::Each<'_>,
    ) -> Result<Option<gate_ledger::archive::EntryRef>, RemoteError> {
        self.client().read(after, most, each)
    }
    fn append(
        &mut self,
        after: gate_ledger::archive::EntryRef,
        batch: &Batch,
    ) -> Result<Outcome, RemoteError> {
        self.client().append(after, batch)
    }
    fn create(&mut self, batch: &Batch) -> Result<Outcome, RemoteError> {
        self.client().create(batch)
    }
    fn forget(&mut self, before: u64, keep: &[u64]) -> Result<(), RemoteError> {
        self.client().forget(before, keep)
    }
    fn openings(
        &mut self,
        from: u64,
        to: u64,
        each: gate_ledger::remote::Each<'_>,
    ) -> Result<(), RemoteError> {
        self.client().openings(from, to, each)
    }
    fn erase(&mut self, commitments: &[gate_ledger::commitment::Commitment]) -> Result<u64, RemoteError> {
        self.client().erase(commitments)
    }
}

/// A client to whom somebody says `answers`, whatever is asked.
fn told(answers: &[u8]) -> Client<&[u8], Vec<u8>> {
    Client::new(answers, Vec::new())
}

fn count(remote: &mut dyn Remote) -> Result<usize, RemoteError> {
    let mut lines = 0;
    let each = &mut |_: &[u8]| {
        lines += 1;
        ControlFlow::Continue(())
    };
    remote.read(None, 3, each).map(|_| lines)
}

#[test]
fn a_helper_that_dies_at_any_byte_is_never_taken_for_an_answer() {
    let (lines, _, mut chain) = ledger(2);
    let head = Some(chain.head());
    let batch = chain.batch(1, "ours");
    let hello = Answer::Hello(Hello { head, ..Hello::default() }).write();
    let read = Answer::Read { lines: 2, head }.write();
    let text = |line: &Vec<u8>| String::from_utf8(line.clone()).unwrap();
    let parts = [hello, text(&lines[0]), text(&lines[1]), read, Answer::Append(Outcome::Taken).write()];
    let whole = parts.join("\n") + "\n";
    let ends: Vec<usize> = parts
        .iter()
        .scan(0, |end, part| {
            *end += part.len() + 1;
            Some(*end)
        })
        .collect();
    for cut in 0..=whole.len() {
        let mut client = told(&whole.as_bytes()[..cut]);
        assert_eq!(client.hello(None).is_ok(), cut >= ends[0], "cut at {cut}");
        assert_eq!(count(&mut client).is_ok(), cut >= ends[3], "cut at {cut}");
        match client.append(at(&lines, 1), &batch) {
            Ok(Outcome::Taken) => assert_eq!(cut, whole.len()),
            Ok(Outcome::Unknown(_)) => assert!(ends[3] <= cut && cut < whole.len(), "cut at {cut}"),
            Err(RemoteError::Ended) => assert!(cut < ends[3], "cut at {cut}"),
            other => panic!("cut at {cut}: {other:?}"),
        }
        // Once it is lost nothing more is believed.
        assert!(client.hello(None).is_err());
    }
}

#[test]
fn an_answer_that_was_not_asked_for_or_comes_twice_is_the_end() {
    let (lines, _, _) = ledger(1);
    let read = Answer::Read { lines: 0, head: Some(at(&lines, 0)) }.write();
    let answers = format!("{read}\n{read}\n");
    let mut client = told(answers.as_bytes());
    assert!(matches!(client.hello(None), Err(RemoteError::Protocol(_))));
    let hello = Answer::Hello(Hello::default()).write();
    let answers = format!("{hello}\n{hello}\n");
    let mut client = told(answers.as_bytes());
    client.hello(None).unwrap();
    assert!(matches!(count(&mut client), Err(RemoteError::Protocol(_))));
    let mut client = told(answers.as_bytes());
    let outcome = client.append(at(&lines, 0), &Batch { lines: lines.clone(), ..Batch::default() }).unwrap();
    assert!(matches!(outcome, Outcome::Unknown(_)), "{outcome:?}");
}

#[test]
fn lines_that_nobody_asked_for_and_too_many_lines_are_refused() {
    let (lines, _, _) = ledger(4);
    let all = lines.iter().map(|line| String::from_utf8_lossy(line) + "\n").collect::<String>();
    let head = Some(at(&lines, 3));
    let answer = |lines| format!("{all}{}\n", Answer::Read { lines, head }.write());
    let mut client = told(all.as_bytes());
    assert!(matches!(client.hello(None), Err(RemoteError::Protocol(_))));
    // Three were asked for.
    let four = answer(4);
    assert!(
        matches!(count(&mut told(four.as_bytes())), Err(RemoteError::Protocol(said)) if said.contains("more than 3"))
    );
    let three =
        format!("{}{}\n", &all[..all.len() - lines[3].len() - 1], Answer::Read { lines: 2, head }.write());
    let said = count(&mut told(three.as_bytes())).unwrap_err().to_string();
    assert!(said.contains("3 lines came, and the answer says 2"), "{said}");
}

#[test]
fn rubbish_and_a_line_without_end_are_refused_in_bounded_memory() {
    for rubbish in
        [&b"Segmentation fault\n"[..], b"\n", b"\0\0\0\n", b"{\"answer\":\"hello\"\n", b"\xff\xfe\n"]
    {
        assert!(matches!(told(rubbish).hello(None), Err(RemoteError::Protocol(_))), "{rubbish:?}");
    }
    let endless = Client::new(BufReader::new(std::io::repeat(b'x')), Vec::new()).hello(None).unwrap_err();
    assert!(endless.to_string().contains(&format!("longer than {MAX_LINE} bytes")), "{endless}");
}

#[test]
fn a_failure_is_told_with_its_class_and_remedy_and_the_connection_goes_on() {
    let failed = Failed { why: Why::Denied, problem: "no".into(), remedy: Some("ask".into()) };
    let answers =
        format!("{}\n{}\n", Answer::Failed(failed).write(), Answer::Hello(Hello::default()).write());
    let mut client = told(answers.as_bytes());
    let error = client.hello(None).unwrap_err();
    assert!(matches!(&error, RemoteError::Failed(failed) if failed.why == Why::Denied));
    assert_eq!(error.to_string(), "no\nask");
    client.hello(None).unwrap();
}

/// What `serve` answers to `asked`.
fn answers(memory: &Memory, asked: &[u8]) -> String {
    let mut output = Vec::new();
    serve(&mut memory.clone(), &mut &*asked, &mut output).unwrap();
    String::from_utf8(output).unwrap()
}

#[test]
fn a_helper_passes_nothing_on_that_does_not_follow() {
    let (lines, _, mut chain) = ledger(3);
    let memory = Memory::with(lines.clone());
    let after = at(&lines, 2);
    let stale = Chain::new(0xc3).behind(at(&lines, 0)).batch(2, "stale").lines;
    let good = chain.batch(2, "good").lines;
    let swapped = vec![good[1].clone(), good[0].clone()];
    let edited = vec![String::from_utf8(good[0].clone()).unwrap().replace("alice", "mallo").into_bytes()];
    for wrong in [stale, swapped, edited] {
        let mut asked =
            Ask::Append { after, lines: wrong.len() as u64, openings: 0, copied: false }.write().into_bytes();
        for line in &wrong {
            asked.push(b'\n');
            asked.extend(line);
        }
        asked.extend(format!("\n{}\n", Ask::Hello { ledger: None }.write()).into_bytes());
        let said = answers(&memory, &asked);
        let mut said = said.lines().map(|line| Answer::read(line.as_bytes()).unwrap());
        assert!(
            matches!(said.next(), Some(Answer::Failed(failed)) if failed.problem.contains("cannot be added"))
        );
        assert!(matches!(said.next(), Some(Answer::Hello(_))), "the connection goes on");
    }
    assert_eq!((memory.lines(), memory.appends()), (lines, 0));
}

#[test]
fn a_helper_ends_behind_what_it_cannot_read_and_adds_no_part_of_a_batch() {
    let (lines, _, mut chain) = ledger(1);
    let memory = Memory::with(lines.clone());
    let good = chain.batch(2, "good").lines;
    let text = String::from_utf8(good[0].clone()).unwrap();
    let ask = Ask::Append { after: at(&lines, 0), lines: 2, openings: 0, copied: false }.write();
    let hello = Ask::Hello { ledger: None }.write();
    for asked in [
        format!("rubbish\n{hello}\n"),
        format!("{{\"ask\":\"dance\",\"schema\":\"gate.remote/1\"}}\n{hello}\n"),
        format!("{ask}\n{text}\n{hello}\n{hello}\n"),
        format!("{ask}\n{text}\n"),
        format!("{ask}\n{text}\n{text}"),
    ] {
        let said = answers(&memory, asked.as_bytes());
        assert_eq!(said.lines().count(), 1, "{asked}: {said}");
        assert!(matches!(Answer::read(said.trim_end().as_bytes()).unwrap(), Answer::Failed(_)), "{said}");
    }
    assert_eq!(memory.lines(), lines);
}
