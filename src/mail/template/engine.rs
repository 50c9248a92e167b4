//! Renders with a budget: one order may take so many steps, whatever its values make of its
//! template, all tries to tell what is missing included. What is rendered, and why, is `program`'s.

use minijinja::Environment;
use minijinja::Error;
use minijinja::ErrorKind;
use minijinja::Value;

use super::innermost;

/// The steps that one order may take, all in all: some tenths of a second.
const ORDER: u64 = 2_000_000;
/// The steps of one part of a mail: thousands of lines of an invoice.
pub const PART: u64 = ORDER / 2;
/// The steps of one part when it is only tried whether a value can be done without. What fails does
/// not tell how far it came, and is charged all of it: this leaves fifty tries.
pub const TRY: u64 = ORDER / 100;
/// The most bytes that one part of a mail may come to, so that no loop over values fills the memory.
const LARGEST_PART: usize = 1_000_000;
/// How deep templates may nest and call each other. Less than the library's own limit, which is
/// meant for the stack of a main thread.
pub const DEEPEST: usize = 200;

/// Whether `error` says that there were too many steps.
pub fn is_exhausted(error: &Error) -> bool {
    innermost(error).kind() == ErrorKind::OutOfFuel
}

/// An environment and what it may still spend.
pub struct Engine {
    environment: Environment<'static>,
    left: u64,
}

impl Engine {
    /// One with a whole budget.
    pub fn new(environment: &Environment<'static>) -> Engine {
        Engine {
            environment: environment.clone(),
            left: ORDER,
        }
    }

    #[cfg(test)]
    pub fn left(&self) -> u64 {
        self.left
    }

    /// Renders the template called `name`, in at most `most` steps.
    ///
    /// # Errors
    /// Those of the template; [`is_exhausted`] when the steps did not do.
    pub fn render(&mut self, name: &str, values: Value, most: u64) -> Result<String, Error> {
        let allowed = self.left.min(most);
        self.environment.set_fuel(Some(allowed));
        let mut into = Bounded(Vec::new());
        let template = self.environment.get_template(name)?;
        let rendered = template.render_captured_to(values, &mut into);
        let levels = rendered.map(|captured| captured.state().fuel_levels());
        let spent = match &levels {
            Ok(Some((spent, _))) => *spent,
            _ => allowed,
        };
        self.left = self.left.saturating_sub(spent);
        levels?;
        Ok(String::from_utf8_lossy(&into.0).into_owned())
    }
}

struct Bounded(Vec<u8>);

impl std::io::Write for Bounded {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        if self.0.len() + bytes.len() > LARGEST_PART {
            let reason = format!("it comes to more than {LARGEST_PART} bytes");
            return Err(std::io::Error::other(reason));
        }
        self.0.extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}
