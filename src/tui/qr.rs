//! A link as a QR code made of characters, so that it gets onto a telephone.

use qrcode::Color;
use qrcode::EcLevel;
use qrcode::QrCode;
use ratatui::style;

/// How it is drawn, whatever the theme: cameras want dark on light.
pub const STYLE: style::Style = style::Style::new()
    .fg(style::Color::Black)
    .bg(style::Color::White);

/// `text` as lines of characters, dark modules as ink; none where it does not fit into `width`
/// columns and `height` rows. Two modules stand in one character above one another, or with
/// `ascii` one module in two characters.
pub fn lines(text: &str, width: u16, height: u16, ascii: bool) -> Option<Vec<String>> {
    // What is longer than that is dense beyond what a camera reads from a screen.
    if text.len() > 1_200 {
        return None;
    }
    let code = QrCode::with_error_correction_level(text, EcLevel::L).ok()?;
    // The standard wants a margin of four modules; cameras do with two.
    [4, 2].into_iter().find_map(|margin| {
        let side = code.width() + 2 * margin;
        let (columns, rows) = match ascii {
            true => (2 * side, side),
            false => (side, side.div_ceil(2)),
        };
        let fits = columns <= width.into() && rows <= height.into();
        fits.then(|| draw(&code, margin, ascii))
    })
}

fn draw(code: &QrCode, margin: usize, ascii: bool) -> Vec<String> {
    let inner = margin..margin + code.width();
    let side = code.width() + 2 * margin;
    let dark = |x: usize, y: usize| {
        let inside = inner.contains(&x) && inner.contains(&y);
        inside && code[(x - margin, y - margin)] == Color::Dark
    };
    if ascii {
        let row = |y| {
            (0..side)
                .map(|x| if dark(x, y) { "##" } else { "  " })
                .collect()
        };
        return (0..side).map(row).collect();
    }
    let pair = |x, y| match (dark(x, y), dark(x, y + 1)) {
        (true, true) => '█',
        (true, false) => '▀',
        (false, true) => '▄',
        (false, false) => ' ',
    };
    let rows = (0..side).step_by(2);
    rows.map(|y| (0..side).map(|x| pair(x, y)).collect())
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The modules that stand in lines, without their margin.
    fn modules(lines: &[String], ascii: bool, margin: usize, side: usize) -> Vec<bool> {
        let mut rows: Vec<Vec<bool>> = Vec::new();
        for line in lines {
            let chars: Vec<char> = line.chars().collect();
            if ascii {
                rows.push(chars.chunks(2).map(|pair| pair == ['#', '#']).collect());
            } else {
                rows.push(chars.iter().map(|c| matches!(c, '█' | '▀')).collect());
                rows.push(chars.iter().map(|c| matches!(c, '█' | '▄')).collect());
            }
        }
        let inner = margin..margin + side;
        let rows = rows[inner.clone()].iter();
        rows.flat_map(|row| row[inner.clone()].to_vec()).collect()
    }

    #[test]
    fn the_characters_are_the_modules() {
        let link = "https://example.com/reset#token=abcdefghijklmnopqrstuvwxyz";
        let code = QrCode::with_error_correction_level(link, EcLevel::L).unwrap();
        for ascii in [false, true] {
            let drawn = lines(link, 200, 200, ascii).unwrap();
            let read = modules(&drawn, ascii, 4, code.width());
            assert_eq!(
                read,
                code.to_colors()
                    .iter()
                    .map(|c| *c == Color::Dark)
                    .collect::<Vec<_>>()
            );
        }
    }

    #[test]
    fn the_margin_shrinks_before_it_is_given_up() {
        let side = QrCode::with_error_correction_level("x", EcLevel::L)
            .unwrap()
            .width() as u16;
        let tall = (side + 8).div_ceil(2);
        assert_eq!(
            lines("x", side + 8, tall, false).unwrap().len(),
            usize::from(tall)
        );
        let tight = lines("x", side + 4, tall, false).unwrap();
        assert_eq!(tight[0].chars().count(), usize::from(side + 4));
        assert_eq!(lines("x", side + 3, tall, false), None);
        assert_eq!(lines("x", 200, 5, false), None);
        assert_eq!(lines(&"x".repeat(5_000), 999, 999, false), None);
    }
}
