//! Accounts through their own door: every flow, what is refused, and what nobody may find out.

mod codes;
mod concurrency;
mod desk;
mod limits;
mod login;
mod recover;
mod sameness;
mod sessions;
