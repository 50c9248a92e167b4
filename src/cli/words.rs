//! The API's words for stages, outcomes and states, as people say them. A word of a newer server
//! is shown as it is.

/// How far a delivery came.
pub fn stage(word: &str) -> &str {
    match word {
        "claim" => "before it began",
        "connect" => "connecting",
        "greeting" => "the server's greeting",
        "tls" => "TLS",
        "auth" => "logging in",
        "mail_from" => "MAIL FROM (the sender)",
        "rcpt_to" => "RCPT TO (the recipient)",
        "data" => "DATA",
        "content" => "sending the message",
        "final_reply" => "the reply to the message",
        other => other,
    }
}

/// What is said once the delivery is past it.
pub fn passed(word: &str) -> &str {
    match word {
        "connect" => "connected",
        "greeting" => "greeted",
        "tls" => "encrypted with TLS",
        "auth" => "logged in",
        "mail_from" => "the sender was accepted (MAIL FROM)",
        "rcpt_to" => "the recipient was accepted (RCPT TO)",
        "data" => "the message was asked for (DATA)",
        "content" => "the message was sent",
        other => other,
    }
}

/// How an attempt ended.
pub fn outcome(word: &str) -> &str {
    match word {
        "accepted" => "accepted",
        "temporary" => "refused for now",
        "permanent" => "refused for good",
        "connection" => "the connection failed",
        "configuration" => "refused, because of the settings or the account",
        "limited" => "refused, because too much was sent",
        "uncertain" => "uncertain: the connection broke before the reply, so it may have arrived",
        "lapsed" => "not sent, because its time was over",
        "lost" => "broken off: gatepost was stopped",
        other => other,
    }
}

/// Whether a route is tried.
pub fn route_state(word: &str) -> &str {
    match word {
        "closed" => "working",
        "open" => "resting after a failure",
        "probing" => "being tried again",
        "paused" => "paused by the operator",
        other => other,
    }
}
