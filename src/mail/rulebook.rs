//! What a server's reply means for a mail and its route. The provider rules (stage, then text,
//! then code; the first digit lies) find their place here; until then the code decides.

use super::attempt::Stage;

/// What to do about a reply.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verdict {
    /// Go on; after the final dot: the mail is sent.
    Accepted,
    /// Try this mail again later.
    Temporary,
    /// Never try this mail again.
    Permanent,
    /// The route is set up wrongly; no fault of this mail, which waits.
    Configuration,
}

/// Judges the reply `code` with its `text` (the bytes as they came) at `stage`.
pub fn judge(stage: Stage, code: u16, _text: &[u8]) -> Verdict {
    let welcome = match stage {
        // RFC 5321, 4.3.2: 354 and nothing else.
        Stage::Data => code == 354,
        _ => (200..300).contains(&code),
    };
    if welcome {
        return Verdict::Accepted;
    }
    if code < 500 {
        // A 3xx where none belongs says that client and server are out of step.
        return Verdict::Temporary;
    }
    match stage {
        // Too large (RFC 1870) is about this mail; any other refusal of the sender about all.
        Stage::MailFrom if code == 552 => Verdict::Permanent,
        Stage::Claim
        | Stage::Connect
        | Stage::Greeting
        | Stage::Tls
        | Stage::Auth
        | Stage::MailFrom => Verdict::Configuration,
        Stage::RcptTo | Stage::Data | Stage::Content | Stage::FinalReply => Verdict::Permanent,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_stage_decides_what_a_refusal_is_about() {
        for (stage, code, verdict) in [
            (Stage::FinalReply, 250, Verdict::Accepted),
            (Stage::FinalReply, 354, Verdict::Temporary),
            (Stage::Data, 354, Verdict::Accepted),
            (Stage::Data, 250, Verdict::Temporary),
            (Stage::RcptTo, 451, Verdict::Temporary),
            (Stage::RcptTo, 550, Verdict::Permanent),
            (Stage::Auth, 535, Verdict::Configuration),
            (Stage::MailFrom, 553, Verdict::Configuration),
            (Stage::MailFrom, 552, Verdict::Permanent),
        ] {
            assert_eq!(judge(stage, code, b""), verdict, "{stage:?} {code}");
        }
    }
}
