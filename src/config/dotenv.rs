//! Reading `.env` as the Django projects do that it comes from (python-dotenv): values may hold
//! spaces without quotes (an app password of Gmail does), `$` means nothing, and the last line of
//! a name counts. The crate dotenvy refuses such a line, quotes it in its error, password and all,
//! and reads the process's environment. What must not live here: what the variables mean.

/// A variable of the file.
pub(super) struct Line {
    /// From 1.
    pub number: usize,
    pub variable: String,
    pub value: String,
}

/// A line that is no variable. Nothing of it is repeated but the name: it may be a secret.
pub(super) struct Refusal {
    /// From 1.
    pub number: usize,
    /// What it would set, as far as that can be told.
    pub variable: String,
    /// What is wrong.
    pub reason: &'static str,
}

impl Refusal {
    fn new(number: usize, line: &str, reason: &'static str) -> Refusal {
        let mut words = line.split(|c: char| c.is_whitespace() || c == '=' || c == ':');
        Refusal {
            number,
            variable: words.next().unwrap_or_default().to_owned(),
            reason,
        }
    }
}

/// All variables in the order of the file.
pub(super) fn parse(text: &str) -> (Vec<Line>, Vec<Refusal>) {
    let mut found = Vec::new();
    let mut refused = Vec::new();
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    let mut lines = text.lines().enumerate();
    while let Some((index, line)) = lines.next() {
        let number = index + 1;
        let line = line.trim_start();
        if line.is_empty() || line.starts_with('#') {
            continue;
        }
        let line = line.strip_prefix("export ").map_or(line, str::trim_start);
        let Some((variable, value)) = line.split_once('=') else {
            refused.push(Refusal::new(number, line, "expected NAME=value"));
            continue;
        };
        let variable = variable.trim();
        if variable.is_empty() || variable.contains(char::is_whitespace) {
            refused.push(Refusal::new(number, line, "expected NAME=value"));
            continue;
        }
        let value = value.trim_start();
        let value = match value.chars().next() {
            Some(quote @ ('"' | '\'')) => {
                let first = unquote(&value[1..], quote);
                if first.is_some_and(|(_, behind)| !without_comment(behind).is_empty()) {
                    // `"Ann" <ann@example.com>` is no quoted value: the quotes are part of it.
                    Some(without_comment(value).to_owned())
                } else {
                    // A quoted value may go on over several lines, but to a quote that ends one:
                    // in `SLOGAN='tis the season` there is none, and the lines below are theirs.
                    let mut quoted = value[1..].to_owned();
                    let mut behind_it = lines.clone();
                    loop {
                        if let Some((inside, behind)) = unquote(&quoted, quote) {
                            let closed = without_comment(behind).is_empty();
                            if closed {
                                lines = behind_it;
                            }
                            break closed.then_some(inside);
                        }
                        let Some((_, next)) = behind_it.next() else {
                            break None;
                        };
                        quoted.push('\n');
                        quoted.push_str(next);
                    }
                }
            }
            _ => Some(without_comment(value).to_owned()),
        };
        match value {
            Some(value) => found.push(Line {
                number,
                variable: variable.to_owned(),
                value,
            }),
            None => refused.push(Refusal::new(number, line, "the quote is never closed")),
        }
    }
    (found, refused)
}

/// A `#` starts a comment at the beginning or after a space; elsewhere it is part of the value.
fn without_comment(value: &str) -> &str {
    let mut space = true;
    for (at, c) in value.char_indices() {
        if c == '#' && space {
            return value[..at].trim_end();
        }
        space = c.is_whitespace();
    }
    value.trim_end()
}

/// What stands before the closing quote, its escapes resolved, and what stands behind it; `None`
/// when there is none.
fn unquote(text: &str, quote: char) -> Option<(String, &str)> {
    let mut value = String::new();
    let mut chars = text.chars();
    loop {
        match chars.next()? {
            c if c == quote => return Some((value, chars.as_str())),
            '\\' => match (chars.next()?, quote) {
                ('n', '"') => value.push('\n'),
                ('r', '"') => value.push('\r'),
                ('t', '"') => value.push('\t'),
                (c, _) if c == quote || c == '\\' => value.push(c),
                (c, _) => value.extend(['\\', c]),
            },
            c => value.push(c),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_django_projects_file_reads_as_it_does_there() {
        let text = "\u{feff}# mail\r\n\
            EMAIL_HOST=smtp.gmail.com\r\n\
            export EMAIL_HOST_PASSWORD = abcd efgh ijkl mnop   # app password\n\
            A=\n\
            B=pa#ss$word\n\
            C=\"two\\nlines \\\" # no comment\" # a comment\n\
            D='a\\nb'\n\
            E=\"first\nsecond\"\n\
            DEFAULT_FROM_EMAIL=微光 <hi@example.com>\n\
            F=#nothing\n\
            G=\"Ann, A.\" <ann@example.com> # who\n";
        let (lines, refused) = parse(text);
        let read: Vec<_> = lines
            .iter()
            .map(|line| (line.number, &*line.variable, &*line.value))
            .collect();
        assert_eq!(
            read,
            [
                (2, "EMAIL_HOST", "smtp.gmail.com"),
                (3, "EMAIL_HOST_PASSWORD", "abcd efgh ijkl mnop"),
                (4, "A", ""),
                (5, "B", "pa#ss$word"),
                (6, "C", "two\nlines \" # no comment"),
                (7, "D", "a\\nb"),
                (8, "E", "first\nsecond"),
                (10, "DEFAULT_FROM_EMAIL", "微光 <hi@example.com>"),
                (11, "F", ""),
                (12, "G", "\"Ann, A.\" <ann@example.com>"),
            ]
        );
        assert!(refused.is_empty());
    }

    #[test]
    fn a_line_that_says_nothing_is_refused_by_its_number_and_alone() {
        let (lines, refused) = parse(
            "export EMAIL_HOST smtp.example.com\nA=1\nTWO WORDS=3\nB='tis the season\nC='2'\n\
             D=\"open\nE=3",
        );
        let read: Vec<_> = lines
            .iter()
            .map(|line| (&*line.variable, &*line.value))
            .collect();
        assert_eq!(read, [("A", "1"), ("C", "2"), ("E", "3")]);
        let refused: Vec<_> = refused
            .iter()
            .map(|refused| (refused.number, &*refused.variable))
            .collect();
        assert_eq!(refused, [(1, "EMAIL_HOST"), (3, "TWO"), (4, "B"), (6, "D")]);
    }
}
