//! What a bench found: aligned tables for people as they are done, or one JSON object at the end.
//! Nothing here measures.

use std::time::Duration;

use serde_json::{Map, Value, json};

/// The findings of one bench.
pub struct Report {
    name: String,
    json: bool,
    tables: Map<String, Value>,
    short: Vec<String>,
}

impl Report {
    /// An empty report; `json` holds everything back until [`Report::close`].
    pub fn new(name: &str, json: bool) -> Report {
        let report = Report {
            name: name.to_owned(),
            json,
            tables: Map::new(),
            short: Vec::new(),
        };
        if !json {
            println!("bench {name}, {}", machine());
        }
        report
    }

    /// Says what is under way, on stderr.
    pub fn progress(&self, what: impl std::fmt::Display) {
        eprintln!("  … {what}");
    }

    /// Takes in a finished table, and shows it.
    pub fn add(&mut self, table: &Table) {
        if !self.json {
            println!("\n{table}");
        }
        let rows = table.rows.iter().map(|row| {
            let named = table.columns.iter().zip(row);
            Value::Object(
                named
                    .map(|(name, cell)| ((*name).to_owned(), cell.value.clone()))
                    .collect(),
            )
        });
        self.tables.insert(table.heading.clone(), rows.collect());
        for row in table
            .rows
            .iter()
            .filter(|row| row.iter().any(|cell| cell.short))
        {
            self.short
                .push(format!("{}: {}", table.heading, row[0].shown));
        }
    }

    /// Ends the report.
    pub fn close(self) {
        if self.json {
            let whole = json!({
                "bench": self.name,
                "machine": machine(),
                "tables": self.tables,
                "short": self.short,
            });
            println!("{whole:#}");
        } else if self.short.is_empty() {
            println!("\nEvery budget that was measured is met.");
        } else {
            println!("\nShort of its budget:");
            for short in self.short {
                println!("  {short}");
            }
        }
    }
}

/// What the figures were measured on, and what else ran on it.
fn machine() -> String {
    let cores = std::thread::available_parallelism().map_or(0, usize::from);
    let load = std::fs::read_to_string("/proc/loadavg").unwrap_or_default();
    let load = load.split(' ').next().unwrap_or("unknown").to_owned();
    let folder = std::env::temp_dir();
    format!(
        "{cores} cores, load average {load}, files in {}",
        folder.display()
    )
}

/// One table. Its first column names the row.
pub struct Table {
    heading: String,
    columns: Vec<&'static str>,
    rows: Vec<Vec<Cell>>,
}

impl Table {
    /// A table without rows.
    pub fn new(heading: impl Into<String>, columns: &[&'static str]) -> Table {
        Table {
            heading: heading.into(),
            columns: columns.to_vec(),
            rows: Vec::new(),
        }
    }

    /// One more row, with a cell a column.
    pub fn row(&mut self, cells: impl IntoIterator<Item = Cell>) {
        let cells: Vec<Cell> = cells.into_iter().collect();
        assert_eq!(cells.len(), self.columns.len(), "a cell a column");
        self.rows.push(cells);
    }
}

impl std::fmt::Display for Table {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        writeln!(f, "{}", self.heading)?;
        let widths: Vec<usize> = (0..self.columns.len())
            .map(|column| {
                let cells = self
                    .rows
                    .iter()
                    .map(|row| row[column].shown.chars().count());
                cells
                    .chain([self.columns[column].chars().count()])
                    .max()
                    .unwrap_or(0)
            })
            .collect();
        let titles = self
            .columns
            .iter()
            .map(|title| (*title).to_owned())
            .collect();
        let rows = self
            .rows
            .iter()
            .map(|row| row.iter().map(|cell| cell.shown.clone()).collect());
        for line in std::iter::once(titles).chain(rows) {
            let line: Vec<String> = line;
            let mut text = String::new();
            for (column, (word, width)) in line.iter().zip(&widths).enumerate() {
                let pad = " ".repeat(width - word.chars().count());
                // Names and verdicts read from the left, figures from the right.
                if column == 0 || self.columns[column] == BUDGET {
                    text += &format!("  {word}{pad}");
                } else {
                    text += &format!("  {pad}{word}");
                }
            }
            writeln!(f, "{}", text.trim_end())?;
        }
        Ok(())
    }
}

