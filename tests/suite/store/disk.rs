//! Disks that fail and machines that lose their power, under the redb engine.

use std::io;
use std::sync::Arc;
use std::sync::Mutex;

use gatepost::events::Events;
use gatepost::store::Error;
use gatepost::store::Read;
use gatepost::store::RedbEngine;
use gatepost::store::Store;
use gatepost::store::Table;
use gatepost::world::Simulated;
use redb::StorageBackend;

const NOTES: Table<u64, String> = Table::new("test.disk");

/// A disk in memory. What was not synced may be lost when the power goes.
#[derive(Debug, Default)]
struct Platter {
    current: Vec<u8>,
    synced: Vec<u8>,
    /// Writes since the last sync, in order.
    unsynced: Vec<(usize, Vec<u8>)>,
    /// Writes and growth beyond this many bytes fail, as on a full disk.
    capacity: Option<usize>,
    sync_fails: bool,
}

#[derive(Debug, Clone, Default)]
struct Disk(Arc<Mutex<Platter>>);

fn full() -> io::Error {
    io::Error::new(io::ErrorKind::StorageFull, "no space left on device")
}

impl StorageBackend for Disk {
    fn len(&self) -> io::Result<u64> {
        Ok(self.0.lock().unwrap().current.len() as u64)
    }

    fn read(&self, offset: u64, out: &mut [u8]) -> io::Result<()> {
        let platter = self.0.lock().unwrap();
        let from = usize::try_from(offset).unwrap();
        let bytes = platter
            .current
            .get(from..from + out.len())
            .ok_or(io::ErrorKind::UnexpectedEof)?;
        out.copy_from_slice(bytes);
        Ok(())
    }

    fn set_len(&self, len: u64) -> io::Result<()> {
        let mut platter = self.0.lock().unwrap();
        let len = usize::try_from(len).unwrap();
        if platter.capacity.is_some_and(|most| len > most) {
            return Err(full());
        }
        platter.current.resize(len, 0);
        // Growth is journalled by file systems apart from the data; it survives here.
        platter.synced.resize(len, 0);
        Ok(())
    }

    fn sync_data(&self) -> io::Result<()> {
        let mut platter = self.0.lock().unwrap();
        if platter.sync_fails {
            return Err(io::Error::other("input/output error"));
        }
        platter.unsynced.clear();
        platter.synced = platter.current.clone();
        Ok(())
    }

    fn write(&self, offset: u64, data: &[u8]) -> io::Result<()> {
        let mut platter = self.0.lock().unwrap();
        let from = usize::try_from(offset).unwrap();
        if platter.capacity == Some(0) {
            return Err(full());
        }
        platter.current[from..from + data.len()].copy_from_slice(data);
        platter.unsynced.push((from, data.to_vec()));
        Ok(())
    }
}

impl Disk {
    /// What a machine finds after its power went: all that was synced, and of the rest whichever
    /// writes `chance` says, each of them whole or cut short.
    fn after_power_loss(&self, chance: &gatepost::world::World) -> Disk {
        let platter = self.0.lock().unwrap();
        let mut image = platter.synced.clone();
        for (from, data) in &platter.unsynced {
            let end = match chance.below(3) {
                0 => 0,
                1 => data.len(),
                _ => chance.below(u32::try_from(data.len()).unwrap() + 1) as usize,
            };
            image[*from..*from + end].copy_from_slice(&data[..end]);
        }
        Disk(Arc::new(Mutex::new(Platter {
            current: image.clone(),
            synced: image,
            ..Platter::default()
        })))
    }

    fn open(&self) -> Store {
        let disk = self.clone();
        let open = move || redb::Builder::new().create_with_backend(disk.clone());
        Store::over(RedbEngine::open_with(Box::new(open), Events::default()).unwrap())
    }
}

async fn put(store: &Store, number: u64, text: &str) -> Result<(), Error> {
    let text = text.to_owned();
    store
        .write(move |tx| {
            tx.put(&NOTES, &number, &text);
            Ok(())
        })
        .await
}

async fn numbers(store: &Store) -> Vec<u64> {
    store
        .scan(|snapshot| {
            let rows = snapshot.scan(NOTES.all())?;
            rows.map(|row| row.map(|(number, _)| number))
                .collect::<Result<_, Error>>()
        })
        .await
        .unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_full_disk_is_told_to_everybody_and_nothing_kept_is_lost() {
    let disk = Disk::default();
    let store = disk.open();
    put(&store, 1, "before").await.unwrap();
    disk.0.lock().unwrap().capacity = Some(0);
    for number in 2..4 {
        let refused = put(&store, number, "lost").await;
        assert!(matches!(refused, Err(Error::Unavailable(_))), "{refused:?}");
    }
    disk.0.lock().unwrap().capacity = None;
    put(&store, 4, "after").await.unwrap();
    assert_eq!(numbers(&store).await, [1, 4]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_disk_that_cannot_grow_refuses_the_large_record_and_still_takes_small_ones() {
    let disk = Disk::default();
    let store = disk.open();
    put(&store, 1, "before").await.unwrap();
    let len = disk.0.lock().unwrap().current.len();
    disk.0.lock().unwrap().capacity = Some(len);
    let refused = put(&store, 2, &"x".repeat(len * 2)).await;
    assert!(matches!(refused, Err(Error::Unavailable(_))), "{refused:?}");
    put(&store, 3, "small").await.unwrap();
    assert_eq!(numbers(&store).await, [1, 3]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_sync_that_fails_is_not_acknowledged() {
    let disk = Disk::default();
    let store = disk.open();
    put(&store, 1, "before").await.unwrap();
    disk.0.lock().unwrap().sync_fails = true;
    let refused = put(&store, 2, "unsure").await;
    assert!(matches!(refused, Err(Error::Unavailable(_))), "{refused:?}");
    disk.0.lock().unwrap().sync_fails = false;
    put(&store, 3, "after").await.unwrap();
    // Whether the second reached the disk nobody can know; what was acknowledged did.
    let found = numbers(&store).await;
    assert!(found.contains(&1) && found.contains(&3), "{found:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_acknowledged_survives_the_loss_of_power_at_any_moment() {
    for seed in 0..12 {
        let chance = Simulated::new(seed).world();
        let mut disk = Disk::default();
        let mut acknowledged = Vec::new();
        for round in 0..3_u64 {
            let store = disk.open();
            let found = numbers(&store).await;
            for number in &acknowledged {
                assert!(
                    found.contains(number),
                    "seed {seed}: {number} was acknowledged and is gone"
                );
            }
            let writes: Vec<_> = (0..24)
                .map(|n| {
                    let (store, number) = (store.clone(), round * 100 + n);
                    tokio::spawn(async move {
                        let text = "x".repeat(usize::try_from(n).unwrap() * 300);
                        (number, put(&store, number, &text).await)
                    })
                })
                .collect();
            // The power goes after some of them were answered, while others are under way.
            let answered = chance.below(20) as usize;
            for (place, write) in writes.into_iter().enumerate() {
                if place == answered {
                    break;
                }
                let (number, outcome) = write.await.unwrap();
                outcome.unwrap();
                acknowledged.push(number);
            }
            disk = disk.after_power_loss(&chance);
        }
    }
}
