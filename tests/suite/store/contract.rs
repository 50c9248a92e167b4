//! Transactions, snapshots, ranges and group commit, over each engine.

use std::collections::BTreeMap;
use std::future::Future;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::sync::atomic::Ordering;
use std::sync::mpsc;

use gatepost::events::Events;
use gatepost::events::Topic;
use gatepost::store::Error;
use gatepost::store::OpenError;
use gatepost::store::Options;
use gatepost::store::Read;
use gatepost::store::Store;
use gatepost::store::Table;
use proptest::prelude::*;

const NOTES: Table<(String, u64), String> = Table::new("test.note");
const COUNTS: Table<String, u64> = Table::new("test.count");

/// Every engine, opened on an empty folder.
fn engines(run: impl Fn(&dyn Fn(Events) -> Store)) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("store.redb");
    run(&|events| {
        let options = Options {
            events,
            ..Options::default()
        };
        Store::open(&path, options).unwrap()
    });
}

fn block_on<T>(future: impl Future<Output = T>) -> T {
    tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build()
        .unwrap()
        .block_on(future)
}

fn note(group: &str, number: u64) -> (String, u64) {
    (group.to_owned(), number)
}

async fn all(store: &Store) -> Vec<((String, u64), String)> {
    store
        .scan(|snapshot| {
            snapshot
                .scan(NOTES.all())?
                .collect::<Result<Vec<_>, Error>>()
        })
        .await
        .unwrap()
}

#[test]
fn a_transaction_sees_its_own_changes_and_others_see_them_after_the_commit() {
    engines(|open| {
        let store = open(Events::default());
        block_on(async {
            store
                .write(|tx| {
                    tx.put(&NOTES, &note("a", 1), &"one".to_owned());
                    tx.put(&NOTES, &note("a", 2), &"two".to_owned());
                    tx.delete(&NOTES, &note("a", 1));
                    assert_eq!(tx.get(&NOTES, &note("a", 1))?, None);
                    assert_eq!(tx.get(&NOTES, &note("a", 2))?.as_deref(), Some("two"));
                    Ok::<_, Error>(())
                })
                .await
                .unwrap();
            assert_eq!(all(&store).await, [(note("a", 2), "two".to_owned())]);
        });
    });
}

/// Holds the writer inside one transaction until the returned sender is used, so that what is
/// submitted meanwhile shares the next commit.
async fn hold(store: &Store) -> (mpsc::Sender<()>, tokio::task::JoinHandle<Result<(), Error>>) {
    let (release, held) = mpsc::channel::<()>();
    let held = std::sync::Mutex::new(held);
    let (started, running) = tokio::sync::oneshot::channel();
    let started = std::sync::Mutex::new(Some(started));
    let store = store.clone();
    let blocker = tokio::spawn(async move {
        store
            .write(move |_| {
                if let Some(started) = started.lock().unwrap().take() {
                    started.send(()).unwrap();
                }
                held.lock().unwrap().recv().unwrap();
                Ok::<_, Error>(())
            })
            .await
    });
    running.await.unwrap();
    (release, blocker)
}

#[derive(Debug, PartialEq)]
enum Refused {
    ByTheDomain,
    Store(Error),
}

impl From<Error> for Refused {
    fn from(error: Error) -> Refused {
        Refused::Store(error)
    }
}

#[test]
fn in_one_commit_a_failing_and_a_panicking_closure_leave_no_trace_and_harm_no_other() {
    engines(|open| {
        let store = open(Events::default());
        block_on(async {
            let (release, blocker) = hold(&store).await;
            let submit = |number: u64| {
                let store = store.clone();
                tokio::spawn(async move {
                    store
                        .write(move |tx| {
                            // Each sees what its predecessors in the batch kept, and nothing else.
                            let before = tx.scan(NOTES.all())?.count();
                            tx.put(&NOTES, &note("n", number), &before.to_string());
                            match number % 3 {
                                1 => Err(Refused::ByTheDomain),
                                2 => panic!("on purpose"),
                                _ => Ok(()),
                            }
                        })
                        .await
                })
            };
            let tasks: Vec<_> = (0..9).map(submit).collect();
            release.send(()).unwrap();
            blocker.await.unwrap().unwrap();
            for (number, task) in tasks.into_iter().enumerate() {
                let expected = match number % 3 {
                    1 => Err(Refused::ByTheDomain),
                    2 => Err(Refused::Store(Error::Panicked)),
                    _ => Ok(()),
                };
                assert_eq!(task.await.unwrap(), expected);
            }
            let kept = all(&store).await;
            let mut seen: Vec<_> = kept.iter().map(|(_, before)| before.clone()).collect();
            seen.sort();
            assert_eq!(seen, ["0", "1", "2"], "{kept:?}");
            let mut numbers: Vec<_> = kept.iter().map(|((_, number), _)| *number).collect();
            numbers.sort_unstable();
            assert_eq!(numbers, [0, 3, 6]);
        });
    });
}

