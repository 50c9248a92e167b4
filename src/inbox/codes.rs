//! What looks like a verification code: 4 to 8 digits, two groups of three, or 8 letters of the
//! set that our own codes use. Precision before completeness: a test that reads the first code must get the right one.

use super::links;

/// Codes that are reported.
const CODES: usize = 20;

/// Octets of each text that are looked at: a code stands near the top.
const LOOKED_AT: usize = 256 << 10;

/// A candidate needs this much to be reported: to stand alone, or to have a word for it near.
const ENOUGH: u32 = 4;

/// Words that announce a code, in lower case, whole.
const ANNOUNCING: &[&str] = &[
    "codes", "otp", "pin", "kode", "código", "codigo", "codice", "tan",
];

/// The same in scripts that do not part their words, and phrases: anywhere.
const ANNOUNCING_ANYWHERE: &[&str] = &[
    "one-time",
    "one time",
    "驗證",
    "验证",
    "校驗",
    "校验",
    "確認",
    "确认",
    "認證",
    "认证",
    "動態密碼",
    "动态密码",
    "一次性",
    "口令",
    "代码",
    "代碼",
    "コード",
    "인증",
];

/// What makes a `code` one of another kind.
const OTHER_CODES: &[&str] = &[
    "zip code",
    "postal code",
    "area code",
    "error code",
    "country code",
    "status code",
    "promo code",
    "discount code",
    "coupon code",
    "source code",
    "exit code",
    "郵遞區號",
    "邮政编码",
    "錯誤代碼",
    "错误代码",
    "優惠代碼",
    "优惠代码",
    "股票代碼",
    "股票代码",
];

/// What stands between the two groups of a code that is written in two.
const BETWEEN_GROUPS: &[char] = &[' ', '-', '\u{a0}'];

/// Words in whose company two groups of digits are a telephone number, in lower case, whole.
const CALLING: &[&str] = &[
    "tel", "phone", "call", "dial", "fax", "mobile", "mobil", "hotline", "cell", "ext",
];

/// The same in scripts that do not part their words: anywhere.
const CALLING_ANYWHERE: &[&str] = &[
    "電話", "电话", "手機", "手机", "傳真", "传真", "熱線", "热线", "撥打", "拨打", "致電", "致电",
    "전화",
];

/// What is counted in groups of three digits: what stands behind a number, or before it.
const COUNTED: &[&str] = &[
    "eur", "usd", "kr", "kč", "zł", "ft", "lei", "лв", "руб", "грн", "chf", "sek", "nok", "dkk",
    "円", "원", "km", "kg",
];

/// The codes of the texts, most likely first, each once.
pub(super) fn find(texts: &[&str]) -> Vec<String> {
    let mut found: Vec<(u32, String)> = Vec::new();
    for text in texts {
        let mut end = text.len().min(LOOKED_AT);
        while !text.is_char_boundary(end) {
            end -= 1;
        }
        for (score, code) in candidates(&text[..end]) {
            let room = found.len() < 10 * CODES;
            match found.iter_mut().find(|(_, known)| *known == code) {
                Some(known) => known.0 = known.0.max(score),
                // Bounded: a mail full of numbers is no mail with a code.
                None if room => found.push((score, code)),
                None => {}
            }
        }
    }
    // Stable: among equals the first in the mail wins.
    found.sort_by_key(|(score, _)| std::cmp::Reverse(*score));
    found
        .into_iter()
        .take(CODES)
        .map(|(_, code)| code)
        .collect()
}

