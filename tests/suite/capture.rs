//! The inbox over a real store: what is received is listed, found, waited for and removed.

use std::time::Duration;

use gatepost::audit;
use gatepost::events::Events;
use gatepost::inbox::{Captured, Envelope, Filter, Inbox, MessageId, Warning};
use gatepost::store::{Options, Store};
use gatepost::world::{Simulated, Timestamp};

struct Room {
    inbox: Inbox,
    store: Store,
    simulated: Simulated,
    folder: tempfile::TempDir,
}

fn open(folder: tempfile::TempDir) -> Room {
    let events = Events::default();
    let options = Options {
        events: events.clone(),
        ..Options::default()
    };
    let store = Store::open(&folder.path().join("store.redb"), options).unwrap();
    let simulated = Simulated::new(1);
    let inbox = Inbox::new(store.clone(), events, simulated.world());
    Room {
        inbox,
        store,
        simulated,
        folder,
    }
}

fn room() -> Room {
    open(tempfile::tempdir().unwrap())
}

fn mail(to: &str, subject: &str, body: &str) -> Captured {
    Captured {
        received_at: Timestamp::from_millis(1_767_225_600_000),
        envelope: Envelope {
            from: "noreply@example.com".to_owned(),
            to: vec![to.to_owned()],
        },
        raw: format!("From: Example <team@example.com>\r\nSubject: {subject}\r\nMessage-ID: <{subject}@example.com>\r\n\r\n{body}\r\n").into_bytes(),
        transcript: "C: QUIT\n".to_owned(),
        ..Captured::default()
    }
}

impl Room {
    async fn put(&self, to: &str, subject: &str, body: &str) -> MessageId {
        self.inbox.receive(mail(to, subject, body)).await.unwrap()
    }

    async fn subjects(&self, filter: Filter) -> Vec<String> {
        let page = self.inbox.list(filter, None, 50).await.unwrap();
        let subjects = page.items.into_iter().filter_map(|item| item.subject);
        subjects.collect()
    }
}

/// What goes on record with a deletion.
fn said() -> audit::Entry {
    let world = Simulated::new(1).world();
    audit::Entry::new(&world, "operator", "inbox_delete", "1")
}

#[tokio::test]
async fn a_mail_comes_back_as_it_was_received_also_after_a_restart() {
    let room = room();
    let sent = Captured {
        raw: b"Subject: =?utf-8?B?6amX6K2J56K8?=\r\n\r\nyour code is 482913: https://example.com/x\r\n\xff\x00".to_vec(),
        peer: Some("127.0.0.1:5555".to_owned()),
        hello: Some("client.test".to_owned()),
        tls: true,
        authenticated: Some("amy".to_owned()),
        warnings: vec![Warning::NulInMail],
        ..mail("b@example.org", "x", "")
    };
    let id = room.inbox.receive(sent.clone()).await.unwrap();
    room.store.close().await;
    let room = open(room.folder);
    assert_eq!(room.inbox.raw(id).await.unwrap(), Some(sent.raw.clone()));
    let message = room.inbox.get(id).await.unwrap().unwrap();
    assert_eq!(message.summary.subject.as_deref(), Some("驗證碼"));
    assert_eq!(message.summary.envelope, sent.envelope);
    assert_eq!(message.summary.size, sent.raw.len() as u64);
    assert_eq!(message.summary.received_at, sent.received_at);
    assert_eq!(message.summary.authenticated, sent.authenticated);
    assert_eq!((message.peer, message.hello), (sent.peer, sent.hello));
    assert!(message.summary.tls);
    assert_eq!(message.summary.warnings, [Warning::NulInMail]);
    assert_eq!(message.codes, ["482913"]);
    assert_eq!(message.links, ["https://example.com/x"]);
    assert_eq!(message.transcript, "C: QUIT\n");
    assert_eq!(
        message.headers,
        [("Subject".to_owned(), "驗證碼".to_owned())]
    );
}

