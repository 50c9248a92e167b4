//! The parts of which the sentences of `wording` are made: what was said at which stage, by whom
//! and over which route.

use super::row::Setback;
use crate::mail::attempt::Stage;
use crate::mail::route::{LastError, RouteName};
use crate::mail::rulebook::{Rule, Words};
use crate::text::hides;

/// The longest quotation of a server, in characters.
const QUOTED: usize = 300;

/// What went wrong: how far it came and what was said.
#[derive(Clone, Copy)]
pub(super) struct Failed<'a> {
    stage: Stage,
    code: Option<u16>,
    text: &'a str,
}

impl<'a> Failed<'a> {
    pub fn of(setback: &'a Setback) -> Failed<'a> {
        Failed {
            stage: setback.stage,
            code: setback.code,
            text: &setback.text,
        }
    }
}

/// What the server's words mean, where a rule knows it; the words themselves otherwise.
pub(super) fn said(failed: Failed<'_>, rule: Option<&'static Rule>) -> Words {
    if let Some(rule) = rule {
        return rule.meaning.clone();
    }
    let quoted = quoted(failed.text);
    match failed.code {
        _ if quoted.is_empty() => words("沒有說明原因。", "没有说明原因。", "No reason was given."),
        Some(_) => words(
            format!("伺服器回覆：「{quoted}」。"),
            format!("服务器答复：“{quoted}”。"),
            format!("The server said: \"{quoted}\"."),
        ),
        None => words(
            format!("原因：「{quoted}」。"),
            format!("原因：“{quoted}”。"),
            format!("The reason: \"{quoted}\"."),
        ),
    }
}

/// That an earlier try may have sent it, where one may.
pub(super) fn doubt(doubtful: bool) -> Words {
    match doubtful {
        true => words(
            "先前有一次結果不明，可能已經送達。",
            "此前有一次结果不明，可能已经送达。",
            "An earlier try ended in doubt, so it may have arrived before.",
        ),
        false => words("", "", ""),
    }
}

/// The last failure of a mail, as a sentence of its own; nothing where there was none.
pub(super) fn last(setback: Option<&Setback>, rule: Option<&'static Rule>) -> Words {
    let Some(setback) = setback else {
        return words("", "", "");
    };
    let (stage, said) = (stage(setback.stage), said(Failed::of(setback), rule));
    words(
        format!("最後一次在{}時失敗。{}", stage.zh_hant, said.zh_hant),
        format!("最后一次在{}时失败。{}", stage.zh_hans, said.zh_hans),
        format!("The last failure was while {}. {}", stage.en, said.en),
    )
}

/// The last failure of a route, ready to be followed by another sentence.
pub(super) fn route_failed(error: Option<&LastError>, rule: Option<&'static Rule>) -> Words {
    let Some(error) = error else {
        return words("", "", "");
    };
    let failed = Failed {
        stage: error.stage,
        code: error.code,
        text: &error.text,
    };
    let (stage, said) = (stage(failed.stage), said(failed, rule));
    words(
        format!("它在{}時失敗。{}", stage.zh_hant, said.zh_hant),
        format!("它在{}时失败。{}", stage.zh_hans, said.zh_hans),
        format!("It failed while {}. {} ", stage.en, said.en),
    )
}

/// One line, cut, without anything that hides.
fn quoted(text: &str) -> String {
    let visible = |c: char| if hides(c) { ' ' } else { c };
    let line: String = text.chars().map(visible).collect();
    let line = line.split_whitespace().collect::<Vec<_>>().join(" ");
    match line.char_indices().nth(QUOTED) {
        Some((end, _)) => format!("{} …", &line[..end]),
        None => line,
    }
}

pub(super) fn route_name(route: RouteName) -> Words {
    match route {
        RouteName::Primary => words("主要線路", "主要线路", "primary route"),
        RouteName::Fallback => words("備援線路", "备用线路", "fallback route"),
    }
}

/// Over which route, where that is known.
pub(super) fn over(route: Option<RouteName>) -> Words {
    let Some(route) = route.map(route_name) else {
        return words("", "", "");
    };
    words(
        format!("經{}，", route.zh_hant),
        format!("经{}，", route.zh_hans),
        format!(" over the {}", route.en),
    )
}

pub(super) fn stage(stage: Stage) -> Words {
    match stage {
        Stage::Claim => words("準備寄送", "准备发送", "preparing it"),
        Stage::Connect => words("連線到伺服器", "连接服务器", "connecting to the server"),
        Stage::Greeting => words(
            "等候伺服器招呼",
            "等候服务器问候",
            "waiting for the server's greeting",
        ),
        Stage::Tls => words("建立 TLS 加密", "建立 TLS 加密", "setting up TLS"),
        Stage::Auth => words("登入", "登录", "logging in"),
        Stage::MailFrom => words("告知寄件人", "告知发件人", "naming the sender"),
        Stage::RcptTo => words("告知收件人", "告知收件人", "naming the recipient"),
        Stage::Data => words("請求傳送內容", "请求传送内容", "asking to send the message"),
        Stage::Content => words("傳送內容", "传送内容", "sending the message"),
        Stage::FinalReply => words(
            "等候最後回覆",
            "等候最后答复",
            "waiting for the final answer",
        ),
    }
}

pub(super) fn words(
    zh_hant: impl Into<String>,
    zh_hans: impl Into<String>,
    en: impl Into<String>,
) -> Words {
    Words {
        zh_hant: zh_hant.into(),
        zh_hans: zh_hans.into(),
        en: en.into(),
    }
}