#[test]
fn a_snapshot_stands_still_while_others_write() {
    engines(|open| {
        let store = open(Events::default());
        block_on(async {
            store
                .write(|tx| {
                    tx.put(&NOTES, &note("a", 1), &"before".to_owned());
                    Ok::<_, Error>(())
                })
                .await
                .unwrap();
            let (entered, inside) = mpsc::channel();
            let (release, held) = mpsc::channel::<()>();
            let reader = tokio::spawn({
                let store = store.clone();
                async move {
                    store
                        .scan(move |snapshot| {
                            entered.send(()).unwrap();
                            held.recv().unwrap();
                            snapshot.get(&NOTES, &note("a", 1))
                        })
                        .await
                }
            });
            inside.recv().unwrap();
            store
                .write(|tx| {
                    tx.put(&NOTES, &note("a", 1), &"after".to_owned());
                    Ok::<_, Error>(())
                })
                .await
                .unwrap();
            release.send(()).unwrap();
            let seen: Result<Option<String>, Error> = reader.await.unwrap();
            assert_eq!(seen.unwrap().as_deref(), Some("before"));
        });
    });
}

#[test]
fn no_increment_is_lost_among_concurrent_writers() {
    engines(|open| {
        let store = open(Events::default());
        block_on(async {
            let tasks: Vec<_> = (0..200)
                .map(|_| {
                    let store = store.clone();
                    tokio::spawn(async move {
                        store
                            .write(|tx| {
                                let count = tx.get(&COUNTS, &"n".to_owned())?.unwrap_or(0);
                                tx.put(&COUNTS, &"n".to_owned(), &(count + 1));
                                Ok::<_, Error>(())
                            })
                            .await
                    })
                })
                .collect();
            for task in tasks {
                task.await.unwrap().unwrap();
            }
            let count = store
                .read(|snapshot| snapshot.get(&COUNTS, &"n".to_owned()))
                .await;
            assert_eq!(count, Ok::<_, Error>(Some(200)));
        });
    });
}

#[test]
fn whoever_was_told_of_a_commit_reads_it_however_many_read_beside() {
    engines(|open| {
        let store = open(Events::default());
        block_on(async {
            let done = Arc::new(AtomicBool::new(false));
            let readers: Vec<_> = (0..2)
                .map(|_| {
                    let (store, done) = (store.clone(), done.clone());
                    tokio::spawn(async move {
                        let mut last = 0;
                        while !done.load(Ordering::SeqCst) {
                            let read = store.read(|s| s.get(&COUNTS, &"n".to_owned())).await;
                            let count = read.unwrap_or_else(|e: Error| panic!("{e}")).unwrap_or(0);
                            assert!(count >= last, "time went backwards: {last}, then {count}");
                            last = count;
                            tokio::task::yield_now().await;
                        }
                    })
                })
                .collect();
            for number in 1..=300_u64 {
                let write = store.write(move |tx| {
                    tx.put(&COUNTS, &"n".to_owned(), &number);
                    Ok::<_, Error>(())
                });
                write.await.unwrap();
                let read = store.read(|s| s.get(&COUNTS, &"n".to_owned())).await;
                assert_eq!(read, Ok::<_, Error>(Some(number)));
            }
            done.store(true, Ordering::SeqCst);
            for reader in readers {
                reader.await.unwrap();
            }
        });
    });
}

#[test]
fn a_caller_that_goes_away_leaves_its_transaction_to_be_completed() {
    engines(|open| {
        let store = open(Events::default());
        block_on(async {
            let (release, blocker) = hold(&store).await;
            let mut abandoned = Box::pin(store.write(|tx| {
                tx.put(&NOTES, &note("a", 1), &"kept".to_owned());
                Ok::<_, Error>(())
            }));
            assert_eq!(
                futures_util::poll!(&mut abandoned),
                std::task::Poll::Pending
            );
            drop(abandoned);
            release.send(()).unwrap();
            blocker.await.unwrap().unwrap();
            store.close().await;
            drop(store);
            let store = open(Events::default());
            assert_eq!(all(&store).await.len(), 1);
        });
    });
}

#[test]
fn a_wake_up_comes_after_the_commit_and_only_for_what_was_kept() {
    engines(|open| {
        let events = Events::default();
        let store = open(events.clone());
        block_on(async {
            let mut inbox = events.watch(Topic::Inbox);
            let refused = store
                .write(|tx| {
                    tx.wake(Topic::Inbox);
                    Err::<(), _>(Refused::ByTheDomain)
                })
                .await;
            assert_eq!(refused, Err(Refused::ByTheDomain));
            assert!(futures_util::FutureExt::now_or_never(inbox.changed()).is_none());
            let seen = Arc::new(AtomicBool::new(false));
            let woken = tokio::spawn({
                let (store, seen) = (store.clone(), seen.clone());
                async move {
                    inbox.changed().await;
                    seen.store(true, Ordering::SeqCst);
                    all(&store).await.len()
                }
            });
            store
                .write(move |tx| {
                    tx.wake(Topic::Inbox);
                    tx.put(&NOTES, &note("a", 1), &"x".to_owned());
                    assert!(!seen.load(Ordering::SeqCst), "woken before the commit");
                    Ok::<_, Error>(())
                })
                .await
                .unwrap();
            assert_eq!(woken.await.unwrap(), 1, "who is woken sees what woke it");
        });
    });
}

