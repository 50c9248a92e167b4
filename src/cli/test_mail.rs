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
    let sending = serve::send_test_mail(settings, World::system(), address);
    let outcome = run::block_on(sending)?.map_err(|error| {
        output::complain(&format!("error: {error}"));
        Exit(FAILED)
    })?;
    // The relay's own words are among them, and those come from outside.
    let said: Vec<String> = outcome.to_string().lines().map(output::visible).collect();
    if outcome.is_success() {
        output::print(&said.join("\n"));
        Ok(())
    } else {
        output::complain(&said.join("\n"));
        Err(Exit(FAILED))
    }
}
