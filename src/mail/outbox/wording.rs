//! The sentences of [`why`](fn@super::why), in every language. Whole sentences, times in RFC 3339,
//! and what a server said quoted and cut, with nothing in it that a terminal would obey.

use super::phrase::{Failed, doubt, last, over, route_failed, route_name, said, stage, words};
use super::why::Situation;
use crate::mail::rulebook::{Rule, Words};

/// What the matter is.
pub(super) fn text(situation: &Situation<'_>, rule: Option<&'static Rule>) -> Words {
    match *situation {
        Situation::Waiting => words(
            "這封信已到寄送時間，正在排隊，輪到就會寄出。",
            "这封邮件已到发送时间，正在排队，轮到就会发出。",
            "It is due and waits for its turn.",
        ),
        Situation::Scheduled { at } => words(
            format!("這封信排定於 {at} 寄出。"),
            format!("这封邮件定于 {at} 发出。"),
            format!("It is to be sent at {at}."),
        ),
        Situation::Retry { at, tries, setback } => {
            let (stage, said) = (stage(setback.stage), said(Failed::of(setback), rule));
            words(
                format!(
                    "第 {tries} 次嘗試在{}時失敗，將於 {at} 再試。{}",
                    stage.zh_hant, said.zh_hant
                ),
                format!(
                    "第 {tries} 次尝试在{}时失败，将于 {at} 重试。{}",
                    stage.zh_hans, said.zh_hans
                ),
                format!(
                    "Try {tries} failed while {}; it is tried again at {at}. {}",
                    stage.en, said.en
                ),
            )
        }
        Situation::DoubtfulRetry { at, lost: true } => words(
            format!(
                "寄送途中 gatepost 中斷，不知道是否已經寄出，對方可能已經收到。將於 {at} 再寄一次相同的內容，以免遺失。"
            ),
            format!(
                "发送途中 gatepost 中断，不知道是否已经发出，对方可能已经收到。将于 {at} 再发一次相同的内容，以免丢失。"
            ),
            format!(
                "Gatepost ended while it had this mail, and it is not known whether it was sent, so it may have arrived. The same bytes are sent at {at}, so that it is not lost."
            ),
        ),
        Situation::DoubtfulRetry { at, lost: false } => words(
            format!(
                "內容已全部送出，但在伺服器回覆之前連線中斷，對方可能已經收到。將於 {at} 再寄一次相同的內容，以免遺失。"
            ),
            format!(
                "内容已全部送出，但在服务器答复之前连接中断，对方可能已经收到。将于 {at} 再发一次相同的内容，以免丢失。"
            ),
            format!(
                "It was handed over whole, and the connection broke before the server answered, so it may have arrived. The same bytes are sent again at {at}, so that it is not lost."
            ),
        ),
        Situation::Late { at } => words(
            format!("這封信的期限 {at} 已過，不會再寄出。"),
            format!("这封邮件的期限 {at} 已过，不会再发出。"),
            format!("Its time was over at {at}; it is not sent any more."),
        ),
        Situation::Sending => words("正在寄送中。", "正在发送中。", "It is being sent just now."),
        Situation::Paused { route, since } => {
            let route = route_name(route);
            words(
                format!(
                    "{}自 {since} 起由管理者暫停，恢復之前不會寄出。",
                    route.zh_hant
                ),
                format!(
                    "{}自 {since} 起由管理员暂停，恢复之前不会发出。",
                    route.zh_hans
                ),
                format!(
                    "The operator paused the {} at {since}; nothing is sent until it is resumed.",
                    route.en
                ),
            )
        }
        Situation::Resting {
            route,
            until,
            error,
        } => {
            let (route, failed) = (route_name(route), route_failed(error, rule));
            words(
                format!(
                    "{}發生故障而暫停使用，將於 {until} 以一封信試探。{}這封信保留原來的順位，不計入嘗試次數。",
                    route.zh_hant, failed.zh_hant
                ),
                format!(
                    "{}发生故障而暂停使用，将于 {until} 以一封邮件试探。{}这封邮件保留原来的顺位，不计入尝试次数。",
                    route.zh_hans, failed.zh_hans
                ),
                format!(
                    "The {} failed and rests; one mail tries it at {until}. {}This mail keeps its place and is charged no try.",
                    route.en, failed.en
                ),
            )
        }
        Situation::Probing { route, error } => {
            let (route, failed) = (route_name(route), route_failed(error, rule));
            words(
                format!(
                    "{}先前發生故障，正以一封信試探是否恢復。{}",
                    route.zh_hant, failed.zh_hant
                ),
                format!(
                    "{}先前发生故障，正以一封邮件试探是否恢复。{}",
                    route.zh_hans, failed.zh_hans
                ),
                format!(
                    "The {} had failed, and one mail tries just now whether it works again. {}",
                    route.en, failed.en
                ),
            )
        }
        Situation::Budget { route, resumes } => {
            let route = route_name(route);
            match resumes {
                Some(at) => words(
                    format!(
                        "{}二十四小時內可寄的數量已用完，將於 {at} 繼續寄送。",
                        route.zh_hant
                    ),
                    format!(
                        "{}二十四小时内可发的数量已用完，将于 {at} 继续发送。",
                        route.zh_hans
                    ),
                    format!(
                        "The {} has sent all that it may in 24 hours; it goes on at {at}.",
                        route.en
                    ),
                ),
                None => words(
                    format!(
                        "{}二十四小時內可寄的數量已用完，其餘額度保留給驗證碼與連結。",
                        route.zh_hant
                    ),
                    format!(
                        "{}二十四小时内可发的数量已用完，其余额度留给验证码和链接。",
                        route.zh_hans
                    ),
                    format!(
                        "The {} has sent all that it may in 24 hours; what is left is kept for codes and links.",
                        route.en
                    ),
                ),
            }
        }
        Situation::Pace {
            route,
            per_minute,
            resumes,
        } => {
            let route = route_name(route);
            match per_minute {
                Some(most) => words(
                    format!(
                        "{}每分鐘最多寄 {most} 封，下一封將於 {resumes} 寄出。",
                        route.zh_hant
                    ),
                    format!(
                        "{}每分钟最多发 {most} 封，下一封将于 {resumes} 发出。",
                        route.zh_hans
                    ),
                    format!(
                        "The {} sends at most {most} mails a minute; the next goes out at {resumes}.",
                        route.en
                    ),
                ),
                None => words(
                    format!("{}正在限速，將於 {resumes} 繼續寄送。", route.zh_hant),
                    format!("{}正在限速，将于 {resumes} 继续发送。", route.zh_hans),
                    format!("The {} is held back; it goes on at {resumes}.", route.en),
                ),
            }
        }
        Situation::Sent {
            at, captures: true, ..
        } => words(
            format!("已於 {at} 收進 gatepost 自己的收件匣，沒有寄到外面。"),
            format!("已于 {at} 收进 gatepost 自己的收件箱，没有发到外面。"),
            format!("It was captured in the inbox at {at} and went nowhere else."),
        ),
        Situation::Sent { at, route, .. } => {
            let route = over(route);
            words(
                format!("{}已於 {at} 被郵件伺服器收下。", route.zh_hant),
                format!("{}已于 {at} 被邮件服务器收下。", route.zh_hans),
                format!("The server took it at {at}{}.", route.en),
            )
        }
        Situation::MaybeTwice { at, route } => {
            let route = over(route);
            words(
                format!(
                    "{}已於 {at} 被郵件伺服器收下；先前有一次結果不明，對方可能收到兩封。",
                    route.zh_hant
                ),
                format!(
                    "{}已于 {at} 被邮件服务器收下；此前有一次结果不明，对方可能收到两封。",
                    route.zh_hans
                ),
                format!(
                    "The server took it at {at}{}. An earlier try ended in doubt, so it may have arrived twice.",
                    route.en
                ),
            )
        }
        Situation::Uncertain {
            doubts: Some(times),
            ..
        } => words(
            format!(
                "內容已全部送出 {times} 次，每次都在伺服器回覆之前中斷：很可能已送達。不再寄送，以免對方一再收到。"
            ),
            format!(
                "内容已全部送出 {times} 次，每次都在服务器答复之前中断：很可能已送达。不再发送，以免对方一再收到。"
            ),
            format!(
                "It was handed over {times} times, and each time no answer came: it has probably arrived. It is not sent again, so that it does not arrive once more."
            ),
        ),
        Situation::Uncertain { lost: true, .. } => words(
            "寄送途中 gatepost 中斷，不知道是否已經寄出：可能已送達，也可能沒有。期限已到，不再寄送。",
            "发送途中 gatepost 中断，不知道是否已经发出：可能已送达，也可能没有。期限已到，不再发送。",
            "Gatepost ended while it had this mail, and it is not known whether it was sent: it may have arrived or not. There was no time for another try.",
        ),
        Situation::Uncertain { .. } => words(
            "內容已全部送出，但在伺服器回覆之前連線中斷：可能已送達，也可能沒有。期限已到，不再寄送。",
            "内容已全部送出，但在服务器答复之前连接中断：可能已送达，也可能没有。期限已到，不再发送。",
            "It was handed over whole, and the connection broke before the server answered: it may have arrived or not. There was no time for another try.",
        ),
        Situation::Refused { setback, doubtful } => {
            let doubt = doubt(doubtful);
            let Some(setback) = setback else {
                return words(
                    format!("伺服器永久拒絕了這封信。{}", doubt.zh_hant),
                    format!("服务器永久拒绝了这封邮件。{}", doubt.zh_hans),
                    format!("It was refused for good. {}", doubt.en),
                );
            };
            let (stage, said) = (stage(setback.stage), said(Failed::of(setback), rule));
            words(
                format!(
                    "這封信在{}時被永久拒絕。{}{}",
                    stage.zh_hant, said.zh_hant, doubt.zh_hant
                ),
                format!(
                    "这封邮件在{}时被永久拒绝。{}{}",
                    stage.zh_hans, said.zh_hans, doubt.zh_hans
                ),
                format!(
                    "It was refused for good while {}. {} {}",
                    stage.en, said.en, doubt.en
                ),
            )
        }
        Situation::GivenUp { tries, setback } => {
            let last = last(setback, rule);
            words(
                format!(
                    "嘗試 {tries} 次仍未送出，期限已到，已放棄。{}",
                    last.zh_hant
                ),
                format!(
                    "尝试 {tries} 次仍未发出，期限已到，已放弃。{}",
                    last.zh_hans
                ),
                match tries {
                    0 => format!(
                        "It was given up untried, since its time was over. {}",
                        last.en
                    ),
                    1 => format!(
                        "It was given up after one try, since its time was over. {}",
                        last.en
                    ),
                    _ => format!(
                        "It was given up after {tries} tries, since its time was over. {}",
                        last.en
                    ),
                },
            )
        }
        Situation::Expired { at, setback } => {
            let last = last(setback, rule);
            words(
                format!(
                    "在期限 {at} 之前未能寄出，內容已失去時效，因此不再寄送。{}",
                    last.zh_hant
                ),
                format!(
                    "在期限 {at} 之前未能发出，内容已失去时效，因此不再发送。{}",
                    last.zh_hans
                ),
                format!(
                    "It was not sent before its time was over at {at}; what it is for is of no use any more, so it is not sent. {}",
                    last.en
                ),
            )
        }
        Situation::Discarded {
            at,
            undo_until,
            doubtful,
        } => {
            let doubt = doubt(doubtful);
            let undo = match undo_until {
                Some(until) => words(
                    format!("；{until} 之前可以復原"),
                    format!("；{until} 之前可以撤销"),
                    format!("; that can be undone until {until}"),
                ),
                None => words("", "", ""),
            };
            words(
                format!(
                    "管理者於 {at} 捨棄了這封信{}。{}",
                    undo.zh_hant, doubt.zh_hant
                ),
                format!(
                    "管理员于 {at} 丢弃了这封邮件{}。{}",
                    undo.zh_hans, doubt.zh_hans
                ),
                format!("The operator discarded it at {at}{}. {}", undo.en, doubt.en),
            )
        }
        Situation::Replaced { by } => {
            let by = by.map(|id| id.to_string());
            let (hant, hans, en) = match &by {
                Some(id) => (format!("（{id}）"), format!("（{id}）"), format!(" ({id})")),
                None => Default::default(),
            };
            words(
                format!("寄出之前，同一地址又要了一封同類的信{hant}，由它取代。"),
                format!("发出之前，同一地址又要了一封同类的邮件{hans}，由它取代。"),
                format!(
                    "Before it was sent, a later mail of its kind to the same address{en} took its place."
                ),
            )
        }
        Situation::UnknownAddress => words(
            "這個地址沒有帳號，因此不會寄出；信照樣撰寫，讓外人無從分辨。",
            "这个地址没有账号，因此不会发出；邮件照样撰写，让外人无从分辨。",
            "Nobody has an account with this address, so it is not sent; it was composed all the same, so that nobody can tell.",
        ),
        Situation::Shelved => words(
            "這封信已被捨棄。",
            "这封邮件已被丢弃。",
            "It was discarded.",
        ),
    }
}

