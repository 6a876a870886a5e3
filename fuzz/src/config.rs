//! A configuration, and the account directory in it.

use tfa::accounts::Directory;
use tfa::engine::config::Config;

/// A configuration. Nothing is opened: it may name any file.
pub fn config(text: &str) {
    if let Ok(config) = Config::parse(Some(text)) {
        let _ = Directory::from_config(config.accounts.as_ref());
    }
}
