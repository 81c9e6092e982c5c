//! Ignore files in YAML, and those in JSON, which is YAML.

use marked_yaml::types::MarkedMappingNode;
use marked_yaml::{LoaderOptions, Node, Span, parse_yaml_with_options};

use super::Entry;
use super::entry::{Found, instant};

fn parsed(text: &str) -> Result<Node, String> {
    let options = LoaderOptions::default().error_on_duplicate_keys(true);
    parse_yaml_with_options(0, text, options).map_err(|error| error.to_string())
}

fn line(span: &Span) -> usize {
    span.start().map_or(0, marked_yaml::Marker::line)
}

fn text(of: &MarkedMappingNode, key: &str) -> Option<String> {
    of.get_scalar(key).map(|scalar| scalar.as_str().to_owned())
}

fn list<'a>(of: &'a MarkedMappingNode, key: &str) -> impl Iterator<Item = &'a Node> {
    of.get_sequence(key).into_iter().flat_map(|list| list.iter())
}

fn texts(of: &MarkedMappingNode, key: &str) -> Vec<String> {
    list(of, key).filter_map(Node::as_scalar).map(|scalar| scalar.as_str().to_owned()).collect()
}

fn top(node: &Node) -> Result<&MarkedMappingNode, String> {
    node.as_mapping().ok_or_else(|| "it is not a table of names".to_owned())
}

/// The end that `key` names; an entry whose end is no date is refused, since it would have none.
#[allow(clippy::option_option, reason = "refused, without an end, and with one are three things")]
fn ends(
    found: &mut Found,
    at: (usize, &str),
    of: &MarkedMappingNode,
    key: &str,
) -> Option<Option<gate_model::time::Timestamp>> {
    match text(of, key).as_deref().map(instant) {
        Some(None) => {
            found.refuse(at.0, at.1, format!("its {key} is no date"));
            None
        }
        ends => Some(ends.flatten()),
    }
}

/// `.trivyignore.yaml`.
pub(super) fn trivy(text_of: &str) -> Result<Found, String> {
    let node = parsed(text_of)?;
    let mut found = Found::default();
    for (kind, entries) in top(&node)?.iter() {
        let Some(entries) = entries.as_sequence() else {
            found.refuse(line(entries.span()), kind.as_str(), "it is not a list of entries");
            continue;
        };
        for one in entries.iter() {
            let Some((of, id)) = one.as_mapping().and_then(|of| Some((of, text(of, "id")?))) else {
                found.refuse(line(one.span()), kind.as_str(), "it has no id");
                continue;
            };
            let Some(ends) = ends(&mut found, (line(one.span()), &id), of, "expired_at") else { continue };
            let entry = Entry {
                line: line(one.span()),
                rules: vec![id],
                paths: texts(of, "paths"),
                reason: text(of, "statement"),
                ends,
                ..Entry::default()
            };
            found.take(&entry, texts(of, "purls"));
        }
    }
    Ok(found)
}

/// `.snyk`.
pub(super) fn snyk(text_of: &str) -> Result<Found, String> {
    let node = parsed(text_of)?;
    let mut found = Found::default();
    let ignore = top(&node)?.get_mapping("ignore");
    for (id, paths) in ignore.into_iter().flat_map(|ignore| ignore.iter()) {
        let Some(paths) = paths.as_sequence() else {
            found.refuse(line(paths.span()), id.as_str(), "it is not a list of paths");
            continue;
        };
        for (path, of) in paths.iter().filter_map(Node::as_mapping).flat_map(|one| one.iter()) {
            let at = line(path.span());
            let Some(of) = of.as_mapping() else {
                found.refuse(at, id.as_str(), "it has neither a reason nor an end");
                continue;
            };
            let Some(ends) = ends(&mut found, (at, id.as_str()), of, "expires") else { continue };
            let package = path.as_str().rsplit(" > ").next().map(str::trim).filter(|name| *name != "*");
            found.entries.push(Entry {
                line: at,
                rules: vec![id.as_str().to_owned()],
                package: package.map(str::to_owned),
                reason: text(of, "reason"),
                ends,
                ..Entry::default()
            });
        }
    }
    Ok(found)
}

