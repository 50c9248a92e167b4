//! The mail behind DATA: finding its end and undoing the dots (RFC 5321, 4.5.2).
//!
//! smtp-proto has a receiver for this, which is not used: it takes the dot of the first line for
//! text unless the line end of DATA is fed to it, and it ends the mail at `CR LF . CR CR LF`,
//! which is no end. Whatever two servers do not agree on there lets a mail smuggle another one in.

use memchr::memmem;

/// Where in the mail the next byte falls.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum At {
    /// Behind CR LF, or at the very beginning.
    LineStart,
    /// Behind the dot that began a line; it is held back.
    Dot,
    /// Behind that dot and a CR, both held back.
    DotCr,
    /// Anywhere else.
    Text,
}

/// Octets that every mail may have without asking. Most mails end within, so most never ask.
const UNASKED: usize = 256 << 10;

/// Why a mail that has ended is not handed out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Lost {
    /// It is over the limit.
    TooLarge,
    /// There was no room for it.
    NoRoom,
}

/// Takes the bytes behind DATA, in whatever pieces they come.
#[derive(Debug)]
pub(super) struct Incoming {
    raw: Vec<u8>,
    limit: usize,
    announced: usize,
    /// Octets that room was granted for.
    granted: usize,
    /// More room was asked for, and there was none.
    refused: bool,
    /// Octets of the mail so far, kept or not.
    size: usize,
    at: At,
    /// The last octet of the mail is CR; known also when nothing is kept.
    after_cr: bool,
}

impl Incoming {
    /// `announced` is what the client said the size would be; more than `limit` is never kept.
    pub(super) fn new(limit: usize, announced: usize) -> Incoming {
        Incoming {
            // What a client announces costs it nothing, so it does not buy much memory either.
            raw: Vec::with_capacity(announced.clamp(2 << 10, UNASKED).min(limit)),
            limit,
            announced,
            granted: 0,
            refused: false,
            size: 0,
            at: At::LineStart,
            after_cr: false,
        }
    }

    /// Takes bytes off `input`; `true` when the mail has ended and `input` is behind its end.
    pub(super) fn take(&mut self, input: &mut &[u8]) -> bool {
        while let Some((&first, rest)) = input.split_first() {
            match (self.at, first) {
                (At::LineStart, b'.') => {
                    self.at = At::Dot;
                    *input = rest;
                }
                (At::Dot, b'\r') => {
                    self.at = At::DotCr;
                    *input = rest;
                }
                (At::DotCr, b'\n') => {
                    *input = rest;
                    return true;
                }
                (At::DotCr, _) => {
                    // The dot was stuffing; the CR behind it is text.
                    self.keep(b"\r");
                    self.at = At::Text;
                }
                (At::Dot | At::LineStart, _) => self.at = At::Text,
                (At::Text, _) => self.take_text(input),
            }
        }
        false
    }

    /// Takes text up to the next line that begins with a dot, or to the end of `input`.
    fn take_text(&mut self, input: &mut &[u8]) {
        // A line end may have been cut between two pieces.
        if self.after_cr && input[0] == b'\n' {
            self.keep(b"\n");
            self.at = At::LineStart;
            *input = &input[1..];
            return;
        }
        let end = memmem::find_iter(input, b"\n.")
            .find(|&lf| lf > 0 && input[lf - 1] == b'\r')
            .map(|lf| lf + 1)
            .unwrap_or(input.len());
        let (text, rest) = input.split_at(end);
        self.keep(text);
        if text.ends_with(b"\r\n") {
            self.at = At::LineStart;
        }
        *input = rest;
    }

    fn keep(&mut self, text: &[u8]) {
        self.size = self.size.saturating_add(text.len());
        self.after_cr = text.last() == Some(&b'\r');
        if self.size > self.limit || self.refused {
            // Given back at once: a mail that is not kept costs no memory.
            self.raw = Vec::new();
        } else {
            self.raw.extend_from_slice(text);
        }
    }

    /// For how many more octets room is needed before more is taken: at first for the whole mail
    /// as it was announced, then for the largest that may come. Never bit by bit, since mails that
    /// each hold a part and wait for more would wait for each other for ever.
    pub(super) fn lacks(&self) -> Option<usize> {
        let enough = self.raw.len() <= self.granted.max(UNASKED);
        (!enough).then(|| self.aim() - self.granted)
    }

    /// The answer to [`Incoming::lacks`].
    pub(super) fn grant(&mut self, granted: bool) {
        if granted {
            self.granted = self.aim();
            self.raw.reserve_exact(self.granted - self.raw.len());
        } else {
            self.refused = true;
            self.raw = Vec::new();
        }
    }

    fn aim(&self) -> usize {
        let announced = self.announced.min(self.limit);
        if announced >= self.raw.len() && announced > self.granted {
            announced
        } else {
            self.limit
        }
    }