fn candidates(text: &str) -> impl Iterator<Item = (u32, String)> {
    let links: Vec<(usize, usize)> = links::spans(text).collect();
    let mut link = 0;
    words(text).filter_map(move |(from, to)| {
        while links.get(link).is_some_and(|&(_, end)| end <= from) {
            link += 1;
        }
        let in_link = links.get(link).is_some_and(|&(start, _)| start < to);
        let in_groups = end_of_groups(text, from, to);
        let to = in_groups.unwrap_or(to);
        let mut code = text[from..to].to_owned();
        code.retain(|c| !BETWEEN_GROUPS.contains(&c));
        if in_link || !has_form(&code) || is_part_of_more(text, from, to) {
            return None;
        }
        if in_groups.is_some() && is_number_in_groups(text, from, to) {
            return None;
        }
        let score = score(text, from, to, &code);
        (score >= ENOUGH).then_some((score, code))
    })
}

/// Where `482 913` or `482-913` ends, if it begins with the word at `from`.
fn end_of_groups(text: &str, from: usize, to: usize) -> Option<usize> {
    let is_group = |word: &str| word.len() == 3 && word.bytes().all(|b| b.is_ascii_digit());
    if !is_group(&text[from..to]) {
        return None;
    }
    let second = text[to..].strip_prefix(BETWEEN_GROUPS)?;
    let length = second.bytes().take_while(u8::is_ascii_alphanumeric).count();
    let end = text.len() - second.len() + length;
    is_group(&second[..length]).then_some(end)
}

/// Whether two groups are a telephone number or an amount: the nearest word before them that says
/// something decides, else the first behind them.
fn is_number_in_groups(text: &str, from: usize, to: usize) -> bool {
    let before = nearby_before(text, from);
    let after = nearby_after(text, to);
    let parted = |near: &str| -> Vec<String> {
        let words = near.split(|c: char| !c.is_alphanumeric());
        words.filter(|w| !w.is_empty()).map(str::to_owned).collect()
    };
    let (before_words, after_words) = (parted(&before), parted(&after));
    let calls = |word: &String| {
        CALLING.contains(&word.as_str())
            || word.starts_with("tele") && !word.starts_with("telegram")
            || word.starts_with("télé")
            || CALLING_ANYWHERE.iter().any(|part| word.contains(part))
    };
    let decides = |word: &&String| calls(word) || announces(word);
    let counted = |word: Option<&String>| word.is_some_and(|w| COUNTED.contains(&w.as_str()));
    let behind = || after_words.iter().find(decides);
    let nearest = before_words.iter().rev().find(decides).or_else(behind);
    nearest.is_some_and(calls)
        || counted(before_words.last())
        || counted(after_words.first())
        // An area code: `(02)482 913`.
        || text[..from].ends_with(')')
}

/// The runs of ASCII letters and digits of `text`.
fn words(text: &str) -> impl Iterator<Item = (usize, usize)> {
    let bytes = text.as_bytes();
    let mut at = 0;
    std::iter::from_fn(move || {
        while at < bytes.len() && !bytes[at].is_ascii_alphanumeric() {
            at += 1;
        }
        let from = at;
        while at < bytes.len() && bytes[at].is_ascii_alphanumeric() {
            at += 1;
        }
        (from < at).then_some((from, at))
    })
}

fn has_form(word: &str) -> bool {
    let digits = (4..=8).contains(&word.len()) && word.bytes().all(|b| b.is_ascii_digit());
    digits || is_letter_code(word)
}

fn is_letter_code(word: &str) -> bool {
    word.len() == 8 && word.bytes().all(|b| b"BCDFGHJKLMNPQRSTVWXZ".contains(&b))
}

