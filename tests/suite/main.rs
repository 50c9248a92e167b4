//! The one integration-test binary: what users can see, tested through the doors they use.

mod store;
