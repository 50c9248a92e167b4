//! The steps that look at the domain of the From: SPF, DKIM and DMARC, whether they are there and
//! sane, and which record to add. A name server that does not answer is no failure of the mail.

use std::collections::BTreeSet;
use std::time::Duration;

use futures_util::future::join_all;

use crate::address::EmailAddress;
use crate::mail::provider::Provider;

use super::Round;
use super::names::Names;
use super::names::NoAnswer;
use super::records;
use super::records::Key;
use super::records::Needs;
use super::report::Finding;
use super::spf::spf;
use super::words::Voice;

/// Beside the deadlines of the look-ups.
pub(super) const ASKING: Duration = Duration::from_secs(40);

impl Round<'_> {
    /// SPF, DKIM and DMARC of the From's domain.
    pub(super) async fn look_at_domain(
        &mut self,
        from: &EmailAddress,
        provider: Option<&'static Provider>,
    ) {
        let voice = self.voice;
        let domain = from.domain();
        let reason = if records::is_of_provider(domain) {
            Some(voice.say("domain_is_of_provider", &[("domain", &domain)]))
        } else if records::is_reserved(domain) && self.names.asks_the_world() {
            Some(voice.say("domain_is_reserved", &[("domain", &domain)]))
        } else {
            None
        };
        if let Some(reason) = reason {
            for id in ["spf", "dkim", "dmarc"] {
                self.skip(id, reason.clone());
            }
            return;
        }
        let names = self.names.clone();
        let needs = provider.and_then(|provider| records::needs(&provider.name));
        let work = spf(voice, &names, domain, needs.as_ref(), provider);
        self.ask("spf", work).await;
        let work = dkim(voice, &names, domain, needs.as_ref(), provider);
        self.ask("dkim", work).await;
        let work = dmarc(voice, &names, domain);
        self.ask("dmarc", work).await;
    }
}

/// No answer is a warning that names who was asked.
pub(super) fn unanswered(voice: Voice, names: &Names, name: &str, error: &NoAnswer) -> Finding {
    let servers = names.servers();
    Finding::warning(voice.say("no_dns_answer", &[("name", &name), ("problem", error)]))
        .and(voice.say("servers_asked", &[("servers", &servers)]))
        .remedy(voice.say("no_dns_answer_advice", &[]))
}

/// The record to add, as the console of a name server wants it.
pub(super) fn add(voice: Voice, name: &str, record: &str) -> String {
    voice.say("add_record", &[("name", &name), ("record", &record)])
}

async fn dkim(
    voice: Voice,
    names: &Names,
    domain: &str,
    needs: Option<&Needs>,
    provider: Option<&'static Provider>,
) -> Finding {
    let known = needs.map_or(&[][..], |needs| needs.selectors);
    let selectors: BTreeSet<&str> = known
        .iter()
        .chain(&records::USUAL_SELECTORS)
        .copied()
        .collect();
    let asked = join_all(selectors.iter().map(|selector| async move {
        let name = format!("{selector}._domainkey.{domain}");
        let texts = names.texts(&name).await;
        texts.map(|texts| texts.iter().find_map(|text| records::key(text)))
    }));
    let answers: Vec<_> = selectors.iter().copied().zip(asked.await).collect();
    // Where the provider's own names are known, a key under another one is somebody else's.
    let (own, others): (Vec<_>, Vec<_>) = answers
        .into_iter()
        .partition(|(selector, _)| known.is_empty() || known.contains(selector));
    let title = provider.map_or("", |provider| &provider.title);
    let good = with(&own, Key::Good);
    if !good.is_empty() {
        let finding = Finding::ok(voice.say("dkim_is", &[("list", &good)]));
        return match provider {
            Some(_) if known.is_empty() => {
                finding.and(voice.say("dkim_of_whom", &[("title", &title)]))
            }
            _ => finding,
        };
    }
    let failed = own.iter().find_map(|(_, answer)| answer.as_ref().err());
    if let Some(error) = failed {
        return unanswered(voice, names, &format!("_domainkey.{domain}"), error);
    }
    let (revoked, elsewhere) = (with(&own, Key::Revoked), with(&others, Key::Good));
    let finding = if !revoked.is_empty() {
        Finding::warning(voice.say("dkim_is_revoked", &[("list", &revoked)]))
    } else if !elsewhere.is_empty() {
        let known = known.join(", ");
        let values: [(&str, &dyn std::fmt::Display); 3] =
            [("list", &elsewhere), ("known", &known), ("title", &title)];
        Finding::warning(voice.say("dkim_is_of_another", &values))
    } else {
        let list: Vec<&str> = selectors.into_iter().collect();
        let list = list.join(", ");
        Finding::warning(voice.say("dkim_is_not_found", &[("list", &list)]))
    };
    match provider {
        Some(provider) => finding
            .remedy(voice.say("dkim_advice", &[("title", &provider.title)]))
            .on(Some(&provider.page)),
        None => finding.remedy(voice.say("dkim_advice_unknown", &[])),
    }
}

/// The selectors under which there is such a key.
fn with(answers: &[(&str, Result<Option<Key>, NoAnswer>)], wanted: Key) -> String {
    let found = answers.iter().filter(|(_, key)| *key == Ok(Some(wanted)));
    let found: Vec<&str> = found.map(|(selector, _)| *selector).collect();
    found.join(", ")
}

async fn dmarc(voice: Voice, names: &Names, domain: &str) -> Finding {
    // A domain above may speak for those below it; a top-level domain does not.
    let mut above = Some(domain);
    while let Some(now) = above.filter(|domain| domain.contains('.')) {
        let name = format!("_dmarc.{now}");
        let texts = match names.texts(&name).await {
            Ok(texts) => texts,
            Err(error) => return unanswered(voice, names, &name, &error),
        };
        match records::dmarc_of(&texts)[..] {
            [] => above = now.split_once('.').map(|(_, above)| above),
            [record] => {
                let line = voice.say("dmarc_is", &[("name", &name), ("record", &record)]);
                return match records::policy(record) {
                    Some(_) => Finding::ok(line),
                    None => Finding::warning(line)
                        .remedy(voice.say("dmarc_has_no_policy", &[("name", &name)])),
                };
            }
            _ => {
                return Finding::warning(voice.say("dmarc_is_double", &[("name", &name)]))
                    .remedy(voice.say("spf_is_double_advice", &[]));
            }
        }
    }
    let name = format!("_dmarc.{domain}");
    Finding::warning(voice.say("dmarc_is_missing", &[("domain", &domain)])).remedy(add(
        voice,
        &name,
        "v=DMARC1; p=none",
    ))
}
