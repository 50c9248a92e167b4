//! Codes, links and verification tokens, as the operator sees them: never what is mailed or
//! answered, and never its hash.

use std::rc::Rc;

use crate::address::EmailAddress;
use crate::address::LookupAddress;
use crate::audit;
use crate::identity::code;
use crate::identity::code::Proof;
use crate::identity::flow;
use crate::identity::flow::FLOWS;
use crate::identity::flow::Flow;
use crate::identity::flow::Wanted;
use crate::identity::form::Purpose;
use crate::identity::lives;
use crate::identity::recover::LINKS;
use crate::identity::recover::Link;
use crate::identity::user;
use crate::identity::user::Account;
use crate::secret::Code;
use crate::secret::TokenHash;
use crate::secret::same_mac;
use crate::store;
use crate::store::Read;
use crate::store::Tx;
use crate::store::page;
use crate::store::page::Ask;
use crate::store::page::LOOK;
use crate::store::page::Page;
use crate::store::page::PageError;
use crate::world::Timestamp;

use super::Accounts;
use super::Error;
use super::has;
use super::token::TokenFilter;
use super::token::TokenKind;
use super::token::TokenName;
use super::token::TokenRecord;
use super::token::TokenSort;
use super::token::TokenState;

/// A token as it is stored.
enum Stored {
    Code {
        wanted: Wanted,
        address: LookupAddress,
        flow: Rc<Flow>,
        index: usize,
    },
    Link(TokenHash, Link),
    Proof(TokenHash, Proof),
}

impl Stored {
    fn name(&self) -> TokenName {
        match self {
            Stored::Code {
                wanted,
                address,
                flow,
                index,
            } => {
                let at = flow.codes[*index].at;
                let before = flow.codes[..*index].iter().filter(|code| code.at == at);
                TokenName::Code {
                    wanted: *wanted as u8,
                    address: address.clone(),
                    at,
                    nth: u8::try_from(before.count()).unwrap_or(u8::MAX),
                }
            }
            Stored::Link(hash, _) => TokenName::Hashed {
                link: true,
                digest: hash.name(),
            },
            Stored::Proof(hash, _) => TokenName::Hashed {
                link: false,
                digest: hash.name(),
            },
        }
    }
}

/// The codes of a flow.
fn codes(wanted: Wanted, address: &LookupAddress, flow: Flow) -> Vec<Stored> {
    let flow = Rc::new(flow);
    let code = |index| Stored::Code {
        wanted,
        address: address.clone(),
        flow: flow.clone(),
        index,
    };
    (0..flow.codes.len()).map(code).collect()
}

/// Every token.
fn all<'a>(
    read: &'a impl Read,
) -> Result<impl Iterator<Item = Result<Stored, store::Error>> + 'a, store::Error> {
    let flows = read.scan(FLOWS.all())?.flat_map(|row| match row {
        Ok(((number, address), flow)) => {
            let wanted = Wanted::ALL.into_iter().find(|one| *one as u8 == number);
            let found = wanted.map(|wanted| codes(wanted, &address, flow));
            found.unwrap_or_default().into_iter().map(Ok).collect()
        }
        Err(error) => vec![Err(error)],
    });
    let links = read.scan(LINKS.all())?;
    let links = links.map(|row| row.map(|(hash, link)| Stored::Link(hash, link)));
    let proofs = read.scan(code::TOKENS.all())?;
    let proofs = proofs.map(|row| row.map(|(hash, proof)| Stored::Proof(hash, proof)));
    Ok(flows.chain(links).chain(proofs))
}

/// How many codes there are; `None` when they are in more than `most` rows.
pub(super) fn count_codes(read: &impl Read, most: u64) -> Result<Option<u64>, store::Error> {
    let (mut rows, mut count) = (0, 0);
    for row in read.scan(FLOWS.all())? {
        let (_, flow) = row?;
        rows += 1;
        if rows > most {
            return Ok(None);
        }
        count += flow.codes.len() as u64;
    }
    Ok(Some(count))
}

/// The token of this name. A code is one look-up.
fn find(read: &impl Read, name: &TokenName) -> Result<Option<Stored>, store::Error> {
    match name {
        TokenName::Code {
            wanted, address, ..
        } => {
            let wanted = Wanted::ALL.into_iter().find(|one| *one as u8 == *wanted);
            let Some(wanted) = wanted else {
                return Ok(None);
            };
            let flow = flow::flow(read, wanted, address)?;
            let codes = flow.map(|flow| codes(wanted, address, flow));
            let mut codes = codes.into_iter().flatten();
            Ok(codes.find(|code| code.name() == *name))
        }
        TokenName::Hashed { link: true, digest } => {
            for row in read.scan(LINKS.all())?.take(LOOK) {
                let (hash, link) = row?;
                if hash.name() == *digest {
                    return Ok(Some(Stored::Link(hash, link)));
                }
            }
            Ok(None)
        }
        TokenName::Hashed { digest, .. } => {
            for row in read.scan(code::TOKENS.all())?.take(LOOK) {
                let (hash, proof) = row?;
                if hash.name() == *digest {
                    return Ok(Some(Stored::Proof(hash, proof)));
                }
            }
            Ok(None)
        }
    }
}

