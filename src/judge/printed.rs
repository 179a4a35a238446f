//! Strings as languages print them, read back.

/// A text in which escapes have become what they stand for, in whatever language they were printed:
/// `\n`, `\x0a`, `\u000a`, `\u{a}`, `\U0000000a`. What is no escape stays as it is.
pub(super) fn unescaped(printed: &str) -> String {
    let mut out = String::with_capacity(printed.len());
    let mut rest = printed;
    while let Some((plain, escape)) = rest.split_once('\\') {
        out.push_str(plain);
        match read(escape) {
            Some((meant, behind)) => {
                out.push(meant);
                rest = behind;
            }
            None => {
                out.push('\\');
                rest = escape;
            }
        }
    }
    out.push_str(rest);
    out
}

/// What stands behind a backslash: the character that is meant, and what follows.
fn read(escape: &str) -> Option<(char, &str)> {
    let kind = escape.chars().next()?;
    let behind = escape.get(kind.len_utf8()..)?;
    let meant = match kind {
        'x' => return number(behind, 2),
        'u' if behind.starts_with('{') => return braced(behind),
        'u' => return number(behind, 4).or_else(|| pair(behind)),
        'U' => return number(behind, 8),
        'n' => '\n',
        'r' => '\r',
        't' => '\t',
        '0' => '\0',
        'a' => '\u{7}',
        'b' => '\u{8}',
        'v' => '\u{b}',
        'f' => '\u{c}',
        '\\' | '\'' | '"' | '/' => kind,
        _ => return None,
    };
    Some((meant, behind))
}

fn number(text: &str, digits: usize) -> Option<(char, &str)> {
    let (number, behind) = hex(text, digits)?;
    Some((char::from_u32(number)?, behind))
}

fn braced(text: &str) -> Option<(char, &str)> {
    let (digits, behind) = text.strip_prefix('{')?.split_once('}')?;
    Some((number(digits, digits.len())?.0, behind))
}

/// Both halves of a surrogate pair.
fn pair(text: &str) -> Option<(char, &str)> {
    let (high, behind) = hex(text, 4)?;
    let (low, behind) = hex(behind.strip_prefix("\\u")?, 4)?;
    let units = [u16::try_from(high).ok()?, u16::try_from(low).ok()?];
    let meant = char::decode_utf16(units).next()?.ok()?;
    Some((meant, behind))
}

fn hex(text: &str, digits: usize) -> Option<(u32, &str)> {
    let (number, behind) = text.split_at_checked(digits)?;
    let is_hex = number.bytes().all(|octet| octet.is_ascii_hexdigit());
    is_hex.then_some(())?;
    Some((u32::from_str_radix(number, 16).ok()?, behind))
}
