//! `bench store`: the store through the library, against redb alone.

use std::io::Write as _;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use gatepost::store::{Error as StoreError, Read as _, Store, Table as StoreTable};
use redb::ReadableDatabase as _;
use serde_bytes::ByteBuf;

use super::report::{Cell, Report, Table, median};
use super::{Effort, Result, opening};

/// A record of the size of a short mail, and an index entry for it, as the inbox writes them.
const RECORDS: StoreTable<u64, ByteBuf> = StoreTable::new("bench.record");
const INDEX: StoreTable<(u64, u64), ()> = StoreTable::new("bench.index");
const RECORD_BYTES: usize = 1200;

/// What redb alone is given to do: the same bytes, in tables of its own.
const ALONE: redb::TableDefinition<&[u8], &[u8]> = redb::TableDefinition::new("map");

/// Everything that this bench finds.
pub fn measure(effort: Effort, report: &mut Report) -> Result<()> {
    let folder = tempfile::Builder::new()
        .prefix("gatepost-bench-")
        .tempdir()?;
    commits(effort, report, folder.path())?;
    reads(effort, report, folder.path())?;
    opening::measure(effort, report)
}

fn commits(effort: Effort, report: &mut Report, folder: &Path) -> Result<()> {
    let mut table = Table::new(
        "Durable transactions a second (1.2 KB and an index entry each)",
        &[
            "writers",
            "redb alone",
            "store",
            "ratio",
            "p50",
            "p99",
            "fdatasync of 4 KB",
        ],
    );
    for writers in [1, 8, 32, 128, 512] {
        report.progress(format_args!("commits of {writers} writers"));
        let count = effort.scaled(match writers {
            1 => 3_000,
            8 => 12_000,
            _ => 30_000,
        });
        let (mut alone, mut store, mut sync) = (Vec::new(), Vec::new(), Vec::new());
        let (mut p50, mut p99) = (Vec::new(), Vec::new());
        for _ in 0..effort.rounds() {
            sync.push(fdatasync(folder)?);
            alone.push(redb_alone(folder, writers, count)?);
            let (rate, mut times) = through_store(folder, writers, count)?;
            times.sort();
            store.push(rate);
            p50.push(times[times.len() / 2]);
            p99.push(times[times.len() * 99 / 100]);
        }
        let (alone, store) = (median(&alone), median(&store));
        table.row([
            Cell::count(writers),
            Cell::rate(alone),
            Cell::rate(store),
            Cell::ratio(store / alone),
            Cell::time(median(&p50)),
            Cell::time(median(&p99)),
            Cell::time(median(&sync)),
        ]);
    }
    report.add(&table);
    Ok(())
}

/// The median time of one fdatasync after 4 KB, on this disk now.
fn fdatasync(folder: &Path) -> Result<Duration> {
    let path = folder.join("sync");
    let mut file = std::fs::File::create(&path)?;
    let mut times = Vec::new();
    for _ in 0..200 {
        file.write_all(&[7; 4096])?;
        let start = Instant::now();
        file.sync_data()?;
        times.push(start.elapsed());
    }
    std::fs::remove_file(path)?;
    Ok(median(&times))
}

/// Commits a second times what is in each, of redb without anything around it.
fn redb_alone(folder: &Path, in_a_commit: u64, count: u64) -> Result<f64> {
    let path = folder.join("alone.redb");
    let database = redb::Builder::new()
        .set_cache_size(16 << 20)
        .create(&path)?;
    let record = [7; RECORD_BYTES];
    let start = Instant::now();
    let mut written = 0;
    while written < count {
        let write = database.begin_write()?;
        {
            let mut map = write.open_table(ALONE)?;
            for _ in 0..in_a_commit.min(count - written) {
                map.insert(
                    key("bench.record", &[written]).as_slice(),
                    record.as_slice(),
                )?;
                map.insert(
                    key("bench.index", &[written % 7, written]).as_slice(),
                    [].as_slice(),
                )?;
                written += 1;
            }
        }
        write.commit()?;
    }
    let rate = count as f64 / start.elapsed().as_secs_f64();
    drop(database);
    std::fs::remove_file(path)?;
    Ok(rate)
}

fn key(table: &str, parts: &[u64]) -> Vec<u8> {
    let parts = parts.iter().flat_map(|part| part.to_be_bytes());
    table.bytes().chain([0]).chain(parts).collect()
}

/// Transactions a second through [`Store::write`], and how long each took.
fn through_store(folder: &Path, writers: u64, count: u64) -> Result<(f64, Vec<Duration>)> {
    let path = folder.join("store.redb");
    let runtime = tokio::runtime::Runtime::new()?;
    let store = Store::open(&path, Default::default())?;
    let next = Arc::new(AtomicU64::new(0));
    let start = Instant::now();
    let times = runtime.block_on(async {
        let tasks: Vec<_> = (0..writers)
            .map(|_| tokio::spawn(write_until(store.clone(), next.clone(), count)))
            .collect();
        let mut times = Vec::new();
        for task in tasks {
            times.extend(task.await??);
        }
        Ok::<_, super::Error>(times)
    })?;
    let rate = count as f64 / start.elapsed().as_secs_f64();
    runtime.block_on(store.close());
    std::fs::remove_file(path)?;
    Ok((rate, times))
}

