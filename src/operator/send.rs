//! Mail that one of the team's other programs orders with its API key: the order is read, all of
//! it before any of it is complained about, then the mail is put into the outbox in one
//! transaction with its audit record and the idempotency key, so that a repetition finds it.

use std::collections::BTreeMap;
use std::net::IpAddr;
use std::time::Duration;

use serde::Serialize;
use serde_json::Value;

use super::Operator;
use super::bench::Busy;
use super::keys;
use super::keys::Holder;
use super::order;
use super::order::FieldFault;
use super::order::Wanted;
use super::repeat;
use super::repeat::Repeat;
use super::unsent;
use super::unsent::TooManyUnsent;
use crate::audit;
use crate::identity::Limited;
use crate::identity::limits;
use crate::identity::limits::Policy;
use crate::identity::limits::Rule;
use crate::identity::limits::Subject;
use crate::mail::ComposeError;
use crate::mail::Message;
use crate::mail::OutboxId;
use crate::mail::outbox;
use crate::store;
use crate::world::Timestamp;

/// An order for a mail, as it came.
#[derive(Debug, Clone, Default, Serialize)]
pub struct SendMail {
    /// Whom it goes to.
    pub to: String,
    /// The name of a template below `send/`, in the place of the texts.
    pub template: Option<String>,
    /// What the template is told.
    pub values: Option<BTreeMap<String, Value>>,
    /// One line.
    pub subject: Option<String>,
    /// Plain text.
    pub text: Option<String>,
    /// HTML beside the text.
    pub html: Option<String>,
    /// Its language; that of the site when absent.
    pub language: Option<String>,
    /// `normal`, or `high`: before those.
    pub priority: Option<String>,
    /// When it is to be sent (RFC 3339 with an offset); at once when absent.
    pub send_at: Option<String>,
    /// How many seconds after that it may still be sent; a day when absent.
    pub expires_in: Option<i64>,
}

/// A mail that was ordered.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Ordered {
    /// The mail as it stands.
    pub mail: outbox::Item,
    /// Whether it had been ordered before, with the same idempotency key.
    pub repeated: bool,
}

