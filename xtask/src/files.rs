//! The files of the checkout, and a fingerprint over some of them.

use std::collections::hash_map::DefaultHasher;
use std::fs;
use std::hash::{Hash, Hasher};
use std::path::Path;

use anyhow::{Context, Result};

/// Folders that hold what was built or fetched, not what was written.
const NOT_SOURCES: [&str; 9] =
    [".git", "target", "node_modules", "dist", "data", "coverage", "test-results", ".vite", ".terraform"];

/// All files under `folder`, as paths relative to it with `/`, in a fixed order.
pub(crate) fn sources(folder: &Path) -> Result<Vec<String>> {
    let mut found = Vec::new();
    walk(folder, "", &mut found)?;
    found.sort();
    Ok(found)
}

fn walk(folder: &Path, prefix: &str, found: &mut Vec<String>) -> Result<()> {
    for entry in fs::read_dir(folder).with_context(|| format!("cannot list {}", folder.display()))? {
        let entry = entry?;
        let name = entry.file_name().to_string_lossy().into_owned();
        let path = format!("{prefix}{name}");
        let kind = entry.file_type()?;
        if kind.is_dir() && !NOT_SOURCES.contains(&name.as_str()) {
            walk(&entry.path(), &format!("{path}/"), found)?;
        } else if kind.is_file() {
            found.push(path);
        }
    }
    Ok(())
}

/// One number for the names and contents of all sources under `folder` that `wanted` takes.
pub(crate) fn fingerprint(folder: &Path, wanted: impl Fn(&str) -> bool) -> Result<String> {
    let mut hasher = DefaultHasher::new();
    for path in sources(folder)?.into_iter().filter(|path| wanted(path)) {
        path.hash(&mut hasher);
        fs::read(folder.join(&path)).with_context(|| format!("cannot read {path}"))?.hash(&mut hasher);
    }
    Ok(format!("{:016x}", hasher.finish()))
}

/// The text that was noted under this path, if any.
pub(crate) fn noted(path: &Path) -> Option<String> {
    fs::read_to_string(path).ok()
}

/// Notes a text for the next run.
pub(crate) fn note(path: &Path, text: &str) -> Result<()> {
    if let Some(folder) = path.parent() {
        fs::create_dir_all(folder).with_context(|| format!("cannot make {}", folder.display()))?;
    }
    fs::write(path, text).with_context(|| format!("cannot write {}", path.display()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_fingerprint_sees_content_names_and_ignores_what_is_built() {
        let folder = std::env::temp_dir().join(format!("xtask-files-{}", std::process::id()));
        note(&folder.join("src/a.ts"), "one").unwrap();
        let first = fingerprint(&folder, |_| true).unwrap();

        note(&folder.join("dist/a.js"), "built").unwrap();
        note(&folder.join("node_modules/x/index.js"), "fetched").unwrap();
        assert_eq!(fingerprint(&folder, |_| true).unwrap(), first, "what is built does not count");
        assert_eq!(sources(&folder).unwrap(), ["src/a.ts"]);

        note(&folder.join("src/a.ts"), "two").unwrap();
        let second = fingerprint(&folder, |_| true).unwrap();
        assert_ne!(second, first, "content counts");

        fs::rename(folder.join("src/a.ts"), folder.join("src/b.ts")).unwrap();
        assert_ne!(fingerprint(&folder, |_| true).unwrap(), second, "names count");
        fs::remove_dir_all(folder).unwrap();
    }
}