#[tokio::test]
async fn numbers_grow_and_are_never_given_twice() {
    let room = room();
    let first = room.put("a@example.com", "1", "").await;
    let second = room.put("a@example.com", "2", "").await;
    assert!(second > first);
    assert!(room.inbox.delete(second, said()).await.unwrap());
    assert!(!room.inbox.delete(second, said()).await.unwrap());
    assert_eq!(room.inbox.get(second).await.unwrap(), None);
    assert_eq!(room.inbox.raw(second).await.unwrap(), None);
    let third = room.put("a@example.com", "3", "").await;
    assert!(third > second);
    assert_eq!(room.inbox.clear(said).await.unwrap(), 2);
    assert_eq!(room.inbox.clear(said).await.unwrap(), 0);
    room.store.close().await;
    let room = open(room.folder);
    assert!(room.put("a@example.com", "4", "").await > third);
    let page = room.inbox.list(Filter::default(), None, 10).await.unwrap();
    assert_eq!(page.total, Some(1));
}

#[tokio::test]
async fn pages_go_from_the_newest_to_the_oldest() {
    let room = room();
    for number in 1..=7 {
        room.put("a@example.com", &number.to_string(), "").await;
    }
    let mut seen = Vec::new();
    let mut cursor = None;
    loop {
        let page = room.inbox.list(Filter::default(), cursor, 3).await.unwrap();
        assert_eq!(page.total, Some(7));
        seen.extend(page.items.iter().filter_map(|item| item.subject.clone()));
        // What comes in between two pages shifts nothing.
        room.put("b@example.com", "later", "").await;
        room.inbox
            .delete(MessageId::from_number(7 + seen.len() as u64 / 3), said())
            .await
            .unwrap();
        if page.items.len() < 3 {
            assert_eq!(page.next_cursor, None);
            break;
        }
        cursor = page.next_cursor;
        if cursor.is_none() {
            break;
        }
    }
    assert_eq!(seen, ["7", "6", "5", "4", "3", "2", "1"]);
}

#[tokio::test]
async fn a_page_that_ends_at_the_last_mail_has_no_next() {
    let room = room();
    room.put("a@example.com", "1", "").await;
    room.put("a@example.com", "2", "").await;
    let page = room.inbox.list(Filter::default(), None, 2).await.unwrap();
    assert_eq!((page.items.len(), page.next_cursor), (2, None));
    let to_a = Filter {
        to: Some("a@example.com".to_owned()),
        ..Filter::default()
    };
    let page = room.inbox.list(to_a.clone(), None, 1).await.unwrap();
    assert_eq!((page.items.len(), page.total), (1, Some(2)));
    let page = room.inbox.list(to_a, page.next_cursor, 1).await.unwrap();
    assert_eq!((page.items.len(), page.total), (1, Some(2)));
}

#[tokio::test]
async fn filters_find_what_they_say() {
    let room = room();
    room.put("amy@example.com", "Welcome", "hello").await;
    room.put("tamy@example.com", "Reset", "hello").await;
    room.put("amy@example.org", "welcome back", "a needle in a haystack")
        .await;
    let encoded = Captured {
        raw: b"From: =?utf-8?Q?J=C3=B6rg?= <jorg@example.com>\r\nSubject: encoded\r\nContent-Transfer-Encoding: base64\r\n\r\naGlkZGVuIHdvcmRz\r\n".to_vec(),
        ..mail("zoe@example.com", "", "")
    };
    room.inbox.receive(encoded).await.unwrap();
    let all = Filter::default();
    let with = |filter: Filter| room.subjects(filter);
    let to = |to: &str| Filter {
        to: Some(to.to_owned()),
        ..Filter::default()
    };
    let from = |from: &str| Filter {
        from: Some(from.to_owned()),
        ..Filter::default()
    };
    let subject = |subject: &str| Filter {
        subject: Some(subject.to_owned()),
        ..Filter::default()
    };
    let q = |q: &str| Filter {
        q: Some(q.to_owned()),
        ..Filter::default()
    };
    assert_eq!(with(all).await.len(), 4);
    assert_eq!(with(to("AMY@example.com")).await, ["Welcome"]);
    assert_eq!(with(to("@example.org")).await, ["welcome back"]);
    assert_eq!(with(to("amy")).await, ["welcome back", "Reset", "Welcome"]);
    assert_eq!(with(from("noreply@example.com")).await.len(), 4);
    assert_eq!(with(from("jörg")).await, ["encoded"]);
    assert_eq!(with(subject("WELCOME")).await, ["welcome back", "Welcome"]);
    assert_eq!(with(q("needle")).await, ["welcome back"]);
    assert_eq!(with(q("Hidden Words")).await, ["encoded"]);
    assert_eq!(with(q("nowhere")).await, Vec::<String>::new());
    assert_eq!(
        with(Filter {
            subject: Some("welcome".to_owned()),
            ..to("amy@example.org")
        })
        .await,
        ["welcome back"]
    );
    assert_eq!(with(q("  ")).await.len(), 4);
}

