//! A server's reply, read from its very bytes: servers send codes that strict parsers refuse,
//! and texts in encodings that are none.

/// One reply: its code and all its lines as they came.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reply {
    /// The three digits in front.
    pub code: u16,
    /// The lines, line ends included.
    pub bytes: Vec<u8>,
}

impl Reply {
    /// The complete replies that `bytes` begins with, and what is left after them.
    pub fn all(bytes: &[u8]) -> (Vec<Reply>, &[u8]) {
        let mut replies = Vec::new();
        let mut rest = bytes;
        while let Some((reply, after)) = Reply::first(rest) {
            replies.push(reply);
            rest = after;
        }
        (replies, rest)
    }

    fn first(bytes: &[u8]) -> Option<(Reply, &[u8])> {
        let mut end = 0;
        loop {
            let line_end = end + memchr::memchr(b'\n', &bytes[end..])? + 1;
            let line = &bytes[end..line_end];
            // RFC 5321, 4.2.1: a hyphen after the code says that more lines follow.
            if line.get(3) != Some(&b'-') || code_of(line).is_none() {
                let code = code_of(bytes)?;
                let bytes_of_reply = bytes[..line_end].to_vec();
                let reply = Reply {
                    code,
                    bytes: bytes_of_reply,
                };
                return Some((reply, &bytes[line_end..]));
            }
            end = line_end;
        }
    }

    /// The refusal that `bytes` begins with, if at least one line of it came whole.
    pub fn refusal(bytes: &[u8]) -> Option<Reply> {
        memchr::memchr(b'\n', bytes)?;
        Reply::cut_off(bytes).filter(Reply::is_refusal)
    }

    /// Whether it says no.
    pub fn is_refusal(&self) -> bool {
        self.code >= 400
    }

    /// The code that `bytes` begins with, even where the reply was cut off.
    pub fn cut_off(bytes: &[u8]) -> Option<Reply> {
        Some(Reply {
            code: code_of(bytes)?,
            bytes: bytes.to_vec(),
        })
    }
}

fn code_of(line: &[u8]) -> Option<u16> {
    let digits = line.get(..3)?;
    if !(b'2'..=b'5').contains(&digits[0]) || !digits.iter().all(u8::is_ascii_digit) {
        return None;
    }
    std::str::from_utf8(digits).ok()?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn odd_replies_keep_their_code() {
        let codes = |bytes| {
            let (replies, rest) = Reply::all(bytes);
            (
                replies.iter().map(|reply| reply.code).collect::<Vec<_>>(),
                rest.len(),
            )
        };
        assert_eq!(codes(b"250 ok\r\n"), (vec![250], 0));
        assert_eq!(codes(b"571 no\r\n"), (vec![571], 0));
        assert_eq!(codes(b"550\r\n"), (vec![550], 0));
        assert_eq!(codes(b"550 \xc3\xdc\xc2\xeb\r\n"), (vec![550], 0));
        assert_eq!(codes(b"250-a\r\n250-b\r\n250 c\r\n354 go"), (vec![250], 6));
        assert_eq!(codes(b"250-a\r\n"), (vec![], 7));
        assert_eq!(codes(b"hello\r\n"), (vec![], 7));
        assert_eq!(Reply::cut_off(b"550-x\r\n").unwrap().code, 550);
    }
}
