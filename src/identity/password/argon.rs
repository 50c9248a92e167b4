//! argon2id (RFC 9106) and the PHC text in which its hashes are stored. Which one is wanted is
//! decided elsewhere.

use argon2::Algorithm;
use argon2::Argon2;
use argon2::Block;
use argon2::Params;
use argon2::Version;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD_NO_PAD;

/// The length of our hashes and salts, in bytes (RFC 9106, section 3.1: 16 of salt suffice).
const HASH: usize = 32;

/// No stored hash may claim more memory than this (KiB): a damaged row must not eat the machine.
const MOST_MEMORY: u32 = 1 << 20;
/// Nor more passes: it must not hold a thread for ever.
const MOST_PASSES: u32 = 64;

/// Whether hashes of this price are computed at all. New ones must be, or nobody gets in again.
pub(super) fn is_affordable(memory_kib: u32, passes: u32) -> bool {
    memory_kib <= MOST_MEMORY && passes <= MOST_PASSES
}

/// A parsed hash: its price, its salt and itself.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Stored {
    params: Params,
    salt: Vec<u8>,
    hash: Vec<u8>,
}

impl Stored {
    /// Reads `$argon2id$v=19$m=…,t=…,p=…$salt$hash`; `None` for anything else.
    pub(super) fn parse(text: &str) -> Option<Stored> {
        let mut parts = text.strip_prefix("$argon2id$v=19$")?.split('$');
        let (params, salt, hash) = (parts.next()?, parts.next()?, parts.next()?);
        if parts.next().is_some() {
            return None;
        }
        let mut price = [None; 3];
        for part in params.split(',') {
            let (name, value) = part.split_once('=')?;
            let slot = ["m", "t", "p"].iter().position(|known| *known == name)?;
            price[slot] = Some(value.parse::<u32>().ok()?);
        }
        let [Some(memory), Some(passes), Some(lanes)] = price else {
            return None;
        };
        let salt = STANDARD_NO_PAD.decode(salt).ok()?;
        let hash = STANDARD_NO_PAD.decode(hash).ok()?;
        if !is_affordable(memory, passes) {
            return None;
        }
        Some(Stored {
            params: Params::new(memory, passes, lanes, Some(hash.len())).ok()?,
            salt,
            hash,
        })
    }

    /// Whether it costs what `params` cost.
    pub(super) fn costs(&self, params: &Params) -> bool {
        let price = |p: &Params| (p.m_cost(), p.t_cost(), p.p_cost());
        price(&self.params) == price(params) && self.hash.len() == HASH
    }
}

/// A thread's own tools: the price of new hashes, and memory that is used again and again.
pub(super) struct Bench {
    params: Params,
    memory: Vec<Block>,
}

impl Bench {
    pub(super) fn new(params: Params) -> Bench {
        Bench {
            params,
            memory: Vec::new(),
        }
    }

    /// The price of new hashes.
    pub(super) fn params(&self) -> &Params {
        &self.params
    }

    /// Gives the memory back to the machine, until the next hash.
    pub(super) fn rest(&mut self) {
        self.memory = Vec::new();
    }

    /// Whether there is memory to give back.
    pub(super) fn is_warm(&self) -> bool {
        !self.memory.is_empty()
    }

    /// A new hash of `password`, as PHC text.
    pub(super) fn hash(&mut self, password: &[u8], salt: &[u8; 16]) -> String {
        let params = self.params.clone();
        let mut hash = [0; HASH];
        self.compute(&params, password, salt, &mut hash);
        format!(
            "$argon2id$v=19$m={},t={},p={}${}${}",
            params.m_cost(),
            params.t_cost(),
            params.p_cost(),
            STANDARD_NO_PAD.encode(salt),
            STANDARD_NO_PAD.encode(hash),
        )
    }

    /// Whether `stored` is a hash of `password`.
    pub(super) fn verify(&mut self, password: &[u8], stored: &Stored) -> bool {
        let mut hash = vec![0; stored.hash.len()];
        let computed = self.compute(&stored.params, password, &stored.salt, &mut hash);
        let own = self.params.block_count();
        if self.memory.len() > own {
            // Somebody else's hash was dearer than ours: do not keep its memory.
            self.memory.truncate(own);
            self.memory.shrink_to_fit();
        }
        computed && super::django::same(&hash, &stored.hash)
    }

    fn compute(&mut self, params: &Params, password: &[u8], salt: &[u8], out: &mut [u8]) -> bool {
        let blocks = params.block_count();
        if self.memory.len() < blocks {
            self.memory.resize(blocks, Block::default());
        }
        Argon2::new(Algorithm::Argon2id, Version::V0x13, params.clone())
            .hash_password_into_with_memory(password, salt, out, &mut self.memory[..blocks])
            .is_ok()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_hash_is_verified_at_its_own_price_and_another_price_is_seen() {
        let mut bench = Bench::new(Params::new(64, 1, 1, Some(HASH)).unwrap());
        let text = bench.hash("pässword".as_bytes(), &[7; 16]);
        let stored = Stored::parse(&text).unwrap();
        assert!(bench.verify("pässword".as_bytes(), &stored));
        assert!(!bench.verify(b"password", &stored));
        let mut dearer = Bench::new(Params::new(128, 2, 1, Some(HASH)).unwrap());
        assert!(dearer.verify("pässword".as_bytes(), &stored));
        assert!(stored.costs(bench.params()) && !stored.costs(dearer.params()));
        let old = Stored::parse(&dearer.hash(b"x", &[8; 16])).unwrap();
        assert!(bench.verify(b"x", &old));
        assert_eq!(bench.memory.len(), bench.params.block_count());
    }

    #[test]
    fn what_is_no_hash_is_none() {
        for text in [
            "",
            "!",
            "$argon2i$v=19$m=64,t=1,p=1$AAAAAAAAAAA$AAAAAAAA",
            "$argon2id$v=19$m=64,t=1$AAAAAAAAAAA$AAAAAAAA",
            "$argon2id$v=19$m=4000000,t=1,p=1$AAAAAAAAAAA$AAAAAAAA",
            "$argon2id$v=19$m=64,t=65,p=1$AAAAAAAAAAA$AAAAAAAA",
            "$argon2id$v=19$m=64,t=1,p=1$AAAAAAAAAAA$AAAAAAAA$",
        ] {
            assert!(Stored::parse(text).is_none(), "{text}");
        }
    }
}
