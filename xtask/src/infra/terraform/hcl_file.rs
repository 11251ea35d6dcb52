//! One file of Terraform, and how to find something in it.

use hcl::expr::ObjectKey;
use hcl::{Block, Body, Expression, Structure};

use super::super::Tree;

/// A file that was read, with its path for messages. One that is missing or broken is empty, so that everything is missing
/// in it, and says why.
pub(super) struct HclFile {
    pub(super) path: String,
    body: Body,
    pub(super) problem: Option<String>,
}

impl HclFile {
    pub(super) fn read(tree: &Tree, path: &str) -> Self {
        let text = tree.text(path);
        let (body, problem) = match hcl::parse(text) {
            _ if text.is_empty() => (Body::default(), Some(format!("{path} is missing or empty"))),
            Ok(body) => (body, None),
            Err(error) => (Body::default(), Some(format!("{path} is no HCL: {error}"))),
        };
        Self { path: path.to_owned(), body, problem }
    }

    /// The blocks of this kind and with these labels, at the top.
    pub(super) fn blocks<'a>(&'a self, kind: &'a str, labels: &'a [&str]) -> impl Iterator<Item = &'a Body> {
        blocks(&self.body, kind, labels)
    }

    /// What stands at the end of a way such as `resource aws_lb this idle_timeout`: blocks with their labels, then an attribute.
    pub(super) fn at(&self, way: &str) -> Option<&Expression> {
        let words: Vec<&str> = way.split(' ').collect();
        at(&self.body, &words)
    }

    pub(super) fn number(&self, way: &str) -> Option<i64> {
        number(self.at(way)?)
    }

    /// The number beside a key, wherever in the file that stands.
    pub(super) fn number_of_key(&self, key: &str) -> Option<i64> {
        let mut found = None;
        body_keys(&self.body, &mut |name, value| {
            if name == key {
                found = found.or(number(value));
            }
        });
        found
    }
}

fn blocks<'a>(body: &'a Body, kind: &'a str, labels: &'a [&str]) -> impl Iterator<Item = &'a Body> {
    body.blocks().filter(move |block| is_named(block, kind, labels)).map(|block| &block.body)
}

fn is_named(block: &Block, kind: &str, labels: &[&str]) -> bool {
    block.identifier.as_str() == kind
        && block.labels.len() == labels.len()
        && block.labels.iter().zip(labels).all(|(found, wanted)| found.as_str() == *wanted)
}

fn at<'a>(body: &'a Body, words: &[&str]) -> Option<&'a Expression> {
    let (first, rest) = words.split_first()?;
    if rest.is_empty() {
        return body.attributes().find(|attribute| attribute.key.as_str() == *first).map(|found| &found.expr);
    }
    body.blocks().find_map(|block| {
        let labels = rest.get(..block.labels.len())?;
        let found = is_named(block, first, labels);
        found.then(|| at(&block.body, rest.get(labels.len()..)?)).flatten()
    })
}

/// A number, also one in quotes.
pub(super) fn number(expression: &Expression) -> Option<i64> {
    match expression {
        Expression::Number(number) => number.as_i64(),
        Expression::String(text) => text.parse().ok(),
        _ => None,
    }
}

/// A text, a number or a truth value as one would write it.
pub(super) fn plain(expression: &Expression) -> String {
    match expression {
        Expression::String(text) => text.clone(),
        other => other.to_string(),
    }
}

/// The elements of a list.
pub(super) fn list(expression: Option<&Expression>) -> &[Expression] {
    match expression {
        Some(Expression::Array(elements)) => elements,
        _ => &[],
    }
}

fn body_keys(body: &Body, seen: &mut dyn FnMut(&str, &Expression)) {
    for structure in body.iter() {
        match structure {
            Structure::Attribute(attribute) => keys(&attribute.expr, seen),
            Structure::Block(block) => body_keys(&block.body, seen),
        }
    }
}

/// Every key of every object in an expression, with its value.
pub(super) fn keys(expression: &Expression, seen: &mut dyn FnMut(&str, &Expression)) {
    match expression {
        Expression::Object(object) => {
            for (key, value) in object {
                match key {
                    ObjectKey::Identifier(name) => seen(name.as_str(), value),
                    ObjectKey::Expression(Expression::String(name)) => seen(name, value),
                    _ => {}
                }
                keys(value, seen);
            }
        }
        Expression::Array(elements) => elements.iter().for_each(|element| keys(element, seen)),
        Expression::FuncCall(call) => call.args.iter().for_each(|argument| keys(argument, seen)),
        Expression::Parenthesis(inner) => keys(inner, seen),
        Expression::Conditional(conditional) => {
            keys(&conditional.true_expr, seen);
            keys(&conditional.false_expr, seen);
        }
        _ => {}
    }
}
