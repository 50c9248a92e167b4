//! (to be written)

/// The binary's main function.
pub fn main() -> std::process::ExitCode {
    std::process::ExitCode::SUCCESS
}