fn to(address: &str) -> Filter {
    Filter {
        to: Some(address.to_owned()),
        ..Filter::default()
    }
}

const MINUTE: Duration = Duration::from_secs(60);

#[tokio::test]
async fn waiting_finds_what_is_there_and_goes_on_above_it() {
    let room = room();
    let first = room.put("a@example.com", "1", "").await;
    let second = room.put("a@example.com", "2", "").await;
    room.put("b@example.com", "3", "").await;
    let wait = |after| room.inbox.wait(to("a@example.com"), after, MINUTE);
    let newest = wait(None).await.unwrap().unwrap();
    assert_eq!(newest.summary.id, second);
    let oldest = wait(Some(MessageId::from_number(0)))
        .await
        .unwrap()
        .unwrap();
    assert_eq!(oldest.summary.id, first);
    let next = wait(Some(first)).await.unwrap().unwrap();
    assert_eq!(next.summary.id, second);
}

#[tokio::test]
async fn waiting_ends_at_its_time() {
    let room = room();
    let inbox = room.inbox.clone();
    let waiting = tokio::spawn(async move { inbox.wait(to("a@example.com"), None, MINUTE).await });
    while room.simulated.sleeping() == 0 {
        tokio::task::yield_now().await;
    }
    room.put("b@example.com", "not this one", "").await;
    room.simulated.advance(MINUTE);
    assert_eq!(waiting.await.unwrap().unwrap(), None);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn waiting_misses_nothing_however_the_mails_come() {
    let room = room();
    let mut waiters = Vec::new();
    for number in 0..40 {
        let inbox = room.inbox.clone();
        waiters.push(tokio::spawn(async move {
            let filter = to(&format!("user{number}@example.com"));
            inbox.wait(filter, None, MINUTE).await.unwrap().unwrap()
        }));
    }
    let walker = {
        let inbox = room.inbox.clone();
        tokio::spawn(async move {
            let mut after = Some(MessageId::from_number(0));
            for number in 1..=40 {
                let message = inbox
                    .wait(Filter::default(), after, MINUTE)
                    .await
                    .unwrap()
                    .unwrap();
                assert_eq!(message.summary.id, MessageId::from_number(number));
                after = Some(message.summary.id);
            }
        })
    };
    let mut senders = Vec::new();
    for number in 0..40 {
        let inbox = room.inbox.clone();
        senders.push(tokio::spawn(async move {
            let address = format!("user{number}@example.com");
            inbox
                .receive(mail(&address, &number.to_string(), ""))
                .await
                .unwrap()
        }));
    }
    for (number, waiter) in waiters.into_iter().enumerate() {
        let message = waiter.await.unwrap();
        assert_eq!(message.summary.subject, Some(number.to_string()));
    }
    for sender in senders {
        sender.await.unwrap();
    }
    walker.await.unwrap();
}

#[tokio::test]
async fn clearing_removes_many_and_leaves_what_comes_meanwhile() {
    let room = room();
    for _ in 0..25 {
        let puts =
            (0..100).map(|n| room.put("a@example.com", "x", if n == 0 { "first" } else { "" }));
        futures_util::future::join_all(puts).await;
    }
    assert_eq!(room.inbox.clear(said).await.unwrap(), 2500);
    let page = room.inbox.list(Filter::default(), None, 10).await.unwrap();
    assert_eq!((page.items.len(), page.total), (0, Some(0)));
}

#[tokio::test]
async fn a_closed_store_keeps_nothing_and_says_so() {
    let room = room();
    room.store.close().await;
    assert!(
        room.inbox
            .receive(mail("a@example.com", "x", ""))
            .await
            .is_err()
    );
    assert!(
        room.inbox
            .wait(Filter::default(), None, MINUTE)
            .await
            .is_err()
    );
}
