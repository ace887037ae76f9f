//! The expression of `Upstash-Retry-Delay`.
//!
//! Numbers, `retried`, `+ - * /`, parentheses and the documented functions. It is worked out while it is read, so what
//! can be read once can be worked out for every retry.

use std::iter::Peekable;
use std::str::Chars;

/// A longer expression is no delay, and reading one nests as deep as it is long.
const MAX_LENGTH: usize = 500;

/// Why a text is no expression.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "must be an expression of numbers, retried, + - * /, parentheses and pow sqrt abs exp floor ceil round min max"
)]
pub(super) struct NoExpression;

/// The value for this many retries so far, which is meant as milliseconds.
pub(super) fn value(text: &str, retried: u32) -> Result<f64, NoExpression> {
    if text.len() > MAX_LENGTH {
        return Err(NoExpression);
    }
    let mut reader = Reader { text: text.chars().peekable(), retried: retried.into() };
    let value = reader.sum()?;
    match reader.peek() {
        None => Ok(value),
        Some(_) => Err(NoExpression),
    }
}

struct Reader<'a> {
    text: Peekable<Chars<'a>>,
    retried: f64,
}

impl Reader<'_> {
    fn sum(&mut self) -> Result<f64, NoExpression> {
        let mut value = self.product()?;
        loop {
            if self.takes('+') {
                value += self.product()?;
            } else if self.takes('-') {
                value -= self.product()?;
            } else {
                return Ok(value);
            }
        }
    }

    fn product(&mut self) -> Result<f64, NoExpression> {
        let mut value = self.factor()?;
        loop {
            if self.takes('*') {
                value *= self.factor()?;
            } else if self.takes('/') {
                value /= self.factor()?;
            } else {
                return Ok(value);
            }
        }
    }

    fn factor(&mut self) -> Result<f64, NoExpression> {
        if self.takes('-') {
            return self.factor().map(|value| -value);
        }
        if self.takes('(') {
            let value = self.sum()?;
            return self.must_take(')').map(|()| value);
        }
        match self.peek() {
            Some(first) if first.is_ascii_digit() => {
                self.word(|next| next.is_ascii_digit() || next == '.').parse().map_err(|_| NoExpression)
            }
            Some(first) if first.is_ascii_alphabetic() => {
                let name = self.word(|next| next.is_ascii_alphabetic());
                if name == "retried" { Ok(self.retried) } else { self.call(&name) }
            }
            _ => Err(NoExpression),
        }
    }

    fn call(&mut self, function: &str) -> Result<f64, NoExpression> {
        self.must_take('(')?;
        let mut arguments = vec![self.sum()?];
        while self.takes(',') {
            arguments.push(self.sum()?);
        }
        self.must_take(')')?;
        match (function, arguments.as_slice()) {
            ("pow", [base, exponent]) => Ok(base.powf(*exponent)),
            ("sqrt", [x]) => Ok(x.sqrt()),
            ("abs", [x]) => Ok(x.abs()),
            ("exp", [x]) => Ok(x.exp()),
            ("floor", [x]) => Ok(x.floor()),
            ("ceil", [x]) => Ok(x.ceil()),
            ("round", [x]) => Ok(x.round()),
            ("min", [first, rest @ ..]) if !rest.is_empty() => {
                Ok(rest.iter().copied().fold(*first, f64::min))
            }
            ("max", [first, rest @ ..]) if !rest.is_empty() => {
                Ok(rest.iter().copied().fold(*first, f64::max))
            }
            _ => Err(NoExpression),
        }
    }

    /// The next character that is not a space.
    fn peek(&mut self) -> Option<char> {
        while self.text.next_if_eq(&' ').is_some() {}
        self.text.peek().copied()
    }

    fn takes(&mut self, character: char) -> bool {
        self.peek() == Some(character) && self.text.next().is_some()
    }

    fn must_take(&mut self, character: char) -> Result<(), NoExpression> {
        if self.takes(character) { Ok(()) } else { Err(NoExpression) }
    }

    fn word(&mut self, belongs: impl Fn(char) -> bool) -> String {
        std::iter::from_fn(|| self.text.next_if(|next| belongs(*next))).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::value;

    #[test]
    fn arithmetic() {
        let cases = [
            ("1000", 0, 1000.0),
            ("retried * 1000", 3, 3000.0),
            ("1000 * (1 + retried)", 2, 3000.0),
            ("pow(2, retried) * 1000", 4, 16_000.0),
            ("2 + 3 * 4 - 6 / 3", 0, 12.0),
            ("10 - 4 - 3", 0, 3.0),
            ("-(2) + 5", 0, 3.0),
            ("2 - -3", 0, 5.0),
            ("sqrt(9) + abs(-2) + exp(0)", 0, 6.0),
            ("floor(1.9) + ceil(1.1) + round(1.5)", 0, 5.0),
            ("min(86400, exp(2.5 * retried))", 0, 1.0),
            ("max(1, retried, 3)", 7, 7.0),
            ("min(pow(2,retried),8)", 9, 8.0),
        ];
        for (text, retried, expected) in cases {
            let found = value(text, retried).unwrap();
            assert!((found - expected).abs() < 1e-9, "{text}: {found}");
        }
    }

    #[test]
    fn what_is_no_expression() {
        let texts = [
            "",
            " ",
            "fast",
            "1 +",
            "(1",
            "1)",
            "1 2",
            "pow(2)",
            "pow(2,3,4)",
            "min(1)",
            "sqrt()",
            "log(2)",
            "retries",
            "2 ^ 3",
            "1..2",
            ".5",
            "5s",
            "retried(1)",
            "abs 2",
        ];
        for text in texts {
            assert!(value(text, 0).is_err(), "{text}");
        }
        assert!(value(&"(".repeat(501), 0).is_err());
    }
}
