//! What an order may cost, counted in steps.

use super::super::environment;
use super::*;

fn programs(text: &str) -> Programs {
    let file = |name: &str, content: &str| {
        let source = (PathBuf::from(name), content.to_owned());
        (name.to_owned(), source)
    };
    let files = [
        file("send/en/odd.subject.txt", "Odd"),
        file("send/en/odd.txt", text),
    ];
    Programs::load(&files.into(), environment()).unwrap()
}

const ALWAYS_THERE: Always<'_> = Always {
    site_name: "Example",
    url: "https://example.com",
    address: "ann@example.com",
};

/// What comes of `values`, and what is left of the budget.
fn cost(programs: &Programs, values: serde_json::Value) -> (Result<Rendered, Refused>, u64) {
    let values = serde_json::from_value(values).unwrap();
    let mail = &programs.mails["odd"]["en"];
    let mut engine = Engine::new(&programs.environment);
    let rendered = attempt(&mut engine, mail, Language::En, ALWAYS_THERE, &values);
    (rendered, engine.left())
}

fn rows(many: usize) -> serde_json::Value {
    serde_json::Value::from(vec![1; many])
}

#[test]
fn a_loop_in_a_loop_ends_when_the_budget_of_the_part_is_spent() {
    let programs =
        programs("{% for r in rows %}{% for c in cols %}{{ c }}{% endfor %}{% endfor %}");
    let (rendered, left) = cost(
        &programs,
        serde_json::json!({"rows": rows(40_000), "cols": rows(40_000)}),
    );
    let Err(Refused::Failed(error)) = rendered else {
        panic!("{rendered:?}");
    };
    assert!(error.problem.contains("too many steps"), "{error}");
    assert!(left < PART + 1, "{left}");
    let fair = serde_json::json!({"rows": rows(100), "cols": rows(100)});
    let (rendered, left) = cost(&programs, fair);
    assert_eq!(rendered.unwrap().text.len(), 10_000);
    assert!(left > PART);
}

#[test]
fn all_tries_to_tell_what_is_missing_share_one_budget() {
    let gaps: String = (0..400).map(|n| format!("{{{{ gap{n} }}}}")).collect();
    let programs = programs(&format!(
        "{{% for r in rows %}}{{% for c in rows %}}{{{{ c }}}}{{% endfor %}}{{% endfor %}}{gaps}"
    ));
    // Few steps each: all are named.
    let (rendered, _) = cost(&programs, serde_json::json!({"rows": []}));
    let Err(Refused::Missing(missing)) = rendered else {
        panic!("{rendered:?}");
    };
    assert!(missing.len() >= 50, "{}", missing.len());
    // More than a try may take: nothing is known, and nothing more is spent.
    let (rendered, left) = cost(&programs, serde_json::json!({"rows": rows(150)}));
    assert!(matches!(rendered, Err(Refused::Failed(_))), "{rendered:?}");
    assert_eq!(left, 0);
}

#[test]
fn what_calls_itself_ends_before_the_stack_does() {
    let calls = "{% macro a(n) %}{{ a(n + 1) }}{% endmacro %}{{ a(0) }}{{ gap }}";
    let programs = programs(calls);
    let thread = std::thread::Builder::new().stack_size(1 << 20);
    let done = thread.spawn(move || cost(&programs, serde_json::json!({})).0);
    let rendered = done.unwrap().join().unwrap();
    assert!(matches!(rendered, Err(Refused::Failed(_))), "{rendered:?}");
}
