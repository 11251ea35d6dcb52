//! `leaks`: the integration tests run once more, with everything their servers log at TRACE, their metrics, their own
//! output and every secret that came by kept in files. No part of a secret may be in any of the others.

use std::collections::{BTreeMap, HashMap};
use std::fs;
use std::path::Path;
use std::process::Command;

use anyhow::{Context, Result, bail};

use super::Figure;
use crate::process::cargo;
use crate::step::Reporter;
use crate::workspace::Workspace;

/// Every kind of secret there is; a run that saw none of one kind has shown nothing about it.
const KINDS: [&str; 7] =
    ["device_token", "access_token", "refresh_token", "ticket", "mail_code", "password", "secret_key"];
/// As much of a secret as is searched for, from its end: what it begins with may be the same for all.
const PART_BYTES: usize = 20;
/// Two bytes say whether it is worth to look closer.
const PAIRS: usize = 1 << 16;

pub(super) fn run(workspace: &Workspace, quick: bool, reporter: &Reporter) -> Result<Vec<Figure>> {
    let folder = workspace.target.join("leaks");
    if folder.exists() {
        fs::remove_dir_all(&folder).with_context(|| format!("cannot empty {}", folder.display()))?;
    }
    fs::create_dir_all(&folder).with_context(|| format!("cannot make {}", folder.display()))?;
    let output = fs::File::create(folder.join("output.txt")).context("cannot keep the tests' output")?;
    let tests = if quick {
        "package(game-server) & binary(it) & test(/^(accounts|mail|http)::/)"
    } else {
        "package(game-server) & binary(it)"
    };
    let mut command: Command = cargo(workspace, &["nextest", "run", "--workspace", "-E", tests]);
    command.args(["--success-output", "immediate", "--failure-output", "immediate"]);
    command.env("LEAKS_DIR", &folder).stdout(output.try_clone()?).stderr(output);
    reporter.say(&format!("what the tests say is in {}", folder.join("output.txt").display()));
    reporter.run(&mut command)?;

    let (mut secrets, mut texts) = (Vec::new(), Vec::new());
    for file in fs::read_dir(&folder).context("the folder was just made")? {
        let path = file?.path();
        let is_secrets = path.file_name().is_some_and(|name| name.to_string_lossy().starts_with("secrets-"));
        if is_secrets {
            let text =
                fs::read_to_string(&path).with_context(|| format!("cannot read {}", path.display()))?;
            secrets.extend(text.lines().filter_map(Secret::read));
        } else {
            texts.push(path);
        }
    }
    secrets.sort();
    secrets.dedup();
    let counts = KINDS.map(|kind| (kind, secrets.iter().filter(|secret| secret.kind == kind).count()));
    if let Some((kind, _)) = counts.iter().find(|(_, count)| *count == 0) {
        bail!("no {kind} came by: this run shows nothing about them");
    }
    let parts = Parts::of(&secrets);
    let (mut bytes, mut hits) = (0, Vec::new());
    for path in &texts {
        let text = fs::read(path).with_context(|| format!("cannot read {}", path.display()))?;
        bytes += text.len();
        hits.extend(parts.found_in(&text).into_iter().map(|hit| format!("{} in {}", hit, name(path))));
    }
    if !hits.is_empty() {
        bail!("{} secrets were told:\n{}", hits.len(), hits.join("\n"));
    }
    let counts: Vec<String> = counts.iter().map(|(kind, count)| format!("{count} {kind}")).collect();
    Ok(vec![Figure::new(
        "secrets of the integration tests in logs at TRACE, metrics and panics",
        format!("0 hits: {} in {} MiB of {} files", counts.join(", "), bytes >> 20, texts.len()),
    )])
}

fn name(path: &Path) -> String {
    path.file_name().unwrap_or_default().to_string_lossy().into_owned()
}

/// Something nobody else may see.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Secret {
    kind: String,
    text: String,
}

