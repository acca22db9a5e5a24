//! What a request may contain, as tables; `check` judges a body by them.

mod check;
mod integers;

pub(crate) use self::check::check;
pub(crate) use self::integers::write_integers;

/// What a field's value must be.
pub(crate) enum Kind {
    /// Text of at least and at most so many characters.
    Text {
        min: usize,
        max: usize,
    },
    Url,
    Bool,
    Date,
    DateTime,
    Number,
    Integer {
        min: i64,
        max: i64,
    },
    OneOf(&'static [&'static str]),
    List {
        of: &'static Kind,
        min: usize,
    },
    /// An object whose fields are named in errors like those of the body.
    Object(&'static [Field]),
    /// An object of settings: whatever is wrong inside it is `INVALID_CONFIGURATION`.
    Settings(&'static [Field]),
    /// An object that is not looked into.
    AnyObject,
    /// A value that has no declared type.
    Any,
}

/// Any text, the empty one included.
pub(crate) const TEXT: Kind = Kind::Text {
    min: 0,
    max: usize::MAX,
};
/// Text that is not empty.
pub(crate) const NON_EMPTY: Kind = Kind::Text {
    min: 1,
    max: usize::MAX,
};

/// One field of a request.
pub(crate) struct Field {
    pub(crate) name: &'static str,
    pub(crate) kind: Kind,
    pub(crate) need: Need,
}

/// Whether a field may be absent or null.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Need {
    Required,
    Optional,
    /// May be absent or null, which mean the same.
    Nullable,
    /// Must be there, and may be null.
    Stated,
}

pub(crate) const fn required(name: &'static str, kind: Kind) -> Field {
    Field {
        name,
        kind,
        need: Need::Required,
    }
}

pub(crate) const fn stated(name: &'static str, kind: Kind) -> Field {
    Field {
        name,
        kind,
        need: Need::Stated,
    }
}

pub(crate) const fn optional(name: &'static str, kind: Kind) -> Field {
    Field {
        name,
        kind,
        need: Need::Optional,
    }
}

pub(crate) const fn nullable(name: &'static str, kind: Kind) -> Field {
    Field {
        name,
        kind,
        need: Need::Nullable,
    }
}
