//! A class as a page of HTML: people down, causes across. It needs no script, and leads to the reports beside it.

use super::{Class, Person, Shared};
use crate::lang::say;
use crate::report::escape::Html;
use crate::report::{causes, html};
use std::io::{self, Write};

impl Class {
    /// Writes it as a page.
    ///
    /// # Errors
    /// When `out` fails.
    pub fn write_html(&self, out: &mut dyn Write) -> io::Result<()> {
        let grades = say!("Grades").to_string();
        html::begin(&grades, out)?;
        writeln!(
            out,
            "<header>\n<h1>{grades}</h1>\n<p>{}.</p>\n\
             <p class=\"facts\">{}</p>",
            self.told(),
            say!(
                "profile {profile}, started by {command}",
                profile = Html(&self.profile).to_string(),
                command = format!("<code>{}</code>", Html(&self.command))
            )
        )?;
        for note in &self.notes {
            writeln!(out, "<p class=\"facts\">{}</p>", Html(&note.shown()))?;
        }
        writeln!(out, "</header>\n<main>")?;
        let shared = self.shared();
        self.head(&shared, out)?;
        for person in &self.people {
            row(person, &shared, out)?;
        }
        foot(&shared, out)?;
        of_causes(&shared, self.people.len(), out)?;
        writeln!(out, "</main>")?;
        html::end(out)
    }

    /// The table up to its first row.
    fn head(&self, shared: &[Shared<'_>], out: &mut dyn Write) -> io::Result<()> {
        writeln!(
            out,
            "<div class=\"wide\" tabindex=\"0\" role=\"region\" aria-label=\"{}\">\n\
             <table class=\"class\">\n<thead>\n<tr><th scope=\"col\">{}</th>\
             <th scope=\"col\">{}</th><th scope=\"col\">{}</th>\
             <th scope=\"col\">{}</th>",
            say!("People and causes"),
            say!("name"),
            say!("points of {most}", most = Html(&self.most).to_string()),
            say!("result"),
            say!("first to mend")
        )?;
        for Shared { cause, .. } in shared {
            writeln!(
                out,
                "<th scope=\"col\" class=\"turned\"><a href=\"#{0}\">{0}</a></th>",
                Html(&cause.id)
            )?;
        }
        writeln!(out, "</tr>\n</thead>\n<tbody>")
    }
}

/// Somebody whose server was not there to be checked, for a page to hand back.
#[derive(Debug, Clone, Copy)]
pub struct Absent<'a> {
    /// As the submission is called.
    pub name: &'a str,
    /// Why there was no server.
    pub why: &'a str,
    /// The last of what it wrote to its standard error.
    pub said: &'a str,
    /// The command line by which its author checks it.
    pub again: &'a str,
}

impl Absent<'_> {
    /// Writes it as a page.
    ///
    /// # Errors
    /// When `out` fails.
    pub fn write_html(&self, out: &mut dyn Write) -> io::Result<()> {
        html::begin(self.name, out)?;
        writeln!(
            out,
            "<header>\n<h1>{}</h1>\n<p><span class=\"mark failed\">{}</span> {}</p>\n</header>\n<main>",
            Html(self.name),
            Html(&say!("not served").shown()),
            Html(self.why)
        )?;
        if !self.said.trim().is_empty() {
            let label = say!("The last that it wrote to its standard error:");
            writeln!(
                out,
                "<p>{}</p>\n<pre>{}</pre>",
                Html(&label.shown()),
                Html(self.said)
            )?;
        }
        let label = say!("To try it again, in its folder:");
        writeln!(
            out,
            "<p>{}</p>\n<pre>{}</pre>\n</main>",
            Html(&label.shown()),
            Html(self.again)
        )?;
        html::end(out)
    }
}

fn row(person: &Person, shared: &[Shared<'_>], out: &mut dyn Write) -> io::Result<()> {
    let name = Html(&person.name);
    let name = match &person.page {
        Some(page) => format!("<a href=\"{}\">{name}</a>", Html(page)),
        None => name.to_string(),
    };
    let word = person.word();
    writeln!(
        out,
        "<tr><th scope=\"row\">{name}</th><td class=\"points\">{}</td>\
         <td><span class=\"mark {}\">{word}</span></td><td class=\"first\">{}",
        Html(&person.points),
        word.as_str(),
        Html(&person.first().shown())
    )?;
    for note in person.notes() {
        writeln!(out, "<p class=\"facts\">{}</p>", Html(&note))?;
    }
    writeln!(out, "</td>")?;
    for Shared { cause, .. } in shared {
        match causes::how_sure(person.causes(), &cause.id) {
            Some(how) => writeln!(
                out,
                "<td class=\"has\"><abbr title=\"{0}: {1}\">{2}</abbr></td>",
                Html(&cause.id),
                Html(&how.shown()),
                explained(person, &cause.id)
            )?,
            None => writeln!(out, "<td class=\"none\">·</td>")?,
        }
    }
    writeln!(out, "</tr>")
}

/// How many failures of somebody a cause explains.
fn explained(person: &Person, id: &str) -> usize {
    let mut own = person.causes().iter();
    own.find(|cause| cause.id == id)
        .map_or(0, |cause| cause.explains.len())
}

/// The end of the table: how many people have each cause.
fn foot(shared: &[Shared<'_>], out: &mut dyn Write) -> io::Result<()> {
    writeln!(
        out,
        "</tbody>\n<tfoot>\n<tr><th scope=\"row\">{}</th><td></td><td></td><td></td>",
        say!("people")
    )?;
    for shared in shared {
        writeln!(out, "<td>{}</td>", shared.people.len())?;
    }
    writeln!(
        out,
        "</tr>\n</tfoot>\n</table>\n</div>\n\
         <p class=\"facts\">{}</p>",
        say!("In the columns of causes: how many failures each explains.")
    )
}

/// The causes in words, those of most people first.
fn of_causes(shared: &[Shared<'_>], people: usize, out: &mut dyn Write) -> io::Result<()> {
    if shared.is_empty() {
        return Ok(());
    }
    writeln!(
        out,
        "<div class=\"causes\">\n<h2>{}</h2>\n<ol>",
        say!("Causes")
    )?;
    for Shared { cause, people: who } in shared {
        writeln!(
            out,
            "<li id=\"{0}\"><b>{1}</b> <code class=\"id\">{0}</code>\n<p>{2}</p>\n\
             <p class=\"facts\">{3}</p>\n</li>",
            Html(&cause.id),
            Html(&cause.title.shown()),
            Html(&cause.advice.shown()),
            say!(
                "{number} of {people}: {who}",
                number = who.len(),
                people,
                who = Html(&who.join(", ")).to_string()
            )
        )?;
    }
    writeln!(out, "</ol>\n</div>")
}
