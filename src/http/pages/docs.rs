//! The document and its browser as pages: /openapi.json, /openapi.yaml, /docs. What must not live
//! here: what the document says.

use std::collections::HashMap;
use std::marker::PhantomData;
use std::sync::{Arc, OnceLock};

use poem::endpoint::{BoxEndpoint, make_sync};
use poem::http::{HeaderValue, Method, header};
use poem::{EndpointExt as _, Request, Response};
use poem_openapi::registry::{MetaApi, Registry};
use poem_openapi::{OpenApi, OpenApiService};
use serde_json::Value;

use crate::http::yaml;

use super::Route;
use super::browser;

/// The document as it is published.
pub fn pretty(document: &Value) -> String {
    serde_json::to_string_pretty(document).expect("a JSON value is JSON") + "\n"
}

/// What the library itself says about the operations of `T`.
pub fn library_document<T: OpenApi>() -> Value {
    let service = OpenApiService::new(
        Outline::<T>(PhantomData),
        crate::http::TITLE,
        crate::http::VERSION,
    );
    serde_json::from_str(&service.spec()).expect("the library writes JSON")
}

/// The operations of `T` without anything behind them.
struct Outline<T>(PhantomData<T>);

impl<T: OpenApi> OpenApi for Outline<T> {
    fn meta() -> Vec<MetaApi> {
        T::meta()
    }

    fn register(registry: &mut Registry) {
        T::register(registry);
    }

    fn add_routes(self, _: &mut HashMap<String, HashMap<Method, BoxEndpoint<'static>>>) {}
}

/// The pages about this document.
pub fn routes(document: Value) -> Vec<Route> {
    let document = Arc::new(document);
    let json = page(document.clone(), "application/json", pretty);
    let yaml = page(document.clone(), "application/yaml", yaml::to_yaml);
    let browsers = [OnceLock::new(), OnceLock::new()];
    let docs = make_sync(move |request: Request| {
        // Both are answered, and what is relative leads from each somewhere else.
        let slash = request.original_uri().path().ends_with('/');
        let (browser, root) = match slash {
            true => (&browsers[0], "../"),
            false => (&browsers[1], "./"),
        };
        let page = browser.get_or_init(|| {
            let library = OpenApiService::new((), "", "").rapidoc_html();
            browser::Page::new(&library, &document.to_string(), root)
        });
        page.response()
    });
    let route = |path, endpoint| Route {
        path,
        method: Method::GET,
        endpoint,
    };
    vec![
        route("/openapi.json", json),
        route("/openapi.yaml", yaml),
        route("/docs", docs.boxed()),
    ]
}

/// A text that is made when it is first asked for, and kept.
fn page(
    document: Arc<Value>,
    media_type: &'static str,
    make: fn(&Value) -> String,
) -> BoxEndpoint<'static> {
    let text: OnceLock<bytes::Bytes> = OnceLock::new();
    make_sync(move |_: Request| {
        let mut response = Response::default();
        response.set_body(text.get_or_init(|| make(&document).into()).clone());
        let kind = HeaderValue::from_static(media_type);
        response.headers_mut().insert(header::CONTENT_TYPE, kind);
        response
    })
    .boxed()
}
