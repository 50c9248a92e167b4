//! Asking for a mail: a registration code, a reset code or a reset link. The three share their
//! limits, their answer and the rule that nobody can tell from outside whether the address has an
//! account. What the codes are good for afterwards is in `code` and `recover`.

use serde_bytes::ByteArray;

use crate::address::EmailAddress;
use crate::address::LookupAddress;
use crate::audit;
use crate::language::Language;
use crate::mail::Letter;
use crate::mail::Occasion;
use crate::mail::outbox;
use crate::secret::Code;
use crate::secret::CodeStyle;
use crate::store;
use crate::store::Read;
use crate::store::Tx;
use crate::world::Timestamp;

use super::Accounts;
use super::Client;
use super::error::Error;
use super::flow;
use super::flow::Flow;
use super::flow::FlowId;
use super::flow::Issued;
use super::flow::MOST_CODES;
use super::flow::Wanted;
use super::limits;
use super::limits::Counters;
use super::limits::Policy;
use super::limits::Rule;
use super::limits::Subject;
use super::lives;
use super::recover;
use super::user;
use super::user::Account;
use super::user::UserId;

/// The answer to whoever asks for a mail: the same whether or not the address has an account.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sent {
    /// The course that the mail belongs to.
    pub flow_id: FlowId,
    /// When the code or the link lapses.
    pub expires_at: Timestamp,
    /// When the next mail of this kind may be asked for.
    pub resend_at: Timestamp,
    /// How many wrong tries are left; for a link, which works once, 1.
    pub attempts_left: u32,
}

/// What the limits of a request are held against.
pub(super) struct Standing {
    flow: Option<Flow>,
    address: Counters,
    client: Counters,
}

/// A request whose form is in order.
pub(super) struct Ask {
    pub(super) wanted: Wanted,
    pub(super) address: EmailAddress,
    pub(super) language: Option<Language>,
    pub(super) style: CodeStyle,
    /// Who asks, where that is somebody who is logged in, with their recovery epoch.
    pub(super) asker: Option<(UserId, u64)>,
}

/// A mail with everything drawn and composed that the transaction needs.
pub(super) struct Booking {
    ask: Ask,
    pub(super) lookup: LookupAddress,
    now: Timestamp,
    fresh: FlowId,
    code: Code,
    link: recover::Draft,
    pub(super) letter: Letter,
    known: Option<(UserId, u64)>,
}

impl Accounts {
    pub(super) async fn ask(&self, client: &Client, ask: Ask) -> Result<Sent, Error> {
        let lookup = ask.address.lookup();
        let entry = audit::Entry::new(&self.world, "anonymous", "ask_for_mail", lookup.as_str())
            .from(client.ip)
            .detail(ask.wanted.word());
        self.ask_as(Some(client.clone()), ask, entry).await
    }

    /// The same, where `entry` says who asks; without a client nobody's requests are counted but
    /// those for the address.
    pub(super) async fn ask_as(
        &self,
        client: Option<Client>,
        ask: Ask,
        entry: audit::Entry,
    ) -> Result<Sent, Error> {
        let lookup = ask.address.lookup();
        let now = self.world.now();
        // Looked at before anything is composed, so that whoever is over a limit costs little.
        let found = self
            .store
            .read(|read| {
                self.admit(read, &ask, &lookup, client.as_ref(), now)?;
                Ok::<_, Error>(user::find(read, &lookup)?)
            })
            .await?;
        let booking = self.prepare(ask, lookup, found, now)?;
        let accounts = self.clone();
        self.store
            .write(move |tx| accounts.book(tx, &booking, client.as_ref(), &entry))
            .await
    }

