//! One person's story: all that is on record of an address, newest first, out of the places where
//! it is kept. Nothing is stored for it.
//!
//! What grows without end (the audit record, the outbox) is read from the page's own moment on.
//! Of the rest (captured mails, tokens, sessions) the newest thousand are known here.

mod words;

use super::Operator;
use crate::address::EmailAddress;
use crate::address::LookupAddress;
use crate::audit;
use crate::identity::UserId;
use crate::identity::overview::SessionFilter;
use crate::identity::overview::SessionSort;
use crate::identity::overview::TokenFilter;
use crate::identity::overview::TokenSort;
use crate::inbox;
use crate::language::Language;
use crate::mail::outbox;
use crate::store;
use crate::store::Key;
use crate::store::page;
use crate::store::page::Ask;
use crate::store::page::LOOK;
use crate::store::page::Page;
use crate::store::page::PageError;
use crate::store::page::place;
use crate::world::Timestamp;

/// How many of what is not read by its time are looked at.
const NEWEST: usize = 1000;

/// How many may have happened in one moment, beside a page.
const AT_ONCE: usize = 100;

/// Something in a person's story.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Moment {
    /// When.
    pub at: Timestamp,
    /// `account`, `mail`, `captured`, `token`, `session` or `audit`.
    pub kind: &'static str,
    /// The name of that thing.
    pub id: String,
    /// What happened, in a few words.
    pub title: String,
    /// Its state now, or the outcome, as a stable word.
    pub state: String,
    /// Anything else.
    pub detail: String,
}

impl Moment {
    fn place(&self) -> Vec<u8> {
        place(&(self.at, self.kind.to_owned(), self.id.clone()))
    }
}

impl Operator {
    /// A page of what happened to and around `email`, told in `language`.
    ///
    /// # Errors
    /// Those of the store.
    pub async fn timeline(
        &self,
        email: &EmailAddress,
        language: Language,
        ask: Ask,
    ) -> Result<Page<Moment>, PageError> {
        let ask = Ask {
            descending: true,
            ..ask
        };
        let from = match &ask.cursor {
            Some(cursor) => {
                let decoded = Timestamp::decode(&mut cursor.as_slice());
                Some(decoded.map_err(|_| PageError::NoPlace)?)
            }
            None => None,
        };
        let lookup = email.lookup();
        let mut moments = self.account(&lookup, language).await?;
        let user = moments.first().and_then(|account| account.id.parse().ok());
        moments.extend(self.recorded(email, user, language, &ask, from).await?);
        moments.extend(self.captured(email, language).await?);
        moments.extend(self.tokens(email, language).await?);
        if let Some(user) = user {
            moments.extend(self.sessions(user, language).await?);
        }
        let all = from.is_none() && moments.len() < NEWEST;
        let rows = moments
            .into_iter()
            .map(|moment| Ok((moment.place(), moment)));
        let page = page::sorted(rows, &ask, LOOK, |row| Ok(Some(row)))?;
        // What lies on the other side of the cursor was not all read, but it is there.
        let first = page.items.first().map(Moment::place);
        let last = page.items.last().map(Moment::place);
        let past = ask.cursor.is_some();
        Ok(Page {
            next: page.next.or(last.filter(|_| past && ask.back)),
            prev: page.prev.or(first.filter(|_| past && !ask.back)),
            total: page.total.filter(|_| all && page.items.len() < ask.limit),
            items: page.items,
        })
    }

    async fn account(
        &self,
        address: &LookupAddress,
        language: Language,
    ) -> Result<Vec<Moment>, store::Error> {
        let found = self.accounts.record_of(address).await?;
        let moment = found.map(|record| Moment {
            at: record.user.created_at,
            kind: "account",
            id: record.user.id.to_string(),
            title: words::title("account", language),
            state: record.state.word().to_owned(),
            detail: record.user.display_name.unwrap_or_default(),
        });
        Ok(moment.into_iter().collect())
    }

