//! `conformance init`: the files that a repository needs to have its server checked in CI.

use super::command::CommandLine;
use super::exit::{Exit, Failure};
use super::{out, wire_format};
use crate::event::Run;
use crate::expect::Expectations;
use crate::lang::{Text, say};
use crate::peer::Launch;
use crate::profile::Profile;
use crate::report::Destination;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

/// Write a CI file, a file of known failures and a profile, to begin with
///
/// Nothing is written if one of the files is there already, unless --force is given. The CI file has pip install what
/// --package names, starts the server and checks it; the file of known failures is empty, and the profile is a
/// file to be changed where the server speaks something else.
#[derive(Debug, clap::Args)]
pub(crate) struct InitArgs {
    /// The root of the repository
    #[arg(value_name = "DIR", default_value = ".")]
    folder: PathBuf,
    /// Command that starts the server, with {port} where it is told its port
    #[arg(long, value_name = "COMMAND", default_value = "python3 server.py --port {port}", value_parser = on_one_line)]
    exec: Launch,
    /// What pip installs in CI: the address of a repository, or a wheel that lies in this one
    ///
    /// It has to be said as long as this program is in no package index. From the address of a repository, such as
    /// git+https://HOST/OWNER/framespec, pip builds it in some minutes each time; a wheel, as `pip wheel` makes it, is there at once.
    #[arg(long, value_name = "PACKAGE", value_parser = package)]
    package: Option<String>,
    /// The wire format to write down: a built-in profile, or a profile file (TOML)
    #[arg(long, value_name = "NAME|FILE", default_value = "tutorial")]
    profile: String,
    /// For GitLab, instead of GitHub Actions
    #[arg(long)]
    gitlab: bool,
    /// Replace files that are there
    #[arg(long)]
    force: bool,
}

const PROFILE: &str = "profile.toml";
const KNOWN: &str = "known-failures.toml";

/// A file to be written.
struct File {
    path: PathBuf,
    text: String,
    /// What it is, for the user.
    about: Text,
}

/// A command that starts a server, as a line of a script.
fn on_one_line(text: &str) -> Result<Launch, String> {
    one_line(text)?
        .parse::<Launch>()
        .map_err(|error| error.to_string())
}

/// What pip takes for a package: an option it takes for something else.
fn package(text: &str) -> Result<String, String> {
    match one_line(text)?.trim() {
        "" => Err("it is empty".to_owned()),
        option if option.starts_with('-') => Err("it begins as an option of pip does".to_owned()),
        package => Ok(package.to_owned()),
    }
}

fn one_line(text: &str) -> Result<&str, String> {
    match text.chars().any(char::is_control) {
        true => Err("it has to be one line, without tabs".to_owned()),
        false => Ok(text),
    }
}

impl InitArgs {
    pub(crate) fn run(self) -> Result<Exit, Failure> {
        let package = self.package.as_deref().ok_or_else(unreleased)?;
        let profile = wire_format::named(&self.profile)?;
        let files = self.files(&profile, package);
        if !self.force {
            refuse_to_replace(&files)?;
        }
        for file in &files {
            file.write()?;
            let path = file.path.strip_prefix(".").unwrap_or(&file.path);
            out::line(format_args!("{}: {}", path.display(), file.about))?;
        }
        self.tell_next()?;
        Ok(Exit::Ok)
    }

    fn files(&self, profile: &Profile, package: &str) -> Vec<File> {
        let file = |name: &str, text: String, about: Text| File {
            path: self.folder.join(name),
            text,
            about,
        };
        let (name, template, about) = match self.gitlab {
            false => (
                ".github/workflows/conformance.yml",
                include_str!("init/github.yml"),
                say!("the workflow that checks the server"),
            ),
            true => (
                ".gitlab-ci.yml",
                include_str!("init/gitlab.yml"),
                say!("the job that checks the server"),
            ),
        };
        let job = template
            .replace("{package}", &shell_words::quote(package))
            .replace("{check}", &self.check(true));
        let about_profile = say!(
            "the wire format, as {profile} has it",
            profile = profile.name()
        );
        vec![
            file(name, job, about),
            file(PROFILE, profile.to_toml(), about_profile),
            file(
                KNOWN,
                Expectations::from_run(&Run::default()),
                say!("known failures: none yet"),
            ),
        ]
    }