/// Where the row of a token is, for a transaction that has no time to look for it.
#[derive(Clone)]
enum Row {
    Code(TokenName),
    Link(TokenHash),
    Proof(TokenHash),
}

impl Row {
    fn of(stored: &Stored) -> Row {
        match stored {
            Stored::Code { .. } => Row::Code(stored.name()),
            Stored::Link(hash, _) => Row::Link(*hash),
            Stored::Proof(hash, _) => Row::Proof(*hash),
        }
    }

    fn get(&self, read: &impl Read) -> Result<Option<Stored>, store::Error> {
        Ok(match self {
            Row::Code(name) => find(read, name)?,
            Row::Link(hash) => read
                .get(&LINKS, hash)?
                .map(|link| Stored::Link(*hash, link)),
            Row::Proof(hash) => {
                let proof = read.get(&code::TOKENS, hash)?;
                proof.map(|proof| Stored::Proof(*hash, proof))
            }
        })
    }
}

impl Accounts {
    /// A page of all codes, links and verification tokens.
    ///
    /// # Errors
    /// Too many to be sorted, or the store.
    pub async fn list_tokens(
        &self,
        filter: TokenFilter,
        sort: TokenSort,
        ask: Ask,
    ) -> Result<Page<TokenRecord>, PageError> {
        let now = self.world.now();
        self.look(move |accounts, read| {
            let q = filter.q.map(|q| q.to_lowercase());
            let email = filter.email.map(|email| email.lookup());
            page::sorted(all(read)?, &ask, LOOK, |stored| {
                let token = accounts.token_record(read, &stored, now)?;
                let name = token.name.to_string();
                let user = token.user.map(|user| user.to_string()).unwrap_or_default();
                let mail = token.mail.map(|mail| mail.to_string()).unwrap_or_default();
                let texts = [&name, &user, &token.email, &mail, token.kind.word()];
                let found = filter.kind.is_none_or(|kind| kind == token.kind)
                    && filter.state.is_none_or(|state| state == token.state)
                    && email
                        .as_ref()
                        .is_none_or(|email| token.lookup().as_ref() == Some(email))
                    && has(q.as_ref(), &texts);
                Ok(found.then(|| (sort.place(&token), token)))
            })
        })
        .await
    }

    fn token_record(
        &self,
        read: &impl Read,
        stored: &Stored,
        now: Timestamp,
    ) -> Result<TokenRecord, store::Error> {
        let terms = &self.settings.codes;
        let name = stored.name();
        Ok(match stored {
            Stored::Code {
                wanted,
                address,
                flow,
                index,
            } => {
                let issued = &flow.codes[*index];
                let found = match issued.asker {
                    Some(id) => user::get(read, id)?.map(|account| (id, account)),
                    None => user::find(read, address)?,
                };
                let epoch = found
                    .as_ref()
                    .map_or(0, |(_, account)| account.recovery_epoch);
                let state = match () {
                    () if !lives(issued.at, terms.lifetime, now) => TokenState::Lapsed,
                    () if issued.epoch != epoch => TokenState::Overtaken,
                    () if flow.tries_left == 0 => TokenState::Spent,
                    () => TokenState::Live,
                };
                let email = issued.to.as_ref().map(EmailAddress::as_str);
                TokenRecord {
                    kind: match wanted {
                        Wanted::RegisterCode => TokenKind::RegistrationCode,
                        Wanted::AddressCode => TokenKind::AddressCode,
                        Wanted::ResetCode | Wanted::ResetLink => TokenKind::ResetCode,
                    },
                    email: email.unwrap_or(address.as_str()).to_owned(),
                    user: found.map(|(id, _)| id),
                    state,
                    created_at: issued.at,
                    expires_at: issued.at + terms.lifetime,
                    attempts_left: Some(flow.tries_left),
                    mail: issued.mail,
                    name,
                }
            }
            Stored::Link(_, link) => {
                let account = user::get(read, link.user)?;
                let email = link.to.as_ref().or(account.as_ref().map(|a| &a.email));
                let overtaken = |account: &Account| account.recovery_epoch != link.epoch;
                let state = match () {
                    () if !lives(link.at, terms.link_lifetime, now) => TokenState::Lapsed,
                    () if account.as_ref().is_some_and(overtaken) => TokenState::Overtaken,
                    () => TokenState::Live,
                };
                TokenRecord {
                    name,
                    kind: TokenKind::ResetLink,
                    email: email.map(ToString::to_string).unwrap_or_default(),
                    user: account.map(|_| link.user),
                    state,
                    created_at: link.at,
                    expires_at: link.at + terms.link_lifetime,
                    attempts_left: None,
                    mail: link.mail,
                }
            }
            Stored::Proof(_, proof) => {
                let found = user::find(read, &proof.address)?;
                let overtaken = match proof.purpose {
                    Purpose::Register => found.is_some(),
                    Purpose::ResetPassword => {
                        let now = found
                            .as_ref()
                            .map(|(id, account)| (*id, account.recovery_epoch));
                        now != proof.account
                    }
                };
                let state = match () {
                    () if !lives(proof.at, terms.token_lifetime, now) => TokenState::Lapsed,
                    () if overtaken => TokenState::Overtaken,
                    () => TokenState::Live,
                };
                let email = proof.mailed.as_ref().map(EmailAddress::as_str);
                TokenRecord {
                    name,
                    kind: match proof.purpose {
                        Purpose::Register => TokenKind::RegistrationToken,
                        Purpose::ResetPassword => TokenKind::ResetToken,
                    },
                    email: email.unwrap_or(proof.address.as_str()).to_owned(),
                    user: found.map(|(id, _)| id),
                    state,
                    created_at: proof.at,
                    expires_at: proof.at + terms.token_lifetime,
                    attempts_left: None,
                    mail: None,
                }
            }
        })
    }

