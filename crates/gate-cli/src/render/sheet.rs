//! A sheet: what a document says to a person, before it is known how it will be drawn.
//!
//! All text in it is as it came; the drawing functions make it inert.

/// The mood of a verdict, which becomes a colour.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Tone {
    /// Passed, granted, verified.
    Good,
    /// Went past, or waits for somebody.
    Notable,
    /// Blocked, denied, bad.
    Bad,
    /// Neither.
    Plain,
}

/// A titled set of facts and parts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sheet {
    /// What it is about, and the verdict.
    pub title: String,
    /// The verdict's mood.
    pub tone: Tone,
    /// Labels with values.
    pub facts: Vec<(&'static str, String)>,
    /// Tables, lists and commands.
    pub parts: Vec<Part>,
}

/// One part of a sheet.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Part {
    /// Its heading.
    pub title: String,
    /// What it holds.
    pub body: Body,
}

/// What a part holds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Body {
    /// Rows under named columns.
    Table {
        /// The names of the columns.
        columns: &'static [&'static str],
        /// The rows, each with as many cells as there are columns.
        rows: Vec<Vec<String>>,
    },
    /// Sentences.
    List(Vec<String>),
    /// Commands to copy, each with what it would do.
    Commands(Vec<(String, String)>),
}

impl Sheet {
    /// A sheet without facts or parts.
    pub fn new(title: impl Into<String>, tone: Tone) -> Self {
        Self { title: title.into(), tone, facts: Vec::new(), parts: Vec::new() }
    }

    /// Adds a fact.
    pub fn fact(&mut self, label: &'static str, value: impl Into<String>) {
        self.facts.push((label, value.into()));
    }

    /// Adds a fact that may be unknown; then nothing is added.
    pub fn maybe(&mut self, label: &'static str, value: Option<impl Into<String>>) {
        if let Some(value) = value {
            self.fact(label, value);
        }
    }

    /// Adds a table, unless it has no rows.
    pub fn table(&mut self, title: &str, columns: &'static [&'static str], rows: Vec<Vec<String>>) {
        if !rows.is_empty() {
            self.part(format!("{title} ({})", rows.len()), Body::Table { columns, rows });
        }
    }

    /// Adds a list, unless it is empty.
    pub fn list(&mut self, title: &str, items: Vec<String>) {
        if !items.is_empty() {
            self.part(title, Body::List(items));
        }
    }

    /// Adds commands, unless there are none.
    pub fn commands(&mut self, title: &str, commands: Vec<(String, String)>) {
        if !commands.is_empty() {
            self.part(title, Body::Commands(commands));
        }
    }

    fn part(&mut self, title: impl Into<String>, body: Body) {
        self.parts.push(Part { title: title.into(), body });
    }
}
