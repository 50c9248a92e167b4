//! `gatepost user`, `session`, `token` and `timeline` end to end: the real binary talks to the real
//! binary.

use serde_json::Value;
use serde_json::json;

use crate::cli_terminal::gatepost;
use crate::cli_terminal::run;
use crate::cli_terminal::shown;
use crate::cli_terminal::told;
use crate::process;
use crate::process::Process;

#[test]
fn accounts_sessions_and_codes_are_looked_at_and_looked_after() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    let running = Process::start("dev", folder, &[]);
    let (ann, password) = ("ann@example.com", "gate lamp river");
    let ask = json!({"email": ann, "verification_type": "register"});
    let (status, _) = running.post("/auth/send_verification_code", &ask);
    assert_eq!(status, 202);
    let token = told(folder, &["token", "list", "--email", ann]);
    let token = token["items"][0]["id"].as_str().unwrap().to_owned();
    let revealed = process::patiently(|| {
        let (code, out, _) = run(&mut gatepost(
            folder,
            &["token", "reveal", "--as", "amy", &token],
        ));
        (code == 0).then(|| serde_json::from_str::<Value>(&out).unwrap())
    });
    let code = revealed.unwrap()["secret"].clone();
    let verify = json!({"email": ann, "verification_type": "register", "code": code});
    let (status, verified) = running.post("/auth/verify_code", &verify);
    assert_eq!(status, 200, "{verified}");
    let proof = &verified["verification_token"];
    let form = json!({"email": ann, "password": password, "verification_token": proof});
    let (status, _) = running.post("/auth/register", &form);
    assert_eq!(status, 201);

    let users = told(folder, &["user", "list", "--sort", "email"]);
    let id = users["items"][0]["id"].as_str().unwrap().to_owned();
    assert_eq!(told(folder, &["user", "show", &id])["email"], ann);
    let table = shown(folder, &["user", "list", "--search", "ANN"]);
    for words in ["ADDRESS", ann, "active", "1 of 1."] {
        assert!(table.contains(words), "{words}: {table}");
    }
    let sessions = told(folder, &["session", "list", "--user", &id]);
    let session = sessions["items"][0]["id"].as_str().unwrap();
    told(folder, &["session", "revoke", session]);
    let (code, out, err) = run(&mut gatepost(folder, &["session", "revoke", session]));
    assert_eq!((code, out.as_str()), (1, ""));
    assert!(err.contains(session), "{err}");

    let said = shown(folder, &["user", "lock", "--as", "amy", &id]);
    assert!(said.contains("locked"), "{said}");
    let login = json!({"email": ann, "password": password});
    assert_eq!(running.post("/auth/login", &login).0, 401);
    assert_eq!(told(folder, &["user", "unlock", &id])["state"], "active");
    assert_eq!(running.post("/auth/login", &login).0, 200);
    told(folder, &["user", "send-reset", &id]);
    told(folder, &["user", "end-sessions", &id]);

    let story = told(folder, &["timeline", ann, "--all"]);
    let items = story["items"].as_array().unwrap();
    let of_amy = |item: &&Value| item["detail"].as_str().unwrap().starts_with("operator:amy");
    assert_eq!(items.iter().filter(of_amy).count(), 2, "{story}");
    let table = shown(folder, &["timeline", ann]);
    assert!(table.contains("Locked the account"), "{table}");
    let (code, _, err) = run(&mut gatepost(folder, &["timeline", "nobody"]));
    assert_eq!(code, 2, "{err}");
}

#[test]
fn in_production_no_code_is_revealed() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    let running = Process::start("serve", folder, &[]);
    let ask = json!({"email": "ann@example.com", "verification_type": "register"});
    let (status, _) = running.post("/auth/send_verification_code", &ask);
    assert_eq!(status, 202);
    let tokens = told(folder, &["token", "list"]);
    let token = &tokens["items"][0];
    assert_eq!(token["revealable"], false);
    let id = token["id"].as_str().unwrap();
    let (code, out, err) = run(&mut gatepost(folder, &["token", "reveal", id]));
    assert_eq!((code, out.as_str()), (1, ""));
    assert!(err.contains("gatepost dev alone"), "{err}");
    told(folder, &["token", "revoke", id]);
    assert_eq!(told(folder, &["token", "list"])["total"], 0);
}
