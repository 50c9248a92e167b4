//! Reading `gatepost.toml` into names and texts, each with its line. What must not live here: which
//! names there are.

use toml::de::{DeTable, DeValue};

/// A key of the file, with its value as text.
pub(super) struct Entry {
    /// The dotted name.
    pub name: String,
    /// The value; `Err` says what it is that no setting can be.
    pub value: Result<String, &'static str>,
    /// From 1.
    pub line: usize,
}

/// What the parser said, and in which line, from 1.
pub(super) type Refusal = (usize, String);

/// All keys, or every place where the text is not TOML.
pub(super) fn parse(text: &str) -> Result<Vec<Entry>, Vec<Refusal>> {
    let (table, errors) = DeTable::parse_recoverable(text);
    let line = |at: usize| text[..at.min(text.len())].matches('\n').count() + 1;
    if !errors.is_empty() {
        return Err(errors
            .iter()
            .map(|error| {
                let at = error.span().map_or(0, |span| span.start);
                (line(at), error.message().to_owned())
            })
            .collect());
    }
    let mut entries = Vec::new();
    walk(table.get_ref(), "", &line, &mut entries);
    entries.sort_by_key(|entry| entry.line);
    Ok(entries)
}

fn walk(table: &DeTable<'_>, above: &str, line: &dyn Fn(usize) -> usize, into: &mut Vec<Entry>) {
    for (key, value) in table {
        let name = match above {
            "" => key.get_ref().to_string(),
            above => format!("{above}.{}", key.get_ref()),
        };
        match value.get_ref() {
            DeValue::Table(table) => walk(table, &name, line, into),
            value => into.push(Entry {
                name,
                value: text_of(value),
                line: line(key.span().start),
            }),
        }
    }
}

fn text_of(value: &DeValue<'_>) -> Result<String, &'static str> {
    match value {
        DeValue::String(text) => Ok(text.to_string()),
        DeValue::Integer(number) => Ok(number.to_string()),
        DeValue::Float(number) => Ok(number.as_str().to_owned()),
        DeValue::Boolean(flag) => Ok(flag.to_string()),
        DeValue::Array(items) => {
            let items: Result<Vec<String>, _> =
                items.iter().map(|item| text_of(item.get_ref())).collect();
            items.map(|items| items.join(","))
        }
        DeValue::Datetime(_) => Err("a date"),
        DeValue::Table(_) => Err("a table"),
    }
}
