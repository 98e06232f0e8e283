//! The two sides of a comparison.

use serde::{Deserialize, Serialize};

/// One of the two revisions that are compared.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Side {
    /// The revision that the change is measured against.
    Base,
    /// The revision that holds the change.
    Head,
}

impl Side {
    /// Both sides, base first.
    pub const BOTH: [Side; 2] = [Side::Base, Side::Head];

    /// The opposite side.
    #[must_use]
    pub fn other(self) -> Side {
        match self {
            Side::Base => Side::Head,
            Side::Head => Side::Base,
        }
    }

    /// `base` or `head`: four letters each, so that paths made of it have equal length.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Side::Base => "base",
            Side::Head => "head",
        }
    }
}

impl std::fmt::Display for Side {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.pad(self.name())
    }
}

/// A value for each side.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Paired<T> {
    /// The value of the base revision.
    pub base: T,
    /// The value of the head revision.
    pub head: T,
}

impl<T> Paired<T> {
    /// A pair from its two values, base first.
    pub const fn new(base: T, head: T) -> Self {
        Paired { base, head }
    }

    /// A pair made by asking `f` for each side, base first.
    pub fn from_fn(mut f: impl FnMut(Side) -> T) -> Self {
        let base = f(Side::Base);
        let head = f(Side::Head);
        Paired { base, head }
    }

    /// Like [`Paired::from_fn`]; the first failure ends it.
    ///
    /// # Errors
    /// Whatever `f` fails with.
    pub fn try_from_fn<E>(mut f: impl FnMut(Side) -> Result<T, E>) -> Result<Self, E> {
        let base = f(Side::Base)?;
        let head = f(Side::Head)?;
        Ok(Paired { base, head })
    }

    /// Like [`Paired::from_fn`], with a thread for each side.
    pub fn at_once(f: impl Fn(Side) -> T + Sync) -> Self
    where
        T: Send,
    {
        std::thread::scope(|scope| {
            let head = scope.spawn(|| f(Side::Head));
            let base = f(Side::Base);
            let head = head.join();
            let head = head.unwrap_or_else(|panic| std::panic::resume_unwind(panic));
            Paired { base, head }
        })
    }

    /// The value of `side`.
    pub fn get(&self, side: Side) -> &T {
        match side {
            Side::Base => &self.base,
            Side::Head => &self.head,
        }
    }

    /// The value of `side`, to change.
    pub fn get_mut(&mut self, side: Side) -> &mut T {
        match side {
            Side::Base => &mut self.base,
            Side::Head => &mut self.head,
        }
    }

    /// A pair of references.
    pub fn as_ref(&self) -> Paired<&T> {
        Paired {
            base: &self.base,
            head: &self.head,
        }
    }

    /// Applies `f` to both values, base first.
    pub fn map<U>(self, mut f: impl FnMut(T) -> U) -> Paired<U> {
        Paired {
            base: f(self.base),
            head: f(self.head),
        }
    }

    /// Applies `f` to both values, base first; the first failure ends it.
    ///
    /// # Errors
    /// Whatever `f` fails with.
    pub fn try_map<U, E>(self, mut f: impl FnMut(T) -> Result<U, E>) -> Result<Paired<U>, E> {
        Ok(Paired {
            base: f(self.base)?,
            head: f(self.head)?,
        })
    }
}
