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
    // The relay's own words are in it, or those of whoever listens where a gatepost did: from outside.
    let visible = |said: String| {
        let lines: Vec<String> = said.lines().map(output::visible).collect();
        lines.join("\n")
    };
    let outcome = run::block_on(sending)?.map_err(|error| {
        output::complain(&visible(format!("error: {error}")));
        Exit(FAILED)
    })?;
    let said = visible(outcome.to_string());
    if outcome.is_success() {
        output::print(&said);
        Ok(())
    } else {
        output::complain(&said);
        Err(Exit(FAILED))
    }
}