    /// The command that checks the server.
    fn check(&self, with_known: bool) -> String {
        let mut line = CommandLine::new("check");
        line.option("--exec", Some(&self.exec));
        line.option("--profile", Some(PROFILE));
        line.option("--expect", with_known.then_some(KNOWN));
        line.to_string()
    }

    fn tell_next(&self) -> Result<(), Failure> {
        let check = self.check(false);
        out::line(format_args!("\n{}:", say!("Next")))?;
        if self.folder != Path::new(".") {
            let folder = self.folder.to_string_lossy();
            out::line(format_args!("  cd {}", shell_words::quote(&folder)))?;
        }
        out::line(format_args!("  {check}"))?;
        out::line(say!(
            "If the command is not the one that starts the server, mend it there and in the CI file."
        ))?;
        out::line(say!(
            "If cases fail that are to be put up with for now, have them written down:"
        ))?;
        out::line(format_args!("  {check} --write-expect {KNOWN}"))?;
        out::line(say!("Then commit the files."))
    }
}

/// What a CI file could install by name alone is not there yet, and one that fails is of no use.
fn unreleased() -> Failure {
    Failure::usage(say!(
        "this program is in no package index yet: say what pip is to install in CI; nothing was written"
    ))
    .hint(say!(
        "--package git+https://HOST/OWNER/framespec, where you have it from, or --package and a wheel in your repository"
    ))
}

/// Nothing that is there is written over, and if one file cannot be written, none is.
fn refuse_to_replace(files: &[File]) -> Result<(), Failure> {
    let there: Vec<String> = files
        .iter()
        .filter(|file| file.path.symlink_metadata().is_ok())
        .map(|file| file.path.display().to_string())
        .collect();
    match there.is_empty() {
        true => Ok(()),
        false => {
            let what = format!("there already: {}; nothing was written", there.join(", "));
            Err(Failure::usage(what).hint("--force to replace that, or another folder"))
        }
    }
}

impl File {
    fn write(&self) -> Result<(), Failure> {
        self.written().map_err(|error| {
            Failure::could_not(format!("cannot write {}: {error}", self.path.display()))
        })
    }

    fn written(&self) -> io::Result<()> {
        if let Some(folder) = self.path.parent() {
            fs::create_dir_all(folder)?;
        }
        let destination = Destination::File(self.path.clone());
        destination.write(|out| out.write_all(self.text.as_bytes()))
    }
}

#[cfg(test)]
mod tests {
    use super::super::table;
    use super::*;

    #[test]
    fn the_command_in_a_ci_file_is_one_that_the_program_takes() {
        for gitlab in [false, true] {
            let args = InitArgs {
                folder: ".".into(),
                exec: on_one_line("./my-server 'at this' {port}").unwrap(),
                package: None,
                profile: "tutorial".to_owned(),
                gitlab,
                force: false,
            };
            let wheel = "./ci tools/it.whl";
            let files = args.files(&Profile::tutorial(), wheel);
            let job = &files.first().unwrap().text;
            let (_, install) = job.split_once("pip install ").unwrap();
            let install = install.lines().next().unwrap();
            assert_eq!(shell_words::split(install).unwrap(), [wheel]);
            let (_, command) = job.split_once("conformance check").unwrap();
            let mut line = String::new();
            for part in command.lines() {
                line.push_str(part.trim_end_matches('\\'));
                if !part.ends_with('\\') {
                    break;
                }
            }
            let words = shell_words::split(&format!("conformance check {line}")).unwrap();
            table().try_get_matches_from(&words).unwrap();
            assert!(line.contains("--expect known-failures.toml"), "{line}");
            assert!(
                !job.contains("{package}") && !job.contains("{check}"),
                "{job}"
            );
        }
        assert!(on_one_line("a\n{port}").is_err() && on_one_line("a").is_err());
        assert!(
            ["a\nb", " ", "--user"]
                .iter()
                .all(|text| package(text).is_err())
        );
    }
}