    /// The audit record and the outbox, from the moment of the page on.
    async fn recorded(
        &self,
        email: &EmailAddress,
        user: Option<UserId>,
        language: Language,
        ask: &Ask,
        from: Option<Timestamp>,
    ) -> Result<Vec<Moment>, store::Error> {
        let (email, upwards) = (email.clone(), !ask.backwards());
        let limit = ask.limit + AT_ONCE;
        self.store
            .scan(move |read| {
                let address = email.lookup();
                let mut names = vec![address.as_str().to_owned(), email.as_str().to_owned()];
                names.extend(user.map(|user| user.to_string()));
                let mut entries = Vec::new();
                for name in &names {
                    entries.extend(audit::concerning(read, name, from, upwards, limit)?);
                }
                // One that names both the address and the account is found twice.
                entries.sort_by_key(|entry| entry.id);
                entries.dedup_by_key(|entry| entry.id);
                let mut moments: Vec<Moment> = entries
                    .into_iter()
                    .map(|entry| of_entry(entry, language))
                    .collect();
                let mails = outbox::to_address(read, &address, from, upwards, limit)?;
                moments.extend(mails.into_iter().map(|mail| of_mail(mail, language)));
                Ok(moments)
            })
            .await
    }

    async fn captured(
        &self,
        email: &EmailAddress,
        language: Language,
    ) -> Result<Vec<Moment>, store::Error> {
        let filter = inbox::Filter {
            to: Some(email.to_string()),
            ..inbox::Filter::default()
        };
        let page = self.inbox.list(filter, None, NEWEST).await?;
        let told = page.items.into_iter().map(|mail| Moment {
            at: mail.received_at,
            kind: "captured",
            id: mail.id.to_string(),
            title: words::title("captured", language),
            state: "captured".to_owned(),
            detail: mail.subject.unwrap_or_default(),
        });
        Ok(told.collect())
    }

    async fn tokens(
        &self,
        email: &EmailAddress,
        language: Language,
    ) -> Result<Vec<Moment>, PageError> {
        let filter = TokenFilter {
            email: Some(email.clone()),
            ..TokenFilter::default()
        };
        let tokens = self
            .accounts
            .list_tokens(filter, TokenSort::CreatedAt, newest());
        let told = tokens.await?.items.into_iter().map(|token| Moment {
            at: token.created_at,
            kind: "token",
            id: token.name.to_string(),
            title: words::title(token.kind.word(), language),
            state: token.state.word().to_owned(),
            detail: String::new(),
        });
        Ok(told.collect())
    }

    async fn sessions(&self, user: UserId, language: Language) -> Result<Vec<Moment>, PageError> {
        let filter = SessionFilter {
            user: Some(user),
            ..SessionFilter::default()
        };
        let sessions = self
            .accounts
            .list_sessions(filter, SessionSort::CreatedAt, newest());
        let told = sessions.await?.items.into_iter().map(|session| {
            let agent = session.user_agent.unwrap_or_default();
            Moment {
                at: session.created_at,
                kind: "session",
                id: session.id.to_string(),
                title: words::title("session", language),
                state: session.state.word().to_owned(),
                detail: joined([session.ip.to_string(), agent]),
            }
        });
        Ok(told.collect())
    }
}

fn newest() -> Ask {
    Ask {
        descending: true,
        limit: NEWEST,
        ..Ask::default()
    }
}

fn joined<const N: usize>(parts: [String; N]) -> String {
    let parts = parts.into_iter().filter(|part| !part.is_empty());
    parts.collect::<Vec<_>>().join(" · ")
}

fn of_entry(entry: audit::Entry, language: Language) -> Moment {
    let ip = entry.ip.map(|ip| ip.to_string()).unwrap_or_default();
    Moment {
        at: entry.at,
        kind: "audit",
        id: entry.id.map(|id| id.to_string()).unwrap_or_default(),
        title: words::title(&entry.action, language),
        state: entry.outcome.word().to_owned(),
        detail: joined([entry.actor, ip, entry.detail]),
    }
}

fn of_mail(mail: outbox::Item, language: Language) -> Moment {
    Moment {
        at: mail.row.created_at,
        kind: "mail",
        id: mail.id.to_string(),
        title: words::title(&format!("mail_{}", mail.row.kind), language),
        state: mail.row.state.word().to_owned(),
        detail: mail
            .row
            .setback
            .map(|setback| setback.text)
            .unwrap_or_default(),
    }
}
