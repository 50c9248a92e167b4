//! Durations and moments in people's words, in each language. Sentences belong to the templates.

use std::time::Duration;

use crate::language::Language;
use crate::world::Timestamp;

/// `10 minutes`, `1 hour 30 minutes`, `10 分鐘`, `2 天`: rounded down to whole minutes, at least
/// one, so that nobody is promised more than there is.
pub fn duration(duration: Duration, language: Language) -> String {
    let minutes = (duration.as_secs() / 60).max(1);
    let (days, hours, minutes) = (minutes / 1440, minutes / 60 % 24, minutes % 60);
    let units = match language {
        Language::En => [" day", " hour", " minute"],
        Language::ZhHant => [" 天", " 小時", " 分鐘"],
        Language::ZhHans => [" 天", " 小时", " 分钟"],
    };
    let mut words = Vec::new();
    for (count, unit) in [days, hours, minutes].into_iter().zip(units) {
        if count > 0 {
            let plural = language == Language::En && count > 1;
            words.push(format!("{count}{unit}{}", if plural { "s" } else { "" }));
        }
    }
    words.join(" ")
}

/// `1 January 2026, 00:00 UTC` or `2026 年 1 月 1 日 00:00（UTC）`.
pub fn moment(at: Timestamp, language: Language) -> String {
    const MONTHS: [&str; 12] = [
        "January",
        "February",
        "March",
        "April",
        "May",
        "June",
        "July",
        "August",
        "September",
        "October",
        "November",
        "December",
    ];
    let Ok(time) = jiff::Timestamp::from_millisecond(at.as_millis()) else {
        return at.to_string();
    };
    let time = time.to_zoned(jiff::tz::TimeZone::UTC);
    let (year, month, day) = (time.year(), time.month(), time.day());
    let (hour, minute) = (time.hour(), time.minute());
    match language {
        Language::En => {
            let month = MONTHS[usize::from(month.unsigned_abs()) - 1];
            format!("{day} {month} {year}, {hour:02}:{minute:02} UTC")
        }
        Language::ZhHant | Language::ZhHans => {
            format!("{year} 年 {month} 月 {day} 日 {hour:02}:{minute:02}（UTC）")
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_read_as_people_say_them() {
        let minutes = |m: u64| Duration::from_secs(m * 60);
        assert_eq!(duration(minutes(10), Language::En), "10 minutes");
        assert_eq!(duration(minutes(60), Language::En), "1 hour");
        assert_eq!(duration(minutes(90), Language::ZhHant), "1 小時 30 分鐘");
        assert_eq!(duration(minutes(2880), Language::ZhHans), "2 天");
        assert_eq!(duration(Duration::from_secs(5), Language::En), "1 minute");
    }

    #[test]
    fn moments_are_written_out_in_utc() {
        let at = Timestamp::from_millis(1_767_225_600_000);
        assert_eq!(moment(at, Language::En), "1 January 2026, 00:00 UTC");
        assert_eq!(
            moment(at, Language::ZhHant),
            "2026 年 1 月 1 日 00:00（UTC）"
        );
        let far = Timestamp::from_millis(i64::MAX);
        assert!(!moment(far, Language::En).is_empty());
    }
}
