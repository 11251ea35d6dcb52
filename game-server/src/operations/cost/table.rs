//! `dopamine-hero cost`: the plan as a table, for whoever plans before there is a server.

use std::io::{self, Write};

use admin_http::views::Phase;
use anyhow::ensure;

use super::model::{AT_ONCE_PERCENT, Capacity, Prices, phases, plan_for, players_max};

/// More users than anybody plans for.
const USERS_MAX: u64 = 1_000_000_000;

/// Writes what the three phases cost, and so many users, when a number is given. Of the users, `at_once_percent` are there at
/// the busiest time; one in ten when it is left out.
///
/// # Errors
/// Users that no plan here carries; output that cannot be written.
pub fn write(users: Option<u64>, at_once_percent: Option<u64>, out: &mut dyn Write) -> anyhow::Result<()> {
    let (prices, capacity) = (Prices::embedded(), Capacity::embedded());
    let percent = at_once_percent.unwrap_or(AT_ONCE_PERCENT);
    let mut rows = phases(&prices, &capacity, percent);
    if let Some(users) = users {
        ensure!(users <= USERS_MAX, "at most {USERS_MAX} players can be planned for");
        let most = players_max(&prices, &capacity);
        let plan = plan_for(&prices, &capacity, users, percent);
        ensure!(
            plan.players_at_once <= most,
            "{} players at once are more than the {most} that the largest plan here carries; give a smaller --players or \
             --concurrency",
            plan.players_at_once
        );
        rows.push(plan);
    }
    table(&rows, out)?;
    writeln!(out, "\nPrices of {} ({}).", prices.as_of, prices.source)?;
    writeln!(out, "Load: {}.", capacity.measured)?;
    Ok(())
}

/// As Markdown, so that it can be read in a terminal and kept in a document.
fn table(rows: &[Phase], out: &mut dyn Write) -> io::Result<()> {
    let parts = rows.first().map_or(&[][..], |row| &row.parts);
    let mut heads = vec!["users", "at once", "servers"].into_iter().map(str::to_owned).collect::<Vec<_>>();
    heads.extend(parts.iter().map(|(name, _)| name.replace("servers", "their price")));
    heads.extend(["a month".to_owned(), "planned".to_owned()]);
    let columns = heads.len();
    let mut lines = vec![heads];
    lines.extend(rows.iter().map(cells));
    let widths: Vec<usize> = (0..columns)
        .map(|column| {
            lines
                .iter()
                .filter_map(|line| line.get(column))
                .map(|cell| cell.chars().count())
                .max()
                .unwrap_or(0)
        })
        .collect();
    for (number, line) in lines.iter().enumerate() {
        for (cell, width) in line.iter().zip(&widths) {
            write!(out, "| {cell:width$} ")?;
        }
        writeln!(out, "|")?;
        if number == 0 {
            widths.iter().try_for_each(|width| write!(out, "|{}", "-".repeat(width + 2)))?;
            writeln!(out, "|")?;
        }
    }
    Ok(())
}

fn cells(row: &Phase) -> Vec<String> {
    let mut cells = vec![
        row.users_to.to_string(),
        row.players_at_once.to_string(),
        format!("{} × {}", row.servers, row.size),
    ];
    cells.extend(row.parts.iter().map(|(_, usd)| format!("{usd:.2} $")));
    cells.extend([format!("{:.2} $", row.total_usd), format!("{:.0} $", row.planned_usd)]);
    cells
}

#[cfg(test)]
mod tests {
    use super::*;

    fn written(users: Option<u64>, percent: Option<u64>) -> String {
        let mut out = Vec::new();
        write(users, percent, &mut out).expect("it can be planned");
        String::from_utf8(out).expect("text")
    }

    #[test]
    fn the_document_has_the_table_of_today() {
        let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../infrastructure/cost/README.md");
        let document = std::fs::read_to_string(path).expect("the model is documented");
        let (begin, end) = ("<!-- cost: generated -->\n", "<!-- /cost -->");
        let (before, rest) = document.split_once(begin).expect("a place for the table");
        let (_, after) = rest.split_once(end).expect("its end");
        let renewed = format!("{before}{begin}{}{end}{after}", written(None, None));
        if std::env::var_os("UPDATE").is_some() {
            std::fs::write(path, &renewed).expect("it can be written");
        } else {
            assert_eq!(document, renewed, "run UPDATE=1 cargo nextest run -p game-server cost");
        }
    }

    #[test]
    fn a_number_of_users_gets_a_row_of_its_own() {
        let text = written(Some(3_000), Some(20));
        let row = text.lines().nth(5).expect("the fourth row");
        assert!(row.starts_with("| 3000  | 600 "), "{text}");
        assert!(row.contains(" | 280 $"), "it belongs to the second phase: {text}");
        assert_eq!(text.lines().filter(|line| line.starts_with('|')).count(), 6);
        let twice = written(Some(3_000), Some(40));
        assert!(twice.contains("| 3000  | 1200 "), "{twice}");
    }

    #[test]
    fn what_no_plan_carries_is_refused_with_the_most_that_one_does() {
        let error = write(Some(USERS_MAX), Some(100), &mut Vec::new()).unwrap_err().to_string();
        assert!(error.contains("largest plan") && error.contains("--concurrency"), "{error}");
        assert!(write(Some(USERS_MAX + 1), None, &mut Vec::new()).is_err());
    }
}