/// Whether the word belongs to something longer: an amount, a date, a time, a telephone number,
/// an address, an identifier.
fn is_part_of_more(text: &str, from: usize, to: usize) -> bool {
    let bytes = text.as_bytes();
    let before = from.checked_sub(1).map_or(b'\n', |at| bytes[at]);
    let before_that = from.checked_sub(2).map_or(b'\n', |at| bytes[at]);
    let after = bytes.get(to).copied().unwrap_or(b'\n');
    let after_that = bytes.get(to + 1).copied().unwrap_or(b'\n');
    let joins = |byte: u8| b"-./,:+@_=&%#'\\~".contains(&byte);
    let counts = |byte: u8| byte.is_ascii_digit() || matches!(byte, b'(' | b')' | b'+');
    joins(before) && before_that.is_ascii_alphanumeric()
        || matches!(before, b'+' | b'#' | b'$' | b'@' | b'_' | b'=' | b'&' | b'%' | b'/' | b'\\')
        || joins(after) && after_that.is_ascii_alphanumeric()
        || matches!(after, b'%' | b'@' | b'_' | b'=' | b'/' | b'\\')
        // Groups of digits parted by spaces, as in telephone and card numbers.
        || matches!(before, b' ' | b'-') && counts(before_that)
        || matches!(after, b' ' | b'-') && (after_that.is_ascii_digit() || after_that == b'+')
        || text[..from].trim_end().ends_with(['€', '£', '¥', '元', '$'])
        || text[to..].trim_start().starts_with(['€', '£', '¥', '元', '年'])
}

fn announces(near: &str) -> bool {
    near.split(|c: char| !c.is_alphanumeric()).any(|word| {
        // `passcode`, `Sicherheitscode`, `verify`, `verification`, `vérification`
        word.ends_with("code") && !matches!(word, "zipcode" | "postcode" | "barcode" | "unicode")
            || word.starts_with("verif")
            || word.starts_with("vérif")
            || ANNOUNCING.contains(&word)
    }) || ANNOUNCING_ANYWHERE
        .iter()
        .any(|phrase| near.contains(phrase))
}

/// How likely `word`, which stands there, is a code.
fn score(text: &str, from: usize, to: usize, word: &str) -> u32 {
    let before = nearby_before(text, from);
    let after = nearby_after(text, to);
    if OTHER_CODES.iter().any(|other| before.contains(other)) {
        return 0;
    }
    let announced = announces(&before);
    let explained = announces(&after);
    let alone = stands_alone(text, from, to);
    let is_year = word.len() == 4 && (word.starts_with("19") || word.starts_with("20"));
    if is_year && !(announced && alone) {
        return 0;
    }
    let form = match word.len() {
        6 => 2,
        _ if is_letter_code(word) => 2,
        _ => 1,
    };
    form + if announced { 4 } else { 0 } + if explained { 2 } else { 0 } + if alone { 3 } else { 0 }
}

/// The last words before it, in lower case, out of this line and the line before it.
fn nearby_before(text: &str, from: usize) -> String {
    let start = (from.saturating_sub(100)..=from)
        .find(|&at| text.is_char_boundary(at))
        .unwrap_or(from);
    let mut lines = text[start..from]
        .lines()
        .rev()
        .filter(|line| !line.trim().is_empty());
    let near = text[start..from].trim_end_matches([' ', '\t']);
    let this = if near.ends_with('\n') {
        ""
    } else {
        lines.next().unwrap_or("")
    };
    let above = lines.next().unwrap_or("");
    format!("{above} {this}").to_lowercase()
}

/// The next words behind it, in lower case, out of this line.
fn nearby_after(text: &str, to: usize) -> String {
    let end = (to..=(to + 50).min(text.len()))
        .rev()
        .find(|&at| text.is_char_boundary(at))
        .unwrap_or(to);
    text[to..end].lines().next().unwrap_or("").to_lowercase()
}

