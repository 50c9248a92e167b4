//! Logging in: comparing a password with the stored one, and what wrong ones lead to. What a
//! session is worth afterwards is in `session`.

use std::time::Duration;

use crate::address::LookupAddress;
use crate::audit;
use crate::store;
use crate::store::Read;
use crate::store::Tx;
use crate::world::Timestamp;

use super::Accounts;
use super::Client;
use super::error::Error;
use super::form::Fields;
use super::form::Login;
use super::gate::Place;
use super::limits;
use super::limits::Counters;
use super::limits::Failures;
use super::limits::Limited;
use super::limits::Rule;
use super::limits::Subject;
use super::lives;
use super::password::Busy;
use super::password::Typed;
use super::password::Verdict;
use super::session::Fresh;
use super::session::NewSession;
use super::user;
use super::user::Account;
use super::user::User;
use super::user::UserId;

/// What wrong passwords do to an account (NIST SP 800-63B-4, section 3.2.2). At a login they are
/// counted by the address that was given, whether or not it has an account. Those of somebody who
/// is logged in are counted apart, by the account: what strangers do at the login must not keep
/// its owner from changing the password, nor may a stolen session guess without end.
#[derive(Debug, Clone)]
pub struct Lockout {
    /// How many in a row before a login by password is refused until the password is reset (or 30
    /// days went by without another).
    pub failures: u32,
    /// How many in a row cost no wait.
    pub free: u32,
    /// The wait after the first that costs one; each is twice the one before.
    pub first_wait: Duration,
    /// The longest wait.
    pub longest_wait: Duration,
}

impl Lockout {
    /// Until when no password is looked at, given those that were wrong.
    pub(super) fn waits_until(&self, counters: &Counters, now: Timestamp) -> Option<Timestamp> {
        let limited = self.room(counters, now).err()?;
        Some(now + limited.retry_after)
    }

    /// How many guesses may be under way at once, given those that were wrong.
    fn room(&self, counters: &Counters, now: Timestamp) -> Result<u32, Limited> {
        let remembered = |f: &Failures| lives(f.last, limits::REMEMBERED, now);
        let Some(failures) = counters.failures.filter(remembered) else {
            return Ok(self.free.max(1).min(self.failures));
        };
        let limited = |wait: Duration| Limited {
            name: Rule::LoginFailures.word(),
            policy: format!("{} in a row", self.failures),
            quota: self.failures,
            window: wait,
            retry_after: limits::whole_seconds((failures.last + wait).since(now).min(wait)),
        };
        if failures.count >= self.failures {
            return Err(limited(limits::REMEMBERED));
        }
        let Some(over) = failures.count.checked_sub(self.free) else {
            return Ok(self.free - failures.count);
        };
        let wait = self
            .first_wait
            .saturating_mul(1 << over.min(30))
            .min(self.longest_wait);
        if now < failures.last + wait && failures.last <= now + limits::AHEAD {
            return Err(limited(wait));
        }
        Ok(1)
    }
}

/// Whose password is guessed at, and by that whose wrong ones are counted.
#[derive(Clone)]
pub(super) enum Claimed {
    /// Whoever logs in says that this address is theirs.
    Address(LookupAddress),
    /// Whoever has a session of this person.
    User(UserId),
}

impl Claimed {
    fn subject(&self) -> Subject {
        match self {
            Claimed::Address(address) => Subject::Address(address.clone()),
            Claimed::User(id) => Subject::User(*id),
        }
    }

    fn find(&self, read: &impl Read) -> Result<Option<(UserId, Account)>, store::Error> {
        match self {
            Claimed::Address(address) => user::find(read, address),
            Claimed::User(id) => Ok(user::get(read, *id)?.map(|account| (*id, account))),
        }
    }
}

impl std::fmt::Display for Claimed {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Claimed::Address(address) => f.write_str(address.as_str()),
            Claimed::User(id) => id.fmt(f),
        }
    }
}

/// A guess that the limits let through.
pub(super) struct Guess {
    claimed: Claimed,
    client: Client,
    found: Option<(UserId, Account)>,
    /// Kept until the guess is counted.
    _place: Place,
}

/// Somebody who knew their password a moment ago.
pub(super) struct Proven {
    id: UserId,
    /// As it was when the password was compared.
    pub(super) account: Account,
    upgraded: Option<String>,
    claimed: Claimed,
}

impl Proven {
    /// The account as it is now, with a stored password that is up to date; whoever keeps it
    /// writes it back. Wrong guesses before this one are forgiven.
    pub(super) fn confirm(&self, tx: &mut Tx<'_>, now: Timestamp) -> Result<Account, Error> {
        let mut account = user::get(tx, self.id)?.ok_or(Error::CredentialsRefused)?;
        if account.password != self.account.password || account.locked_at.is_some() {
            // It was changed, or locked, while this one was being compared.
            return Err(Error::CredentialsRefused);
        }
        if let Some(upgraded) = &self.upgraded {
            account.password.clone_from(upgraded);
        }
        forgive(tx, &self.claimed.subject(), now)?;
        Ok(account)
    }
}

/// Forgets the wrong passwords of `subject`.
pub(super) fn forgive(tx: &mut Tx<'_>, subject: &Subject, now: Timestamp) -> Result<(), Error> {
    let mut counters = limits::load(tx, subject)?;
    if counters.failures.take().is_some() {
        limits::save(tx, subject, counters, now)?;
    }
    Ok(())
}

