//! Orders that would cost more than they are worth: whatever a template does with its values, it
//! ends, it is answered, and the rest of gatepost goes on meanwhile.

use serde_json::Value;
use serde_json::json;

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

const TABLE: &[(&str, &str)] = &[
    ("send/en/table.subject.txt", "{{ title }}"),
    (
        "send/en/table.txt",
        "{% for r in rows %}{% for c in cols %}{{ c }}{% endfor %}{% endfor %}{{ end }}",
    ),
];

fn table(many: usize) -> Value {
    let ones = vec![1; many];
    json!({"to": "ann@example.com", "template": "table",
        "values": {"title": "T", "rows": ones, "cols": ones, "end": "."}})
}

#[test]
fn an_order_that_takes_too_many_steps_ends_and_others_are_served_meanwhile() {
    let gatepost = with_templates(TABLE, &[]);
    let (_, key) = gatepost.api_key("shop");
    std::thread::scope(|scope| {
        let hostile: Vec<_> = (0..6)
            .map(|_| scope.spawn(|| gatepost.send("POST", SEND, &key, &table(4000))))
            .collect();
        while hostile.iter().any(|order| !order.is_finished()) {
            gatepost.get("/healthz").expect(200);
        }
        for answer in hostile {
            let problem = answer.join().unwrap().expect_problem(422, "invalid_fields");
            assert_eq!(problem["errors"][0]["pointer"], "/template", "{problem}");
            assert_eq!(problem["errors"][0]["code"], "failed", "{problem}");
            let detail = problem["errors"][0]["detail"].as_str().unwrap();
            assert!(detail.contains("too many steps"), "{detail}");
        }
    });
    let answer = gatepost.send("POST", SEND, &key, &table(20_000));
    let problem = answer.expect_problem(422, "invalid_fields");
    assert_eq!(problem["errors"][0]["pointer"], "/values", "{problem}");
    assert_eq!(problem["errors"][0]["code"], "too_long", "{problem}");
    gatepost.send("POST", SEND, &key, &table(30)).expect(202);
}

#[test]
fn a_refused_order_that_was_rendered_counts_and_who_is_over_the_limit_has_nothing_rendered() {
    let limit = [("GATEPOST_LIMITS_MAIL_PER_KEY", "2/hour")];
    let gatepost = with_templates(TABLE, &limit);
    let (_, key) = gatepost.api_key("shop");
    for _ in 0..2 {
        let answer = gatepost.send("POST", SEND, &key, &table(4000));
        answer.expect_problem(422, "invalid_fields");
    }
    for order in [table(4000), table(1)] {
        let answer = gatepost.send("POST", SEND, &key, &order);
        answer.expect_problem(429, "too_many_requests");
    }
}

#[test]
fn a_subject_that_values_make_too_long_is_refused() {
    let gatepost = with_templates(TABLE, &[]);
    let (_, key) = gatepost.api_key("shop");
    let mut order = table(1);
    order["values"]["title"] = json!("字".repeat(501));
    let answer = gatepost.send("POST", SEND, &key, &order);
    let problem = answer.expect_problem(422, "invalid_fields");
    assert_eq!(problem["errors"][0]["pointer"], "/template", "{problem}");
    let detail = problem["errors"][0]["detail"].as_str().unwrap();
    assert!(detail.contains("500 characters"), "{detail}");
    order["values"]["title"] = json!("字".repeat(500));
    gatepost.send("POST", SEND, &key, &order).expect(202);
}
