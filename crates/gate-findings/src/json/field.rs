//! The name of the member at an offset of a JSON text, for messages.

/// What the walk is in.
enum Open {
    Object { key: String, at_key: bool },
    Array { index: u64 },
}

/// The path of what stands at `offset` in `json`, as `.key[3].other`. `json` is well-formed up to there.
pub(super) fn path_at(json: &[u8], offset: usize) -> String {
    let mut open: Vec<Open> = Vec::new();
    let mut at = 0;
    while at < offset.min(json.len()) {
        match json[at] {
            b'"' => {
                let end = string_end(json, at);
                if let Some(Open::Object { key, at_key: true }) = open.last_mut() {
                    *key = serde_json::from_slice(&json[at..end]).unwrap_or_default();
                }
                at = end;
                continue;
            }
            b'{' => open.push(Open::Object { key: String::new(), at_key: true }),
            b'[' => open.push(Open::Array { index: 0 }),
            b'}' | b']' => drop(open.pop()),
            b':' => set_at_key(&mut open, false),
            b',' => {
                set_at_key(&mut open, true);
                if let Some(Open::Array { index }) = open.last_mut() {
                    *index += 1;
                }
            }
            _ => {}
        }
        at += 1;
    }
    open.iter().map(written).collect()
}

fn set_at_key(open: &mut [Open], value: bool) {
    if let Some(Open::Object { at_key, .. }) = open.last_mut() {
        *at_key = value;
    }
}

fn string_end(json: &[u8], start: usize) -> usize {
    let mut at = start + 1;
    while at < json.len() {
        match json[at] {
            b'"' => return at + 1,
            b'\\' => at += 2,
            _ => at += 1,
        }
    }
    json.len()
}

fn written(open: &Open) -> String {
    match open {
        Open::Object { key, .. } => member(key),
        Open::Array { index } => element(*index),
    }
}

/// `.key`, or `["odd key"]`; nothing before the first key is known.
pub(super) fn member(key: &str) -> String {
    const LONGEST: usize = 64;
    if key.is_empty() {
        String::new()
    } else if key.bytes().all(|b| b.is_ascii_alphanumeric() || b"_-$".contains(&b)) && key.len() <= LONGEST {
        format!(".{key}")
    } else {
        format!("[{:?}]", crate::wording::cut(key, LONGEST))
    }
}

/// `[3]`.
pub(super) fn element(index: u64) -> String {
    format!("[{index}]")
}

#[cfg(test)]
mod tests {
    use super::path_at;

    #[test]
    fn the_member_at_an_offset_is_named() {
        let json = br#"{"a":{"b,":[1,{"c":"x\"}"}]},"d":7}"#;
        for (needle, path) in [("1,", ".a[\"b,\"][0]"), ("x", ".a[\"b,\"][1].c"), ("7", ".d")] {
            let offset = std::str::from_utf8(json).unwrap().find(needle).unwrap();
            assert_eq!(path_at(json, offset), path);
        }
        assert_eq!(path_at(json, 0), "");
        assert_eq!(path_at(b"[\"", 9), "[0]");
    }
}