impl Secret {
    fn read(line: &str) -> Option<Secret> {
        let (kind, text) = line.split_once('\t')?;
        Some(Secret { kind: kind.to_owned(), text: text.to_owned() })
    }
}

/// What is searched for: the end of each secret, as it is, and as the digits by which programs print bytes.
struct Parts {
    /// Which pairs of bytes begin a part.
    begins: Vec<bool>,
    by_begin: HashMap<[u8; 2], Vec<(Vec<u8>, String)>>,
}

impl Parts {
    fn of(secrets: &[Secret]) -> Parts {
        let mut parts = Parts { begins: vec![false; PAIRS], by_begin: HashMap::new() };
        for secret in secrets {
            let bytes = secret.text.as_bytes();
            let part = &bytes[bytes.len().saturating_sub(PART_BYTES)..];
            let digits = |digit: fn(&u8) -> String, between: &str| {
                part.iter().map(digit).collect::<Vec<_>>().join(between).into_bytes()
            };
            let forms = [
                ("as it is", part.to_vec()),
                ("in hexadecimal", digits(|byte| format!("{byte:02x}"), "")),
                ("in hexadecimal", digits(|byte| format!("{byte:02X}"), "")),
                ("in decimal", digits(u8::to_string, ", ")),
            ];
            for (form, bytes) in forms {
                let Some(&begin) = bytes.first_chunk() else { continue };
                parts.begins[usize::from(u16::from_be_bytes(begin))] = true;
                parts.by_begin.entry(begin).or_default().push((bytes, format!("a {}, {form}", secret.kind)));
            }
        }
        parts
    }

    /// What is found, each once, and how often.
    fn found_in(&self, text: &[u8]) -> Vec<String> {
        let mut found = BTreeMap::new();
        for (at, pair) in text.windows(2).enumerate() {
            let &[first, second] = pair else { continue };
            if !self.begins[usize::from(u16::from_be_bytes([first, second]))] {
                continue;
            }
            let here = &text[at..];
            for (bytes, what) in self.by_begin.get(&[first, second]).into_iter().flatten() {
                if here.starts_with(bytes) {
                    *found.entry((what, line_of(text, at))).or_insert(0) += 1;
                }
            }
        }
        found.into_iter().map(|((what, line), times)| format!("{times} × {what}: {line}")).collect()
    }
}

/// The beginning of the line, which says who wrote it. The secret itself is not shown.
fn line_of(text: &[u8], at: usize) -> String {
    const CHARS_MAX: usize = 80;
    let begin = text[..at].iter().rposition(|byte| *byte == b'\n').map_or(0, |end| end + 1);
    String::from_utf8_lossy(&text[begin..at]).chars().take(CHARS_MAX).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_secret_is_found_however_it_is_printed() {
        let secret = "dh_abcdefghijklmnopqrstuvwxyz0123456789";
        let secrets = [Secret { kind: "ticket".into(), text: secret.into() }];
        let parts = Parts::of(&secrets);
        let hex: String = secret.bytes().map(|byte| format!("{byte:02x}")).collect();
        for told in [format!("a {secret} b"), format!("0x{hex}"), format!("{:?}", secret.as_bytes())] {
            let found = parts.found_in(format!("first\nTRACE x: {told}\n").as_bytes());
            assert_eq!(found.len(), 1, "{told}: {found:?}");
            assert!(found[0].contains("a ticket") && found[0].contains("TRACE x"), "{found:?}");
            assert!(!found[0].contains("qrstuvwxyz0123456789"), "{found:?}");
        }
        let harmless = format!("{} and {}", &secret[..25], "0123456789");
        assert_eq!(parts.found_in(harmless.as_bytes()), Vec::<String>::new());
    }

    #[test]
    fn secrets_are_read_as_the_tests_write_them() {
        let secret = Secret::read("password\tthree plain words").unwrap();
        assert_eq!((secret.kind.as_str(), secret.text.as_str()), ("password", "three plain words"));
        assert_eq!(Secret::read("nothing"), None);
    }
}
