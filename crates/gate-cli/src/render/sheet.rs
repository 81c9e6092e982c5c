//! A sheet: what a document says to a person, before it is known how it will be drawn.
//!
//! All text in it is as it came; the drawing functions make it inert. They choose the order, too: a page is read from
//! its top, so it opens with why and with what to do; on a terminal the end is what people see.

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
    /// Why, as sentences.
    pub because: Vec<String>,
    /// Tables and lists.
    pub parts: Vec<Part>,
    /// Commands to copy, each with what it would do, under a heading of their own; without a command, a remark.
    pub todo: Option<(&'static str, Vec<(String, String)>)>,
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
    /// Rows in groups that belong together. Where there are many, a drawing function folds or counts them.
    Groups {
        /// What the groups' titles are.
        key: &'static str,
        /// The names of the columns besides it.
        columns: &'static [&'static str],
        /// The groups, the gravest first.
        groups: Vec<Group>,
    },
    /// Sentences.
    List(Vec<String>),
}

/// Rows under one title.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Group {
    /// What they have in common.
    pub title: String,
    /// The rows, the gravest first.
    pub rows: Vec<Vec<String>>,
}

/// How many rows groups hold together.
pub(super) fn rows_of(groups: &[Group]) -> usize {
    groups.iter().map(|group| group.rows.len()).sum()
}

impl Sheet {
    /// A sheet without facts or parts.
    pub fn new(title: impl Into<String>, tone: Tone) -> Self {
        Self {
            title: title.into(),
            tone,
            facts: Vec::new(),
            because: Vec::new(),
            parts: Vec::new(),
            todo: None,
        }
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

    /// Adds rows in groups, unless there are none.
    pub fn groups(
        &mut self,
        title: &str,
        key: &'static str,
        columns: &'static [&'static str],
        groups: Vec<Group>,
    ) {
        if !groups.is_empty() {
            let rows = rows_of(&groups);
            self.part(format!("{title} ({rows})"), Body::Groups { key, columns, groups });
        }
    }

    /// Adds a list, unless it is empty.
    pub fn list(&mut self, title: &str, items: Vec<String>) {
        if !items.is_empty() {
            self.part(title, Body::List(items));
        }
    }

    /// Adds commands, unless there are none.
    pub fn commands(&mut self, title: &'static str, commands: Vec<(String, String)>) {
        self.todo = (!commands.is_empty()).then_some((title, commands));
    }

    fn part(&mut self, title: impl Into<String>, body: Body) {
        self.parts.push(Part { title: title.into(), body });
    }
}
