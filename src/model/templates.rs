//! Payloads held against the templates of a profile: what they were filled with, and which kind of message that is.

use super::{Carried, Doubt, Owes, SURE_BODY, has_more_padding, payload};
use crate::profile::{Payload, Profile};

/// What is owed for a payload that begins as messages do that get no reply: none, if it is surely one.
pub(super) fn unanswered(profile: &Profile, body: usize, payload: &[u8]) -> Option<Owes> {
    let template = profile.unanswered().filter(|one| one.begins(payload))?;
    let is_small = profile.declared_max_body().is_some()
        || u64::try_from(body).is_ok_and(|body| body <= SURE_BODY);
    let is_plain = is_small && !has_more_padding(profile, body, payload.len());
    let text = template.text_in(payload).filter(|_| is_plain);
    let carried = text.and_then(|text| {
        Some(Carried {
            meaning: payload::meaning(profile, payload)?,
            filled_in: Some(filled_in(profile, text)?),
        })
    });
    Some(carried.map_or(Owes::ReplyOrClose(Doubt::Unanswered), Owes::Nothing))
}

/// Whether a payload is made from the profile's template, if there is one. Behind a JSON text white space means nothing.
pub(super) fn is_from_template(profile: &Profile, payload: &[u8]) -> bool {
    let payload = match profile.payload() {
        Payload::Json => payload.trim_ascii_end(),
        Payload::Utf8 | Payload::Opaque => payload,
    };
    let request = profile.request();
    request.is_none_or(|template| template.text_in(payload).is_some())
}

/// The text that the profile's template was filled with to make this payload.
pub(super) fn in_template(profile: &Profile, payload: &[u8]) -> Option<String> {
    filled_in(profile, profile.request()?.text_in(payload)?)
}

/// The text that stands so in a template.
fn filled_in(profile: &Profile, inner: &[u8]) -> Option<String> {
    let inner = std::str::from_utf8(inner).ok()?;
    match profile.payload() {
        Payload::Json => serde_json::from_str(&format!("\"{inner}\"")).ok(),
        Payload::Utf8 | Payload::Opaque => Some(inner.to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::permitted_for;
    use crate::script::OwnEnd;

    const KINDS: &str = "name = 'p'\nlength.width = 1\nbody.payload = 'utf-8'\n\
        exchange = { request = '?{text}', unanswered = '!{text}.' }";

    fn owed(stream: &[u8]) -> Vec<Owes> {
        let profile = Profile::from_toml(KINDS).unwrap();
        let permitted = permitted_for(&profile, stream, OwnEnd::Open);
        permitted.duties.into_iter().map(|duty| duty.owes).collect()
    }

    #[test]
    fn the_octets_in_front_of_the_text_say_which_kind_it_is() {
        let owed = owed(b"\x03?hi\x04!hi.\x03!hi\x02hi");
        let [Owes::Reply(asked), Owes::Nothing(told), broken, other] = owed.as_slice() else {
            panic!("{owed:?}")
        };
        assert_eq!([asked.text(), told.text()], [Some("hi"); 2]);
        assert_eq!(*broken, Owes::ReplyOrClose(Doubt::Unanswered));
        assert_eq!(*other, Owes::ReplyOrClose(Doubt::Payload));
    }
}
