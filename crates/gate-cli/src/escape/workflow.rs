//! Commands that CI systems read from a step's output.
//!
//! GitHub: `::error file=F,line=1,title=T::MESSAGE` with `%`, CR and LF escaped everywhere, `:` and `,` in
//! properties too (actions/toolkit, `command.ts`). Azure: `##vso[task.logissue type=error;…]MESSAGE` with `;`
//! and `]` escaped in properties, and `%` as `%AZP25` (azure-pipelines-task-lib, `taskcommand.ts`).

use super::inert;

/// A property's value in one of GitHub's commands.
pub fn github_property(text: &str) -> String {
    github_message(text).replace(':', "%3A").replace(',', "%2C")
}

/// The message of one of GitHub's commands.
pub fn github_message(text: &str) -> String {
    // `inert` leaves neither CR nor LF; they are escaped all the same, as the format demands.
    inert(text).replace('%', "%25").replace('\r', "%0D").replace('\n', "%0A")
}

/// A property's value in one of Azure's commands.
pub fn azure_property(text: &str) -> String {
    azure_message(text).replace(']', "%5D").replace(';', "%3B")
}

/// The message of one of Azure's commands.
pub fn azure_message(text: &str) -> String {
    inert(text).replace('%', "%AZP25").replace('\r', "%0D").replace('\n', "%0A")
}

#[cfg(test)]
mod tests {
    use super::{azure_message, azure_property, github_message, github_property};

    #[test]
    fn a_property_cannot_start_another_property_or_the_message() {
        assert_eq!(github_property("a,line=2::x"), "a%2Cline=2%3A%3Ax");
        assert_eq!(azure_property("a;type=warning]x"), "a%3Btype=warning%5Dx");
    }

    #[test]
    fn a_message_cannot_end_its_line_or_be_decoded_into_something_else() {
        assert_eq!(github_message("a\n::set-output name=x::y"), "a\\n::set-output name=x::y");
        assert_eq!(github_message("%0A::error::x"), "%250A::error::x");
        assert_eq!(azure_message("%0D##vso[task.complete]"), "%AZP250D#\\u{23}vso[task.complete]");
    }
}
