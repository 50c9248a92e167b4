//! Whether a JSON value has the fields that a schema asks for, all faults at once. What must not
//! live here: rules of the domain; a value of the right type is good enough.

use std::any::TypeId;
use std::collections::HashMap;
use std::sync::{Arc, LazyLock, PoisonError, RwLock};

use poem_openapi::registry::{MetaSchema, MetaSchemaRef, Registry};
use poem_openapi::types::Type;
use serde_json::Value;

use crate::http::problem::FieldProblem;

/// The fields of an object, as its schema declares them.
#[derive(Debug)]
pub struct Shape {
    fields: Vec<Field>,
}

#[derive(Debug)]
struct Field {
    name: &'static str,
    kind: &'static str,
    required: bool,
}

static SHAPES: LazyLock<RwLock<HashMap<TypeId, Arc<Shape>>>> = LazyLock::new(RwLock::default);

impl Shape {
    /// The shape of `T`, read from its schema once.
    pub fn of<T: Type + 'static>() -> Arc<Shape> {
        let id = TypeId::of::<T>();
        let known = SHAPES
            .read()
            .unwrap_or_else(PoisonError::into_inner)
            .get(&id)
            .cloned();
        known.unwrap_or_else(|| {
            let shape = Arc::new(Shape::read::<T>());
            let mut shapes = SHAPES.write().unwrap_or_else(PoisonError::into_inner);
            shapes.entry(id).or_insert(shape).clone()
        })
    }

    fn read<T: Type>() -> Shape {
        let mut registry = Registry::new();
        T::register(&mut registry);
        let schema = T::schema_ref();
        let Some(object) = resolve(&registry, &schema) else {
            return Shape { fields: Vec::new() };
        };
        let fields = object
            .properties
            .iter()
            .map(|(name, schema)| Field {
                name,
                kind: resolve(&registry, schema).map_or("", |schema| schema.ty),
                required: object.required.contains(name),
            })
            .collect();
        Shape { fields }
    }

    /// What is wrong with `value`; nothing when it has this shape. Fields that the schema does
    /// not know are let through: see [`Shape::strangers`].
    pub fn faults(&self, value: &Value) -> Vec<FieldProblem> {
        let Value::Object(object) = value else {
            return vec![FieldProblem {
                pointer: String::new(),
                code: "wrong_type".into(),
                detail: format!("expected an object, found {}", name_of(value)),
            }];
        };
        self.fields
            .iter()
            .filter_map(|field| field.fault(object.get(field.name)))
            .collect()
    }

    /// The fields of `value` that the schema does not know.
    pub fn strangers(&self, value: &Value) -> Vec<FieldProblem> {
        let known = |name: &str| self.fields.iter().any(|field| field.name == name);
        let fields = value.as_object().into_iter().flatten();
        let strangers = fields.filter(|(name, _)| !known(name));
        let names: Vec<_> = self.fields.iter().map(|field| field.name).collect();
        strangers
            .map(|(name, _)| FieldProblem {
                pointer: pointer(name),
                code: "unknown".into(),
                detail: format!("there is no such field; there are {}", names.join(", ")),
            })
            .collect()
    }
}

/// The field called `name` (RFC 6901).
fn pointer(name: &str) -> String {
    format!("/{}", name.replace('~', "~0").replace('/', "~1"))
}

impl Field {
    fn fault(&self, value: Option<&Value>) -> Option<FieldProblem> {
        let fault = |code: &'static str, detail: String| {
            Some(FieldProblem {
                pointer: pointer(self.name),
                code: code.into(),
                detail,
            })
        };
        match value {
            None if self.required => fault("required", "this field is required".to_owned()),
            None => None,
            Some(Value::Null) if !self.required => None,
            Some(value) if self.accepts(value) => None,
            Some(value) => fault(
                "wrong_type",
                format!("expected {}, found {}", self.wanted(), name_of(value)),
            ),
        }
    }

    fn accepts(&self, value: &Value) -> bool {
        match self.kind {
            "string" => value.is_string(),
            "integer" => value.is_i64() || value.is_u64(),
            "number" => value.is_number(),
            "boolean" => value.is_boolean(),
            "array" => value.is_array(),
            "object" => value.is_object(),
            _ => true,
        }
    }

    fn wanted(&self) -> &'static str {
        match self.kind {
            "string" => "a string",
            "integer" => "a whole number",
            "number" => "a number",
            "boolean" => "true or false",
            "array" => "an array",
            _ => "an object",
        }
    }
}

fn resolve<'a>(registry: &'a Registry, schema: &'a MetaSchemaRef) -> Option<&'a MetaSchema> {
    match schema {
        MetaSchemaRef::Reference(name) => registry.schemas.get(name),
        // A reference with a description of its own is an allOf around it.
        MetaSchemaRef::Inline(inline) => match inline.all_of.first() {
            Some(first) if inline.ty.is_empty() => resolve(registry, first),
            _ => Some(inline),
        },
    }
}

fn name_of(value: &Value) -> &'static str {
    match value {
        Value::Null => "null",
        Value::Bool(_) => "true or false",
        Value::Number(_) => "a number",
        Value::String(_) => "a string",
        Value::Array(_) => "an array",
        Value::Object(_) => "an object",
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[derive(poem_openapi::Object)]
    struct Letter {
        to: String,
        copies: u32,
        note: Option<String>,
    }

    fn faults(value: &Value) -> Vec<(String, String)> {
        Shape::of::<Letter>()
            .faults(value)
            .into_iter()
            .map(|fault| (fault.pointer, fault.code.into_owned()))
            .collect()
    }

    fn fault(pointer: &str, code: &str) -> (String, String) {
        (pointer.to_owned(), code.to_owned())
    }

    #[test]
    fn all_faults_are_told_at_once() {
        assert_eq!(faults(&json!({"to": "a", "copies": 1})), []);
        assert_eq!(
            faults(&json!({"to": "a", "copies": 1, "note": null, "more": 1})),
            []
        );
        assert_eq!(
            faults(&json!({"to": null, "note": 5})),
            [
                fault("/to", "wrong_type"),
                fault("/copies", "required"),
                fault("/note", "wrong_type")
            ]
        );
        assert_eq!(
            faults(&json!({"to": "a", "copies": 1.5})),
            [fault("/copies", "wrong_type")]
        );
        assert_eq!(faults(&json!([1])), [fault("", "wrong_type")]);
    }

    #[test]
    fn fields_that_are_not_known_are_named() {
        let strangers = |value| {
            let faults = Shape::of::<Letter>().strangers(&value).into_iter();
            faults.map(|fault| fault.pointer).collect::<Vec<_>>()
        };
        assert_eq!(
            strangers(json!({"to": 5, "To": "a", "a/b~": null})),
            ["/To", "/a~1b~0"]
        );
        assert_eq!(strangers(json!({"note": null})), [""; 0]);
        assert_eq!(strangers(json!([{"to": 1}])), [""; 0]);
    }
}
