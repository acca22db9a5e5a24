//! What a request may contain: [`request!`] declares the fields of a body once, for its check and for its handler.

mod check;
mod integers;

pub(crate) use self::check::check;
pub(crate) use self::integers::write_integers;

/// What a field's value must be.
pub(crate) enum Kind {
    /// Bounds are in characters.
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
    /// An object of settings: an error inside it is `INVALID_CONFIGURATION`.
    Settings(&'static [Field]),
    /// An object whose fields are not checked.
    AnyObject,
    /// A value that has no declared type.
    Any,
}

pub(crate) const TEXT: Kind = text(0, usize::MAX);
pub(crate) const NON_EMPTY: Kind = text(1, usize::MAX);
pub(crate) const TEXTS: Kind = list(&TEXT);
pub(crate) const INTEGER: Kind = int(i64::MIN, i64::MAX);
pub(crate) const FROM_ZERO: Kind = int(0, i64::MAX);

pub(crate) const fn text(min: usize, max: usize) -> Kind {
    Kind::Text { min, max }
}

pub(crate) const fn int(min: i64, max: i64) -> Kind {
    Kind::Integer { min, max }
}

pub(crate) const fn list(of: &'static Kind) -> Kind {
    Kind::List { of, min: 0 }
}

/// A list that is not empty.
pub(crate) const fn some(of: &'static Kind) -> Kind {
    Kind::List { of, min: 1 }
}

/// One field of a request.
pub(crate) struct Field {
    pub(crate) name: &'static str,
    pub(crate) kind: Kind,
    pub(crate) need: Need,
}

impl Field {
    /// A keyword of Rust is written as a raw identifier: `r#type`.
    pub(crate) const fn new(name: &'static str, kind: Kind, need: Need) -> Self {
        let name = match name.as_bytes() {
            [b'r', b'#', ..] => name.split_at(2).1,
            _ => name,
        };
        Self { name, kind, need }
    }
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

/// A body that [`request!`] declares.
pub(crate) trait Request: serde::de::DeserializeOwned {
    const FIELDS: &'static [Field];
    const OBJECT: Kind = Kind::Object(Self::FIELDS);
    const SETTINGS: Kind = Kind::Settings(Self::FIELDS);
}

/// A table of fields, one on a line: `optional name: TEXT,`. See [`Need`] for the first word.
macro_rules! fields {
    ($($need:ident $name:ident: $kind:expr,)*) => {
        &[$($crate::spec::fields::Field::new(
            stringify!($name),
            $kind,
            $crate::spec::fields::fields!(@ $need),
        ),)*]
    };
    (@ required) => { $crate::spec::fields::Need::Required };
    (@ optional) => { $crate::spec::fields::Need::Optional };
    (@ nullable) => { $crate::spec::fields::Need::Nullable };
    (@ stated) => { $crate::spec::fields::Need::Stated };
}

/// Declares structs and the tables of their fields: `optional name: TEXT => Option<String>,`. A field without a type is
/// checked and not read. What is absent is the type's default: the table says what must be there.
macro_rules! request {
    ($(
        $(#[$meta:meta])*
        $vis:vis struct $Name:ident {
            $($need:ident $field:ident: $kind:expr $(=> $(#[$attribute:meta])* $type:ty)?,)*
        }
    )+) => { $(
        $(#[$meta])*
        #[derive(Default, serde::Deserialize)]
        #[serde(default)]
        $vis struct $Name {
            $($($(#[$attribute])* $vis $field: $type,)?)*
        }

        impl $crate::spec::fields::Request for $Name {
            const FIELDS: &'static [$crate::spec::fields::Field] =
                $crate::spec::fields::fields! { $($need $field: $kind,)* };
        }
    )+ };
}

pub(crate) use {fields, request};