/// Why no mail was ordered.
#[derive(Debug, thiserror::Error)]
pub enum SendError {
    /// Fields cannot be accepted; all of them are named.
    #[error("some fields of the order cannot be accepted")]
    Invalid(Vec<FieldFault>),
    /// The API key was revoked meanwhile.
    #[error("a valid API key is required")]
    Refused,
    /// The idempotency key came with another order before.
    #[error("the idempotency key was used for another mail")]
    Conflict,
    /// The same order came before, and the outbox has forgotten its mail.
    #[error("the mail was ordered before, and the outbox has forgotten what became of it")]
    Forgotten,
    /// The key ordered too many mails.
    #[error(transparent)]
    Limited(#[from] Limited),
    /// Too many mails of the key are not sent yet.
    #[error(transparent)]
    Unsent(#[from] TooManyUnsent),
    /// Too many templates are being rendered.
    #[error(transparent)]
    Busy(#[from] Busy),
    /// It comes to more than a mail may.
    #[error("the mail comes to {size} bytes; it may have {LARGEST}")]
    TooLarge {
        /// How many bytes.
        size: u32,
    },
    /// The message builder refused.
    #[error("the mail could not be composed: {0}")]
    Mail(#[from] ComposeError),
    /// The store failed.
    #[error(transparent)]
    Store(#[from] store::Error),
}

/// The largest mail, in bytes as they are sent.
const LARGEST: u32 = 1_000_000;
/// How long after its time a mail is still sent when the order does not say.
const WORTH_SENDING_FOR: Duration = Duration::from_secs(24 * 3600);

impl Operator {
    /// Puts the mail of `order` into the outbox, for the program that holds the key, at `ip`.
    /// An `idempotency_key` (see [`super::IdempotencyKey`]) that came before with the same order
    /// answers that order's mail again.
    ///
    /// # Errors
    /// See [`SendError`].
    pub async fn send(
        &self,
        holder: &Holder,
        order: SendMail,
        idempotency_key: Option<&super::IdempotencyKey>,
        ip: IpAddr,
    ) -> Result<Ordered, SendError> {
        let now = self.world.now();
        let repeat = idempotency_key.map(|key| Repeat {
            holder: holder.id,
            key: key.hash(),
            order: self.mailer.fingerprint(&order::canonical(&order)),
            at: now,
        });
        // Looked for before anything is read: a time to send at may lie in the past by now.
        if let Some(repeat) = &repeat {
            let found = self.store.read(|read| repeat::found(read, repeat)).await?;
            if let Some(mail) = found {
                return Ok(Ordered {
                    mail,
                    repeated: true,
                });
            }
        }
        let program = Subject::Program(holder.id.to_bytes());
        let policy = self.accounts.settings().limits.mail_per_key.clone();
        // What is over a limit anyway is not worth reading.
        self.store
            .read(|read| {
                limits::check(read, &program, Rule::MailPerKey, &policy, now)??;
                unsent::check(read, holder.id, unsent::MOST, now)??;
                Ok::<_, SendError>(())
            })
            .await?;
        let renders = order.template.is_some();
        let wanted = match self.wanted(order, now).await? {
            Ok(wanted) => wanted,
            Err(faults) => {
                if renders {
                    self.charge(program, policy, now).await?;
                }
                return Err(SendError::Invalid(faults));
            }
        };
        let Wanted {
            to,
            draft,
            lane,
            not_before,
            expires_in,
        } = wanted;
        let ordered_by = holder.id.to_string();
        let message = Message {
            to: &to,
            lane,
            not_before,
            worth_sending_for: expires_in.unwrap_or(WORTH_SENDING_FOR),
            ordered_by: &ordered_by,
        };
        let letter = self.mailer.letter(draft, &message)?;
        if letter.size > LARGEST {
            return Err(SendError::TooLarge { size: letter.size });
        }
        let what = letter.template.as_deref();
        let what = what.map_or("message".to_owned(), |name| format!("template {name}"));
        let actor = format!("key {ordered_by}");
        let entry = audit::Entry::new(&self.world, &actor, "mail_ordered", to.as_str())
            .from(ip)
            .detail(&format!("{what} {}", letter.id));
        let hash = holder.hash;
        let holder = holder.id;
        self.store
            .write(move |tx| {
                if !keys::is_good(tx, &hash)? {
                    return Err(SendError::Refused);
                }
                if let Some(repeat) = &repeat
                    && let Some(mail) = repeat::found(tx, repeat)?
                {
                    return Ok(Ok(Ordered {
                        mail,
                        repeated: true,
                    }));
                }
                // A refusal is written down as well: the list was looked through for it.
                if let Err(many) = unsent::note(tx, holder, letter.id, unsent::MOST, now)? {
                    return Ok(Err(SendError::Unsent(many)));
                }
                if let Some(repeat) = &repeat {
                    repeat::note(tx, repeat, letter.id)?;
                }
                limits::charge(tx, &program, Rule::MailPerKey, &policy, now)??;
                outbox::enqueue(tx, &letter)?;
                audit::record(tx, &entry);
                let row = outbox::get(tx, letter.id)?.ok_or(store::Error::Closed)?;
                Ok(Ok(Ordered {
                    mail: outbox::Item { id: letter.id, row },
                    repeated: false,
                }))
            })
            .await?
    }

    /// What `order` wants, or all that is wrong with it. A template is rendered at the bench.
    async fn wanted(
        &self,
        order: SendMail,
        now: Timestamp,
    ) -> Result<Result<Wanted, Vec<FieldFault>>, Busy> {
        let site = self.accounts.settings().language;
        let mailer = self.mailer.clone();
        if order.template.is_none() {
            return Ok(order::read(&order, &mailer, site, now));
        }
        let read = move || order::read(&order, &mailer, site, now);
        self.bench.render(read).await
    }

    /// Counts an order that was rendered and came to nothing: that cost as much as a mail.
    async fn charge(
        &self,
        program: Subject,
        policy: Policy,
        now: Timestamp,
    ) -> Result<(), store::Error> {
        let charged = self
            .store
            .write(move |tx| limits::charge(tx, &program, Rule::MailPerKey, &policy, now));
        // Over the limit by now: that is told with the next order.
        charged.await.map(drop)
    }

    /// The mail called `id`, if it was ordered with this very key.
    ///
    /// # Errors
    /// Those of the store.
    pub async fn ordered(
        &self,
        holder: &Holder,
        id: OutboxId,
    ) -> Result<Option<outbox::Item>, store::Error> {
        let row = self.store.read(|read| outbox::get(read, id)).await?;
        let holder = holder.id.to_string();
        let row = row.filter(|row| row.ordered_by.as_ref() == Some(&holder));
        Ok(row.map(|row| outbox::Item { id, row }))
    }
}
