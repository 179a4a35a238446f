//! What messages are made from: that their kinds are told apart, and that none loses its end as padding.

use super::ProfileError;
use crate::profile::{Payload, Profile, Reply};

/// The key of what is owed no reply.
pub(super) const UNANSWERED: &str = "exchange.unanswered";

/// A message that is owed no reply must not be taken for a request, nor a request for one.
pub(super) fn unanswered_are_told(profile: &Profile) -> Result<(), ProfileError> {
    let Some(template) = &profile.unanswered else {
        return Ok(());
    };
    let request = profile.request.as_ref();
    let allowed = if request.is_none_or(|request| !request.begins_otherwise(template)) {
        "a message that begins otherwise than exchange.request does, and that only where there is such a request"
    } else if profile.reply == Reply::None {
        "left out, as exchange.reply = \"none\" says it of each message"
    } else if profile.requests_per_connection.is_some() {
        "left out where exchange.requests_per_connection counts the messages of a connection"
    } else {
        return Ok(());
    };
    Err(template.refused(allowed))
}

/// The octets that a JSON text can end in, white space aside: it can stand behind any text, and means
/// nothing.
const ENDS_OF_JSON: &[u8] = b"\"]}0123456789el";

/// The receiver finds the end of a payload by dropping pad octets, so no message may end in one.
pub(super) fn payloads_survive_trimming(profile: &Profile) -> Result<(), ProfileError> {
    if !profile.trims() {
        return Ok(());
    }
    if profile.payload == Payload::Json && ENDS_OF_JSON.contains(&profile.pad) {
        return Err(ProfileError::new(
            "body.pad",
            format!("{:#04x}", profile.pad),
            "an octet that no JSON text ends in, such as 0x00 or 0x20",
        ));
    }
    let mut templates = profile.request.iter().chain(&profile.unanswered);
    match templates.find(|template| template.ends_in(profile.pad)) {
        Some(template) => {
            let allowed = "a request that does not end in the octet that padding is made of";
            Err(template.refused(allowed))
        }
        None => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use crate::profile::{Draft, Profile, Reply};

    #[test]
    fn what_is_owed_no_reply_is_told_from_requests() {
        let kinds = |request: Option<&str>, unanswered: &str| Draft {
            name: "x".into(),
            request: request.map(str::to_owned),
            unanswered: Some(unanswered.to_owned()),
            ..Draft::default()
        };
        let (ask, tell) = (Some(r#"{"ask": "{text}"}"#), r#"{"tell": "{text}"}"#);
        assert!(Profile::try_from(kinds(ask, tell)).is_ok());
        let silent = Draft {
            reply: Reply::None,
            ..kinds(ask, tell)
        };
        let few = Draft {
            requests_per_connection: Some(9),
            ..kinds(ask, tell)
        };
        let alike = kinds(ask, r#"{"ask": "{text}", "tell": 1}"#);
        for draft in [kinds(None, tell), alike, kinds(ask, "{}"), silent, few] {
            let error = Profile::try_from(draft).unwrap_err();
            assert_eq!(error.field, "exchange.unanswered");
        }
    }
}
