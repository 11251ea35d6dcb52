//! Where everything stands in the text: a light scan of the notation that knows brackets, names, strings and
//! comments, and leaves the meaning of values to the real reader.

use alloc::format;
use alloc::string::{String, ToString};
use alloc::vec::Vec;

/// Deeper nesting is refused; the catalogue needs five levels.
const DEPTH_MAX: usize = 16;

/// A value in the text.
#[derive(Clone, Debug)]
pub(super) struct Node<'text> {
    /// Line on which it begins, from 1.
    pub(super) line: usize,
    /// Byte at which it begins.
    pub(super) start: usize,
    /// Byte after it.
    pub(super) end: usize,
    /// What is inside.
    pub(super) shape: Shape<'text>,
}

/// What is inside of a value.
#[derive(Clone, Debug)]
pub(super) enum Shape<'text> {
    /// Nothing that has a name or a position.
    Leaf,
    /// `( name: value, ... )`.
    Fields(Vec<(&'text str, Node<'text>)>),
    /// `[ value, ... ]`, or round brackets without names.
    Items(Vec<Node<'text>>),
}

impl<'text> Node<'text> {
    pub(super) fn field(&self, name: &str) -> Option<&Node<'text>> {
        match &self.shape {
            Shape::Fields(fields) => fields.iter().find(|field| field.0 == name).map(|field| &field.1),
            Shape::Leaf | Shape::Items(_) => None,
        }
    }

    fn item(&self, index: usize) -> Option<&Node<'text>> {
        match &self.shape {
            Shape::Items(items) => items.get(index),
            Shape::Leaf | Shape::Fields(_) => None,
        }
    }

    /// The node at a path such as `modules[3].cost_me`, or the last one on the way to it.
    pub(super) fn nearest(&self, path: &str) -> &Node<'text> {
        let mut node = self;
        for step in path.split(['.', '[']) {
            let next = match step.strip_suffix(']') {
                Some(index) => index.parse().ok().and_then(|index| node.item(index)),
                None => node.field(step),
            };
            match next {
                Some(next) => node = next,
                None => break,
            }
        }
        node
    }

    /// The path of the innermost value around a byte, or of the innermost one that has something inside; nothing
    /// outside of all of them.
    pub(super) fn path_at(&self, offset: usize, skip_leaves: bool) -> Option<String> {
        let mut node = self;
        let mut path = String::new();
        'deeper: loop {
            match &node.shape {
                Shape::Leaf => break,
                Shape::Fields(fields) => {
                    for (name, child) in fields {
                        // A name belongs to its value: the reader complains at either.
                        let from = child.start.saturating_sub(name.len() + 2);
                        let wanted = !(skip_leaves && matches!(child.shape, Shape::Leaf));
                        if wanted && (from..=child.end).contains(&offset) {
                            if !path.is_empty() {
                                path.push('.');
                            }
                            path.push_str(name);
                            node = child;
                            continue 'deeper;
                        }
                    }
                    break;
                }
                Shape::Items(items) => {
                    let inside = |child: &Node<'_>| (child.start..=child.end).contains(&offset);
                    let Some(index) = items.iter().position(inside) else { break };
                    path.push_str(&format!("[{index}]"));
                    node = &items[index];
                }
            }
        }
        (!path.is_empty()).then_some(path)
    }
}

/// The byte at a line and column (both from 1) of a text, or its end.
pub(super) fn offset_of(text: &str, line: usize, column: usize) -> usize {
    let mut at = 0;
    for (index, part) in text.split_inclusive('\n').enumerate() {
        if index + 1 == line {
            let inside =
                part.char_indices().nth(column.saturating_sub(1)).map_or(part.len(), |(byte, _)| byte);
            return at + inside;
        }
        at += part.len();
    }
    text.len()
}

/// Finds the values of a text.
pub(super) fn scan(text: &str) -> Result<Node<'_>, (usize, String)> {
    let mut scanner = Scanner { text, at: 0, line: 1 };
    scanner.skip_blank()?;
    let root = scanner.value(0)?;
    scanner.skip_blank()?;
    if scanner.at < text.len() {
        return Err((scanner.line, "expected nothing after the closing bracket".to_string()));
    }
    Ok(root)
}

struct Scanner<'text> {
    text: &'text str,
    at: usize,
    line: usize,
}