async fn write_until(
    store: Store,
    next: Arc<AtomicU64>,
    count: u64,
) -> std::result::Result<Vec<Duration>, StoreError> {
    let mut times = Vec::new();
    loop {
        let id = next.fetch_add(1, Ordering::Relaxed);
        if id >= count {
            return Ok(times);
        }
        let record = ByteBuf::from(vec![7; RECORD_BYTES]);
        let start = Instant::now();
        store
            .write(move |tx| {
                tx.put(&RECORDS, &id, &record);
                tx.put(&INDEX, &(id % 7, id), &());
                Ok::<_, StoreError>(())
            })
            .await?;
        times.push(start.elapsed());
    }
}

fn reads(effort: Effort, report: &mut Report, folder: &Path) -> Result<()> {
    report.progress("reads");
    let path = folder.join("read.redb");
    let count = 5_000;
    let runtime = tokio::runtime::Runtime::new()?;
    let store = Store::open(&path, Default::default())?;
    runtime.block_on(async {
        let next = Arc::new(AtomicU64::new(0));
        let tasks: Vec<_> = (0..64)
            .map(|_| tokio::spawn(write_until(store.clone(), next.clone(), count)))
            .collect();
        for task in tasks {
            task.await??;
        }
        Ok::<_, super::Error>(())
    })?;
    runtime.block_on(store.close());
    let times = effort.scaled(400_000);
    let (mut alone, mut through) = (Vec::new(), Vec::new());
    for _ in 0..effort.rounds() {
        alone.push(read_alone(&path, times, count)?);
        through.push(read_through_store(&path, times, count)?);
    }
    std::fs::remove_file(path)?;
    let (alone, through) = (median(&alone), median(&through));
    let mut table = Table::new(
        "Warm reads a second (one thread, a snapshot each)",
        &["what", "redb alone", "store", "ratio"],
    );
    table.row([
        Cell::text("one record of 1.2 KB"),
        Cell::rate(alone),
        Cell::rate(through),
        Cell::ratio(through / alone),
    ]);
    report.add(&table);
    Ok(())
}

/// Ids in no order, every one of them again and again.
fn scattered(times: u64, count: u64) -> impl Iterator<Item = u64> {
    (0..times).map(move |at| at.wrapping_mul(2_654_435_761) % count)
}

fn read_alone(path: &Path, times: u64, count: u64) -> Result<f64> {
    let database = redb::Builder::new().set_cache_size(16 << 20).open(path)?;
    let start = Instant::now();
    for id in scattered(times, count) {
        let read = database.begin_read()?;
        let map = read.open_table(ALONE)?;
        let record = map.get(key("bench.record", &[id]).as_slice())?;
        let record = record.ok_or("a record that was written is not there")?;
        std::hint::black_box(record.value().to_vec());
    }
    Ok(times as f64 / start.elapsed().as_secs_f64())
}

fn read_through_store(path: &Path, times: u64, count: u64) -> Result<f64> {
    let runtime = tokio::runtime::Runtime::new()?;
    let store = Store::open(path, Default::default())?;
    let start = Instant::now();
    runtime.block_on(async {
        for id in scattered(times, count) {
            let found = store.read(|snapshot| snapshot.get(&RECORDS, &id)).await?;
            std::hint::black_box(found.ok_or("a record that was written is not there")?);
        }
        Ok::<_, super::Error>(())
    })?;
    let rate = times as f64 / start.elapsed().as_secs_f64();
    runtime.block_on(store.close());
    Ok(rate)
}

/// Fills the store in `file` up to `megabytes`, says so by a file beside it, and goes on writing
/// for a while, so that it can be killed in the middle of that.
pub fn fill(file: &Path, megabytes: u64) -> Result<()> {
    let runtime = tokio::runtime::Runtime::new()?;
    let store = Store::open(file, Default::default())?;
    runtime.block_on(async {
        // Another run may have filled it: its records stay below these.
        let last = store
            .read(|snapshot| snapshot.scan(RECORDS.all().backwards())?.next().transpose())
            .await?;
        let next = Arc::new(AtomicU64::new(last.map_or(0, |(id, _)| id + 1)));
        let mut told = false;
        for _ in 0..10_000 {
            let until = next.load(Ordering::Relaxed) + 10_000;
            let tasks: Vec<_> = (0..256)
                .map(|_| tokio::spawn(write_until(store.clone(), next.clone(), until)))
                .collect();
            for task in tasks {
                task.await??;
            }
            next.store(until, Ordering::Relaxed);
            if !told && std::fs::metadata(file)?.len() >= megabytes << 20 {
                std::fs::write(file.with_extension("full"), "full\n")?;
                told = true;
            }
        }
        Ok(())
    })
}
