//! Rust sources as far as the rules need to read them: which paths stand in a file, outside comments,
//! strings and what is compiled for tests only.

use super::tree::File;
use proc_macro2::{Delimiter, Punct, Spacing, TokenStream, TokenTree};

/// A source file.
pub(super) struct Source {
    pub(super) path: String,
    /// The module that it is, from the root of the crate; empty for lib.rs.
    module: Vec<String>,
    pub(super) imports: Vec<Import>,
    pub(super) texts: Vec<Text>,
    /// Modules of other files that are for tests only.
    test_modules: Vec<Vec<String>>,
}

/// A string that stands in a file, between its quotes.
pub(super) struct Text {
    pub(super) line: usize,
    pub(super) text: String,
    /// The path in front of it, if nothing but a comma is between: the argument before.
    pub(super) behind: Vec<String>,
    /// Whether it is what `say!` begins with: a template for people.
    pub(super) is_said: bool,
}

/// A path of two or more names that stands in a file, whether imported or used in place.
pub(super) struct Import {
    pub(super) line: usize,
    /// Its names; `crate` comes first where it leads into this crate.
    pub(super) path: Vec<String>,
}

impl Import {
    /// The room that it leads into, if it leads into this crate.
    pub(super) fn room(&self) -> Option<&str> {
        match self.path.as_slice() {
            [first, room, ..] if first == "crate" || first == "framespec" => Some(room),
            _ => None,
        }
    }

    /// Whether these names, joined by `::`, stand in it one behind the other.
    pub(super) fn holds(&self, names: &str) -> bool {
        let names: Vec<_> = names.split("::").collect();
        self.path.windows(names.len()).any(|part| part == names)
    }
}

impl Source {
    pub(super) fn of(file: &File) -> Self {
        let module = module_of(&file.path);
        let mut tokens = tokens(&file.text);
        let test_modules = take_tests(&mut tokens)
            .into_iter()
            .map(|name| [module.as_slice(), &[name]].concat())
            .collect();
        let imports = paths(&tokens)
            .into_iter()
            .filter_map(|import| from_the_root(import, &module))
            .collect();
        let texts = texts(&tokens);
        Self {
            path: file.path.clone(),
            module,
            imports,
            texts,
            test_modules,
        }
    }

    /// The module at the root of the crate that it belongs to; `bin` for the program.
    pub(super) fn room(&self) -> &str {
        self.module.first().map_or("", String::as_str)
    }

    pub(super) fn declares_as_test(&self, other: &Self) -> bool {
        let within = |test: &Vec<String>| other.module.starts_with(test);
        self.test_modules.iter().any(within)
    }
}

fn module_of(path: &str) -> Vec<String> {
    let inside = path.strip_prefix("src/").unwrap_or(path);
    let inside = inside.strip_suffix(".rs").unwrap_or(inside);
    let mut module: Vec<_> = inside.split('/').map(str::to_owned).collect();
    if matches!(module.last().map(String::as_str), Some("mod" | "lib")) {
        module.pop();
    }
    module
}

