//! Where the login page leads.

/// Where an admin wanted to go. Only these: a link from elsewhere must not choose where a login leads.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Next {
    Setup,
    Connections,
    Start,
    Explorer,
}

impl Next {
    const ALL: [Self; 4] = [Self::Setup, Self::Connections, Self::Start, Self::Explorer];

    /// The path below the root of the site.
    pub(crate) fn path(self) -> &'static str {
        match self {
            Self::Setup => "setup",
            Self::Connections => "setup/connections",
            Self::Start => "",
            Self::Explorer => "explorer",
        }
    }

    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Setup => "setup",
            Self::Connections => "connections",
            Self::Start => "start",
            Self::Explorer => "explorer",
        }
    }

    pub(crate) fn of_path(path: &str) -> Self {
        match path {
            "/" => Self::Start,
            "/explorer" => Self::Explorer,
            path if path.starts_with("/setup/connections") => Self::Connections,
            _ => Self::Setup,
        }
    }

    pub(crate) fn of_name(name: Option<&str>) -> Self {
        let named = Self::ALL.into_iter().find(|next| name == Some(next.name()));
        named.unwrap_or(Self::Setup)
    }

    pub(crate) fn query(self) -> String {
        match self {
            Self::Setup => String::new(),
            other => format!("?next={}", other.name()),
        }
    }
}
