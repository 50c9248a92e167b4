//! Stores that other builds wrote.

use gatepost::store::Error;
use gatepost::store::OpenError;
use gatepost::store::Options;
use gatepost::store::Read;
use gatepost::store::Store;
use gatepost::store::Table;
use serde::Deserialize;
use serde::Serialize;

/// A record as an older build knew it; `retired` has gone since.
#[derive(Serialize, Deserialize)]
struct Older {
    name: String,
    retired: u32,
}

/// The same record today: a field was added, one was removed.
#[derive(Debug, PartialEq, Serialize, Deserialize)]
struct Today {
    #[serde(default)]
    added: Option<String>,
    name: String,
}

const AS_OLDER: Table<u64, Older> = Table::new("test.encoding");
const AS_TODAY: Table<u64, Today> = Table::new("test.encoding");
const AS_ANOTHER: Table<u64, Vec<bool>> = Table::new("test.encoding");

#[tokio::test]
async fn a_record_of_an_older_encoding_is_read_and_a_foreign_one_is_named() {
    let folder = tempfile::tempdir().unwrap();
    let store = Store::open(&folder.path().join("store.redb"), Options::default()).unwrap();
    store
        .write(|tx| {
            let older = Older {
                name: "Ann".to_owned(),
                retired: 7,
            };
            tx.put(&AS_OLDER, &1, &older);
            Ok::<_, Error>(())
        })
        .await
        .unwrap();
    let read = store.read(|snapshot| snapshot.get(&AS_TODAY, &1)).await;
    let today = Today {
        added: None,
        name: "Ann".to_owned(),
    };
    assert_eq!(read, Ok::<_, Error>(Some(today)));
    let foreign = store.read(|snapshot| snapshot.get(&AS_ANOTHER, &1)).await;
    assert!(
        matches!(
            foreign,
            Err(Error::Malformed {
                table: "test.encoding",
                ..
            })
        ),
        "{foreign:?}"
    );
}

#[test]
fn a_store_of_a_newer_format_is_refused_and_left_alone() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("store.redb");
    drop(Store::open(&path, Options::default()).unwrap());
    let meta = redb::TableDefinition::<&str, u64>::new("meta");
    {
        let database = reopen(&path);
        let write = database.begin_write().unwrap();
        write
            .open_table(meta)
            .unwrap()
            .insert("format", 99)
            .unwrap();
        write.commit().unwrap();
    }
    let opened = Store::open(&path, Options::default());
    assert!(
        matches!(opened, Err(OpenError::Newer { found: 99, .. })),
        "{opened:?}"
    );
}

/// The writer thread lets go of the file a moment after the last handle is dropped.
fn reopen(path: &std::path::Path) -> redb::Database {
    loop {
        match redb::Database::create(path) {
            Err(redb::DatabaseError::DatabaseAlreadyOpen) => std::thread::yield_now(),
            other => return other.unwrap(),
        }
    }
}