fn stands_alone(text: &str, from: usize, to: usize) -> bool {
    let decoration = |c: char| c.is_whitespace() || "*_-=[]()「」【】:：.。".contains(c);
    let of_line = |c: &char| *c != '\n';
    text[..from]
        .chars()
        .rev()
        .take_while(of_line)
        .all(decoration)
        && text[to..].chars().take_while(of_line).all(decoration)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn codes(text: &str) -> Vec<String> {
        find(&[text])
    }

    #[test]
    fn codes_are_found_in_the_languages_that_mails_are_written_in() {
        for text in [
            "Your verification code is 482913.",
            "482913 is your Example code",
            "Use this code to log in:\r\n\r\n    482913\r\n\r\nIt lapses in 10 minutes.",
            "您的驗證碼是：482913（10 分鐘內有效）",
            "验证码：482913，请勿泄露。",
            "確認コードは482913です",
            "482913",
            "Subject without a word for it\n\n482913\n\n© 2026 Example",
            "PIN: 482913",
            "Your code is 482913 (valid for 10 minutes)",
            "Enter (482913) as your one-time password",
        ] {
            assert_eq!(codes(text), ["482913"], "{text}");
        }
        assert_eq!(codes("Your code: BCDFGHJK"), ["BCDFGHJK"]);
        assert_eq!(codes("Code 1234 or 12345678"), ["1234", "12345678"]);
    }

    #[test]
    fn a_code_in_two_groups_is_reported_in_one() {
        for text in [
            "Your verification code is 482 913.",
            "Your code: 482-913",
            "482 913 is your Example code",
            "Use this code to log in:\r\n\r\n    482 913\r\n\r\nIt lapses in 10 minutes.",
            "您的驗證碼是：482 913（10 分鐘內有效）",
            "验证码：482-913，请勿泄露。",
            "您的代码 482 913",
            "Nothing said\n\n482-913\n\n© 2026 Example",
            "**482 913**",
            "PIN: 482\u{a0}913",
            "OTP 482 913 (valid for 10 minutes)",
            "Enter the passcode\n482-913 within 10 minutes",
            "We never call you. Your code is 482 913",
            "Your code is 482 913. Questions? Call us.",
            "請勿致電。您的驗證碼是 482 913",
        ] {
            assert_eq!(codes(text), ["482913"], "{text}");
        }
    }

    #[test]
    fn other_numbers_in_groups_are_no_codes() {
        for text in [
            "Order 482 913 has shipped",
            "Call 482-913 to get your code",
            "Your code was sent.\nTel.: 482 913",
            "Tel:\n482 913",
            "Enter your code, or telephone 482 913",
            "查詢驗證碼請撥打 482-913",
            "客服电话：482 913 验证码",
            "code? 482-9134, 482 9134, 4829 134, 48 291 3",
            "code +886 2 482 913, (02) 482 913, (02)482-913, 02-482-913",
            "code 482 913 555 or 482-913-555 or 1 482 913 or 482 913 5",
            "your code cost 482 913 €, $482 913, 482 913 Kč or EUR 482 913",
            "code 482  913, 482--913, 482.913, 482/913, a482 913, 482 913b",
            "code at https://example.com/482-913 or 482-913.example.com",
            "error code 482 913",
        ] {
            assert_eq!(codes(text), Vec::<String>::new(), "{text}");
        }
    }

    #[test]
    fn other_numbers_are_no_codes() {
        for text in [
            "© 2026 Example Ltd, 12345 Main Street",
            "Code of conduct 2026",
            "Call +886 2 2345 6789 or (02) 2345-6789 to verify your code",
            "Order 483920 has shipped",
            "You paid $482913 for your code, 482913 € or 1,482,913.00",
            "Verify at https://example.com/verify/482913?code=482913",
            "The code lapses on 2026-11-22 at 07:46:3512",
            "Your zip code 90210",
            "verification id 4829134829134",
            "code a482913 482913b x_482913 482913@example.com",
            "Card code 4111 1111 1111 1111",
            "代碼 12345元 的商品",
            "The code word is PASSWORD or STRENGTH",
            "驗證 2026年",
        ] {
            assert_eq!(codes(text), Vec::<String>::new(), "{text}");
        }
    }

    #[test]
    fn the_likeliest_comes_first_and_each_once() {
        let found = find(&[
            "Your code: 111111",
            "Reference for your code request 98765.\n\nYour code is\n\n222222\n\nAgain: code 222222",
            "222222",
        ]);
        assert_eq!(found[0], "222222");
        assert_eq!(found.iter().filter(|code| *code == "222222").count(), 1);
        assert!(found.contains(&"111111".to_owned()));
    }
}