/// The title of the column that holds [`Cell::at_least`] and [`Cell::at_most`].
pub const BUDGET: &str = "budget";

/// One figure, for people and for machines.
#[derive(Clone)]
pub struct Cell {
    shown: String,
    value: Value,
    short: bool,
}

impl Cell {
    fn new(shown: String, value: impl Into<Value>) -> Cell {
        Cell {
            shown,
            value: value.into(),
            short: false,
        }
    }

    /// Words.
    pub fn text(words: impl Into<String>) -> Cell {
        let words = words.into();
        Cell::new(words.clone(), words)
    }

    /// Nothing to say here.
    pub fn none() -> Cell {
        Cell::new("–".to_owned(), Value::Null)
    }

    /// So many.
    pub fn count(count: u64) -> Cell {
        Cell::new(grouped(count), count)
    }

    /// So many a second.
    pub fn rate(rate: f64) -> Cell {
        Cell::new(grouped(rate.round() as u64), rate)
    }

    /// One figure over another.
    pub fn ratio(ratio: f64) -> Cell {
        Cell::new(format!("{ratio:.2}"), ratio)
    }

    /// A time, in JSON in milliseconds.
    pub fn time(time: Duration) -> Cell {
        let millis = time.as_secs_f64() * 1e3;
        let shown = match millis {
            0.0..0.1 => format!("{:.1} µs", millis * 1e3),
            0.1..1.0 => format!("{:.0} µs", millis * 1e3),
            1.0..100.0 => format!("{millis:.2} ms"),
            100.0..10_000.0 => format!("{millis:.0} ms"),
            _ => format!("{:.1} s", millis / 1e3),
        };
        Cell::new(shown, millis)
    }

    /// A size, in JSON in bytes.
    pub fn bytes(bytes: u64) -> Cell {
        Cell::new(format!("{:.1} MB", bytes as f64 / 1e6), bytes)
    }

    /// Whether `found` reaches `budget`.
    pub fn at_least(found: f64, budget: f64) -> Cell {
        Cell::verdict(found >= budget, &format!("≥ {budget}"))
    }

    /// Whether `found` stays within `budget`, which is said as `words`.
    pub fn at_most(found: f64, budget: f64, words: &str) -> Cell {
        Cell::verdict(found <= budget, &format!("≤ {words}"))
    }

    fn verdict(met: bool, budget: &str) -> Cell {
        let word = if met { "ok" } else { "short" };
        Cell {
            shown: format!("{word} ({budget})"),
            value: json!({ "met": met, "budget": budget }),
            short: !met,
        }
    }
}

/// Thousands set apart.
fn grouped(number: u64) -> String {
    let digits = number.to_string();
    let mut text = String::new();
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && (digits.len() - at).is_multiple_of(3) {
            text.push(' ');
        }
        text.push(digit);
    }
    text
}

/// The middle one of some figures; of an even number, the lower of the two in the middle.
pub fn median<T: Copy + PartialOrd>(figures: &[T]) -> T {
    let mut sorted = figures.to_vec();
    sorted.sort_by(|a, b| a.partial_cmp(b).unwrap_or(std::cmp::Ordering::Equal));
    sorted[(sorted.len() - 1) / 2]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_table_is_aligned_and_says_what_is_short() {
        let mut table = Table::new("Speed", &["what", "rate", BUDGET]);
        table.row([
            Cell::text("one"),
            Cell::rate(1234567.2),
            Cell::at_least(0.4, 0.5),
        ]);
        table.row([Cell::text("three"), Cell::rate(12.0), Cell::none()]);
        assert_eq!(
            table.to_string(),
            "Speed\n  what        rate  budget\n  one    1 234 567  short (≥ 0.5)\n  three         12  –\n"
        );
    }

    #[test]
    fn the_median_is_the_one_in_the_middle() {
        assert_eq!(median(&[9, 1, 5]), 5);
        assert_eq!(median(&[4.0, 1.0]), 1.0);
    }
}
