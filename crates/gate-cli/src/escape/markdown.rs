//! Markdown as GitHub and GitLab read it (GFM): text within tables and lists.

use super::cell;

/// `text` as inline code whose every mark is written as a character reference.
///
/// References keep table cells, emphasis, HTML, images and links from starting. They do not keep a mention
/// or an issue's number from being found, since that search runs over the finished page; it skips code,
/// hence the element. `www.` would become a link by itself (GFM, section 6.9).
///
/// ```
/// use gate_cli::escape::markdown::code;
/// assert_eq!(code("a|b"), "<code>a&#124;b</code>");
/// assert_eq!(code("@alice"), "<code>&#39;&#64;alice</code>");
/// assert_eq!(code("src/app-1.py"), "<code>src/app-1.py</code>");
/// assert_eq!(code(""), "");
/// ```
pub fn code(text: &str) -> String {
    if text.is_empty() { String::new() } else { format!("<code>{}</code>", references(&cell(text))) }
}

/// `command` as a block of code, for copying.
pub fn block(command: &str) -> String {
    format!("<pre>{}</pre>", references(&super::inert(command)))
}

/// `text` with every ASCII mark that could mean something as a numeric character reference.
fn references(text: &str) -> String {
    let www = text.to_ascii_lowercase().contains("www.");
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        let plain = !c.is_ascii_punctuation() || matches!(c, '/' | '-' | ',') || (c == '.' && !www);
        if plain { out.push(c) } else { out.push_str(&format!("&#{};", u32::from(c))) }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::{block, code};

    #[test]
    fn marks_links_mentions_and_markup_are_references() {
        let hostile = "|\n`x` [a](http://evil) <script>alert(1)</script> @team #1 ![i](x) **b** www.evil.com";
        let shown = code(hostile);
        let inside = shown.strip_prefix("<code>").unwrap().strip_suffix("</code>").unwrap();
        let without_references = inside.replace("&#", "");
        for mark in ['|', '`', '[', ']', '(', '<', '>', '@', '#', '!', '*', ':', '\n', '\\'] {
            assert!(!without_references.contains(mark), "{mark} in {inside}");
        }
        assert!(!inside.contains("www."), "{inside}");
    }

    #[test]
    fn a_command_cannot_leave_its_block() {
        assert_eq!(block("x '</pre><img>'"), "<pre>x &#39;&#60;/pre&#62;&#60;img&#62;&#39;</pre>");
    }
}
