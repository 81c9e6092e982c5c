//! XML 1.0: text and attribute values.

use super::inert;

/// `text` for an element's content or a quoted attribute.
///
/// [`inert`] leaves no control character; U+FFFE and U+FFFF, which XML 1.0 cannot hold even as a reference
/// (section 2.2), are shown as escapes too. `>` is always written `&gt;`, so that `]]>` cannot appear.
///
/// ```
/// assert_eq!(gate_cli::escape::xml::text("]]><a b='c'>&"), "]]&gt;&lt;a b=&apos;c&apos;&gt;&amp;");
/// ```
pub fn text(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in inert(text).chars() {
        match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            '\'' => out.push_str("&apos;"),
            '\u{fffe}' | '\u{ffff}' => out.push_str(&format!("\\u{{{:x}}}", u32::from(c))),
            c => out.push(c),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    #[test]
    fn characters_that_xml_cannot_hold_are_shown() {
        assert_eq!(super::text("\u{ffff}\u{0}\u{b}"), "\\u{ffff}\\u{0}\\u{b}");
    }

    proptest! {
        #[test]
        fn a_parser_reads_back_what_was_shown(text in any::<String>()) {
            let document = format!("<a b=\"{0}\">{0}</a>", super::text(&text));
            let parsed = quick_xml::escape::unescape(&document[document.find('>').unwrap() + 1..document.len() - 4]);
            let shown = crate::escape::inert(&text).replace('\u{fffe}', "\\u{fffe}").replace('\u{ffff}', "\\u{ffff}");
            prop_assert_eq!(parsed.unwrap(), shown);
        }
    }
}
