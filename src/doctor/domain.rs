//! The steps that look at the domain of the From: SPF, DKIM and DMARC, whether they are there and
//! sane, and which record to add. A name server that does not answer is no failure of the mail.

use std::collections::BTreeSet;
use std::time::Duration;

use futures_util::future::join_all;

use crate::address::EmailAddress;
use crate::mail::provider::Provider;

use super::Round;
use super::STEP;
use super::names::Names;
use super::names::NoAnswer;
use super::records;
use super::records::Key;
use super::records::Needs;
use super::report::Finding;
use super::report::Status;
use super::words::Voice;

/// RFC 7208, 4.6.4: more look-ups than these make a record worthless.
const MOST_LOOKUPS: usize = 10;

/// Beside the deadlines of the look-ups.
const LONG_STEP: Duration = Duration::from_secs(40);

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
        let work = spf(voice, &names, domain, needs.as_ref());
        self.step("spf", LONG_STEP, work).await;
        let work = dkim(voice, &names, domain, needs.as_ref(), provider);
        self.step("dkim", LONG_STEP, work).await;
        let work = dmarc(voice, &names, domain);
        self.step("dmarc", STEP, work).await;
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
fn add(voice: Voice, name: &str, record: &str) -> String {
    voice.say("add_record", &[("name", &name), ("record", &record)])
}

async fn spf(voice: Voice, names: &Names, domain: &str, needs: Option<&Needs>) -> Finding {
    let texts = match names.texts(domain).await {
        Ok(texts) => texts,
        Err(error) => return unanswered(voice, names, domain, &error),
    };
    let found = records::spf_of(&texts);
    let record = match found[..] {
        [] => {
            let finding = Finding::warning(voice.say("spf_is_missing", &[("domain", &domain)]));
            return match needs {
                Some(needs) => {
                    let record = format!("v=spf1 include:{} ~all", needs.include);
                    finding.remedy(add(voice, domain, &record))
                }
                None => finding.remedy(voice.say("spf_advice", &[])),
            };
        }
        [record] => record,
        _ => {
            let list = found.join(" | ");
            return Finding::warning(voice.say("spf_is_double", &[("list", &list)]))
                .remedy(voice.say("spf_is_double_advice", &[]));
        }
    };
    let finding = Finding::ok(voice.say("spf_is", &[("record", &record)]));
    if records::lets_all_pass(record) {
        return finding
            .at_least(Status::Warning)
            .remedy(voice.say("spf_lets_all_pass", &[]));
    }
    let Some(needs) = needs else {
        return finding.and(voice.say("spf_advice", &[]));
    };
    match includes(names, record, needs.include).await {
        Ok(true) => finding,
        Ok(false) => {
            let right = records::with_include(record, needs.include);
            finding
                .at_least(Status::Warning)
                .and(voice.say("spf_lacks", &[("include", &needs.include)]))
                .remedy(voice.say("change_record", &[("name", &domain), ("record", &right)]))
        }
        Err(error) => unanswered(voice, names, domain, &error).and(record),
    }
}

/// Whether the record includes this domain, itself or by what it includes.
async fn includes(names: &Names, record: &str, wanted: &str) -> Result<bool, NoAnswer> {
    let mut waiting = records::includes(record);
    let mut asked = BTreeSet::new();
    while let Some(domain) = waiting.pop() {
        if domain == wanted {
            return Ok(true);
        }
        // A macro is no name.
        if domain.contains('%') || asked.len() >= MOST_LOOKUPS || !asked.insert(domain.clone()) {
            continue;
        }
        for record in records::spf_of(&names.texts(&domain).await?) {
            waiting.extend(records::includes(record));
        }
    }
    Ok(false)
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
    let answers: Vec<_> = selectors.iter().zip(asked.await).collect();
    let of = |wanted: Key| {
        let found = answers.iter().filter(|(_, key)| *key == Ok(Some(wanted)));
        let found: Vec<&str> = found.map(|(selector, _)| **selector).collect();
        found.join(", ")
    };
    let (good, revoked) = (of(Key::Good), of(Key::Revoked));
    if !good.is_empty() {
        return Finding::ok(voice.say("dkim_is", &[("list", &good)]));
    }
    let failed = answers.iter().find_map(|(_, answer)| answer.as_ref().err());
    if let Some(error) = failed {
        return unanswered(voice, names, &format!("_domainkey.{domain}"), error);
    }
    let mut finding = match revoked.is_empty() {
        false => Finding::warning(voice.say("dkim_is_revoked", &[("list", &revoked)])),
        true => {
            let list: Vec<&str> = selectors.into_iter().collect();
            let list = list.join(", ");
            Finding::warning(voice.say("dkim_is_not_found", &[("list", &list)]))
        }
    };
    finding = match provider {
        Some(provider) => finding
            .remedy(voice.say("dkim_advice", &[("title", &provider.title)]))
            .on(Some(&provider.page)),
        None => finding.remedy(voice.say("dkim_advice_unknown", &[])),
    };
    finding
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
