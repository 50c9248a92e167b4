//! The rules of the outbox, through the store: what may be done to a mail in which state, what is
//! kept of it and for how long, and what every row says of itself.

mod actions;
mod audit;
mod doubt;
mod hand;
mod model;
mod replacement;
mod schedule;
mod superseded;
mod trial;
mod why;
mod wiping;
