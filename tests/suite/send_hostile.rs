//! Orders that would cost more than they are worth: whatever a template does with its values, it
//! ends, it is answered, and the rest of gatepost goes on meanwhile.

use serde_json::Value;
use serde_json::json;

use crate::harness::Gatepost;
use crate::send_mail::with_templates;

const SEND: &str = "/api/v1/mail/send";

/// What templates do with values, each with some that are not there.
const DOINGS: &[&str] = &[
    "{% if total == old %}x{% endif %}",
    "{% if total != old %}x{% endif %}",
    "{% if total != old.total %}x{% endif %}",
    "{% if old.total < total %}x{% endif %}",
    "{% if total >= old.total.net %}x{% endif %}",
    "{% if total in old %}x{% endif %}",
    "{% if old.total in total.lines %}x{% endif %}",
    "{% if total == {'a': old, 'b': [old]} %}x{% endif %}",
    "{% if [total, old] < [old, total] %}x{% endif %}",
    "{% for l in lines %}{% if l.id == chosen %}*{% endif %}{% endfor %}",
    "{% for l in lines %}{% for m in l.more %}{% for n in m %}{{ n.name }}{% endfor %}{% endfor %}{% endfor %}",
    "{% for l in lines|sort(attribute='name') %}{{ l.name }}{% endfor %}",
    "{% for l in lines|unique %}{{ l }}{% endfor %}",
    "{% for l in (lines + [old, total])|unique %}{{ l }}{% endfor %}",
    "{% for l in [old, total, old.total]|unique %}{{ l }}{% endfor %}",
    "{% for l in [old, total, old.total]|sort %}{{ l }}{% endfor %}",
    "{{ [old, total, old.total]|min }}{{ lines|max }}{{ lines|min }}",
    "{{ lines|join(', ') }}{{ [old, total]|join(total) }}",
    "{% for k, v in old|items %}{{ k }}{{ v }}{% endfor %}{{ old|dictsort }}",
    "{% for g in lines|groupby('day') %}{{ g.grouper }}{{ g.list|length }}{% endfor %}",
    "{{ lines|list|length }}{{ lines|first }}{{ lines|last }}{{ lines|reverse }}{{ old|string }}",
    "{{ {old: total}[total] }}{{ lines|map(attribute='x')|list }}{{ old|pprint }}",
    "{% for l in lines|batch(2) %}{{ l }}{% endfor %}{% for l in lines|select('eq', old) %}{{ l }}{% endfor %}",
];

#[test]
fn whatever_a_template_does_with_values_that_are_not_there_it_starts_and_names_them() {
    let subjects: Vec<String> = (0..DOINGS.len())
        .map(|number| format!("send/en/odd{number}.subject.txt"))
        .collect();
    let texts: Vec<String> = (0..DOINGS.len())
        .map(|number| format!("send/en/odd{number}.txt"))
        .collect();
    let files: Vec<(&str, &str)> = subjects
        .iter()
        .map(|subject| (subject.as_str(), "Odd"))
        .chain(texts.iter().map(String::as_str).zip(DOINGS.iter().copied()))
        .collect();
    let gatepost = with_templates(&files, &[]);
    let (_, key) = gatepost.api_key("shop");
    let some = json!({"total": 5, "lines": [{"id": 1, "more": [[{}]]}, {}], "old": {"a": [{}]}});
    let mut named = 0;
    for (number, doing) in DOINGS.iter().enumerate() {
        for values in [json!({}), some.clone(), json!({"old": [[]]})] {
            let order = json!({
                "to": "ann@example.com", "template": format!("odd{number}"), "values": values,
            });
            let answer = gatepost.send("POST", SEND, &key, &order);
            // Some do not mind that nothing is there.
            if answer.status != 202 {
                let problem = answer.expect_problem(422, "invalid_fields");
                let pointer = problem["errors"][0]["pointer"].as_str().unwrap();
                assert!(
                    pointer.starts_with("/values/") || pointer == "/template",
                    "{doing}"
                );
                named += usize::from(pointer.starts_with("/values/"));
            }
        }
    }
    assert!(named > DOINGS.len(), "{named}");
    gatepost.get("/healthz").expect(200);
}