    /// Draws and composes all that [`Accounts::enter`] writes. `found` is the account that the
    /// address has, if it has one.
    pub(super) fn prepare(
        &self,
        ask: Ask,
        lookup: LookupAddress,
        found: Option<(UserId, Account)>,
        now: Timestamp,
    ) -> Result<Booking, Error> {
        // One's own address in another spelling is nobody else's.
        let own = |(id, _): &(UserId, Account)| ask.asker.is_some_and(|(asker, _)| asker == *id);
        let found = found.filter(|found| !own(found));
        let code = Code::draw(&self.world, ask.style);
        let link = recover::Draft::draw(&self.world, found.as_ref().map(|(id, _)| *id));
        let letter = self.compose(
            &ask,
            found.as_ref().map(|(_, account)| account),
            &code,
            &link,
        )?;
        Ok(Booking {
            ask,
            lookup,
            now,
            fresh: FlowId::draw(&self.world),
            code,
            link,
            letter,
            known: found.map(|(id, account)| (id, account.recovery_epoch)),
        })
    }

    fn compose(
        &self,
        ask: &Ask,
        account: Option<&Account>,
        code: &Code,
        link: &recover::Draft,
    ) -> Result<Letter, Error> {
        let url = link.url(&self.settings.base_url);
        let codes = &self.settings.codes;
        let lifetime = codes.lifetime;
        let occasion = match (ask.wanted, account) {
            (Wanted::RegisterCode, None) => Occasion::RegistrationCode { code, lifetime },
            (Wanted::RegisterCode, Some(_)) => Occasion::AlreadyRegistered,
            (Wanted::AddressCode, None) => Occasion::AddressCode { code, lifetime },
            (Wanted::AddressCode, Some(_)) => Occasion::AddressInUse,
            (Wanted::ResetCode, _) => Occasion::ResetCode { code, lifetime },
            (Wanted::ResetLink, _) => Occasion::ResetLink {
                url: &url,
                lifetime: codes.link_lifetime,
            },
        };
        // To the address of the account and not to a look-alike that finds it (CVE-2019-19844).
        let to = account.map_or(&ask.address, |account| &account.email);
        let language = ask
            .language
            .or(account.map(|account| account.language))
            .unwrap_or(self.settings.language);
        Ok(self.mailer.compose(&occasion, to, language)?)
    }

    /// Whether the limits let the request through.
    pub(super) fn admit(
        &self,
        read: &impl Read,
        ask: &Ask,
        lookup: &LookupAddress,
        client: Option<&Client>,
        now: Timestamp,
    ) -> Result<Standing, Error> {
        let flow = flow::flow(read, ask.wanted, lookup)?;
        if let Some(sent) = flow.as_ref().and_then(|flow| flow.sent) {
            limits::pause(sent, self.settings.codes.resend, now)?;
        }
        let limits = &self.settings.limits;
        let check = |subject: Subject, rule, policy: &Policy| {
            if policy.is_off() {
                return Ok(Counters::default());
            }
            let counters = limits::load(read, &subject)?;
            counters.check(rule, policy, 1, now)?;
            Ok::<_, Error>(counters)
        };
        Ok(Standing {
            address: check(
                Subject::Address(lookup.clone()),
                Rule::MailPerAddress,
                &limits.code_per_address,
            )?,
            client: match client {
                Some(client) => {
                    let subject = Subject::client(client.ip);
                    check(subject, Rule::MailPerIp, &limits.code_per_ip)?
                }
                None => Counters::default(),
            },
            flow,
        })
    }

    /// Counts the request, writes what it is about, and says so.
    pub(super) fn book(
        &self,
        tx: &mut Tx<'_>,
        booking: &Booking,
        client: Option<&Client>,
        entry: &audit::Entry,
    ) -> Result<Sent, Error> {
        let Booking {
            ask, lookup, now, ..
        } = booking;
        let now = *now;
        let standing = self.admit(tx, ask, lookup, client, now)?;
        let limits = &self.settings.limits;
        let of_client = client.map(|client| {
            (
                Subject::client(client.ip),
                standing.client,
                Rule::MailPerIp,
                &limits.code_per_ip,
            )
        });
        let of_address = (
            Subject::Address(lookup.clone()),
            standing.address,
            Rule::MailPerAddress,
            &limits.code_per_address,
        );
        for (subject, mut counters, rule, policy) in [of_address].into_iter().chain(of_client) {
            if !policy.is_off() {
                counters.count(rule, policy, now);
                limits::save(tx, &subject, counters, now)?;
            }
        }
        let sent = self.enter(tx, booking, standing.flow)?;
        audit::record(tx, entry);
        Ok(sent)
    }

