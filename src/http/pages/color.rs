//! The team's colour, and those that follow from it so that everything stays readable (WCAG 2.2,
//! 1.4.3: 4.5 to 1).

use std::fmt;
use std::str::FromStr;

/// A colour of sRGB.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Color([u8; 3]);

/// Not a colour.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a colour such as #2456d6")]
pub struct MalformedColor;

impl FromStr for Color {
    type Err = MalformedColor;

    fn from_str(text: &str) -> Result<Color, MalformedColor> {
        let digits = text.strip_prefix('#').ok_or(MalformedColor)?;
        if !digits.bytes().all(|b| b.is_ascii_hexdigit()) {
            return Err(MalformedColor);
        }
        let part = |at: usize, width: usize| {
            let part = digits.get(at * width..(at + 1) * width);
            let value = u8::from_str_radix(part.ok_or(MalformedColor)?, 16);
            value.map_err(|_| MalformedColor)
        };
        match digits.len() {
            3 => Ok(Color([
                part(0, 1)? * 17,
                part(1, 1)? * 17,
                part(2, 1)? * 17,
            ])),
            6 => Ok(Color([part(0, 2)?, part(1, 2)?, part(2, 2)?])),
            _ => Err(MalformedColor),
        }
    }
}

impl fmt::Display for Color {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let [r, g, b] = self.0;
        write!(f, "#{r:02x}{g:02x}{b:02x}")
    }
}

/// What the pages of pages.css are written on.
const LIGHT: Color = Color([0xf3, 0xf4, 0xf7]);
const DARK: Color = Color([0x22, 0x26, 0x2e]);
const WHITE: Color = Color([0xff; 3]);
const BLACK: Color = Color([0x11; 3]);
/// The least contrast of text.
const READABLE: f64 = 4.6;

impl Color {
    /// Relative luminance (WCAG 2.2, glossary).
    fn luminance(self) -> f64 {
        let [r, g, b] = self.0.map(|part| {
            let part = f64::from(part) / 255.0;
            match part <= 0.04045 {
                true => part / 12.92,
                false => ((part + 0.055) / 1.055).powf(2.4),
            }
        });
        0.2126 * r + 0.7152 * g + 0.0722 * b
    }

    fn contrast(self, other: Color) -> f64 {
        let (a, b) = (self.luminance(), other.luminance());
        (a.max(b) + 0.05) / (a.min(b) + 0.05)
    }

    /// Every part a step of 255 towards `to`.
    fn towards(self, to: Color) -> Color {
        let mut parts = self.0;
        for (part, to) in parts.iter_mut().zip(to.0) {
            let distance = i32::from(to) - i32::from(*part);
            let step = distance.signum() * (distance.abs() / 16).max(i32::from(distance != 0));
            *part = u8::try_from(i32::from(*part) + step).unwrap_or(to);
        }
        Color(parts)
    }

    fn readable_on(self, ground: Color, towards: Color) -> Color {
        let mut color = self;
        while color.contrast(ground) < READABLE && color != towards {
            color = color.towards(towards);
        }
        color
    }

    /// The variables of pages.css that follow from the team's colour.
    pub fn stylesheet(self) -> String {
        let on = match self.contrast(WHITE) >= self.contrast(BLACK) {
            true => WHITE,
            false => BLACK,
        };
        let light = self.readable_on(LIGHT, BLACK);
        let dark = self.readable_on(DARK, WHITE);
        format!(
            ":root{{--brand:{self};--on-brand:{on};--brand-text:{light}}}\n\
             @media (prefers-color-scheme:dark){{:root{{--brand-text:{dark}}}}}\n"
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn whatever_the_team_likes_can_be_read() {
        for text in [
            "#000", "#ffffff", "#2456d6", "#ffd400", "#808080", "#0f0", "#f00",
        ] {
            let color: Color = text.parse().unwrap();
            assert!(
                color.readable_on(LIGHT, BLACK).contrast(LIGHT) >= 4.5,
                "{text}"
            );
            assert!(
                color.readable_on(DARK, WHITE).contrast(DARK) >= 4.5,
                "{text}"
            );
            let best = color.contrast(WHITE).max(color.contrast(BLACK));
            assert!(best >= 4.3, "{text}: {best}");
        }
        assert!(Color([255; 3]).contrast(Color([0; 3])) > 20.9);
    }

    #[test]
    fn what_is_no_colour_is_refused() {
        for text in ["", "blue", "#12", "#12345", "#gggggg", "#ééé", "2456d6"] {
            assert_eq!(text.parse::<Color>(), Err(MalformedColor), "{text}");
        }
        assert_eq!("#abc".parse::<Color>().unwrap().to_string(), "#aabbcc");
    }
}
