//! A form on its way in, and on its way back when something was wrong with it: what was typed
//! (never a password) and what to say beside each field.

use std::collections::BTreeMap;

use minijinja::Value;
use minijinja::context;

use crate::identity::FieldError;
use crate::identity::password;
use crate::secret::SecretText;

use super::words::Words;

/// The fields of a form that was sent.
pub struct Form(Vec<(String, String)>);

impl Form {
    /// Those that `body` holds, `application/x-www-form-urlencoded`.
    pub fn parse(body: &[u8]) -> Form {
        let fields = url::form_urlencoded::parse(body);
        Form(fields.into_owned().collect())
    }

    /// What was typed into `field`; empty when it is not there.
    pub fn text(&self, field: &str) -> String {
        self.given(field).unwrap_or_default()
    }

    /// What was typed into `field`, if it is there.
    pub fn given(&self, field: &str) -> Option<String> {
        let found = self.0.iter().find(|(name, _)| name == field);
        found.map(|(_, value)| value.clone())
    }

    /// What was typed into `field`, as a secret.
    pub fn secret(&self, field: &str) -> SecretText {
        self.text(field).into()
    }
}

/// A form as a page shows it.
#[derive(Debug, Default)]
pub struct Shown {
    values: BTreeMap<&'static str, String>,
    errors: Vec<(&'static str, String)>,
}

impl Shown {
    /// Fills a field in.
    pub fn with(mut self, field: &'static str, value: impl Into<String>) -> Shown {
        self.values.insert(field, value.into());
        self
    }

    /// Says something beside a field.
    pub fn refuse(mut self, field: &'static str, why: impl Into<String>) -> Shown {
        self.errors.push((field, why.into()));
        self
    }

    /// Says beside each field what the domain found wrong with it.
    pub fn refused(
        mut self,
        errors: Vec<FieldError>,
        words: Words,
        rules: &password::Settings,
    ) -> Shown {
        for error in errors {
            let why = explain(&error, words, rules);
            self.errors.push((error.field, why));
        }
        self
    }

    /// For a template: `values` by field, `errors` by field, `faults` in order.
    pub fn to_value(&self) -> Value {
        let text = |text: &str| Value::from(text.to_owned());
        let values = self
            .values
            .iter()
            .map(|(field, value)| (*field, text(value)));
        let errors = self.errors.iter().map(|(field, why)| (*field, text(why)));
        let faults = self
            .errors
            .iter()
            .map(|(field, why)| context! { field => *field, why => why.as_str() });
        context! {
            values => Value::from_pairs(values),
            errors => Value::from_pairs(errors),
            faults => faults.collect::<Vec<_>>(),
        }
    }
}

/// What is wrong with a field, in people's words: the text for this very field, else that for
/// whatever is wrong in this way, else what the domain says.
fn explain(error: &FieldError, words: Words, rules: &password::Settings) -> String {
    let (least, most) = (rules.min_chars.to_string(), rules.max_chars.to_string());
    let values = [("least", least.as_str()), ("most", most.as_str())];
    let field = match error.field {
        "new_password" => "password",
        "new_email" => "email",
        field => field,
    };
    let special = format!("wrong_{field}_{}", error.code);
    let general = format!("wrong_{}", error.code);
    let found = [special, general]
        .into_iter()
        .find(|key| words.find(key).is_some());
    match found {
        Some(key) => words.fill(&key, &values),
        None => error.message.clone(),
    }
}
