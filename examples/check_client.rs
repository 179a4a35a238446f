//! A client held to its protocol from a program. Here the client is this very program, started with an
//! address: it sends each line that is typed, and prints the reply.

use bytes::Bytes;
use framespec::client::Client;
use framespec::message::Message;
use framespec::profile::Profile;
use std::env;
use std::error::Error;
use std::io::{Write as _, stdin, stdout};

fn main() -> Result<(), Box<dyn Error>> {
    if let Some(address) = env::args().nth(1) {
        return client(&address);
    }
    let this = env::current_exe()?;
    let command = format!("'{}' {{host}}:{{port}}", this.display());
    let check = framespec::check_client(command).profile(Profile::tutorial());
    check.run()?.assert_pass();
    Ok(())
}

#[tokio::main(flavor = "current_thread")]
async fn client(address: &str) -> Result<(), Box<dyn Error>> {
    let profile = Profile::tutorial();
    let mut client = Client::connect(address, &profile).await?;
    for line in stdin().lines() {
        let request = Message::read(profile.payload(), Bytes::from(line?))?;
        let reply = client.request(&request).await?;
        stdout().write_all(reply.payload())?;
        stdout().write_all(b"\n")?;
    }
    Ok(())
}
