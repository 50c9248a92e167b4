//! The account pages: registering, logging in, one's own account, getting back in. Each file has
//! the pages of one errand, as the API has its operations; both call the same domain functions.

mod course;
mod erase;
mod home;
mod languages;
mod login;
mod me;
mod move_address;
mod person;
mod recover;
mod refusal;
mod register;
mod sessions;

use std::sync::Arc;

use poem::http::Method;

use super::Route;
use super::page;
use super::site::Site;

/// Their routes.
pub fn routes(site: &Arc<Site>) -> Vec<Route> {
    let (get, post) = (Method::GET, Method::POST);
    vec![
        page(site, get.clone(), "/", home::root),
        page(site, post.clone(), "/users/language", languages::choose),
        page(site, get.clone(), "/users/language", me::back),
        page(site, get.clone(), "/users/register", register::begin),
        page(site, post.clone(), "/users/register", register::send),
        page(
            site,
            get.clone(),
            "/users/register/code",
            register::ask_code,
        ),
        page(
            site,
            post.clone(),
            "/users/register/code",
            register::check_code,
        ),
        page(
            site,
            get.clone(),
            "/users/register/again",
            register::ask_code,
        ),
        page(
            site,
            post.clone(),
            "/users/register/again",
            register::send_again,
        ),
        page(
            site,
            get.clone(),
            "/users/register/password",
            register::ask_password,
        ),
        page(
            site,
            post.clone(),
            "/users/register/password",
            register::finish,
        ),
        page(site, get.clone(), "/users/login", login::show),
        page(site, post.clone(), "/users/login", login::submit),
        page(site, get.clone(), "/users/logout", me::back),
        page(site, post.clone(), "/users/logout", login::logout),
        page(site, get.clone(), "/users", me::show),
        page(site, get.clone(), "/users/profile", me::back),
        page(site, post.clone(), "/users/profile", me::change_profile),
        page(site, get.clone(), "/users/password", me::back),
        page(site, post.clone(), "/users/password", me::change_password),
        page(site, get.clone(), "/users/sessions", me::back),
        page(site, post.clone(), "/users/sessions", sessions::end),
        page(site, get.clone(), "/users/email", move_address::ask),
        page(site, post.clone(), "/users/email", move_address::send),
        page(
            site,
            get.clone(),
            "/users/email/code",
            move_address::ask_code,
        ),
        page(
            site,
            post.clone(),
            "/users/email/code",
            move_address::finish,
        ),
        page(site, get.clone(), "/users/delete", erase::ask),
        page(site, post.clone(), "/users/delete", erase::finish),
        page(site, get.clone(), "/users/password_reset", recover::ask),
        page(site, post.clone(), "/users/password_reset", recover::send),
        page(
            site,
            get.clone(),
            "/users/password_reset_done",
            recover::sent,
        ),
        page(
            site,
            get.clone(),
            "/users/reset/:uid/:token",
            recover::follow,
        ),
        page(site, get.clone(), "/users/reset", recover::choose),
        page(site, post, "/users/reset", recover::finish),
        page(site, get, "/users/reset_done", recover::done),
    ]
}
