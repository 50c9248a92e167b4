//! Which characters nobody sees: a text with one of them is not what it looks like. Whether that
//! makes the text unacceptable is decided by whoever takes it. And how a word is quoted in a shell.

/// Whether `c` is a control character, is not shown at all, or turns the direction of what is
/// around it. Spaces that are as wide as they look are not meant.
pub fn hides(c: char) -> bool {
    c.is_control()
        || matches!(c,
            // Soft hyphen, grapheme joiner, Arabic letter mark.
            '\u{ad}' | '\u{34f}' | '\u{61c}'
            // Fillers: letters by their category, blank to the eye; so is the empty Braille cell.
            | '\u{115f}'..='\u{1160}' | '\u{3164}' | '\u{ffa0}' | '\u{2800}'
            // Khmer inherent vowels, Mongolian selectors and vowel separator.
            | '\u{17b4}'..='\u{17b5}' | '\u{180b}'..='\u{180f}'
            // Zero-width spaces, joiners and marks; separators, embeddings and overrides.
            | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}'
            | '\u{feff}' | '\u{fff9}'..='\u{fffb}'
            // Tags and the supplementary variation selectors.
            | '\u{e0000}'..='\u{e0fff}')
}

/// Whether `c`, which [`hides`], shapes what is beside it: some scripts, names and emoji cannot
/// be written without, so it may stand in a text that is only shown.
pub fn shapes(c: char) -> bool {
    matches!(c,
        // The joiners, for Persian, Indic scripts and emoji of several people.
        '\u{200c}' | '\u{200d}'
        // Mongolian letters in another form.
        | '\u{180b}'..='\u{180d}' | '\u{180f}'
        // Ideographs in the form that a family writes its name in.
        | '\u{e0100}'..='\u{e01ef}')
}

/// Whether there is anything to be seen in `text`.
pub fn is_visible(text: &str) -> bool {
    // The variation selectors of emoji do not hide anything, but are nothing by themselves.
    let seen = |c: char| !hides(c) && !c.is_whitespace() && !matches!(c, '\u{fe00}'..='\u{fe0f}');
    text.chars().any(seen)
}

/// A word as it is typed in a shell: as it is where no shell reads anything into it, or quoted.
pub fn quoted(word: &str) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || "-_./:@%+=,".contains(c);
    match !word.is_empty() && word.chars().all(plain) {
        true => word.to_owned(),
        false => format!("'{}'", word.replace('\'', r"'\''")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_word_is_quoted_where_a_shell_reads_something_into_it() {
        assert_eq!(quoted("/var/lib/gate-post_1"), "/var/lib/gate-post_1");
        assert_eq!(quoted("my data"), "'my data'");
        assert_eq!(quoted("it's $HOME; *"), r"'it'\''s $HOME; *'");
        assert_eq!(quoted(""), "''");
        assert_eq!(quoted("資料"), "'資料'");
    }

    #[test]
    fn what_nobody_sees_hides_and_letters_of_any_script_do_not() {
        for c in
            "\0\n\u{7f}\u{85}\u{ad}\u{34f}\u{61c}\u{115f}\u{1160}\u{17b4}\u{180e}\u{200b}\u{200d}\
             \u{202e}\u{2064}\u{2066}\u{2800}\u{3164}\u{feff}\u{ffa0}\u{fffa}\u{e0001}\u{e0100}"
                .chars()
        {
            assert!(hides(c), "{c:?}");
        }
        for c in "aé字가กि\u{301}\u{fe0f}👩 \u{3000}\u{2801}".chars() {
            assert!(!hides(c), "{c:?}");
        }
        assert!(is_visible("👩\u{200d}👧") && is_visible("\u{2067}a"));
        assert!(!is_visible("") && !is_visible(" \u{200d}\u{fe0f}\u{3164}\u{2800}"));
    }
}
