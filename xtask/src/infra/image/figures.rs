//! What was seen, as a table for docs/operations.md.

use std::fs;
use std::path::Path;

use anyhow::{Context, Result, ensure};
use serde_json::Value;

use super::{Buildah, COPY_TIME_MAX, IMAGE};

/// Longer commands of a layer are cut.
const COMMAND_CHARACTERS_MAX: usize = 60;

#[derive(Default)]
pub(super) struct Figures(Vec<(String, String)>);

impl Figures {
    pub(super) fn add(&mut self, what: &str, seen: String) {
        self.0.push((what.to_owned(), seen));
    }

    /// The image's size, and that of each of its layers: compressed, as a registry gets them.
    pub(super) fn measure(&mut self, buildah: &Buildah) -> Result<()> {
        let folder = buildah.folder.join("pushed");
        let _usually_there_is_none = fs::remove_dir_all(&folder);
        let target = format!("dir:{}", folder.display());
        buildah.said(COPY_TIME_MAX, &["push", "--quiet", IMAGE, &target])?;
        let manifest = json(&folder.join("manifest.json"))?;
        let name = manifest["config"]["digest"].as_str().unwrap_or_default().trim_start_matches("sha256:");
        let layers = layers(&manifest, &json(&folder.join(name))?)?;
        let total = layers.iter().map(|(_, bytes)| bytes).sum();
        let images = buildah.said(COPY_TIME_MAX, &["images", "--json", IMAGE])?;
        let images: Value = serde_json::from_str(&images).context("buildah's list of images is no JSON")?;
        self.add("size unpacked", images[0]["size"].as_str().unwrap_or("unknown").to_owned());
        self.add("size compressed, as a registry gets it", megabytes(total));
        for (command, bytes) in &layers {
            self.add(&format!("layer `{command}`"), megabytes(*bytes));
        }
        fs::remove_dir_all(&folder).with_context(|| format!("cannot remove {}", folder.display()))
    }

    pub(super) fn table(&self) -> String {
        let rows: String = self.0.iter().map(|(what, seen)| format!("| {what} | {seen} |\n")).collect();
        format!("| what | seen |\n|---|---|\n{rows}")
    }
}

/// The command that made each layer, and its bytes.
fn layers(manifest: &Value, config: &Value) -> Result<Vec<(String, u64)>> {
    let list = |value: &Value| value.as_array().cloned().unwrap_or_default();
    let mut commands = list(&config["history"]);
    commands.retain(|entry| entry["empty_layer"].as_bool() != Some(true));
    let layers = list(&manifest["layers"]);
    ensure!(
        layers.len() == commands.len(),
        "the image has {} layers, and {} commands that made them",
        layers.len(),
        commands.len()
    );
    let named = commands.iter().zip(&layers).map(|(entry, layer)| {
        let text = entry["created_by"].as_str().unwrap_or_default().replace(['|', '`'], " ");
        // The shell in front of it says nothing, nor does what stands for the files that were copied.
        let text = text.trim_start_matches("/bin/sh -c #(nop) ");
        let is_said = |word: &&str| !["dir:", "file:", "multi:"].iter().any(|hash| word.starts_with(hash));
        let command = text.split_whitespace().filter(is_said).collect::<Vec<_>>().join(" ");
        let command: String = command.chars().take(COMMAND_CHARACTERS_MAX).collect();
        Some((command, layer["size"].as_u64()?))
    });
    named.collect::<Option<_>>().context("a layer has no size")
}

fn json(path: &Path) -> Result<Value> {
    let text = fs::read_to_string(path).with_context(|| format!("cannot read {}", path.display()))?;
    serde_json::from_str(&text).with_context(|| format!("{} is no JSON", path.display()))
}

#[expect(clippy::cast_precision_loss, reason = "shown with one digit after the point")]
fn megabytes(bytes: u64) -> String {
    format!("{:.1} MB", bytes as f64 / 1e6)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn layers_have_the_commands_that_made_them() {
        let manifest = serde_json::json!({"layers": [{"size": 10}, {"size": 2_500_000}]});
        let config = serde_json::json!({"history": [
            {"created_by": "/bin/sh -c #(nop) COPY file:12ab in /usr/bin "},
            {"created_by": "USER 1", "empty_layer": true},
            {"created_by": "RUN a | b"},
        ]});
        let found = layers(&manifest, &config).unwrap();
        assert_eq!(found, [("COPY in /usr/bin".to_owned(), 10), ("RUN a b".to_owned(), 2_500_000)]);
        assert_eq!(megabytes(found[1].1), "2.5 MB");
        assert!(layers(&serde_json::json!({"layers": []}), &config).is_err());
    }
}
