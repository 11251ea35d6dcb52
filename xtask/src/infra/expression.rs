//! Which metrics and labels a query of Prometheus names. It reads no more of the language than that; whether a query makes
//! sense, promtool says.

/// What a query names.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Named {
    pub(super) selectors: Vec<Selector>,
    /// Labels of `by`, `on` and the like.
    pub(super) groupings: Vec<String>,
    /// Braces without a metric before them.
    pub(super) has_nameless: bool,
}

/// A metric and what is asked of its labels.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Selector {
    pub(super) metric: String,
    pub(super) matchers: Vec<Matcher>,
}

#[derive(Debug, PartialEq, Eq)]
pub(super) struct Matcher {
    pub(super) label: String,
    /// The value, or those between the bars of a pattern.
    pub(super) values: Vec<String>,
}

/// Words that are followed by labels in parentheses.
const GROUPINGS: [&str; 6] = ["by", "without", "on", "ignoring", "group_left", "group_right"];
/// Aggregations, whose parentheses may come after a grouping, and operators.
const WORDS: [&str; 19] = [
    "sum",
    "min",
    "max",
    "avg",
    "group",
    "stddev",
    "stdvar",
    "count",
    "count_values",
    "bottomk",
    "topk",
    "quantile",
    "and",
    "or",
    "unless",
    "bool",
    "offset",
    "inf",
    "nan",
];

pub(super) fn read(query: &str) -> Named {
    let mut named = Named::default();
    let mut rest = query.trim_start();
    // Whether what was read last is a metric.
    let mut is_after_metric = false;
    while let Some(first) = rest.chars().next() {
        if is_word(first) && !first.is_ascii_digit() {
            let (word, after) = split_word(rest);
            rest = after.trim_start();
            is_after_metric = false;
            if GROUPINGS.contains(&word) {
                if let Some((labels, after)) = enclosed(rest, '(', ')') {
                    named.groupings.extend(labels.split(',').map(|label| label.trim().to_owned()));
                    rest = after;
                }
            } else if !WORDS.contains(&word.to_ascii_lowercase().as_str()) && !rest.starts_with('(') {
                named.selectors.push(Selector { metric: word.to_owned(), matchers: Vec::new() });
                is_after_metric = true;
            }
        } else if let Some((matchers, after)) = enclosed(rest, '{', '}') {
            match named.selectors.last_mut().filter(|_| is_after_metric) {
                Some(selector) => selector.matchers = read_matchers(matchers),
                None => named.has_nameless = true,
            }
            rest = after;
            is_after_metric = false;
        } else if let Some((_range, after)) = enclosed(rest, '[', ']') {
            rest = after;
        } else if let Some((_text, after)) = quoted(rest) {
            rest = after;
        } else if first.is_ascii_digit() {
            // A number or a duration.
            rest = rest.trim_start_matches(|letter| is_word(letter) || letter == '.');
        } else {
            rest = rest.get(first.len_utf8()..).unwrap_or_default();
        }
        rest = rest.trim_start();
    }
    named
}

fn read_matchers(text: &str) -> Vec<Matcher> {
    const BETWEEN: [char; 3] = [',', ' ', '\n'];
    let mut matchers = Vec::new();
    let mut rest = text.trim_start_matches(BETWEEN);
    while !rest.is_empty() {
        let (label, after) = split_word(rest);
        let after = after.trim_start();
        let operator = ["=~", "!~", "!=", "="].into_iter().find(|operator| after.starts_with(operator));
        let operator = operator.unwrap_or_default();
        let after = after.strip_prefix(operator).unwrap_or_default().trim_start();
        let Some((value, after)) = quoted(after) else { break };
        let is_pattern = operator.ends_with('~');
        let values =
            if is_pattern { value.split('|').map(str::to_owned).collect() } else { vec![value.to_owned()] };
        matchers.push(Matcher { label: label.to_owned(), values });
        rest = after.trim_start_matches(BETWEEN);
    }
    matchers
}

fn is_word(letter: char) -> bool {
    letter.is_ascii_alphanumeric() || letter == '_' || letter == ':'
}

fn split_word(text: &str) -> (&str, &str) {
    text.split_at(text.find(|letter| !is_word(letter)).unwrap_or(text.len()))
}

/// What is between two brackets at the beginning, and what comes after. Quotes may hold brackets.
fn enclosed(text: &str, open: char, close: char) -> Option<(&str, &str)> {
    let inner = text.strip_prefix(open)?;
    let mut is_quoted = false;
    let end = inner.find(|letter| {
        is_quoted ^= letter == '"';
        letter == close && !is_quoted
    })?;
    Some((inner.get(..end)?, inner.get(end + close.len_utf8()..)?))
}

fn quoted(text: &str) -> Option<(&str, &str)> {
    text.strip_prefix('"')?.split_once('"')
}