/// What can be done, where no rule says it.
pub(super) fn advice(situation: &Situation<'_>) -> Option<Words> {
    Some(match situation {
        Situation::Paused { route, .. } => words(
            format!("要繼續寄送，請恢復這條線路（gatepost outbox resume {route}）。"),
            format!("要继续发送，请恢复这条线路（gatepost outbox resume {route}）。"),
            format!("To go on, resume the route (gatepost outbox resume {route})."),
        ),
        Situation::Resting { route, .. } => words(
            format!(
                "請以 gatepost doctor 找出原因；排除之後，恢復這條線路（gatepost outbox resume {route}）便會立刻再試。"
            ),
            format!(
                "请用 gatepost doctor 查明原因；排除之后，恢复这条线路（gatepost outbox resume {route}）便会立刻重试。"
            ),
            format!(
                "Find the cause with gatepost doctor; once it is removed, resuming the route (gatepost outbox resume {route}) has it tried at once."
            ),
        ),
        Situation::Budget { resumes: None, .. } => words(
            "每日額度全數保留給驗證碼，或額度為零；請調低 relay.kept_for_codes 或調高 relay.per_day。",
            "每日额度全部保留给验证码，或额度为零；请调低 relay.kept_for_codes 或调高 relay.per_day。",
            "All of the day is kept for codes, or nothing may be sent at all: lower relay.kept_for_codes, or raise relay.per_day.",
        ),
        Situation::Budget { .. } => words(
            "不必處理，額度恢復後會自動繼續。若郵件服務商允許更多，可以調高每日額度。",
            "无须处理，额度恢复后会自动继续。若邮件服务商允许更多，可以调高每日额度。",
            "Nothing needs to be done; it goes on by itself. If the provider allows more, raise the route's daily budget.",
        ),
        Situation::Sent { captures: true, .. } => return None,
        Situation::Sent { .. } | Situation::MaybeTwice { .. } => words(
            "若對方沒有收到，請先查看垃圾郵件匣。",
            "若对方没有收到，请先查看垃圾邮件箱。",
            "If it did not arrive, look into the spam folder first.",
        ),
        Situation::Uncertain { .. } => words(
            "請先問對方是否收到，再決定是否另寄一封。",
            "请先问对方是否收到，再决定是否另发一封。",
            "Ask whether it arrived before you send another.",
        ),
        Situation::Refused { .. } | Situation::GivenUp { .. } => words(
            "請先排除原因，再把它放回佇列（requeue）；已失效的驗證碼或連結會重新產生。",
            "请先排除原因，再把它放回队列（requeue）；已失效的验证码或链接会重新生成。",
            "Remove the cause, then requeue it; for a code or a link that has lapsed a new one is made.",
        ),
        Situation::Late { .. } | Situation::Expired { .. } => words(
            "若仍需要，請重新產生一封；驗證碼與連結可用 requeue 重新產生。",
            "若仍需要，请重新生成一封；验证码和链接可用 requeue 重新生成。",
            "If it is still needed, have a new one made; requeue does that for a code or a link.",
        ),
        _ => return None,
    })
}
