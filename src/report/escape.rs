//! Escaping of text that a peer had a part in.
//!
//! A server under test may send anything, and pieces of it are quoted in details and notes. Before
//! such text is shown, every character that could act on a terminal, hide, or turn the direction of
//! writing is replaced by its number: `\u{1b}`. What is printed so can still be read and searched.

use std::fmt::{self, Display, Write as _};

/// Whether a character may be shown as it is.
#[must_use]
pub fn is_harmless(c: char) -> bool {
    !c.is_control()
        && !matches!(c,
            // Directions of writing.
            '\u{061c}' | '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}'
            // Ends of lines that do not look so.
            | '\u{2028}' | '\u{2029}'
            // Nothing to be seen.
            | '\u{00ad}' | '\u{180e}' | '\u{200b}'..='\u{200d}' | '\u{2060}'..='\u{2065}'
            | '\u{206a}'..='\u{206f}' | '\u{feff}' | '\u{fff9}'..='\u{fffb}' | '\u{e0000}'..='\u{e007f}'
        )
        // The last two of each plane are no characters; XML forbids some of them.
        && (c as u32) & 0xfffe != 0xfffe
}

/// Shows a text on one line, for a terminal.
#[derive(Debug, Clone, Copy)]
pub struct Line<'a>(pub &'a str);

impl Display for Line<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        each(self.0, f, |c, _, f| f.write_char(c))
    }
}

/// Shows a text on one line of HTML or XML, as content or as the value of an attribute.
#[derive(Debug, Clone, Copy)]
pub struct Html<'a>(pub &'a str);

impl Display for Html<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        each(self.0, f, |c, _, f| match html(c) {
            Some(entity) => f.write_str(entity),
            None => f.write_char(c),
        })
    }
}

/// Shows a text on one line of Markdown, in a cell of a table too.
#[derive(Debug, Clone, Copy)]
pub struct Markdown<'a>(pub &'a str);

impl Display for Markdown<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        each(self.0, f, |c, before, f| match c {
            '\\' | '`' | '*' | '_' | '[' | ']' | '#' | '|' | '~' | '!' | '$' => {
                f.write_char('\\')?;
                f.write_char(c)
            }
            // Neither a person nor an address is to be called by a report.
            '@' => f.write_str("&#64;"),
            '/' if before.ends_with(':') => f.write_str("&#47;"),
            '.' if before.ends_with(['w', 'W']) => f.write_str("&#46;"),
            _ => match html(c) {
                Some(entity) => f.write_str(entity),
                None => f.write_char(c),
            },
        })
    }
}

/// Several lines, each shown by itself and indented; a last empty one is left out.
pub(crate) fn lines(text: &str) -> impl Iterator<Item = Line<'_>> {
    text.lines().map(Line)
}

/// Shows the harmless characters, each with what is before it, by `show`, the others as numbers.
fn each(
    text: &str,
    f: &mut fmt::Formatter<'_>,
    show: impl Fn(char, &str, &mut fmt::Formatter<'_>) -> fmt::Result,
) -> fmt::Result {
    for (at, c) in text.char_indices() {
        match c {
            '\n' => f.write_str("\\n")?,
            '\r' => f.write_str("\\r")?,
            '\t' => f.write_str("\\t")?,
            _ if is_harmless(c) => show(c, text.get(..at).unwrap_or_default(), f)?,
            _ => write!(f, "\\u{{{:x}}}", u32::from(c))?,
        }
    }
    Ok(())
}

const fn html(c: char) -> Option<&'static str> {
    Some(match c {
        '&' => "&amp;",
        '<' => "&lt;",
        '>' => "&gt;",
        '"' => "&quot;",
        '\'' => "&#39;",
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn what_acts_on_a_terminal_is_replaced_by_its_number() {
        let text = "\u{1b}[31mred\u{9b}2J \u{202e}txt.exe\u{2069} \0\u{7f}\u{feff}\u{ffff}\r\n";
        assert_eq!(
            Line(text).to_string(),
            "\\u{1b}[31mred\\u{9b}2J \\u{202e}txt.exe\\u{2069} \\u{0}\\u{7f}\\u{feff}\\u{ffff}\\r\\n"
        );
    }

    #[test]
    fn what_people_write_is_left_alone() {
        let text = "Müller, 日本語, 👍, עברית: \\ 'x' \"y\" é";
        assert_eq!(Line(text).to_string(), text);
    }

    #[test]
    fn markup_is_only_text() {
        assert_eq!(
            Html("<script>alert('x')</script> ]]> \"&\"").to_string(),
            "&lt;script&gt;alert(&#39;x&#39;)&lt;/script&gt; ]]&gt; &quot;&amp;&quot;"
        );
        assert_eq!(
            Markdown("a|b `c` <i> @all http://x www.x a: b.").to_string(),
            "a\\|b \\`c\\` &lt;i&gt; &#64;all http:&#47;/x www&#46;x a: b."
        );
    }

    proptest! {
        #[test]
        fn no_text_gets_through_with_a_harmful_character(text in any::<String>()) {
            for shown in [Line(&text).to_string(), Html(&text).to_string(), Markdown(&text).to_string()] {
                prop_assert!(shown.chars().all(is_harmless));
            }
            let shown = Html(&text).to_string();
            prop_assert!(!shown.contains(['<', '>', '"', '\'']));
        }
    }
}
