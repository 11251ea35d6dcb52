//! The command line itself.

use clap::CommandFactory;

use super::Arguments;

#[test]
fn the_command_line_is_consistent() {
    Arguments::command().debug_assert();
}

#[test]
fn help_documents_every_verb() {
    let mut command = Arguments::command();
    let help = command.render_help().to_string();
    let verbs = "run dev test build doctor db infra instructions sim security lint audit fmt check codegen tidy deploy release ci";
    for verb in verbs.split(' ') {
        let line = help.lines().find(|line| line.trim_start().starts_with(&format!("{verb} ")));
        let line = line.unwrap_or_else(|| panic!("`{verb}` is not in the help:\n{help}"));
        assert!(line.trim().len() > verb.len() + 10, "`{verb}` has no description: {line}");
    }
}
