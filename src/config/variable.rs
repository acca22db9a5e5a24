//! What is declared of a setting: see [`settings!`] for the form, and `settings.rs` for the list.

use std::ops::Deref;

/// A setting, as users see it.
#[derive(Clone, Copy, Debug)]
pub struct Variable {
    /// The environment variable.
    pub name: &'static str,
    pub(super) file_name: &'static str,
    /// The heading it is listed under.
    pub group: &'static str,
    /// What it is for: a sentence (or two that belong together) each. The first one has to do alone in `--help`.
    pub help: &'static [&'static str],
    /// The value that holds when it is unset.
    pub default: &'static str,
    /// What holds when it is unset, where that is no single value.
    pub unset: &'static str,
    /// A value to show where there is no default.
    pub example: &'static str,
    /// Whether its value must never be shown.
    pub secret: bool,
    /// Names that other guides and programs use for it. Ignored, they would lose what was meant to be set.
    pub wrong_names: &'static [&'static str],
}

impl Variable {
    pub(super) const NEW: Self = Self {
        name: "",
        file_name: "",
        group: "",
        help: &[],
        default: "",
        unset: "",
        example: "",
        secret: false,
        wrong_names: &[],
    };

    /// Where a secret can come from instead: the variable that has the path of a file.
    #[must_use]
    pub fn file(&self) -> Option<&'static str> {
        self.secret.then_some(self.file_name)
    }

    /// The help in one line.
    #[must_use]
    pub fn summary(&self) -> &'static str {
        self.help.first().map_or("", |line| line.trim())
    }
}

/// A setting whose value is a `T`.
pub(super) struct Setting<T> {
    pub(super) variable: &'static Variable,
    /// The error is an instruction.
    pub(super) parse: fn(&str) -> Result<T, String>,
}

impl<T> Deref for Setting<T> {
    type Target = Variable;

    fn deref(&self) -> &Variable {
        self.variable
    }
}

impl<T> Setting<T> {
    #[expect(
        clippy::expect_used,
        reason = "a default of the list, which every start reads"
    )]
    pub(super) fn default(&self) -> T {
        (self.parse)(self.variable.default).expect("the default is a good value")
    }
}

/// Declares settings. Each has its help as doc comment, its name, type and parser, and those fields of [`Variable`] that
/// it needs besides.
macro_rules! settings {
    ($($group:literal {
        $($(#[doc = $help:literal])+ $name:ident: $type:ty = $parse:expr $(, $field:ident: $value:expr)*;)+
    })+) => {
        $($(
            pub(super) const $name: Setting<$type> = Setting {
                variable: &Variable {
                    name: stringify!($name),
                    file_name: concat!(stringify!($name), "_FILE"),
                    group: $group,
                    help: &[$($help),+],
                    $($field: $value,)*
                    ..Variable::NEW
                },
                parse: $parse,
            };
        )+)+

        const KNOWN: &[&Variable] = &[$($($name.variable),+),+];
    };
}
pub(super) use settings;
