//! Reads the message types out of this crate's own source, for the reference part of `docs/protocol.md`. The source is
//! formatted by rustfmt, so that a reader of lines is enough; a test compares what it found with what serde says.

/// A message type.
pub(crate) struct Item {
    pub(crate) name: String,
    pub(crate) doc: String,
    pub(crate) body: Body,
}

/// What is inside of it.
pub(crate) enum Body {
    Struct(Vec<Field>),
    Enum(Vec<Variant>),
}

/// A field: name, Rust type, meaning, and whether it may be left out.
pub(crate) struct Field {
    pub(crate) name: String,
    rust_type: String,
    doc: String,
    may_be_left_out: bool,
}

/// A variant of an enum.
pub(crate) struct Variant {
    pub(crate) name: String,
    pub(crate) doc: String,
    content: Option<String>,
    pub(crate) fields: Vec<Field>,
}

/// Reads all types of one file.
pub(crate) fn read(source: &str) -> Vec<Item> {
    let mut items: Vec<Item> = Vec::new();
    let mut doc = String::new();
    let mut may_be_left_out = false;
    for line in source.lines() {
        let indent = line.len() - line.trim_start().len();
        let text = line.trim();
        if let Some(words) = text.strip_prefix("///") {
            if !doc.is_empty() {
                doc.push(' ');
            }
            doc.push_str(words.trim());
            continue;
        }
        if text.starts_with("#[") {
            may_be_left_out |= text.contains("default") || text.contains("skip_serializing_if");
            continue;
        }
        let taken = std::mem::take(&mut doc);
        let optional = std::mem::take(&mut may_be_left_out);
        let field = |(name, rust_type): (&str, &str)| Field {
            name: name.trim_start_matches("pub ").to_owned(),
            rust_type: rust_type.to_owned(),
            doc: taken.clone(),
            may_be_left_out: optional,
        };
        if indent == 0 {
            let declared = |word: &str| text.strip_prefix(word).and_then(|rest| rest.strip_suffix(" {"));
            if let Some(name) = declared("pub struct ") {
                items.push(Item { name: name.to_owned(), doc: taken, body: Body::Struct(Vec::new()) });
            } else if let Some(name) = declared("pub enum ") {
                items.push(Item { name: name.to_owned(), doc: taken, body: Body::Enum(Vec::new()) });
            }
            continue;
        }
        let Some(item) = items.last_mut() else { continue };
        let parts = text.strip_suffix(',').and_then(|text| text.split_once(": "));
        match &mut item.body {
            Body::Struct(fields) => fields.extend(parts.map(field)),
            Body::Enum(variants) if indent == 4 => {
                let declared = text.trim_end_matches([' ', '{', ',']);
                if declared.is_empty() || !declared.starts_with(char::is_uppercase) {
                    continue;
                }
                let (name, content) = match declared.split_once('(') {
                    Some((name, content)) => (name, Some(content.trim_end_matches(')').to_owned())),
                    None => (declared, None),
                };
                variants.push(Variant { name: snake(name), doc: taken, content, fields: Vec::new() });
            }
            Body::Enum(variants) => {
                if let (Some(variant), Some(parts)) = (variants.last_mut(), parts) {
                    variant.fields.push(field(parts));
                }
            }
        }
    }
    items
}

/// `StartFocus` is `start_focus` on the wire.
fn snake(name: &str) -> String {
    let mut out = String::new();
    for letter in name.chars() {
        if letter.is_uppercase() && !out.is_empty() {
            out.push('_');
        }
        out.extend(letter.to_lowercase());
    }
    out
}

/// A Rust type in the words of the document.
fn wire_type(rust_type: &str, may_be_left_out: bool) -> String {
    let inner = |prefix: &str| rust_type.strip_prefix(prefix).and_then(|rest| rest.strip_suffix('>'));
    if let Some(inner) = inner("Option<") {
        let tail = if may_be_left_out { ", may be left out" } else { " or nil" };
        return format!("{}{tail}", wire_type(inner, false));
    }
    if let Some(inner) = inner("Vec<") {
        return format!("list of {}", wire_type(inner, false));
    }
    if let Some(inner) = inner("Box<") {
        return wire_type(inner, false);
    }
    if let Some((inner, length)) = rust_type.trim_matches(['[', ']']).split_once("; ") {
        return format!("list of {length} {}", wire_type(inner, false));
    }
    match rust_type {
        "String" => "string".into(),
        "bool" => "boolean".into(),
        "i64" => "integer".into(),
        "u64" => "integer ≥ 0".into(),
        "u32" => "integer, 0 to 2^32 − 1".into(),
        "u16" => "integer, 0 to 65,535".into(),
        "u8" => "integer, 0 to 255".into(),
        name => {
            let name = name.rsplit("::").next().unwrap_or(name);
            format!("[`{name}`](#{})", name.to_lowercase())
        }
    }
}

/// One type as Markdown: a heading, its meaning, a table.
pub(crate) fn markdown(item: &Item) -> String {
    let mut out = format!("#### {}\n\n{}\n\n", item.name, plain(&item.doc));
    match &item.body {
        Body::Struct(fields) => {
            out.push_str("| field | type | meaning |\n|---|---|---|\n");
            for field in fields {
                let wire = wire_type(&field.rust_type, field.may_be_left_out);
                out.push_str(&format!("| `{}` | {wire} | {} |\n", field.name, plain(&field.doc)));
            }
        }
        Body::Enum(variants) => {
            let bare = variants.iter().all(|variant| variant.fields.is_empty() && variant.content.is_none());
            if bare {
                out.push_str("One of these strings:\n\n| value | meaning |\n|---|---|\n");
            } else {
                out.push_str("| name | content | meaning |\n|---|---|---|\n");
            }
            for variant in variants {
                let doc = plain(&variant.doc);
                let content = match &variant.content {
                    Some(content) => wire_type(content, false),
                    None if variant.fields.is_empty() => "the bare name".into(),
                    None => "map:".into(),
                };
                if bare {
                    out.push_str(&format!("| `{}` | {doc} |\n", variant.name));
                    continue;
                }
                out.push_str(&format!("| **`{}`** | {content} | {doc} |\n", variant.name));
                for field in &variant.fields {
                    let wire = wire_type(&field.rust_type, field.may_be_left_out);
                    out.push_str(&format!("| · `{}` | {wire} | {} |\n", field.name, plain(&field.doc)));
                }
            }
        }
    }
    out
}

/// Rust's links as plain code, and no bars inside of a table.
pub(crate) fn plain(doc: &str) -> String {
    doc.replace("[`", "`").replace("`]", "`").replace("Hero::", "Hero.").replace('|', "\\|")
}