    async fn seek(&self, name: TokenName) -> Result<(Row, TokenRecord), Error> {
        let now = self.world.now();
        self.look(move |accounts, read| {
            let stored = find(read, &name)?.ok_or(Error::NotFound)?;
            let record = accounts.token_record(read, &stored, now)?;
            Ok((Row::of(&stored), record))
        })
        .await
    }

    /// One token.
    ///
    /// # Errors
    /// `NotFound`, `Store`.
    pub async fn token(&self, name: TokenName) -> Result<TokenRecord, Error> {
        self.seek(name).await.map(|(_, token)| token)
    }

    /// Makes a token good for nothing. `entry` becomes one about its address.
    ///
    /// # Errors
    /// `NotFound`, `Store`.
    pub async fn revoke_token(&self, name: TokenName, entry: audit::Entry) -> Result<(), Error> {
        let (row, token) = self.seek(name).await?;
        let entry = about(&token, entry);
        let accounts = self.clone();
        self.store
            .write(move |tx| {
                let stored = row.get(tx)?.ok_or(Error::NotFound)?;
                accounts.forget(tx, stored);
                audit::record(tx, &entry);
                Ok(())
            })
            .await
    }

    fn forget(&self, tx: &mut Tx<'_>, stored: Stored) {
        match stored {
            Stored::Code {
                wanted,
                address,
                flow,
                index,
            } => {
                let mut flow = Flow::clone(&flow);
                flow.codes.remove(index);
                let codes = &self.settings.codes;
                flow::put_flow(tx, wanted, &address, &flow, false, codes);
            }
            Stored::Link(hash, _) => tx.delete(&LINKS, &hash),
            Stored::Proof(hash, _) => tx.delete(&code::TOKENS, &hash),
        }
    }

    /// Which of `candidates` is the secret of this token, with `entry` on record before anybody
    /// hears of it. `None`, and nothing on record, when it is none of them.
    ///
    /// # Errors
    /// `NotFound`, `Store`.
    pub async fn reveal_token(
        &self,
        name: TokenName,
        candidates: Vec<String>,
        entry: audit::Entry,
    ) -> Result<Option<String>, Error> {
        let (row, token) = self.seek(name).await?;
        let entry = about(&token, entry);
        let accounts = self.clone();
        self.store
            .write(move |tx| {
                let stored = row.get(tx)?.ok_or(Error::NotFound)?;
                let secret = candidates
                    .iter()
                    .find(|text| accounts.is_secret(&stored, text));
                if secret.is_some() {
                    audit::record(tx, &entry);
                }
                Ok(secret.cloned())
            })
            .await
    }

    fn is_secret(&self, stored: &Stored, text: &str) -> bool {
        match stored {
            Stored::Code {
                wanted,
                address,
                flow,
                index,
            } => {
                let issued = &flow.codes[*index];
                let bound = flow::bound_to(*wanted, address, flow.id, issued.asker);
                let bound: Vec<&str> = bound.iter().map(String::as_str).collect();
                let code = Code::typed(text);
                let mac = code.map(|code| self.keys.mac(&code, &bound));
                mac.is_some_and(|mac| same_mac(&issued.mac, &mac))
            }
            Stored::Link(hash, _) => {
                let token = text.trim_end_matches('/').rsplit('/').next();
                token.is_some_and(|token| TokenHash::of(token).matches(hash))
            }
            Stored::Proof(..) => false,
        }
    }
}

/// The entry, about the address of the token.
fn about(token: &TokenRecord, entry: audit::Entry) -> audit::Entry {
    let lookup = token.lookup();
    let subject = lookup.map_or_else(|| token.name.to_string(), |l| l.as_str().to_owned());
    audit::Entry { subject, ..entry }.detail(&token.detail())
}
