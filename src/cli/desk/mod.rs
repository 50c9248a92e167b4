//! `gatepost inbox`, `audit`, `stats` and `log`: captured mail and what happened, through the API of
//! the gatepost that runs. What must not live here: what any of it means; the server knows.

mod audit;
mod inbox;
mod lines;
mod show;
mod stats;

pub use audit::Command as AuditCommand;
pub use audit::run as audit;
pub use inbox::Command as InboxCommand;
pub use inbox::run as inbox;
pub use lines::Args as LogArgs;
pub use lines::run as log;
pub use stats::Args as StatsArgs;
pub use stats::run as stats;
