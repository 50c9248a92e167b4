//! All that the dashboard knows. What must not live here: I/O, the clock, drawing.

mod remembered;
mod row;

pub use remembered::Looked;
pub use remembered::Remembered;
pub use row::Row;
pub use row::View;
pub use row::rows;
