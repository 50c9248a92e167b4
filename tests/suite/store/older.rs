//! A store that the first build wrote (0.1.0, 2026-11-22): it must open for ever.
//!
//! `older/0.1.0.txt` holds its map, a line an entry, key and value in base64; `older/0.1.0.key`
//! is its secret.key, in base64 as well. It was dumped after: ann@example.com registered (password
//! `correct horse battery`), asked for a reset link, and somebody sent one mail over SMTP.

use std::path::Path;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::Value;
use serde_json::json;

use crate::harness::Gatepost;

const MAP: redb::TableDefinition<&[u8], &[u8]> = redb::TableDefinition::new("map");
const META: redb::TableDefinition<&str, u64> = redb::TableDefinition::new("meta");

fn restore(data: &Path) {
    std::fs::create_dir(data).unwrap();
    let key = STANDARD
        .decode(include_str!("older/0.1.0.key").trim())
        .unwrap();
    std::fs::write(data.join("secret.key"), key).unwrap();
    let database = redb::Database::create(data.join("store.redb")).unwrap();
    let write = database.begin_write().unwrap();
    write.open_table(META).unwrap().insert("format", 1).unwrap();
    {
        let mut map = write.open_table(MAP).unwrap();
        for line in include_str!("older/0.1.0.txt").lines() {
            let (key, value) = line.split_once(' ').unwrap();
            let [key, value] = [key, value].map(|text| STANDARD.decode(text).unwrap());
            map.insert(key.as_slice(), value.as_slice()).unwrap();
        }
    }
    write.commit().unwrap();
}

#[test]
fn the_store_of_the_first_build_opens_with_everything_in_it() {
    let folder = tempfile::tempdir().unwrap();
    restore(&folder.path().join("data"));
    let gatepost = Gatepost::over(folder, &[]);
    let mails = gatepost.get("/api/v1/inbox/messages").expect(200);
    assert_eq!(mails["total"], 3, "{mails}");
    assert_eq!(mails["items"][0]["subject"], "Greetings");
    let reset = gatepost.get("/api/v1/inbox/messages/2").expect(200);
    assert!(reset["outbox_id"].is_string(), "{reset}");
    let login = gatepost
        .login("ann@example.com", "correct horse battery")
        .expect(200);
    assert_eq!(login["user"]["display_name"], "Ann");
    let session = login["session"]["token"].as_str().unwrap();
    let sessions = gatepost
        .send("GET", "/api/v1/auth/sessions", session, &Value::Null)
        .expect(200);
    assert_eq!(
        sessions["total"], 2,
        "the session of back then is alive: {sessions}"
    );
    let change =
        json!({"current_password": "correct horse battery", "new_password": "another staple gun"});
    gatepost
        .send("POST", "/api/v1/auth/change_password", session, &change)
        .expect(204);
}
