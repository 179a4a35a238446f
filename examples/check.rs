//! A server held to its protocol from a program, as a test would do it.

use framespec::profile::Profile;
use framespec::server::{Background, Echo, Settings};
use std::error::Error;

fn main() -> Result<(), Box<dyn Error>> {
    // Yours takes the place of this one.
    let profile = Profile::tutorial();
    let server = Background::start("127.0.0.1:0", profile.clone(), Settings::default(), Echo)?;

    let check = framespec::check(server.addr()).profile(profile);
    check.run()?.assert_pass();
    Ok(())
}
