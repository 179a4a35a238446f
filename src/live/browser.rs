//! The user's browser, started with an address.
//!
//! Started by hand, as crates that do so run a browser in the terminal itself where no other is found, and the terminal
//! has the report of the run: what `BROWSER` names, or else what the system opens addresses with.

use std::env;
use std::ffi::{OsStr, OsString};
use std::io;
use std::process::{Command, Stdio};
use std::thread;
use tokio::sync::watch;

/// A browser that has been started.
#[derive(Debug)]
pub struct Browser {
    /// Whether what starts it has failed. Who ends well has handed the address on.
    failed: watch::Receiver<bool>,
}

impl Browser {
    /// Starts the user's browser.
    ///
    /// # Errors
    /// If there is none, or it cannot be started.
    pub fn open(url: &str) -> io::Result<Self> {
        let mut command = found(url)?;
        apart(&mut command);
        let quiet = command.stdin(Stdio::null()).stdout(Stdio::null());
        let mut child = quiet.stderr(Stdio::null()).spawn()?;
        let (tell, failed) = watch::channel(false);
        thread::Builder::new()
            .name("browser".to_owned())
            .spawn(move || {
                let has_ended_well = child.wait().is_ok_and(|status| status.success());
                tell.send_replace(!has_ended_well);
            })?;
        Ok(Self { failed })
    }

    /// Waits until it is known that it could not be started; for ever, if it could.
    pub async fn failed(&self) {
        let mut failed = self.failed.clone();
        if failed.wait_for(|has_failed| *has_failed).await.is_err() {
            std::future::pending().await
        }
    }
}

/// What opens an address.
fn found(url: &str) -> io::Result<Command> {
    match env::var_os("BROWSER").filter(|named| !named.is_empty()) {
        Some(named) => of_variable(&named, url),
        None => of_system(url),
    }
}

/// What stands between the commands of `BROWSER`.
const BETWEEN: char = if cfg!(windows) { ';' } else { ':' };

/// What `BROWSER` names: the first of its commands. `%s` is the address; without, it comes last.
fn of_variable(named: &OsStr, url: &str) -> io::Result<Command> {
    let first = named.to_string_lossy();
    let first = first.split(BETWEEN).next().unwrap_or_default();
    let wrong = |_| io::Error::other(format!("BROWSER={first}: a quote is not closed"));
    let mut words = shell_words::split(first).map_err(wrong)?;
    let mut has_place = false;
    for word in words.iter_mut().skip(1) {
        has_place |= word.contains("%s");
        *word = word.replace("%s", url);
    }
    if !has_place {
        words.push(url.to_owned());
    }
    let mut words = words.into_iter().map(OsString::from);
    let program = words.next().unwrap_or_default();
    let mut command = Command::new(program);
    command.args(words);
    Ok(command)
}

#[cfg(target_os = "macos")]
fn of_system(url: &str) -> io::Result<Command> {
    let mut command = Command::new("open");
    command.arg(url);
    Ok(command)
}

#[cfg(windows)]
fn of_system(url: &str) -> io::Result<Command> {
    let mut command = Command::new("rundll32");
    command.args(["url.dll,FileProtocolHandler", url]);
    Ok(command)
}

/// Without a screen, only browsers are found that would take the terminal.
#[cfg(not(any(target_os = "macos", windows)))]
fn of_system(url: &str) -> io::Result<Command> {
    let is_set = |name: &str| env::var_os(name).is_some_and(|value| !value.is_empty());
    if !is_set("DISPLAY") && !is_set("WAYLAND_DISPLAY") {
        return Err(io::Error::other("there is no screen"));
    }
    let mut command = Command::new("xdg-open");
    command.arg(url);
    Ok(command)
}

/// Ctrl-C in the terminal is not meant for the browser.
#[cfg(unix)]
fn apart(command: &mut Command) {
    use std::os::unix::process::CommandExt as _;
    command.process_group(0);
}

#[cfg(not(unix))]
fn apart(_: &mut Command) {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_address_stands_where_the_variable_says() {
        let words = |named: &str| {
            let command = of_variable(OsStr::new(named), "http://x/").unwrap();
            let args = command.get_args().map(OsStr::to_os_string);
            [command.get_program().to_os_string()]
                .into_iter()
                .chain(args)
                .collect::<Vec<_>>()
        };
        assert_eq!(words("lynx"), ["lynx", "http://x/"]);
        assert_eq!(
            words("'my browser' --new %s --wait:other"),
            ["my browser", "--new", "http://x/", "--wait"]
        );
        assert!(of_variable(OsStr::new("'"), "http://x/").is_err());
    }
}
