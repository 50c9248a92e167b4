//! How a mail of ours got here: its row in the outbox, why it stands where it stands, and every
//! attempt with what the server said.

use minijinja::Value;
use minijinja::context;

use crate::http::api::admin::mail::AttemptTold;
use crate::http::api::admin::mail::Telling;
use crate::language::Language;
use crate::mail::OutboxId;
use crate::mail::outbox;
use crate::operator::Operator;
use crate::store;

use super::plain;

/// The mail of the outbox with this Message-ID.
pub async fn find(
    operator: &Operator,
    message_id: Option<&str>,
) -> Result<Option<OutboxId>, store::Error> {
    let Some(message_id) = message_id else {
        return Ok(None);
    };
    let found = operator
        .store
        .read(|read| outbox::by_message_id(read, message_id));
    found.await
}

/// What a template shows of it; nothing when its row is gone.
pub async fn tell(
    operator: &Operator,
    id: OutboxId,
    language: Language,
) -> Result<Option<Value>, store::Error> {
    let found = operator.store.read(|read| {
        let row = outbox::get(read, id)?;
        Ok::<_, store::Error>((row, outbox::attempts(read, id)?))
    });
    let (Some(row), attempts) = found.await? else {
        return Ok(None);
    };
    let telling = Telling {
        language,
        routes: operator.statuses().await?,
        now: operator.world.now(),
    };
    let left_out = row.left_out;
    let mail = telling.mail(id, row);
    let attempts: Vec<Value> = attempts
        .iter()
        .map(|(number, attempt)| shown(&telling.attempt(*number, attempt)))
        .collect();
    Ok(Some(context! {
        id => mail.id,
        kind => mail.template.unwrap_or(mail.kind),
        state => mail.state,
        to => plain::line(&mail.to),
        tries => mail.tries,
        created_at => mail.created_at,
        next_at => mail.next_at,
        finished_at => mail.finished_at,
        doubtful => mail.doubtful,
        ordered_by => mail.ordered_by.as_deref().map(plain::line),
        why => plain::line(&mail.why.text),
        advice => mail.why.advice.as_deref().map(plain::line),
        page => mail.why.page,
        attempts,
        left_out,
    }))
}

fn shown(attempt: &AttemptTold) -> Value {
    context! {
        number => attempt.number,
        route => attempt.route.as_deref(),
        started_at => attempt.started_at.as_str(),
        ended_at => attempt.ended_at.as_str(),
        stage => attempt.stage.as_str(),
        outcome => attempt.outcome.as_str(),
        code => attempt.code,
        reply => plain::told(attempt.reply.trim_end()),
        transcript => plain::told(attempt.transcript.trim_end()),
        meaning => attempt.meaning.as_deref(),
        advice => attempt.advice.as_deref(),
        page => attempt.page.as_deref(),
    }
}
