//! A report as one HTML page that needs nothing else: facts, and a plot for each thing that people would rather look at.

use std::fmt::Write;

use anyhow::{Context, Result, anyhow};
use plotters::prelude::*;

use super::LoadReport;
use super::report::{Latency, Second, milliseconds};

/// Size of a plot, in pixels.
const PLOT: (u32, u32) = (900, 260);
/// Colours that can be told apart in print and by most eyes.
const COLOURS: [RGBColor; 3] = [RGBColor(0, 114, 178), RGBColor(213, 94, 0), RGBColor(0, 158, 115)];

/// One line of a plot.
struct Line {
    name: &'static str,
    points: Vec<(f64, f64)>,
}

/// The whole page.
pub(super) fn draw(report: &LoadReport) -> Result<String> {
    let line = |name, value: fn(&Second) -> Option<f64>| {
        let points = report.series.iter().filter_map(|second| Some((float(second.at_s), value(second)?)));
        Line { name, points: points.collect() }
    };
    let plots = [
        ("Players connected", vec![line("connected", |it| Some(float(it.connected)))]),
        (
            "Commands a second",
            vec![
                line("due", |it| Some(float(it.due))),
                line("acknowledged", |it| Some(float(it.acknowledged))),
                line("refused for load", |it| Some(float(it.errors))),
            ],
        ),
        (
            "From due to durable, ms",
            vec![line("p50", |it| measured(it, it.p50_us)), line("p99", |it| measured(it, it.p99_us))],
        ),
        ("Server: CPU, % of a core", vec![line("CPU", |it| Some(float(it.server_cpu_permille?) / 10.0))]),
        (
            "Server: memory, MiB",
            vec![line("memory", |it| Some(float(it.server_memory_bytes? >> 10) / 1024.0))],
        ),
    ];
    let mut page = String::from(HEAD);
    let name = serde_json::to_value(report.program).context("a name is plain data")?;
    let name = name.as_str().unwrap_or_default();
    writeln!(page, "<title>Load: {name}</title><h1>{name}</h1><p>{}</p>", escaped(&report.summary()))?;
    page.push_str(&latencies(report)?);
    for (title, lines) in &plots {
        if lines.iter().any(|line| line.points.len() > 1) {
            writeln!(page, "<figure><figcaption>{title}</figcaption>{}</figure>", plot(lines)?)?;
        }
    }
    let json = serde_json::to_string_pretty(&LoadReport { series: Vec::new(), ..report.clone() })?;
    writeln!(page, "<details><summary>Everything</summary><pre>{}</pre></details>", escaped(&json))?;
    Ok(page)
}

const HEAD: &str = "<!doctype html><meta charset=\"utf-8\"><meta name=\"viewport\" content=\"width=device-width\">
<style>body{font:16px/1.5 system-ui,sans-serif;max-width:60rem;margin:2rem auto;padding:0 1rem;color:#1b1b1f;background:#fff}
figure{margin:1.5rem 0}figcaption{font-weight:600}svg{width:100%;height:auto}table{border-collapse:collapse}
td,th{padding:.2rem .8rem;text-align:right;border-bottom:1px solid #ddd}th:first-child,td:first-child{text-align:left}
pre{overflow:auto;background:#f5f5f5;padding:1rem}</style>
";

fn latencies(report: &LoadReport) -> Result<String> {
    let mut table = String::from("<table><tr><th>ms<th>count<th>p50<th>p90<th>p99<th>p99.9<th>worst");
    let rows = [
        ("a command, from due to durable", report.durable),
        ("a ping and back", report.ping),
        ("an arrival, from due to welcome", report.arrive),
        ("back after a lost connection", report.back),
    ];
    for (name, latency) in rows {
        let Latency { count, p50_us, p90_us, p99_us, p999_us, max_us } = latency;
        if count > 0 {
            write!(table, "<tr><td>{name}<td>{count}")?;
            for us in [p50_us, p90_us, p99_us, p999_us, max_us] {
                write!(table, "<td>{:.1}", milliseconds(us))?;
            }
        }
    }
    table.push_str("</table>\n");
    Ok(table)
}

fn plot(lines: &[Line]) -> Result<String> {
    let mut svg = String::new();
    draw_lines(&mut svg, lines).map_err(|error| anyhow!("a plot cannot be drawn: {error}"))?;
    Ok(svg)
}

fn draw_lines(svg: &mut String, lines: &[Line]) -> Result<(), String> {
    let all = || lines.iter().flat_map(|line| &line.points);
    let right = all().map(|(x, _)| *x).fold(1.0, f64::max);
    let top = all().map(|(_, y)| *y).fold(1.0, f64::max) * 1.1;
    let root = SVGBackend::with_string(svg, PLOT).into_drawing_area();
    let mut chart = ChartBuilder::on(&root)
        .margin(8)
        .x_label_area_size(28)
        .y_label_area_size(64)
        .build_cartesian_2d(0.0..right, 0.0..top)
        .map_err(|error| error.to_string())?;
    chart
        .configure_mesh()
        .light_line_style(WHITE)
        .x_desc("s")
        .x_label_formatter(&|x| format!("{x:.0}"))
        .y_label_formatter(&|y| if top < 20.0 { format!("{y:.1}") } else { format!("{y:.0}") })
        .label_style(("sans-serif", 13))
        .draw()
        .map_err(|error| error.to_string())?;
    for (line, colour) in lines.iter().zip(COLOURS) {
        chart
            .draw_series(LineSeries::new(line.points.iter().copied(), colour.stroke_width(2)))
            .map_err(|error| error.to_string())?
            .label(line.name)
            .legend(move |(x, y)| PathElement::new([(x, y), (x + 16, y)], colour.stroke_width(3)));
    }
    if lines.len() > 1 {
        chart
            .configure_series_labels()
            .background_style(WHITE)
            .label_font(("sans-serif", 13))
            .draw()
            .map_err(|error| error.to_string())?;
    }
    root.present().map_err(|error| error.to_string())
}

/// A latency of a second in which something was measured.
fn measured(second: &Second, us: u64) -> Option<f64> {
    (second.acknowledged > 0).then(|| milliseconds(us))
}

#[expect(clippy::cast_precision_loss, reason = "for a plot; nothing here comes near 2^53")]
fn float(number: u64) -> f64 {
    number as f64
}

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_plot_has_its_lines_and_their_names() {
        let line = |name, slope: f64| Line {
            name,
            points: (0..10).map(|x| (f64::from(x), slope * f64::from(x))).collect(),
        };
        let svg = plot(&[line("due", 1.0), line("done", 0.5)]).unwrap();
        assert!(svg.starts_with("<svg"), "{svg}");
        for colour in ["#0072B2", "#D55E00"] {
            assert_eq!(svg.matches(colour).count(), 2, "a line and its legend: {svg}");
        }
        assert!(svg.contains("due") && svg.contains("done"));
        assert_eq!(escaped("<a> & b"), "&lt;a> &amp; b");
    }
}
