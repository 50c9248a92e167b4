//! `gatepost send-test-mail`: a mail through the outbox, and what became of it.

use crate::config::Settings;
use crate::serve;
use crate::world::World;

use super::Exit;
use super::FAILED;
use super::MISUSED;
use super::log;
use super::output;
use super::run;

/// Sends it, waits for the outcome and says it.
pub fn send(settings: Settings, address: &str) -> Result<(), Exit> {
    let address = match address.parse::<crate::address::EmailAddress>() {
        Ok(address) => address,
        Err(error) => {
            output::complain(&format!("error: {address:?}: {error}"));
            return Err(Exit(MISUSED));
        }
    };
    log::start(&settings.log);
    let sending = serve::send_test_mail(settings, World::system(), address.clone());
    let outcome = run::runtime()?.block_on(sending).map_err(|error| {
        output::complain(&format!("error: {error}"));
        Exit(FAILED)
    })?;
    let id = &outcome.id;
    if outcome.is_sent() {
        output::print(&match outcome.captured {
            true => format!(
                "captured: the mail to {address} ({id}) is in the inbox; none goes out without \
                 USE_REAL_EMAIL=1"
            ),
            false => format!("sent: the relay took the mail to {address} ({id})"),
        });
        return Ok(());
    }
    let mut said = format!(
        "not sent: the mail to {address} ({id}) is {}",
        outcome.state
    );
    if let Some(setback) = &outcome.setback {
        // The relay's own words: they come from outside.
        said.push_str(&format!("\n  {}", output::visible(setback)));
    }
    if let Some(at) = &outcome.next_at {
        said.push_str(&format!(
            "\n  tried again at {at}, by the gatepost that runs then"
        ));
    }
    output::complain(&said);
    Err(Exit(FAILED))
}
