//! The keys by which platforms recognise a repetition.

/// What of a dedup key a sink's settings and the name of the event decide, such as a pixel and an event name at it.
///
/// A key is made of it and of the conversion id alone. So the key that something was sent under is known again from the
/// settings of that time, though nobody wrote it down.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DedupTarget(String);

impl DedupTarget {
    /// A target of these parts, the widest first.
    pub fn new(parts: &[&str]) -> Self {
        Self(parts.join("|"))
    }

    /// The target that [`Self::as_str`] wrote.
    pub fn kept(text: String) -> Self {
        Self(text)
    }

    /// As it is kept.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The dedup key of a conversion at this target.
    pub fn key(&self, conversion_id: &str) -> String {
        [&self.0, "|", conversion_id].concat()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_is_the_same_whether_its_target_was_kept_or_not() {
        let target = DedupTarget::new(&["PIXEL-1", "SubmitForm"]);
        assert_eq!(target.key("booking-7"), "PIXEL-1|SubmitForm|booking-7");
        assert_eq!(DedupTarget::kept(target.as_str().to_owned()), target);
    }
}
