//! What the command line of the desktop app may say: where the data lives and whether the window shows, and nothing else.
//!
//! Deliberately not here: everything `quorumctl` does.

use std::{
    ffi::OsString,
    hash::{DefaultHasher, Hash, Hasher},
    path::PathBuf,
};

/// Starts in the tray, as at login.
pub const HIDDEN: &str = "--hidden";

pub const USAGE: &str = "Usage: quorum [--data DIR] [--hidden]

  --data DIR   Keep everything but the key in DIR. Default: the environment's QUORUM_DATA, else the
               platform's data directory.
  --hidden     Start in the tray, without a window, where there is a tray.
  --version    Say the version and end.
  --help       Say this and end.

QUORUM_LOG sets what is logged to standard error, such as quorum=debug.";

/// What to do.
#[derive(Debug, PartialEq, Eq)]
pub enum Arguments {
    /// Open the window, on this data directory if one was named.
    Open {
        data_dir: Option<PathBuf>,
        hidden: bool,
    },
    Help,
    Version,
}

#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub enum ArgumentsError {
    #[error("--data needs a directory")]
    DataMissing,
    #[error("unknown argument {0:?}")]
    Unknown(OsString),
}

impl Arguments {
    /// Reads the arguments after the program's name; `environment` is the value of `QUORUM_DATA`.
    pub fn read(
        arguments: impl IntoIterator<Item = OsString>,
        environment: Option<OsString>,
    ) -> Result<Self, ArgumentsError> {
        let mut data_dir = environment.filter(|value| !value.is_empty()).map(PathBuf::from);
        let mut hidden = false;
        let mut arguments = arguments.into_iter();
        while let Some(argument) = arguments.next() {
            match argument.to_str() {
                Some("--help" | "-h") => return Ok(Self::Help),
                Some("--version" | "-V") => return Ok(Self::Version),
                Some(HIDDEN) => hidden = true,
                Some("--data") => {
                    let value = arguments.next().filter(|value| !value.is_empty());
                    data_dir = Some(value.ok_or(ArgumentsError::DataMissing)?.into());
                }
                Some(text) if text.starts_with("--data=") && text.len() > "--data=".len() => {
                    data_dir = Some(text["--data=".len()..].into());
                }
                _ => return Err(ArgumentsError::Unknown(argument)),
            }
        }
        Ok(Self::Open { data_dir, hidden })
    }
}

/// The name under which a second launch finds the first: one a data directory, so that two directories can be open at once.
pub fn instance_name(identifier: &str, data_dir: Option<&PathBuf>) -> String {
    let Some(data_dir) = data_dir else { return identifier.to_owned() };
    let mut hasher = DefaultHasher::new();
    std::path::absolute(data_dir).unwrap_or_else(|_| data_dir.clone()).hash(&mut hasher);
    format!("{identifier}.data{:016x}", hasher.finish())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(arguments: &[&str], environment: Option<&str>) -> Result<Arguments, ArgumentsError> {
        Arguments::read(arguments.iter().map(OsString::from), environment.map(OsString::from))
    }

    fn open(data_dir: Option<&str>) -> Result<Arguments, ArgumentsError> {
        Ok(Arguments::Open { data_dir: data_dir.map(PathBuf::from), hidden: false })
    }

    #[test]
    fn the_argument_wins_over_the_environment() {
        assert_eq!(read(&[], None), open(None));
        assert_eq!(read(&[], Some("")), open(None));
        assert_eq!(read(&[], Some("/e")), open(Some("/e")));
        assert_eq!(read(&["--data", "/a"], Some("/e")), open(Some("/a")));
        assert_eq!(read(&["--data=/a b"], None), open(Some("/a b")));
    }

    #[test]
    fn at_login_it_starts_in_the_tray() {
        let wanted = Arguments::Open { data_dir: Some("/a".into()), hidden: true };
        assert_eq!(read(&["--hidden", "--data", "/a"], None), Ok(wanted));
    }

    #[test]
    fn what_is_not_known_is_refused() {
        assert_eq!(read(&["--data"], None), Err(ArgumentsError::DataMissing));
        assert_eq!(read(&["--data", ""], None), Err(ArgumentsError::DataMissing));
        assert_eq!(read(&["--key=sk-1"], None), Err(ArgumentsError::Unknown("--key=sk-1".into())));
        assert_eq!(read(&["reviews.jsonl"], None), Err(ArgumentsError::Unknown("reviews.jsonl".into())));
    }

    #[test]
    fn each_data_directory_is_an_instance_of_its_own() {
        let name = |data_dir: &str| instance_name("dev.example", Some(&PathBuf::from(data_dir)));
        assert_eq!(instance_name("dev.example", None), "dev.example");
        assert_ne!(name("/a"), name("/b"));
        assert_eq!(name("/a"), name("/a"));
        assert!(name("/a").starts_with("dev.example.data"));
    }
}
