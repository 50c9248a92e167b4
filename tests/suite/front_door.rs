//! The front door: what a person does, through HTTP, with codes and links read out of mails that
//! went the whole road over SMTP.

mod codes;
mod erasing;
mod languages;
mod moving;
mod places;
mod recovery;
mod registration;
mod sameness;
mod sessions;
mod welcome;
