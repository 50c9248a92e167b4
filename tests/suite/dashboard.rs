//! The dashboard without a terminal and without a server: keys go in, a screen comes out.

mod data;
mod desk;
mod faults;
mod frames;
mod keys;
mod random;
mod settings;
mod tables;