/// The waivers of `InSpec`.
pub(super) fn inspec(text_of: &str) -> Result<Found, String> {
    let node = parsed(text_of)?;
    let mut found = Found::default();
    for (control, of) in top(&node)?.iter() {
        let at = line(control.span());
        let Some(of) = of.as_mapping() else {
            found.refuse(at, control.as_str(), "it is no waiver of a control");
            continue;
        };
        let Some(ends) = ends(&mut found, (at, control.as_str()), of, "expiration_date") else { continue };
        let reason = text(of, "justification");
        found.entries.push(Entry {
            line: at,
            rules: vec![control.as_str().to_owned()],
            reason,
            ends,
            ..Entry::default()
        });
    }
    Ok(found)
}

/// `OpenVEX`, or a baseline of bandit or semgrep.
pub(super) fn json(text_of: &str) -> Result<Found, String> {
    let node = parsed(text_of)?;
    let document = top(&node)?;
    let mut found = Found::default();
    if text(document, "@context").is_some_and(|context| context.contains("openvex")) {
        list(document, "statements").for_each(|one| statement(&mut found, one));
        return Ok(found);
    }
    if document.get_sequence("results").is_none() {
        return Err("it is neither OpenVEX nor a report of bandit or semgrep".to_owned());
    }
    for one in list(document, "results") {
        let of = one.as_mapping();
        let rule = of.and_then(|of| text(of, "test_id").or_else(|| text(of, "check_id")));
        let path = of.and_then(|of| text(of, "filename").or_else(|| text(of, "path")));
        let (Some(rule), Some(path)) = (rule, path) else {
            found.refuse(line(one.span()), "a result", "it names no test and file, as bandit and semgrep do");
            continue;
        };
        let path = path.strip_prefix("./").map_or(path.clone(), str::to_owned);
        let (rules, paths) = (vec![rule], vec![path]);
        let seen = found.entries.iter_mut().find(|seen| seen.rules == rules && seen.paths == paths);
        if let Some(seen) = seen {
            seen.most = seen.most.map(|most| most + 1);
        } else {
            let most = Some(1);
            found.entries.push(Entry { line: line(one.span()), rules, paths, most, ..Entry::default() });
        }
    }
    Ok(found)
}

/// A statement of `OpenVEX`. Only `not_affected` wants anything ignored.
fn statement(found: &mut Found, one: &Node) {
    let Some(of) = one.as_mapping().filter(|of| text(of, "status").as_deref() == Some("not_affected")) else {
        return;
    };
    let vulnerability = of.get_mapping("vulnerability");
    let name = vulnerability.and_then(|vulnerability| text(vulnerability, "name"));
    let Some(name) = name.or_else(|| text(of, "vulnerability")) else {
        found.refuse(line(one.span()), "a statement", "it names no vulnerability");
        return;
    };
    let aliases = vulnerability.map(|vulnerability| texts(vulnerability, "aliases")).unwrap_or_default();
    let why = text(of, "justification");
    let more = text(of, "impact_statement").or_else(|| text(of, "status_notes"));
    let reason = [why, more].into_iter().flatten().collect::<Vec<_>>().join(": ");
    let entry = Entry {
        line: line(one.span()),
        rules: std::iter::once(name).chain(aliases).collect(),
        reason: Some(reason).filter(|reason| !reason.is_empty()),
        ..Entry::default()
    };
    let parts =
        list(of, "products").filter_map(Node::as_mapping).flat_map(|product| list(product, "subcomponents"));
    found.take(&entry, parts.filter_map(Node::as_mapping).filter_map(|part| text(part, "@id")).collect());
}
