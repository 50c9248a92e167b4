//! The step that looks at SPF (RFC 7208): whether the domain has one record that says something,
//! whether it lets the provider pass, and how to change it so that it does.

use crate::mail::provider::Provider;

use super::domain::add;
use super::domain::unanswered;
use super::names::Names;
use super::names::NoAnswer;
use super::records;
use super::records::Lookup;
use super::records::Needs;
use super::report::Finding;
use super::report::Status;
use super::words::Voice;

/// RFC 7208, 4.6.4: a record that takes more look-ups than these is broken.
const MOST_LOOKUPS: usize = 10;

/// SPF of the domain; `needs` is what mail through this provider asks for.
pub(super) async fn spf(
    voice: Voice,
    names: &Names,
    domain: &str,
    needs: Option<&Needs>,
    provider: Option<&'static Provider>,
) -> Finding {
    let texts = match names.texts(domain).await {
        Ok(texts) => texts,
        Err(error) => return unanswered(voice, names, domain, &error),
    };
    let title = provider.map_or("", |provider| &provider.title);
    // Then the From's domain is not the one that receivers ask.
    let elsewhere = needs.is_some_and(|needs| needs.include.is_none());
    let not_asked = || voice.say("spf_not_asked", &[("title", &title), ("domain", &domain)]);
    let found = records::spf_of(&texts);
    let record = match found[..] {
        [] if elsewhere => return Finding::ok(not_asked()),
        [] => {
            let finding = Finding::warning(voice.say("spf_is_missing", &[("domain", &domain)]));
            return match needs.and_then(|needs| needs.include) {
                Some(include) => {
                    let record = format!("v=spf1 include:{include} ~all");
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
    let include = needs.and_then(|needs| needs.include);
    match walk(names, record, include).await {
        Err(error) => unanswered(voice, names, domain, &error).and(record),
        Ok(Walk::TooLong) => finding
            .at_least(Status::Warning)
            .and(voice.say("spf_is_too_long", &[("most", &MOST_LOOKUPS)]))
            .remedy(voice.say("spf_is_too_long_advice", &[])),
        Ok(Walk::Included) => finding,
        Ok(Walk::Lacking { lookups }) => match include {
            Some(include) => {
                let finding = finding
                    .at_least(Status::Warning)
                    .and(voice.say("spf_lacks", &[("include", &include)]));
                finding.remedy(completed(voice, names, domain, record, include, lookups).await)
            }
            None if elsewhere => finding.and(not_asked()),
            None => finding.and(voice.say("spf_advice", &[])),
        },
    }
}

/// How the record comes to include this domain as well, when it takes so many look-ups already.
async fn completed(
    voice: Voice,
    names: &Names,
    domain: &str,
    record: &str,
    include: &str,
    lookups: usize,
) -> String {
    let alone = format!("v=spf1 include:{include}");
    let more = match walk(names, &alone, None).await {
        Ok(Walk::Lacking { lookups }) => lookups,
        // Whatever it needs, it is one look-up by itself.
        _ => 1,
    };
    if lookups + more > MOST_LOOKUPS {
        let values: [(&str, &dyn std::fmt::Display); 2] =
            [("include", &include), ("most", &MOST_LOOKUPS)];
        return voice.say("spf_has_no_room", &values);
    }
    let right = records::with_include(record, include);
    voice.say("change_record", &[("name", &domain), ("record", &right)])
}

/// What came of going through a record and all that it includes.
enum Walk {
    /// Whoever passes at the wanted domain passes here.
    Included,
    /// Not so, and the record takes so many look-ups.
    Lacking { lookups: usize },
    /// Receivers give up before they come to its end.
    TooLong,
}

/// In the order in which receivers go.
async fn walk(names: &Names, record: &str, wanted: Option<&str>) -> Result<Walk, NoAnswer> {
    let mut waiting = records::lookups(record);
    waiting.reverse();
    let (mut lookups, mut included) = (0, false);
    while let Some(next) = waiting.pop() {
        lookups += 1;
        if lookups > MOST_LOOKUPS {
            return Ok(Walk::TooLong);
        }
        // A macro is no name.
        let Some(domain) = next.domain.filter(|domain| !domain.contains('%')) else {
            continue;
        };
        included |= next.passes && Some(domain.as_str()) == wanted;
        let texts = match names.texts(&domain).await {
            Ok(texts) => texts,
            // What comes behind it does not change that.
            Err(_) if included => return Ok(Walk::Included),
            Err(error) => return Err(error),
        };
        for record in records::spf_of(&texts) {
            let below = records::lookups(record).into_iter().rev();
            waiting.extend(below.map(|below| Lookup {
                passes: below.passes && next.passes,
                ..below
            }));
        }
    }
    Ok(match included {
        true => Walk::Included,
        false => Walk::Lacking { lookups },
    })
}
