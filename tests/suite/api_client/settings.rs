//! What the service of the tests is set up with.

use std::time::Duration;

use gatepost::http;
use gatepost::identity;
use gatepost::language::Language;
use gatepost::secret::{CodeStyle, TokenHash};

/// The operator's token of every test.
pub const ADMIN: &str = "gpa_test";

/// The settings of the accounts in tests: as in production, with cheap hashes.
fn account_settings() -> identity::Settings {
    let limit = |text: &str| text.parse().expect("a policy");
    let minutes = |count: u64| Duration::from_secs(count * 60);
    identity::Settings {
        base_url: "https://example.com".to_owned(),
        language: Language::En,
        codes: identity::Codes {
            lifetime: minutes(10),
            attempts: 5,
            resend: minutes(1),
            style: CodeStyle::Digits,
            token_lifetime: minutes(15),
            link_lifetime: minutes(60),
        },
        passwords: identity::password::Settings {
            min_chars: 8,
            max_chars: 256,
            memory_kib: 64,
            passes: 1,
            lanes: 1,
            threads: 1,
            queue: 16,
            patience: Duration::from_secs(10),
        },
        sessions: identity::session::Settings {
            idle: minutes(14 * 24 * 60),
            lifetime: minutes(30 * 24 * 60),
        },
        lockout: identity::Lockout {
            failures: 100,
            free: 5,
            first_wait: Duration::from_secs(30),
            longest_wait: minutes(60),
        },
        limits: identity::Limits {
            code_per_address: limit("5/hour, 20/day"),
            code_per_ip: limit("30/hour"),
            registration_per_ip: limit("20/hour"),
            wrong_code_per_ip: limit("60/hour"),
            wrong_login_per_ip: limit("30/10min"),
            password_change_per_user: limit("10/hour"),
            mail_per_key: limit("off"),
        },
        audit_kept: None,
    }
}

/// The settings of the HTTP room in tests: as in `dev` on loopback.
pub fn settings() -> http::Settings {
    http::Settings {
        base_url: "https://example.com".to_owned(),
        open_on_loopback: true,
        development: true,
        allowed_hosts: vec!["mail.test".to_owned()],
        open_metrics: false,
        admin_token: TokenHash::of(ADMIN),
        trusted_proxies: 0,
        body_limit: 4096,
        body_timeout: Duration::from_secs(20),
        head_timeout: Duration::from_secs(10),
        idle_timeout: Duration::from_secs(75),
        connections: 100,
        captures: true,
        language: Language::En,
        smtp: ([127, 0, 0, 1], 1025).into(),
        look: None,
        accounts: account_settings(),
    }
}
