//! The store contract: what every engine must keep. Engines are listed in [`engines`]; the disk
//! under them can be told to fail, or to lose what was not synced.

mod contract;
mod disk;
mod encoding;
mod older;
