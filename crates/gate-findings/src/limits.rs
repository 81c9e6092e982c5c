//! How much of a report is accepted. Each limit refuses with its place; none of them cuts in silence.

/// Levels of nesting (JSON objects and arrays, XML elements) from which a report is refused.
pub const DEPTH: usize = 128;

/// The largest single result, rule, line of JSON Lines or XML event, in bytes.
pub const RESULT: usize = 16 << 20;

/// The memory, in bytes, that the findings at or above the gate's `fail_on` may take: some 350 thousand
/// findings of usual size. Findings below it are counted and take none.
pub const FINDINGS_MEMORY: usize = 128 << 20;

/// The longest message that is kept of a finding, in bytes; longer ones end with `…`.
pub const MESSAGE: usize = 1024;

/// The memory, in bytes, that messages of findings may take in all. The findings that come after keep an empty
/// message, and a note says so: messages explain, they never decide.
pub const MESSAGES_MEMORY: usize = 16 << 20;

/// The longest rule id, fingerprint, package or tool name that is kept as it is, in bytes. What is longer is cut
/// and marked with its digest.
pub const NAME: usize = 512;

/// The longest path that is kept as it is, in bytes (`PATH_MAX` of Linux).
pub const PATH: usize = 4096;

/// The memory, in bytes, that the rules, artifacts and base locations of one SARIF run may take.
pub const TABLES_MEMORY: usize = 32 << 20;
