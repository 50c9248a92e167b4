//! What pages load beside themselves: stylesheets, scripts, the team's colour and logo, all from
//! here. Each is asked for with a version, so that browsers may keep it.

use std::sync::Arc;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use bytes::Bytes;
use poem::Response;
use poem::http::{HeaderValue, Method, header};

use crate::http::problem::Kind;
use crate::http::problem::Problem;

use super::Route;
use super::look::Look;
use super::page;
use super::site::Site;
use super::template::STATIC;
use super::visit::Visit;

struct Asset {
    name: &'static str,
    media_type: &'static str,
    bytes: Bytes,
}

/// All files, and the version of them together.
pub struct Assets {
    files: Vec<Asset>,
    /// Another text whenever one of them is another.
    pub version: String,
}

/// The colour's stylesheet.
const THEME: &str = "theme.css";
/// The logo.
const LOGO: &str = "logo";

impl Assets {
    /// Those of `look`.
    pub fn new(look: &Look) -> Assets {
        let mut files: Vec<Asset> = STATIC
            .iter()
            .map(|(name, shipped)| {
                let replaced = look.templates.statics.get(name);
                let text = replaced.map_or((*shipped).to_owned(), Clone::clone);
                Asset {
                    name,
                    media_type: match name.ends_with(".css") {
                        true => "text/css; charset=utf-8",
                        false => "text/javascript; charset=utf-8",
                    },
                    bytes: text.into(),
                }
            })
            .collect();
        files.push(Asset {
            name: THEME,
            media_type: "text/css; charset=utf-8",
            bytes: look.color.stylesheet().into(),
        });
        if let Some(logo) = &look.logo {
            files.push(Asset {
                name: LOGO,
                media_type: logo.media_type,
                bytes: logo.bytes.clone(),
            });
        }
        let mut digest = ring::digest::Context::new(&ring::digest::SHA256);
        for file in &files {
            digest.update(&file.bytes);
        }
        let version = URL_SAFE_NO_PAD.encode(&digest.finish().as_ref()[..6]);
        Assets { files, version }
    }
}

/// Their route.
pub fn routes(site: &Arc<Site>) -> Vec<Route> {
    vec![page(site, Method::GET, "/assets/:name", asset)]
}

const KEPT: HeaderValue = HeaderValue::from_static("public, max-age=31536000, immutable");
/// A logo may be an SVG: opened by itself it may do nothing either.
const ALONE: HeaderValue = HeaderValue::from_static(
    "default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'none'; sandbox",
);

async fn asset(site: Arc<Site>, visit: Visit) -> Result<Response, Problem> {
    let name = visit.parameter("name");
    let file = site.assets.files.iter().find(|file| file.name == name);
    let file = file.ok_or(Problem::new(Kind::NoSuchPath))?;
    let mut response = Response::default();
    let headers = response.headers_mut();
    let kind = HeaderValue::from_static(file.media_type);
    headers.insert(header::CONTENT_TYPE, kind);
    headers.insert(header::CONTENT_SECURITY_POLICY, ALONE);
    if visit.query("v").as_deref() == Some(site.assets.version.as_str()) {
        headers.insert(header::CACHE_CONTROL, KEPT);
    }
    response.set_body(file.bytes.clone());
    Ok(response)
}
