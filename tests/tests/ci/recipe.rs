//! Reading a recipe: its scripts, and the variables that it makes of its inputs.

use std::path::PathBuf;

/// A file of scripts/ci.
pub fn path(name: &str) -> PathBuf {
    std::path::Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap().join("scripts/ci").join(name)
}

/// A recipe's text with its inputs filled in.
pub struct Recipe {
    text: String,
}

impl Recipe {
    /// The recipe `name`. `inputs` are named as in its own `inputs` or `parameters`.
    pub fn read(name: &str, inputs: &[(&str, &str)]) -> Self {
        let text = std::fs::read_to_string(path(name)).unwrap();
        let mut filled = String::new();
        let mut rest = text.as_str();
        while let Some(at) = ["${{ ", "$[[ "].iter().filter_map(|open| rest.find(open)).min() {
            let (before, place) = rest.split_at(at);
            let close = if place.starts_with("${{") { " }}" } else { " ]]" };
            let (inside, after) = place[4..].split_once(close).unwrap();
            filled.push_str(before);
            // Of `inputs.releases || …` the input counts: the test always gives it.
            let name = inside.split(" || ").next().unwrap().rsplit('.').next().unwrap();
            let value = inputs.iter().rev().find(|(input, _)| *input == name);
            filled.push_str(value.map_or("", |(_, value)| value));
            rest = after;
        }
        filled.push_str(rest);
        Self { text: filled }
    }

    /// The scripts in their order: what stands below `run: |`, `bash: |`, `- |`, or between triple quotes.
    pub fn scripts(&self) -> Vec<String> {
        if let Some((_, script)) = self.text.split_once("sh '''") {
            return vec![script.split_once("'''").unwrap().0.to_owned()];
        }
        let lines: Vec<&str> = self.text.lines().collect();
        let opens = |line: &&str| {
            let line = line.trim_start().trim_start_matches("- ");
            !line.starts_with('#') && matches!(line, "run: |" | "bash: |" | "|")
        };
        let starts = lines.iter().enumerate().filter(|(_, line)| opens(line));
        starts.map(|(start, line)| block(&lines[start + 1..], indent(line))).collect()
    }

    /// The variables that are set to inputs: lines of `NAME: value` whose name is in capitals.
    pub fn variables(&self) -> Vec<(String, String)> {
        let variable = |line: &str| {
            let (name, value) =
                line.trim().split_once(": ").or(line.trim().strip_suffix(':').map(|name| (name, "")))?;
            let capital = |byte: u8| byte.is_ascii_uppercase() || byte.is_ascii_digit() || byte == b'_';
            (!name.is_empty() && name.bytes().all(capital))
                .then(|| (name.to_owned(), value.trim().to_owned()))
        };
        self.text
            .lines()
            .filter(|line| !line.trim_start().starts_with(['#', '/']))
            .filter_map(variable)
            .collect()
    }
}

fn indent(line: &str) -> usize {
    line.len() - line.trim_start().len()
}

/// The lines that stand as deep as the first one, which is deeper than `outer`, without that indent.
fn block(lines: &[&str], outer: usize) -> String {
    let depth = lines.iter().find(|line| !line.trim().is_empty()).map_or(0, |line| indent(line));
    assert!(depth > outer, "a script stands below its key");
    let inside = lines.iter().take_while(|line| line.trim().is_empty() || indent(line) >= depth);
    inside.fold(String::new(), |text, line| text + line.get(depth..).unwrap_or("") + "\n")
}
