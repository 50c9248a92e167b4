//! `gatepost timeline`.

use crate::address::EmailAddress;
use crate::cli::Exit;
use crate::cli::listing;
use crate::cli::listing::Rows;
use crate::client::Client;
use crate::client::Moment;

use super::away;

/// Whose story.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// The address
    address: EmailAddress,
    #[command(flatten)]
    rows: Rows,
}

/// Tells it.
pub fn run(args: Args) -> Result<(), Exit> {
    listing::list(
        args.rows,
        &[("email", Some(args.address.to_string()))],
        Client::timeline,
        &[
            "column_when",
            "column_what",
            "column_state",
            "column_id",
            "column_detail",
        ],
        &[1, 2, 3],
        |voice, moment: &Moment| {
            let state = match moment.kind.as_str() {
                "mail" => voice.mail_state(&moment.state),
                _ => voice.standing(&moment.state),
            };
            vec![
                away(voice, &moment.at),
                moment.title.clone(),
                state,
                moment.id.clone(),
                moment.detail.clone(),
            ]
        },
    )
}
