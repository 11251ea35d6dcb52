//! The variables as operators may see them: what is in force, without what is secret.

use super::reader::without_credentials;
use super::{VARIABLES, Variable};

/// Parts of names whose values are shown to nobody. A new variable with such a name is hidden before anybody thinks of it.
const SECRET_PARTS: [&str; 8] =
    ["SECRET", "KEY", "PASSWORD", "TOKEN", "DSN", "WEBHOOK", "HEADERS", "CREDENTIAL"];
/// Variables with such a name whose values are public all the same.
const PUBLIC: [&str; 1] = ["FIREBASE_KEYS_URL"];
/// Variables that hold a person's or a mailbox's address, in which an @ is no login.
const MAIL_ADDRESSES: [&str; 2] = ["MAIL_FROM", "BUDGET_MAIL_TO"];
/// What stands for a secret that is set.
const HIDDEN: &str = "***";
/// Longest value that is shown, in characters.
const VALUE_CHARS_MAX: usize = 1_000;

/// One variable as operators may see it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ShownVariable {
    /// Its name.
    pub name: &'static str,
    /// What is in force: what was set, or the default; `***` for a secret that is set.
    pub value: String,
    /// Whether it was not set, or to its default.
    pub is_default: bool,
    /// What it means.
    pub meaning: &'static str,
}

/// Every variable, as `get` finds it.
pub(super) fn shown(get: &dyn Fn(&str) -> Option<String>) -> Vec<ShownVariable> {
    VARIABLES.iter().map(|variable| show(variable, get(variable.name))).collect()
}

fn show(variable: &Variable, set: Option<String>) -> ShownVariable {
    let set = set.map(|value| value.trim().to_owned()).filter(|value| !value.is_empty());
    let is_default = set.as_ref().is_none_or(|value| value == variable.default);
    let value = match set {
        None => variable.default.to_owned(),
        Some(_) if is_secret(variable.name) => HIDDEN.to_owned(),
        Some(value) if is_default => value,
        Some(value) if MAIL_ADDRESSES.contains(&variable.name) => value,
        // Whoever logs in may stand in any address, and what is not used now is not checked for being one.
        Some(value) => without_credentials(&value),
    };
    let value = value.chars().take(VALUE_CHARS_MAX).collect();
    ShownVariable { name: variable.name, value, is_default, meaning: variable.meaning }
}

fn is_secret(name: &str) -> bool {
    !PUBLIC.contains(&name) && SECRET_PARTS.iter().any(|part| name.contains(part))
}

#[cfg(test)]
mod tests {
    use super::*;

    const CANARY: &str = "c4n4ry";

    /// Whatever an operator sets, the values of secrets are not shown, and neither is what stands in an address.
    #[test]
    fn no_secret_is_shown() {
        let get = |name: &str| {
            let value = match name {
                name if is_secret(name) => format!("{CANARY}{CANARY}"),
                "DATABASE_URL" => format!("postgres://hero:{CANARY}@db:5432/hero?password={CANARY}"),
                "REDIS_URL" => format!("redis://:{CANARY}@one:1,redis://user:{CANARY}@two:2"),
                "SMTP_URL" => format!("smtps://user:{CANARY}@mail.example.org"),
                "S3_ENDPOINT" => format!("htt//:{CANARY}@s3.example.org"),
                "MAIL_FROM" => "a@example.org".to_owned(),
                _ => "shown".to_owned(),
            };
            Some(value)
        };
        let shown = shown(&get);
        assert_eq!(shown.len(), VARIABLES.len());
        for variable in &shown {
            assert!(!variable.value.contains(CANARY), "{variable:?}");
            assert!(!variable.is_default);
        }
        let of = |name| &shown.iter().find(|it| it.name == name).expect("it is a variable").value;
        assert_eq!(of("DATABASE_URL"), "postgres://***@db:5432/hero?***");
        assert_eq!(of("REDIS_URL"), "redis://***@two:2");
        assert_eq!(of("SECRET_KEYS"), "***");
        assert_eq!((of("HOST").as_str(), of("MAIL_FROM").as_str()), ("shown", "a@example.org"));
    }

    /// The list of parts is only good if it knows every secret that there is.
    #[test]
    fn every_variable_whose_value_must_not_be_seen_is_known() {
        for name in [
            "SECRET_KEYS",
            "AWS_SECRET_ACCESS_KEY",
            "AWS_ACCESS_KEY_ID",
            "SENTRY_DSN",
            "SLACK_WEBHOOK_URL",
            "ADMIN_DRAIN_TOKEN",
        ] {
            assert!(is_secret(name), "{name}");
        }
        for name in ["DATABASE_URL", "FIREBASE_KEYS_URL", "PORT", "NODE_NAME"] {
            assert!(!is_secret(name), "{name}");
        }
    }

    #[test]
    fn a_variable_that_is_not_set_shows_its_default() {
        let shown = shown(&|name: &str| (name == "PORT").then(|| " ".to_owned()));
        let port = shown.iter().find(|it| it.name == "PORT").expect("it is a variable");
        assert_eq!((port.value.as_str(), port.is_default), ("3001", true));
        let secret = shown.iter().find(|it| it.name == "SECRET_KEYS").expect("it is a variable");
        assert_eq!((secret.value.as_str(), secret.is_default), ("", true));
    }
}
