//! What makes a text well-formed XML (XML 1.0, fifth edition) beyond what the library asks for: names, characters,
//! attributes, references, comments. A report that is not well-formed reads differently to different readers.

use std::collections::HashSet;

/// More attributes of one element than this are refused.
const ATTRIBUTES: usize = 1024;

/// `Char` of the standard's section 2.2.
pub(super) const fn is_char(c: char) -> bool {
    matches!(c, '\t' | '\n' | '\r' | '\u{20}'..='\u{fffd}' | '\u{10000}'..)
}

const fn starts_name(c: char) -> bool {
    matches!(c,
        ':' | 'A'..='Z' | '_' | 'a'..='z' | '\u{c0}'..='\u{d6}' | '\u{d8}'..='\u{f6}' | '\u{f8}'..='\u{2ff}'
        | '\u{370}'..='\u{37d}' | '\u{37f}'..='\u{1fff}' | '\u{200c}'..='\u{200d}' | '\u{2070}'..='\u{218f}'
        | '\u{2c00}'..='\u{2fef}' | '\u{3001}'..='\u{d7ff}' | '\u{f900}'..='\u{fdcf}' | '\u{fdf0}'..='\u{fffd}'
        | '\u{10000}'..='\u{effff}')
}

const fn is_in_name(c: char) -> bool {
    starts_name(c)
        || matches!(c, '-' | '.' | '0'..='9' | '\u{b7}' | '\u{300}'..='\u{36f}' | '\u{203f}'..='\u{2040}')
}

fn is_name(text: &str) -> bool {
    text.starts_with(starts_name) && text.chars().all(is_in_name)
}

fn is_space(c: char) -> bool {
    matches!(c, ' ' | '\t' | '\r' | '\n')
}

/// The character that the reference `&name;` stands for.
pub(super) fn referred(name: &str) -> Option<char> {
    let number = |digits: &str, radix: u32| {
        let plain = !digits.is_empty() && digits.chars().all(|c| c.is_digit(radix));
        let code = plain.then(|| u32::from_str_radix(digits, radix).ok()).flatten();
        code.and_then(char::from_u32).filter(|c| is_char(*c))
    };
    match name {
        "lt" => Some('<'),
        "gt" => Some('>'),
        "amp" => Some('&'),
        "apos" => Some('\''),
        "quot" => Some('"'),
        _ => match name.strip_prefix('#')? {
            hexadecimal if hexadecimal.starts_with('x') => number(&hexadecimal[1..], 16),
            decimal => number(decimal, 10),
        },
    }
}

/// What is wrong with characters that stand for themselves.
pub(super) fn characters(text: &str) -> Result<(), String> {
    match text.chars().find(|c| !is_char(*c)) {
        Some(c) => Err(format!("the character U+{:04X}", u32::from(c))),
        None => Ok(()),
    }
}

/// What is wrong with text between tags, references taken out.
pub(super) fn text(text: &str) -> Result<(), String> {
    if text.contains("]]>") {
        return Err("']]>' outside of a CDATA section".to_owned());
    }
    characters(text)
}

/// What is wrong with what stands between `<!--` and `-->`.
pub(super) fn comment(text: &str) -> Result<(), String> {
    if text.contains("--") || text.ends_with('-') {
        return Err("'--' within a comment".to_owned());
    }
    characters(text)
}

/// What is wrong with what stands between `<?` and `?>`.
pub(super) fn instruction(text: &str) -> Result<(), String> {
    let target = text.split(is_space).next().unwrap_or_default();
    if !is_name(target) || target.eq_ignore_ascii_case("xml") {
        return Err("a processing instruction without a name of its own".to_owned());
    }
    characters(text)
}

/// What is wrong with the declaration's attributes, `xml version="1.0" …`.
pub(super) fn declaration(text: &str) -> Result<(), String> {
    let (_, attributes) = tag(text)?;
    let mut rest = attributes.as_slice();
    let mut next = |name: &str, fits: fn(&str) -> bool| match rest.first() {
        Some((found, value)) if *found == name => {
            rest = &rest[1..];
            fits(value)
        }
        _ => name != "version",
    };
    let fine = next("version", |version| version.strip_prefix("1.").is_some_and(is_number))
        && next("encoding", is_encoding)
        && next("standalone", |word| matches!(word, "yes" | "no"));
    if fine && rest.is_empty() { Ok(()) } else { Err("a declaration that is not one of XML".to_owned()) }
}

fn is_number(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit())
}