    /// The mail, or why there is none.
    pub(super) fn into_raw(self) -> Result<Vec<u8>, Lost> {
        if self.size > self.limit {
            Err(Lost::TooLarge)
        } else if self.refused {
            Err(Lost::NoRoom)
        } else {
            Ok(self.raw)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The mail and what follows it, fed in pieces of `step` octets.
    fn receive(bytes: &[u8], step: usize) -> Option<(Vec<u8>, Vec<u8>)> {
        let mut incoming = Incoming::new(1000, 0);
        let mut at = 0;
        while at < bytes.len() {
            let end = (at + step).min(bytes.len());
            let mut piece = &bytes[at..end];
            if incoming.take(&mut piece) {
                let rest = [piece, &bytes[end..]].concat();
                return Some((incoming.into_raw().unwrap(), rest));
            }
            at = end;
        }
        None
    }

    #[test]
    fn only_crlf_dot_crlf_ends_it_in_whatever_pieces() {
        for (bytes, mail) in [
            (&b".\r\n"[..], &b""[..]),
            (b"a\r\n.\r\n", b"a\r\n"),
            (b"..a\r\n..\r\n...\r\n.\r\n", b".a\r\n.\r\n..\r\n"),
            (b".a\r\n.\r\n", b"a\r\n"),
            (b"a\n.\r\nb\r\n.\r\n", b"a\n.\r\nb\r\n"),
            (b"a\n.\nb\r\n.\r\n", b"a\n.\nb\r\n"),
            (b"a\r\n.\nb\r\n.\r\n", b"a\r\n\nb\r\n"),
            (b"a\r.\r\nb\r\n.\r\n", b"a\r.\r\nb\r\n"),
            (b"a\r.\rb\r\n.\r\n", b"a\r.\rb\r\n"),
            (b"a\r\n.\r\r\nb\r\n.\r\n", b"a\r\n\r\r\nb\r\n"),
            (b"a\r\n.\rb\r\n.\r\n", b"a\r\n\rb\r\n"),
            (b"a\r\n\0.\r\n\r\n.\r\n", b"a\r\n\0.\r\n\r\n"),
            (b"a\r\r\n.\r\n", b"a\r\r\n"),
            (b"a\r\n.\r.\r\n.\r\n", b"a\r\n\r.\r\n"),
        ] {
            for step in 1..=bytes.len() {
                let text = String::from_utf8_lossy(bytes);
                let behind = [bytes, b"NOOP\r\n.\r\n"].concat();
                let (raw, rest) = receive(&behind, step).unwrap();
                assert_eq!(raw, mail, "{text:?} in pieces of {step}");
                assert_eq!(rest, b"NOOP\r\n.\r\n", "{text:?} in pieces of {step}");
            }
        }
    }

    #[test]
    fn over_the_limit_nothing_is_kept_and_the_end_is_found_all_the_same() {
        let mut incoming = Incoming::new(10, usize::MAX);
        let mut input = &b"12345678\r\n.\r\n"[..];
        assert!(incoming.take(&mut input));
        assert_eq!(incoming.into_raw().unwrap().len(), 10);
        let mut incoming = Incoming::new(10, 0);
        for _ in 0..1000 {
            assert!(!incoming.take(&mut &b"12345678\r\n"[..]));
        }
        assert_eq!(incoming.raw.capacity(), 0);
        let mut input = &b".\r\nQUIT\r\n"[..];
        assert!(incoming.take(&mut input));
        let kept = incoming.into_raw();
        assert_eq!((input, kept), (&b"QUIT\r\n"[..], Err(Lost::TooLarge)));
    }

    /// Feeds `octets` octets of text.
    fn feed(incoming: &mut Incoming, octets: usize) {
        assert!(!incoming.take(&mut vec![b'x'; octets].as_slice()));
    }

    #[test]
    fn room_is_asked_for_once_for_all_that_may_come() {
        let limit = 10 * UNASKED;
        // Nothing announced: the largest mail.
        let mut incoming = Incoming::new(limit, 0);
        feed(&mut incoming, UNASKED);
        assert_eq!(incoming.lacks(), None);
        feed(&mut incoming, 1);
        assert_eq!(incoming.lacks(), Some(limit));
        incoming.grant(true);
        feed(&mut incoming, limit - UNASKED - 1);
        assert_eq!(incoming.lacks(), None);
        assert!(incoming.raw.capacity() < limit + UNASKED);
        // What was announced, and the rest of the largest if that was too little.
        let mut incoming = Incoming::new(limit, 3 * UNASKED);
        feed(&mut incoming, 2 * UNASKED);
        assert_eq!(incoming.lacks(), Some(3 * UNASKED));
        incoming.grant(true);
        feed(&mut incoming, UNASKED);
        assert_eq!(incoming.lacks(), None);
        feed(&mut incoming, 1);
        assert_eq!(incoming.lacks(), Some(7 * UNASKED));
        // Without room nothing is kept, and nothing more is asked for.
        incoming.grant(false);
        assert_eq!((incoming.raw.capacity(), incoming.lacks()), (0, None));
        feed(&mut incoming, UNASKED);
        assert_eq!((incoming.raw.capacity(), incoming.lacks()), (0, None));
        assert!(incoming.take(&mut &b"\r\n.\r\n"[..]));
        assert_eq!(incoming.into_raw(), Err(Lost::NoRoom));
    }
}
