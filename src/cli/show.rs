//! `gatepost config`: every setting with its value and where that came from.

use unicode_width::UnicodeWidthStr as _;

use crate::config::Origin;
use crate::config::Settings;

use super::Exit;
use super::output;

/// Prints all settings.
pub fn show(settings: &Settings, json: bool) -> Result<(), Exit> {
    let shown = output::print(&if json {
        as_json(settings)
    } else {
        as_table(settings)
    });
    for warning in &settings.warnings {
        output::complain(&format!("warning: {warning}"));
    }
    shown
}

fn as_json(settings: &Settings) -> String {
    let rows: serde_json::Map<String, serde_json::Value> = settings
        .origins
        .iter()
        .map(|origin| {
            let row = serde_json::json!({
                "value": origin.shown,
                "source": origin.source.to_string(),
                "doc": origin.doc.trim(),
            });
            (origin.name.to_owned(), row)
        })
        .collect();
    serde_json::to_string_pretty(&rows).expect("texts are JSON")
}

fn as_table(settings: &Settings) -> String {
    let width = |of: fn(&Origin) -> &str| {
        let widths = settings.origins.iter().map(|origin| of(origin).width());
        widths.max().unwrap_or(0).min(48)
    };
    let names = width(|origin| origin.name);
    let values = width(value);
    let pad = |text: &str, width: usize| {
        let missing = width.saturating_sub(text.width());
        text.to_owned() + &" ".repeat(missing)
    };
    let rows: Vec<String> = settings
        .origins
        .iter()
        .map(|origin| {
            format!(
                "{}  {}  {}",
                pad(origin.name, names),
                pad(&output::visible(value(origin)), values),
                origin.source
            )
        })
        .collect();
    rows.join("\n")
}

/// A setting without a value shows that it has none.
fn value(origin: &Origin) -> &str {
    match origin.shown.as_str() {
        "" => "-",
        shown => shown,
    }
}
