//! Keys whose bytes sort as their values do, so that a range of the store is a range of the
//! domain. Parts are self-delimiting: a tuple's bytes are those of its parts, one after another.

use super::Error;
use crate::address::LookupAddress;
use crate::secret::TokenHash;
use crate::world::Timestamp;

/// Something that can be (a part of) a key.
pub trait Key: Sized {
    /// Appends its bytes.
    fn encode(&self, into: &mut Vec<u8>);

    /// Takes it off the front of `from`.
    fn decode(from: &mut &[u8]) -> Result<Self, Error>;
}

fn malformed() -> Error {
    Error::Malformed {
        table: "(key)",
        reason: "a key ends too early or is not of its type".into(),
    }
}

impl<const N: usize> Key for [u8; N] {
    fn encode(&self, into: &mut Vec<u8>) {
        into.extend_from_slice(self);
    }

    fn decode(from: &mut &[u8]) -> Result<[u8; N], Error> {
        let (head, rest) = from.split_first_chunk().ok_or_else(malformed)?;
        *from = rest;
        Ok(*head)
    }
}

macro_rules! unsigned {
    ($($type:ty),*) => {$(
        impl Key for $type {
            fn encode(&self, into: &mut Vec<u8>) {
                into.extend_from_slice(&self.to_be_bytes());
            }

            fn decode(from: &mut &[u8]) -> Result<$type, Error> {
                Key::decode(from).map(<$type>::from_be_bytes)
            }
        }
    )*};
}

unsigned!(u8, u16, u32, u64);

impl Key for i64 {
    fn encode(&self, into: &mut Vec<u8>) {
        // The sign bit flipped: negative numbers sort before the others.
        (self.cast_unsigned() ^ (1 << 63)).encode(into);
    }

    fn decode(from: &mut &[u8]) -> Result<i64, Error> {
        u64::decode(from).map(|bits| (bits ^ (1 << 63)).cast_signed())
    }
}

impl Key for Timestamp {
    fn encode(&self, into: &mut Vec<u8>) {
        self.as_millis().encode(into);
    }

    fn decode(from: &mut &[u8]) -> Result<Timestamp, Error> {
        i64::decode(from).map(Timestamp::from_millis)
    }
}

/// Zero bytes are escaped as `00 FF` and the end is `00 00`: no text is a prefix of another's
/// bytes, and they sort as the texts do.
impl Key for String {
    fn encode(&self, into: &mut Vec<u8>) {
        for byte in self.bytes() {
            into.push(byte);
            if byte == 0 {
                into.push(0xff);
            }
        }
        into.extend_from_slice(&[0, 0]);
    }

    fn decode(from: &mut &[u8]) -> Result<String, Error> {
        let mut text = Vec::new();
        let mut rest = *from;
        loop {
            let (head, tail) = rest.split_first().ok_or_else(malformed)?;
            rest = tail;
            if *head != 0 {
                text.push(*head);
                continue;
            }
            let (escaped, tail) = rest.split_first().ok_or_else(malformed)?;
            rest = tail;
            match escaped {
                0 => break,
                0xff => text.push(0),
                _ => return Err(malformed()),
            }
        }
        *from = rest;
        String::from_utf8(text).map_err(|_| malformed())
    }
}

impl Key for LookupAddress {
    fn encode(&self, into: &mut Vec<u8>) {
        self.as_str().to_owned().encode(into);
    }

    fn decode(from: &mut &[u8]) -> Result<LookupAddress, Error> {
        String::decode(from).map(LookupAddress::from_stored)
    }
}

impl Key for TokenHash {
    fn encode(&self, into: &mut Vec<u8>) {
        self.to_bytes().encode(into);
    }

    fn decode(from: &mut &[u8]) -> Result<TokenHash, Error> {
        Key::decode(from).map(TokenHash::from_bytes)
    }
}

impl Key for () {
    fn encode(&self, _: &mut Vec<u8>) {}

    fn decode(_: &mut &[u8]) -> Result<(), Error> {
        Ok(())
    }
}

macro_rules! tuple {
    ($($part:ident),*) => {
        impl<$($part: Key),*> Key for ($($part,)*) {
            #[allow(non_snake_case, reason = "a type parameter names its part")]
            fn encode(&self, into: &mut Vec<u8>) {
                let ($($part,)*) = self;
                $($part.encode(into);)*
            }

            fn decode(from: &mut &[u8]) -> Result<Self, Error> {
                Ok(($($part::decode(from)?,)*))
            }
        }
    };
}

tuple!(A, B);
tuple!(A, B, C);
tuple!(A, B, C, D);

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn bytes(key: &impl Key) -> Vec<u8> {
        let mut bytes = Vec::new();
        key.encode(&mut bytes);
        bytes
    }

    proptest! {
        #[test]
        fn keys_sort_as_their_values_and_come_back(
            a in any::<(String, i64, u64)>(),
            b in any::<(String, i64, u64)>(),
        ) {
            prop_assert_eq!(bytes(&a).cmp(&bytes(&b)), a.cmp(&b));
            let encoded = bytes(&a);
            let mut rest = encoded.as_slice();
            prop_assert_eq!(<(String, i64, u64)>::decode(&mut rest).unwrap(), a);
            prop_assert!(rest.is_empty());
        }

        #[test]
        fn bytes_that_are_no_key_are_an_error(noise in any::<Vec<u8>>()) {
            // Whatever it answers, it must answer.
            let _ = <(String, Timestamp)>::decode(&mut noise.as_slice());
        }
    }

    #[test]
    fn zero_bytes_in_a_text_keep_the_order() {
        let texts = ["", "\0", "\0\0", "\0a", "a", "a\0", "a\0b", "ab"].map(str::to_owned);
        for pair in texts.windows(2) {
            assert!(bytes(&pair[0]) < bytes(&pair[1]), "{pair:?}");
        }
    }
}
