//! Values as templates see them, and what stands in for those that are not there while it is
//! found out which of them a template cannot do without.

use std::cmp::Ordering;
use std::collections::BTreeMap;
use std::collections::BTreeSet;
use std::fmt;
use std::sync::Arc;

use minijinja::Value;
use minijinja::value::DynObject;
use minijinja::value::Enumerator;
use minijinja::value::Object;
use serde_json::Value as Json;

/// Answers whatever it is asked, so that a template goes on: to so many questions with another of
/// its kind that has more to say, and behind those with one that holds nothing. Whatever walks
/// through it (loops, comparisons, hashes) comes to an end.
#[derive(Debug)]
struct StandIn {
    deeper: u8,
}

/// Deeper than a template asks for fields of fields and loops in loops. Hashing one takes two to
/// the power of this steps.
const DEEPEST: u8 = 6;

impl StandIn {
    fn inside(&self) -> Value {
        Value::from_object(StandIn {
            deeper: self.deeper.saturating_sub(1),
        })
    }
}

impl Object for StandIn {
    fn get_value(self: &Arc<Self>, _: &Value) -> Option<Value> {
        Some(self.inside())
    }

    fn enumerate(self: &Arc<Self>) -> Enumerator {
        match self.deeper {
            0 => Enumerator::Empty,
            _ => Enumerator::Values(vec![self.inside()]),
        }
    }

    fn is_true(self: &Arc<Self>) -> bool {
        true
    }

    /// All are alike. Without this they would be compared by what they hold.
    fn custom_cmp(self: &Arc<Self>, other: &DynObject) -> Option<Ordering> {
        other.downcast_ref::<StandIn>().map(|_| Ordering::Equal)
    }

    fn render(self: &Arc<Self>, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("…")
    }
}

/// The values that a template names and that are not there, as paths with dots between, and what
/// stands in for them.
#[derive(Debug, Default)]
pub struct Gaps {
    paths: BTreeSet<String>,
    filling: Value,
}

/// What may stand in for a value: something for each thing that a template may do with one.
pub fn fillings() -> [Value; 3] {
    [
        Value::from_object(StandIn { deeper: DEEPEST }),
        Value::from(1),
        Value::from("1"),
    ]
}

impl Gaps {
    /// Those of `names` that `values` lack, each cut off behind its first part that is lacking, and
    /// filled with `filling`.
    pub fn of(names: &BTreeSet<String>, values: &BTreeMap<String, Json>, filling: Value) -> Gaps {
        let gap = |name: &String| {
            let mut parts = name.split('.');
            let mut path = parts.next()?.to_owned();
            let Some(mut value) = values.get(&path) else {
                return Some(path);
            };
            for part in parts {
                path = format!("{path}.{part}");
                // A list or a text has attributes of its own making.
                let Json::Object(fields) = value else {
                    return None;
                };
                let Some(field) = fields.get(part) else {
                    return Some(path);
                };
                value = field;
            }
            None
        };
        Gaps {
            paths: names.iter().filter_map(gap).collect(),
            filling,
        }
    }

    /// Each of them.
    pub fn paths(&self) -> impl Iterator<Item = &str> {
        self.paths.iter().map(String::as_str)
    }

    /// The names of those that lie right below `path`.
    fn below<'a>(&'a self, path: &'a str) -> impl Iterator<Item = &'a str> {
        self.paths().filter_map(move |gap| {
            let rest = match path {
                "" => gap,
                path => gap.strip_prefix(path)?.strip_prefix('.')?,
            };
            (!rest.contains('.')).then_some(rest)
        })
    }
}

/// What a template is rendered with: `values`, those of `always` that are not among them, and a
/// stand-in in each of the other `gaps` but `but`.
pub fn context(
    values: &BTreeMap<String, Json>,
    always: &[(&str, &str)],
    gaps: &Gaps,
    but: Option<&str>,
) -> Value {
    let given = values.iter().map(|(name, value)| (name.as_str(), value));
    let mut all = fields(given, "", gaps, but);
    for (name, value) in always {
        if !values.contains_key(*name) {
            all.insert((*name).to_owned(), Value::from(*value));
        }
    }
    Value::from(all)
}

fn fields<'a>(
    values: impl Iterator<Item = (&'a str, &'a Json)>,
    path: &str,
    gaps: &Gaps,
    but: Option<&str>,
) -> BTreeMap<String, Value> {
    let inside = |name: &str| match path {
        "" => name.to_owned(),
        path => format!("{path}.{name}"),
    };
    let given = values.map(|(name, json)| (name.to_owned(), value(json, &inside(name), gaps, but)));
    let mut all: BTreeMap<String, Value> = given.collect();
    let filled = gaps
        .below(path)
        .filter(|name| Some(inside(name).as_str()) != but);
    for name in filled {
        all.insert(name.to_owned(), gaps.filling.clone());
    }
    all
}

fn value(json: &Json, path: &str, gaps: &Gaps, but: Option<&str>) -> Value {
    match json {
        Json::Null => Value::from(()),
        Json::Bool(flag) => Value::from(*flag),
        Json::String(text) => Value::from(text.as_str()),
        Json::Number(number) => match (number.as_i64(), number.as_u64()) {
            (Some(whole), _) => Value::from(whole),
            (None, Some(whole)) => Value::from(whole),
            (None, None) => Value::from(number.as_f64().unwrap_or(f64::NAN)),
        },
        Json::Array(items) => {
            // What a list holds is not named by a path.
            let nothing = Gaps::default();
            items
                .iter()
                .map(|item| value(item, "", &nothing, None))
                .collect()
        }
        Json::Object(inner) => {
            let inner = inner.iter().map(|(name, value)| (name.as_str(), value));
            Value::from(fields(inner, path, gaps, but))
        }
    }
}