impl Accounts {
    /// Logs in.
    ///
    /// # Errors
    /// `CredentialsRefused` for a wrong password as for an unknown address, after the same work;
    /// `Limited`, `Busy`, `Invalid`, `Store`.
    pub async fn login(&self, client: &Client, form: Login) -> Result<(User, NewSession), Error> {
        let mut fields = Fields::default();
        let address = fields.email(&form.email);
        let password = fields.typed_password("password", &form.password);
        let (address, password) = fields.finish(address.zip(password))?;
        let guess = self
            .guess(client, Claimed::Address(address.lookup()))
            .await?;
        let accounts = self.clone();
        let client = client.clone();
        self.prove(guess, password, "login", async move |proven: Proven| {
            let fresh = Fresh::draw(&accounts.world, &client);
            let id = proven.id;
            let (actor, subject) = (id.to_string(), proven.claimed.to_string());
            let entry =
                audit::Entry::new(&accounts.world, &actor, "login", &subject).from(client.ip);
            let settings = accounts.settings.sessions.clone();
            let now = accounts.world.now();
            accounts
                .store
                .write(move |tx| {
                    let mut account = proven.confirm(tx, now)?;
                    // Whoever gets in needs no way back any more.
                    account.recovery_epoch += 1;
                    account.last_login_at = Some(now);
                    user::put(tx, id, &account);
                    let session = fresh.begin(tx, id, &account, &settings)?;
                    audit::record(tx, &entry);
                    Ok((account.view(id), session))
                })
                .await
        })
        .await
    }

    /// Waits until a guess at the password of `claimed` may be made.
    pub(super) async fn guess(&self, client: &Client, claimed: Claimed) -> Result<Guess, Error> {
        let subject = claimed.subject();
        let peer = Subject::client(client.ip);
        let place = self.gate.enter([subject.clone(), peer.clone()]);
        let policy = &self.settings.limits.wrong_login_per_ip;
        let patience = self.settings.passwords.patience;
        let turn = self.world.timeout(patience, async {
            loop {
                let moved = place.moved();
                let ahead = place.ahead();
                let now = self.world.now();
                let (room, found) = self
                    .store
                    .read(|read| {
                        let counters = limits::load(read, &subject)?;
                        let room = self.settings.lockout.room(&counters, now)?;
                        let peer = limits::load(read, &peer)?;
                        let peer = peer.room(Rule::WrongLoginPerIp, policy, now)?;
                        Ok::<_, Error>(([room, peer], claimed.find(read)?))
                    })
                    .await?;
                if ahead
                    .iter()
                    .zip(room)
                    .all(|(ahead, room)| *ahead < room as usize)
                {
                    return Ok::<_, Error>(found);
                }
                moved.await;
            }
        });
        let busy = Busy {
            retry_after: Duration::from_secs(1),
        };
        let found = turn.await.map_err(|_| busy)??;
        Ok(Guess {
            claimed,
            client: client.clone(),
            found,
            _place: place,
        })
    }

    /// Compares the password, and goes on to `then` when it is right. A wrong one is counted even
    /// when the caller goes away meanwhile: once the comparison has begun, all of this runs to
    /// its end by itself.
    pub(super) async fn prove<T, F, C>(
        &self,
        guess: Guess,
        password: Typed,
        action: &'static str,
        then: F,
    ) -> Result<T, Error>
    where
        T: Send + 'static,
        F: FnOnce(Proven) -> C + Send + 'static,
        C: Future<Output = Result<T, Error>> + Send + 'static,
    {
        let stored = guess
            .found
            .as_ref()
            .map(|(_, account)| account.password.clone());
        // A locked account gets no better hash: computing one would tell that the password is right.
        let upgrade = guess
            .found
            .as_ref()
            .is_some_and(|(_, account)| account.locked_at.is_none());
        let (lease, verdict) = self.hasher.check(password, stored, upgrade)?;
        let accounts = self.clone();
        let task = tokio::spawn(async move {
            let Verdict { right, upgraded } = verdict.await?;
            match &guess.found {
                // A locked account is told from a wrong password by nothing: the same hash was
                // compared, and the same is counted.
                Some((id, account)) if right && account.locked_at.is_none() => {
                    let proven = Proven {
                        id: *id,
                        account: account.clone(),
                        upgraded,
                        claimed: guess.claimed.clone(),
                    };
                    then(proven).await
                }
                _ => {
                    let reason = match right {
                        true => "locked by the operator",
                        false => "wrong password or unknown address",
                    };
                    accounts.count_wrong(&guess, action, reason).await?;
                    Err(Error::CredentialsRefused)
                }
            }
        });
        let outcome = task.await;
        drop(lease);
        outcome.map_err(|_| Error::BrokenOff)?
    }

    async fn count_wrong(&self, guess: &Guess, action: &str, reason: &str) -> Result<(), Error> {
        let now = self.world.now();
        let subject = guess.claimed.subject();
        let peer = Subject::client(guess.client.ip);
        let claimed = guess.claimed.to_string();
        let actor = match guess.claimed {
            Claimed::Address(_) => "anonymous",
            Claimed::User(_) => &claimed,
        };
        let entry = audit::Entry::new(&self.world, actor, action, &claimed)
            .from(guess.client.ip)
            .refused(reason);
        let policy = self.settings.limits.wrong_login_per_ip.clone();
        self.store
            .write(move |tx| {
                let mut counters = limits::load(tx, &subject)?;
                let remembered = |f: &Failures| lives(f.last, limits::REMEMBERED, now);
                let before = counters.failures.filter(remembered);
                counters.failures = Some(Failures {
                    count: before.map_or(0, |f| f.count).saturating_add(1),
                    last: now,
                });
                limits::save(tx, &subject, counters, now)?;
                if !policy.is_off() {
                    let mut counters = limits::load(tx, &peer)?;
                    counters.count(Rule::WrongLoginPerIp, &policy, now);
                    limits::save(tx, &peer, counters, now)?;
                }
                audit::record(tx, &entry);
                Ok::<_, Error>(())
            })
            .await
    }
}