/// Resolves `super` and `self`, and drops what is no more than one name long.
fn from_the_root(import: Import, module: &[String]) -> Option<Import> {
    let mut names = import.path.iter().peekable();
    let mut base = module.to_vec();
    let mut relative = false;
    while let Some(name) = names.next_if(|name| *name == "super" || *name == "self") {
        relative = true;
        if name == "super" {
            base.pop();
        }
    }
    let mut path: Vec<_> = names.cloned().collect();
    if relative {
        path = [vec!["crate".to_owned()], base, path].concat();
    }
    (path.len() > 1 || import.path.len() > 1).then_some(Import { path, ..import })
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Token {
    Name(String),
    Text(String),
    Sign(char),
    /// `::`.
    Of,
}

type Line = usize;

fn is_sign(token: Option<&(Token, Line)>, sign: char) -> bool {
    token.is_some_and(|(token, _)| *token == Token::Sign(sign))
}

fn name(token: Option<&(Token, Line)>) -> Option<&str> {
    match token {
        Some((Token::Name(name), _)) => Some(name),
        _ => None,
    }
}

/// Names, strings and signs in the order of the text. Other literals are left out; comments are no tokens.
fn tokens(text: &str) -> Vec<(Token, Line)> {
    let stream: TokenStream = text.parse().expect("the tokens of a Rust source");
    let mut found = Vec::new();
    flatten(stream, &mut found);
    found
}

fn flatten(stream: TokenStream, found: &mut Vec<(Token, Line)>) {
    let mut trees = stream.into_iter().peekable();
    while let Some(tree) = trees.next() {
        let line = tree.span().start().line;
        match tree {
            TokenTree::Ident(name) => found.push((Token::Name(name.to_string()), line)),
            TokenTree::Punct(sign) if is_of(&sign, trees.peek()) => {
                trees.next();
                found.push((Token::Of, line));
            }
            TokenTree::Punct(sign) => found.push((Token::Sign(sign.as_char()), line)),
            TokenTree::Group(group) => {
                let (open, close) = brackets(group.delimiter());
                found.extend(open.map(|open| (Token::Sign(open), line)));
                flatten(group.stream(), found);
                let line = group.span_close().start().line;
                found.extend(close.map(|close| (Token::Sign(close), line)));
            }
            TokenTree::Literal(literal) => {
                if let Some(text) = unquoted(&literal.to_string()) {
                    found.push((Token::Text(text), line));
                }
            }
        }
    }
}

/// What stands between the quotes of a literal, if it is a string.
fn unquoted(literal: &str) -> Option<String> {
    let bare = literal
        .trim_start_matches(['b', 'c', 'r'])
        .trim_matches('#');
    let inner = bare.strip_prefix('"')?.strip_suffix('"')?;
    Some(inner.to_owned())
}

fn is_of(sign: &Punct, next: Option<&TokenTree>) -> bool {
    let follows = matches!(next, Some(TokenTree::Punct(next)) if next.as_char() == ':');
    sign.as_char() == ':' && sign.spacing() == Spacing::Joint && follows
}

fn brackets(delimiter: Delimiter) -> (Option<char>, Option<char>) {
    match delimiter {
        Delimiter::Parenthesis => (Some('('), Some(')')),
        Delimiter::Brace => (Some('{'), Some('}')),
        Delimiter::Bracket => (Some('['), Some(']')),
        Delimiter::None => (None, None),
    }
}

/// Takes out every item that is compiled for tests only. Gives the names of modules in other files
/// among them.
fn take_tests(tokens: &mut Vec<(Token, Line)>) -> Vec<String> {
    let mut modules = Vec::new();
    let mut kept = Vec::new();
    let mut at = 0;
    while at < tokens.len() {
        match test_attribute(&tokens[at..]) {
            None => {
                kept.push(tokens[at].clone());
                at += 1;
            }
            Some(attribute) => {
                let item = &tokens[at + attribute..];
                let length = item_length(item);
                let inner = &item[..length];
                if let [.., module, end] = inner
                    && is_sign(Some(end), ';')
                    && inner.iter().any(|token| name(Some(token)) == Some("mod"))
                {
                    modules.extend(name(Some(module)).map(str::to_owned));
                }
                at += attribute + length;
            }
        }
    }
    *tokens = kept;
    modules
}

/// The length of `#[cfg(test)]`, if it stands here.
fn test_attribute(tokens: &[(Token, Line)]) -> Option<usize> {
    let here = |at: usize| tokens.get(at);
    let is_it = is_sign(here(0), '#')
        && is_sign(here(1), '[')
        && name(here(2)) == Some("cfg")
        && is_sign(here(3), '(')
        && name(here(4)) == Some("test")
        && is_sign(here(5), ')')
        && is_sign(here(6), ']');
    is_it.then_some(7)
}

/// The length of an item: up to its closing brace, or its semicolon.
fn item_length(tokens: &[(Token, Line)]) -> usize {
    let mut depth = 0_usize;
    for (at, (token, _)) in tokens.iter().enumerate() {
        match token {
            Token::Sign('{' | '(' | '[') => depth += 1,
            Token::Sign(')' | ']') => depth -= 1,
            Token::Sign('}') if depth == 1 => return at + 1,
            Token::Sign('}') => depth -= 1,
            Token::Sign(';') if depth == 0 => return at + 1,
            _ => {}
        }
    }
    tokens.len()
}

/// Every string, with the argument before it.
fn texts(tokens: &[(Token, Line)]) -> Vec<Text> {
    let mut found = Vec::new();
    for (at, (token, line)) in tokens.iter().enumerate() {
        let Token::Text(text) = token else { continue };
        let before = &tokens[..at];
        let behind = match before.split_last() {
            Some((comma, before)) if is_sign(Some(comma), ',') => path_before(before),
            _ => Vec::new(),
        };
        found.push(Text {
            line: *line,
            text: text.clone(),
            behind,
            is_said: is_said(before),
        });
    }
    found
}

/// Whether these tokens end in `say!(`.
fn is_said(before: &[(Token, Line)]) -> bool {
    let from_end = |back: usize| before.len().checked_sub(back).and_then(|at| before.get(at));
    is_sign(from_end(1), '(') && is_sign(from_end(2), '!') && name(from_end(3)) == Some("say")
}

/// The path that ends where these tokens do.
fn path_before(tokens: &[(Token, Line)]) -> Vec<String> {
    let is_of_path = |(token, _): &&(Token, Line)| matches!(token, Token::Name(_) | Token::Of);
    let path = tokens.iter().rev().take_while(is_of_path);
    let mut names: Vec<_> = path.filter_map(|token| name(Some(token))).collect();
    names.reverse();
    names.into_iter().map(str::to_owned).collect()
}

/// Every path, with groups in braces written out.
fn paths(tokens: &[(Token, Line)]) -> Vec<Import> {
    let mut found = Vec::new();
    let mut at = 0;
    while at < tokens.len() {
        at = if name(tokens.get(at)).is_some() {
            path(tokens, at, &[], &mut found)
        } else {
            at + 1
        };
    }
    found
}

/// Reads the path that begins at a name, behind a prefix. Gives the place behind it.
fn path(
    tokens: &[(Token, Line)],
    mut at: usize,
    prefix: &[String],
    found: &mut Vec<Import>,
) -> usize {
    let line = tokens.get(at).map_or(0, |(_, line)| *line);
    let mut path = prefix.to_vec();
    while let Some(word) = name(tokens.get(at)) {
        if word != "self" || path.is_empty() {
            path.push(word.to_owned());
        }
        at += 1;
        if !tokens.get(at).is_some_and(|(token, _)| *token == Token::Of) {
            break;
        }
        at += 1;
        if is_sign(tokens.get(at), '{') {
            return group(tokens, at + 1, &path, found);
        }
    }
    found.push(Import { line, path });
    at
}

/// Reads what stands in braces behind a prefix. Gives the place behind the closing one.
fn group(
    tokens: &[(Token, Line)],
    mut at: usize,
    prefix: &[String],
    found: &mut Vec<Import>,
) -> usize {
    while at < tokens.len() && !is_sign(tokens.get(at), '}') {
        at = match name(tokens.get(at)) {
            // The name behind it is new, and leads nowhere.
            Some("as") => at + 2,
            Some(_) => path(tokens, at, prefix, found),
            None => at + 1,
        };
    }
    at + 1
}