#[test]
fn a_closed_store_says_so_and_opens_again_with_everything_in_it() {
    engines(|open| {
        let store = open(Events::default());
        block_on(async {
            let write = |tx: &mut gatepost::store::Tx<'_>| {
                tx.put(&NOTES, &note("a", 1), &"x".to_owned());
                Ok::<_, Error>(())
            };
            store.write(write).await.unwrap();
            store.close().await;
            store.close().await;
            assert_eq!(store.write(write).await, Err(Error::Closed));
            let read = store
                .read(|snapshot| snapshot.get(&NOTES, &note("a", 1)))
                .await;
            assert_eq!(read, Err(Error::Closed));
            drop(store);
            assert_eq!(all(&open(Events::default())).await.len(), 1);
        });
    });
}

#[test]
fn a_second_opening_of_one_store_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("store.redb");
    let first = Store::open(&path, Options::default()).unwrap();
    let second = Store::open(&path, Options::default());
    assert!(matches!(second, Err(OpenError::InUse)), "{second:?}");
    drop(first);
}

/// Ranges are asked for in every way that [`Table`] offers.
#[derive(Debug, Clone)]
enum Bounds {
    All,
    Under(String),
    After(String, u64),
    Before(String, u64),
    UnderAfter(String, u64),
    UpToGroup(String),
}

fn group() -> impl Strategy<Value = String> {
    prop_oneof![
        Just(""),
        Just("a"),
        Just("a\0"),
        Just("ab"),
        Just("b"),
        Just("\u{10ffff}")
    ]
    .prop_map(str::to_owned)
}

fn bounds() -> impl Strategy<Value = Bounds> {
    let number = prop_oneof![0..6_u64, Just(u64::MAX)];
    prop_oneof![
        Just(Bounds::All),
        group().prop_map(Bounds::Under),
        (group(), number.clone()).prop_map(|(g, n)| Bounds::After(g, n)),
        (group(), number.clone()).prop_map(|(g, n)| Bounds::Before(g, n)),
        (group(), number).prop_map(|(g, n)| Bounds::UnderAfter(g, n)),
        group().prop_map(Bounds::UpToGroup),
    ]
}

fn number() -> impl Strategy<Value = u64> {
    prop_oneof![0..6_u64, Just(u64::MAX)]
}

type Change = (String, u64, Option<String>);

fn changes(most: usize) -> impl Strategy<Value = Vec<Change>> {
    proptest::collection::vec(
        (
            group(),
            number(),
            proptest::option::weighted(0.7, "[a-z]{0,3}"),
        ),
        0..most,
    )
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]
    #[test]
    fn any_range_over_committed_rows_and_own_changes_is_that_of_a_sorted_map(
        committed in changes(24),
        own in changes(16),
        bounds in bounds(),
        backwards in any::<bool>(),
    ) {
        let mut model = BTreeMap::new();
        for (group, number, value) in committed.iter().chain(&own) {
            match value {
                Some(value) => model.insert((group.clone(), *number), value.clone()),
                None => model.remove(&(group.clone(), *number)),
            };
        }
        let mut expected: Vec<_> = model
            .into_iter()
            .filter(|((group, number), _)| match &bounds {
                Bounds::All => true,
                Bounds::Under(g) => group == g,
                Bounds::After(g, n) => (group, number) > (g, n),
                Bounds::Before(g, n) => (group, number) < (g, n),
                Bounds::UnderAfter(g, n) => group == g && number > n,
                Bounds::UpToGroup(g) => group <= g,
            })
            .collect();
        if backwards {
            expected.reverse();
        }
        engines(|open| {
            let store = open(Events::default());
            let apply = |changes: &[Change]| {
                let changes = changes.to_vec();
                move |tx: &mut gatepost::store::Tx<'_>| {
                    for (group, number, value) in &changes {
                        match value {
                            Some(value) => tx.put(&NOTES, &(group.clone(), *number), value),
                            None => tx.delete(&NOTES, &(group.clone(), *number)),
                        }
                    }
                }
            };
            let (first, second) = (apply(&committed), apply(&own));
            let bounds = bounds.clone();
            let found = block_on(async {
                store.write(move |tx| { first(tx); Ok::<_, Error>(()) }).await.unwrap();
                store
                    .write(move |tx| {
                        second(tx);
                        let scan = match &bounds {
                            Bounds::All => NOTES.all(),
                            Bounds::Under(g) => NOTES.under(g),
                            Bounds::After(g, n) => NOTES.all().after(&(g.clone(), *n)),
                            Bounds::Before(g, n) => NOTES.all().before(&(g.clone(), *n)),
                            Bounds::UnderAfter(g, n) => NOTES.under(g).after(&(g.clone(), *n)),
                            Bounds::UpToGroup(g) => NOTES.all().up_to(g),
                        };
                        let scan = if backwards { scan.backwards() } else { scan };
                        tx.scan(scan)?.collect::<Result<Vec<_>, Error>>()
                    })
                    .await
                    .unwrap()
            });
            assert_eq!(found, expected);
        });
    }
}
