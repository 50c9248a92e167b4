//! The inbox in the browser: captured mail as a person would see it, and all that is known about
//! it. Every page works without a script; one script makes them live and adds keys.
//!
//! What a mail says goes through the templates, which escape it, and through [`plain`], so that
//! nothing in it hides or turns around what stands beside it. Its HTML is shown in a frame alone
//! ([`frame`]). Tags, checks and release will have files of their own here, beside [`delete`].

mod delete;
mod delivery;
mod desk;
mod events;
mod files;
mod frame;
mod list;
mod login;
mod mail;
mod pass;
mod plain;
mod view;

use std::sync::Arc;

use poem::http::Method;

use super::Route;
use super::page;
use super::site::Site;

pub use desk::Desk;
pub use desk::Parts;

/// Their routes.
pub fn routes(site: &Arc<Site>) -> Vec<Route> {
    let (get, post) = (Method::GET, Method::POST);
    vec![
        page(site, get.clone(), "/inbox", list::show),
        page(site, get.clone(), "/inbox/events", events::listen),
        page(site, get.clone(), "/inbox/login", login::ask),
        page(site, post.clone(), "/inbox/login", login::enter),
        page(site, get.clone(), "/inbox/logout", login::back),
        page(site, post.clone(), "/inbox/logout", login::leave),
        page(site, get.clone(), "/inbox/delete", login::back),
        page(site, post, "/inbox/delete", delete::delete),
        page(site, get.clone(), "/inbox/:id", mail::show),
        page(site, get.clone(), "/inbox/:id/frame", frame::show),
        page(site, get.clone(), "/inbox/:id/raw", files::raw),
        page(site, get, "/inbox/:id/parts/:index", files::part),
    ]
}