fn is_encoding(text: &str) -> bool {
    text.starts_with(|c: char| c.is_ascii_alphabetic())
        && text.bytes().all(|b| b.is_ascii_alphanumeric() || b"._-".contains(&b))
}

/// A name, and the attributes with their values.
type Tag<'a> = (&'a str, Vec<(&'a str, String)>);

/// The name and the attributes of a start tag, given what stands between `<` and `>` or `/>`; references in values
/// are resolved, white space in them is spaces (section 3.3.3).
pub(super) fn tag(content: &str) -> Result<Tag<'_>, String> {
    let end = content.find(is_space).unwrap_or(content.len());
    let (name, mut rest) = content.split_at(end);
    if !is_name(name) {
        return Err("a tag without a name".to_owned());
    }
    let (mut attributes, mut seen) = (Vec::new(), HashSet::new());
    loop {
        let trimmed = rest.trim_start_matches(is_space);
        if trimmed.is_empty() {
            return Ok((name, attributes));
        }
        if trimmed.len() == rest.len() {
            return Err("no space between two attributes".to_owned());
        }
        let (key, value, after) = attribute(trimmed)?;
        if !seen.insert(key) {
            return Err("an attribute that is there twice".to_owned());
        }
        attributes.push((key, value));
        if attributes.len() > ATTRIBUTES {
            return Err(format!("more than {ATTRIBUTES} attributes"));
        }
        rest = after;
    }
}

/// The first attribute, and what comes after it.
fn attribute(text: &str) -> Result<(&str, String, &str), String> {
    let broken = || "an attribute that is not NAME=\"VALUE\"".to_owned();
    let (key, after) = text.split_once('=').ok_or_else(broken)?;
    let key = key.trim_end_matches(is_space);
    let after = after.trim_start_matches(is_space);
    let quote = after.chars().next().filter(|c| matches!(c, '"' | '\'')).ok_or_else(broken)?;
    let (value, after) = after[1..].split_once(quote).ok_or_else(broken)?;
    if !is_name(key) {
        return Err(broken());
    }
    Ok((key, resolved(value)?, after))
}

fn resolved(value: &str) -> Result<String, String> {
    if value.contains('<') {
        return Err("'<' within an attribute".to_owned());
    }
    characters(value)?;
    let mut out = String::with_capacity(value.len());
    let mut parts = value.split('&');
    let plain = |text: &str| text.replace("\r\n", " ").replace(is_space, " ");
    out.push_str(&plain(parts.next().unwrap_or_default()));
    for part in parts {
        let (name, after) = part.split_once(';').ok_or("a '&' that begins no reference")?;
        out.push(referred(name).ok_or("a reference to an unknown entity or character")?);
        out.push_str(&plain(after));
    }
    Ok(out)
}

/// Captured output, looked at piece by piece: it may be longer than anything else and is not kept.
#[derive(Default)]
pub(super) struct Passing {
    /// The reference that is being read.
    reference: Option<String>,
    last: [u8; 2],
}

impl Passing {
    /// Looks at bytes of valid UTF-8.
    pub(super) fn look(&mut self, bytes: &[u8], in_cdata: bool) -> Result<(), &'static str> {
        for &byte in bytes {
            let is_control = byte < b' ' && !b"\t\n\r".contains(&byte);
            if is_control || (self.last == *b"\xEF\xBF" && matches!(byte, 0xBE | 0xBF)) {
                return Err("a character that XML does not have");
            }
            if !in_cdata {
                self.mark(byte)?;
            }
            self.last = [self.last[1], byte];
        }
        Ok(())
    }

    fn mark(&mut self, byte: u8) -> Result<(), &'static str> {
        match (&mut self.reference, byte) {
            (Some(name), b';') => {
                let known = referred(name).is_some();
                self.reference = None;
                if !known {
                    return Err("a reference to an unknown entity or character");
                }
            }
            (Some(name), _) if name.len() < 16 && byte.is_ascii() => name.push(char::from(byte)),
            (Some(_), _) => return Err("a '&' that begins no reference"),
            (None, b'&') => self.reference = Some(String::new()),
            (None, b'>') if self.last == *b"]]" => return Err("']]>' outside of a CDATA section"),
            (None, _) => {}
        }
        Ok(())
    }

    /// Markup comes next.
    pub(super) fn interrupted(&mut self) -> Result<(), &'static str> {
        self.last = [0; 2];
        if self.reference.take().is_some() { Err("a '&' that begins no reference") } else { Ok(()) }
    }
}