impl<'text> Scanner<'text> {
    fn rest(&self) -> &'text str {
        self.text.get(self.at..).unwrap_or_default()
    }

    fn peek(&self) -> Option<char> {
        self.rest().chars().next()
    }

    fn bump(&mut self) -> Option<char> {
        let next = self.peek()?;
        self.at += next.len_utf8();
        if next == '\n' {
            self.line += 1;
        }
        Some(next)
    }

    fn fail<T>(&self, problem: &str) -> Result<T, (usize, String)> {
        let found = self.peek().map_or_else(|| "the end".to_string(), |found| format!("`{found}`"));
        Err((self.line, format!("{problem}, found {found}")))
    }

    fn skip_blank(&mut self) -> Result<(), (usize, String)> {
        loop {
            let rest = self.rest();
            if rest.starts_with("//") {
                while self.peek().is_some_and(|next| next != '\n') {
                    self.bump();
                }
            } else if rest.starts_with("/*") {
                let line = self.line;
                while !self.rest().starts_with("*/") {
                    if self.bump().is_none() {
                        return Err((line, "expected */ after /*".to_string()));
                    }
                }
                self.at += 2;
            } else if rest.starts_with(char::is_whitespace) {
                self.bump();
            } else {
                return Ok(());
            }
        }
    }

    fn word(&mut self) -> &'text str {
        let rest = self.rest();
        let len = rest
            .find(|next: char| !(next.is_alphanumeric() || matches!(next, '_' | '-' | '+' | '.' | '#')))
            .unwrap_or(rest.len());
        self.at += len;
        &rest[..len]
    }

    /// Reads one value. It may be a word, a word with brackets, brackets, or a string.
    fn value(&mut self, depth: usize) -> Result<Node<'text>, (usize, String)> {
        if depth > DEPTH_MAX {
            return self.fail("expected fewer brackets inside of each other");
        }
        let (line, start) = (self.line, self.at);
        let word = self.word();
        let after_word = (self.at, self.line);
        self.skip_blank()?;
        let shape = match self.peek() {
            Some('(') => self.brackets(')', depth)?,
            Some('[') if word.is_empty() => self.brackets(']', depth)?,
            Some('"') if word.is_empty() => self.string()?,
            _ if !word.is_empty() => {
                // The blank belongs to what follows.
                (self.at, self.line) = after_word;
                Shape::Leaf
            }
            _ => return self.fail("expected a value"),
        };
        Ok(Node { line, start, end: self.at, shape })
    }

    fn string(&mut self) -> Result<Shape<'text>, (usize, String)> {
        let line = self.line;
        self.bump();
        loop {
            match self.bump() {
                Some('"') => return Ok(Shape::Leaf),
                Some('\\') => {
                    self.bump();
                }
                Some(_) => {}
                None => return Err((line, "expected a closing \"".to_string())),
            }
        }
    }

    /// Reads what is in brackets: fields if the first entry has a name, entries otherwise.
    fn brackets(&mut self, close: char, depth: usize) -> Result<Shape<'text>, (usize, String)> {
        let opened = self.line;
        self.bump();
        let mut fields = Vec::new();
        let mut items = Vec::new();
        loop {
            self.skip_blank()?;
            if self.peek() == Some(close) {
                self.bump();
                break;
            }
            if self.peek().is_none() {
                return Err((opened, format!("expected a closing `{close}` for this bracket")));
            }
            match self.name()? {
                Some(name) if close == ')' => fields.push((name, self.value(depth + 1)?)),
                Some(_) => return self.fail("expected values without names in [ ]"),
                None => items.push(self.value(depth + 1)?),
            }
            self.skip_blank()?;
            match self.peek() {
                Some(',') => {
                    self.bump();
                }
                Some(found) if found == close => {}
                _ => return self.fail(&format!("expected `,` or `{close}`")),
            }
        }
        match (fields.is_empty(), items.is_empty()) {
            (false, false) => Err((opened, "expected either all values with names or none".to_string())),
            (false, true) => Ok(Shape::Fields(fields)),
            (true, _) => Ok(Shape::Items(items)),
        }
    }

    /// Reads `name:` with the blank behind it, or nothing and stays where it is.
    fn name(&mut self) -> Result<Option<&'text str>, (usize, String)> {
        let back = (self.at, self.line);
        let word = self.word();
        self.skip_blank()?;
        if !word.is_empty() && self.peek() == Some(':') {
            self.bump();
            self.skip_blank()?;
            return Ok(Some(word));
        }
        (self.at, self.line) = back;
        Ok(None)
    }
}
