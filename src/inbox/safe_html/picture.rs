//! Pictures that a mail brings itself, as `data:` URIs. What a picture is, is read from its first
//! bytes and not from what the sender calls it; it is not decoded. One that says it is huge is
//! refused: a browser would take memory for all of it.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

/// The longest picture, in bytes.
pub(super) const BYTES: usize = 4 << 20;

/// The most pixels of a picture.
const PIXELS: u64 = 40_000_000;

/// The picture as a `data:` URI, if it is one that is shown.
pub(super) fn encoded(bytes: &[u8]) -> Option<String> {
    let (kind, width, height) = look(bytes)?;
    let fits = u64::from(width) * u64::from(height) <= PIXELS;
    (fits && bytes.len() <= BYTES)
        .then(|| format!("data:image/{kind};base64,{}", STANDARD.encode(bytes)))
}

/// The same of what stands behind the `data:` of a URI.
pub(super) fn again(data: &str) -> Option<String> {
    let (head, data) = data.split_once(',')?;
    let head = head.trim().to_ascii_lowercase();
    if !head.starts_with("image/") || !head.ends_with(";base64") || data.len() > 2 * BYTES {
        return None;
    }
    let mut data = percent_encoding::percent_decode_str(data).collect::<Vec<u8>>();
    data.retain(|byte| !byte.is_ascii_whitespace());
    encoded(&STANDARD.decode(data).ok()?)
}

/// The kind of the picture, its width and its height.
fn look(bytes: &[u8]) -> Option<(&'static str, u32, u32)> {
    if bytes.starts_with(b"\x89PNG\r\n\x1a\n") {
        return Some(("png", be32(bytes, 16)?, be32(bytes, 20)?));
    }
    if bytes.starts_with(b"GIF87a") || bytes.starts_with(b"GIF89a") {
        return Some(("gif", le16(bytes, 6)?, le16(bytes, 8)?));
    }
    if bytes.starts_with(b"\xff\xd8\xff") {
        let (width, height) = jpeg(bytes)?;
        return Some(("jpeg", width, height));
    }
    if bytes.starts_with(b"RIFF") && bytes.get(8..12)? == b"WEBP" {
        let (width, height) = webp(bytes)?;
        return Some(("webp", width, height));
    }
    None
}

/// Width and height stand in the segment that begins a frame.
fn jpeg(bytes: &[u8]) -> Option<(u32, u32)> {
    let mut at = 2;
    loop {
        if *bytes.get(at)? != 0xff {
            return None;
        }
        match *bytes.get(at + 1)? {
            // Padding, and markers without a segment.
            0xff => at += 1,
            0x01 | 0xd0..=0xd8 => at += 2,
            0xc0..=0xc3 | 0xc5..=0xc7 | 0xc9..=0xcb | 0xcd..=0xcf => {
                return Some((be16(bytes, at + 7)?, be16(bytes, at + 5)?));
            }
            0xd9 | 0xda => return None,
            _ => at += 2 + usize::try_from(be16(bytes, at + 2)?.max(2)).ok()?,
        }
    }
}

fn webp(bytes: &[u8]) -> Option<(u32, u32)> {
    match bytes.get(12..16)? {
        b"VP8X" => {
            let side = |at| Some((le16(bytes, at)? | u32::from(*bytes.get(at + 2)?) << 16) + 1);
            Some((side(24)?, side(27)?))
        }
        b"VP8L" => {
            let bits = le16(bytes, 21)? | le16(bytes, 23)? << 16;
            Some(((bits & 0x3fff) + 1, (bits >> 14 & 0x3fff) + 1))
        }
        b"VP8 " => Some((le16(bytes, 26)? & 0x3fff, le16(bytes, 28)? & 0x3fff)),
        _ => None,
    }
}

fn be32(bytes: &[u8], at: usize) -> Option<u32> {
    let four = bytes.get(at..at + 4)?;
    Some(u32::from_be_bytes(four.try_into().ok()?))
}

fn be16(bytes: &[u8], at: usize) -> Option<u32> {
    let two = bytes.get(at..at + 2)?;
    Some(u16::from_be_bytes(two.try_into().ok()?).into())
}

fn le16(bytes: &[u8], at: usize) -> Option<u32> {
    let two = bytes.get(at..at + 2)?;
    Some(u16::from_le_bytes(two.try_into().ok()?).into())
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;

    /// The first bytes of a PNG of that size: enough to be taken for one.
    pub(in super::super) fn png(width: u32, height: u32) -> Vec<u8> {
        let mut bytes = b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR".to_vec();
        bytes.extend(width.to_be_bytes());
        bytes.extend(height.to_be_bytes());
        bytes.extend([8, 6, 0, 0, 0]);
        bytes
    }

    #[test]
    fn a_picture_is_what_its_bytes_say() {
        let gif = b"GIF89a\x02\0\x03\0\x80\0\0".as_slice();
        let jpeg = b"\xff\xd8\xff\xe0\0\x04ab\xff\xff\xc2\0\x11\x08\0\x05\0\x07\x03".as_slice();
        let webp = b"RIFF\0\0\0\0WEBPVP8X\0\0\0\0\0\0\0\0\x09\0\0\x13\0\0".as_slice();
        let lossless = b"RIFF\0\0\0\0WEBPVP8L\0\0\0\0\x2f\x03\xc0\0\0".as_slice();
        assert_eq!(look(&png(4, 5)), Some(("png", 4, 5)));
        assert_eq!(look(gif), Some(("gif", 2, 3)));
        assert_eq!(look(jpeg), Some(("jpeg", 7, 5)));
        assert_eq!(look(webp), Some(("webp", 10, 20)));
        assert_eq!(look(lossless), Some(("webp", 4, 4)));
        for other in [
            b"<svg xmlns='http://www.w3.org/2000/svg'/>".as_slice(),
            b"<html>",
            b"",
            b"GIF89a",
            b"\xff\xd8\xff\xda\0\0",
            b"RIFF\0\0\0\0WAVE",
        ] {
            assert_eq!(look(other), None);
        }
    }

    #[test]
    fn huge_pictures_are_refused() {
        assert!(encoded(&png(8_000, 5_000)).is_some());
        assert!(encoded(&png(8_000, 5_001)).is_none());
        assert!(encoded(&png(u32::MAX, u32::MAX)).is_none());
        let mut long = png(1, 1);
        long.resize(BYTES + 1, 0);
        assert!(encoded(&long).is_none());
    }

    #[test]
    fn a_uri_is_decoded_and_encoded_again() {
        let uri = encoded(&png(1, 1)).unwrap();
        let data = uri.strip_prefix("data:").unwrap();
        assert_eq!(again(data).as_deref(), Some(&*uri));
        let lied = data.replace("image/png", "IMAGE/svg+xml; charset=\"x\"");
        assert_eq!(again(&lied).as_deref(), Some(&*uri));
        let spaced = data.replace("R0", "R%0A0");
        assert_eq!(again(&spaced).as_deref(), Some(&*uri));
        assert_eq!(again(&data.replace("image/png", "text/html")), None);
        assert_eq!(again(&data.replace(";base64", "")), None);
        assert_eq!(again("image/svg+xml;base64,PHN2Zz4="), None);
        assert_eq!(again("image/png;base64,\"onerror=x"), None);
    }
}
