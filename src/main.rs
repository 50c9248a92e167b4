//! The binary. Everything is in the library; see [`gatepost`].

fn main() -> std::process::ExitCode {
    gatepost::cli::main()
}
