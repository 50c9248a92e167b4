//! `gatepost inbox`, `audit`, `stats` and the orders of `outbox list` end to end: the real binary
//! talks to the real binary.

use serde_json::Value;
use serde_json::json;

use crate::cli_terminal::gatepost;
use crate::cli_terminal::run;
use crate::cli_terminal::shown;
use crate::cli_terminal::told;
use crate::process;
use crate::process::Process;

#[test]
fn captured_mail_the_record_and_the_figures_are_looked_at() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    let running = Process::start("dev", folder, &[]);
    for name in ["bob", "ann"] {
        let ask = json!({"email": format!("{name}@example.com"), "verification_type": "register"});
        let (status, _) = running.post("/auth/send_verification_code", &ask);
        assert_eq!(status, 202);
    }
    let both = process::patiently(|| {
        let page = told(folder, &["inbox", "list", "--sort", "to"]);
        (page["total"] == 2).then_some(page)
    });
    let page = both.expect("both come in");
    assert_eq!(page["items"][0]["envelope"]["to"][0], "ann@example.com");
    let id = page["items"][0]["id"].as_str().unwrap().to_owned();
    let table = shown(folder, &["inbox", "list", "--to", "ann@example.com"]);
    for words in ["SUBJECT", "ann@example.com", "1 of 1."] {
        assert!(table.contains(words), "{words}: {table}");
    }
    let message = told(folder, &["inbox", "show", &id]);
    let code = message["codes"][0].as_str().unwrap();
    let text = shown(folder, &["inbox", "show", &id]);
    assert!(
        text.contains(code) && text.contains("Envelope from"),
        "{text}"
    );
    let (status, raw, _) = run(&mut gatepost(folder, &["inbox", "raw", &id]));
    assert_eq!(status, 0);
    assert!(raw.contains("\r\n\r\n") && raw.contains("To: "), "{raw}");

    assert_eq!(
        told(folder, &["inbox", "delete", "--as", "amy", &id]),
        Value::Null
    );
    for verb in ["show", "raw", "delete"] {
        let (code, out, err) = run(&mut gatepost(folder, &["inbox", verb, &id]));
        assert_eq!((code, out.as_str()), (1, ""), "{verb}");
        assert!(err.contains(&id), "{verb}: {err}");
    }
    let record = told(folder, &["audit", "list", "--action", "inbox_delete"]);
    assert_eq!(record["total"], 1);
    assert_eq!(record["items"][0]["actor"], "operator:amy");
    let table = shown(
        folder,
        &["audit", "list", "--sort", "at", "--search", "AMY"],
    );
    assert!(
        table.contains("inbox_delete") && table.contains("done"),
        "{table}"
    );

    let stats = told(folder, &["stats"]);
    assert_eq!((&stats["inbox"], &stats["failing"]), (&json!(1), &json!(0)));
    assert_eq!(stats["minutes"].as_array().unwrap().len(), 60);
    let figures = shown(folder, &["stats"]);
    assert!(
        figures.contains("2 sent") && figures.contains("In the last hour:"),
        "{figures}"
    );

    let sorted = told(
        folder,
        &["outbox", "list", "--sort", "to", "--q", "EXAMPLE"],
    );
    assert_eq!(sorted["items"][0]["to"], "ann@example.com");
    let failing = told(folder, &["outbox", "list", "--state", "failing"]);
    assert_eq!(failing["total"], 0);
    let (code, _, err) = run(&mut gatepost(
        folder,
        &["outbox", "list", "--state", "lost"],
    ));
    assert_eq!(code, 2);
    assert!(err.contains("failing"), "{err}");
}