    /// Writes the course, where `before` is what stands there now, and the mail.
    pub(super) fn enter(
        &self,
        tx: &mut Tx<'_>,
        booking: &Booking,
        before: Option<Flow>,
    ) -> Result<Sent, store::Error> {
        let sent = self.advance(tx, booking, before);
        self.post(tx, booking)?;
        Ok(sent)
    }

    /// Opens a flow, or adds the new code to the one that is open.
    fn advance(&self, tx: &mut Tx<'_>, booking: &Booking, before: Option<Flow>) -> Sent {
        let codes = &self.settings.codes;
        let now = booking.now;
        let new = before.is_none();
        let continued =
            before.filter(|flow| !flow.guessed && flow.tries_left > 0 && flow.is_open(codes, now));
        let mut flow = continued.unwrap_or_else(|| Flow {
            id: booking.fresh,
            opened: now,
            sent: None,
            tries_left: codes.attempts,
            codes: Vec::new(),
            guessed: false,
        });
        flow.sent = Some(now);
        let (lifetime, attempts_left) = if booking.ask.wanted == Wanted::ResetLink {
            booking.link.put(
                tx,
                booking.known.map_or(0, |(_, epoch)| epoch),
                &booking.letter,
                now,
                codes.link_lifetime,
            );
            (codes.link_lifetime, 1)
        } else {
            flow.codes
                .retain(|code| lives(code.at, codes.lifetime, now));
            if flow.codes.len() >= MOST_CODES {
                flow.codes.remove(0);
            }
            flow.codes.push(self.issue(booking, &flow));
            (codes.lifetime, flow.tries_left)
        };
        flow::put_flow(tx, booking.ask.wanted, &booking.lookup, &flow, new, codes);
        Sent {
            flow_id: flow.id,
            expires_at: now + lifetime,
            resend_at: now + codes.resend,
            attempts_left,
        }
    }

    /// The stored form of the code. Where it was not mailed, or nobody is there to use it, it is
    /// bound to one word more: no code that anybody types comes out as this.
    fn issue(&self, booking: &Booking, flow: &Flow) -> Issued {
        let decoy = match booking.ask.wanted {
            Wanted::RegisterCode | Wanted::AddressCode => booking.known.is_some(),
            Wanted::ResetCode | Wanted::ResetLink => booking.known.is_none(),
        };
        let asker = booking.ask.asker;
        let bound = flow::bound_to(
            booking.ask.wanted,
            &booking.lookup,
            flow.id,
            asker.map(|(id, _)| id),
        );
        let bound: Vec<&str> = bound.iter().map(String::as_str).collect();
        let mac = if decoy {
            self.keys
                .mac(&booking.code, &[&bound[..], &["decoy"]].concat())
        } else {
            self.keys.mac(&booking.code, &bound)
        };
        Issued {
            mac: ByteArray::new(mac),
            at: booking.now,
            epoch: asker.or(booking.known).map_or(0, |(_, epoch)| epoch),
            to: Some(booking.letter.to.clone()),
            language: booking.ask.language,
            mail: Some(booking.letter.id),
            asker: asker.map(|(id, _)| id),
        }
    }

    fn post(&self, tx: &mut Tx<'_>, booking: &Booking) -> Result<(), store::Error> {
        let back_in = matches!(booking.ask.wanted, Wanted::ResetCode | Wanted::ResetLink);
        if back_in && booking.known.is_none() {
            outbox::shelve(tx, &booking.letter, outbox::Shelved::UnknownAddress)
        } else {
            outbox::enqueue(tx, &booking.letter)
        }
    }
}
