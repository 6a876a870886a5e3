//! The boot floor: why accepting a login need not wait for the disk.
//!
//! A power cut can undo the last logins, and with them the memory of which codes were used. So the first opening after
//! a reboot (another boot id) records the present time, synced, as the floor: no step that could have been accepted
//! before it is accepted any more. Nobody waits but a user who logs in within a minute of a reboot. Without a boot id
//! every opening counts as the first of a boot.
//!
//! The first opening of all also records that the policy is off.
//!
//! Promise: no code that was accepted before a power cut is accepted after it, as long as the clock does not go back
//! over the reboot.

use std::fs;
use std::time::Duration;

use super::config::Config;
use super::record::{self, BOOT, Boot, POLICY, Policy};
use crate::store::{Change, Decision, Durability, Store, Unavailable};

/// The kernel's random name for the time since it started.
const BOOT_ID: &str = "/proc/sys/kernel/random/boot_id";

/// Reads the kernel's boot id; empty when there is none.
pub fn kernel_boot_id() -> String {
    fs::read_to_string(BOOT_ID).map(|id| id.trim().to_owned()).unwrap_or_default()
}

/// Refuses an empty database beside a key file: one that was deleted, or cut short so far that it looks new. Taken for
/// new, it would let everybody in on the password. The first opening records the boot before it makes the key file, so
/// a key file that was there before the database was read means that there was a boot. That holds for a key file that is
/// the database's own, `tfa.key` beside `tfa.db`; any other may be shared with more databases, or older than this one.
pub fn refuse_lost(store: &dyn Store, config: &Config, has_keys: bool) -> Result<(), Unavailable> {
    let own = config.database.extension().is_some_and(|extension| extension == "db")
        && config.key_file == config.database.with_extension("key");
    if !has_keys || !own || store.read(&[BOOT])?.at(0).is_some() {
        return Ok(());
    }
    Err(Unavailable(format!(
        "The database {} is empty, but its key file {} is there, so it was lost. Restore the database from a backup; \
         to begin anew, move the key file away",
        config.database.display(),
        config.key_file.display()
    )))
}

/// The floor that holds in this boot, recorded first when this is the boot's first opening.
pub fn floor(store: &dyn Store, boot_id: &str, now: Duration) -> Result<u64, Unavailable> {
    if !store.forgets_on_power_cut() {
        return Ok(0);
    }
    store.settle(&[BOOT], Durability::Power, |texts| {
        let (floor, text) = this_boot(texts.at(0), boot_id, now)?;
        let mut changes: Vec<_> = text.into_iter().map(|text| Change { key: BOOT, text: Some(text) }).collect();
        if texts.at(0).is_none() {
            // From here on a policy that is not recorded is one that was lost, and keeps out.
            changes.push(Change { key: POLICY, text: Some(record::write(&Policy { enabled: false })?) });
        }
        Ok((floor, Decision { changes, lines: Vec::new() }))
    })
}

/// The floor, and the boot's new record unless `text` is of this boot already.
fn this_boot(text: Option<&str>, boot_id: &str, now: Duration) -> Result<(u64, Option<String>), Unavailable> {
    let floor = match record::read::<Boot>(BOOT.name, text)? {
        Some(boot) if boot.boot_id == boot_id && !boot_id.is_empty() => return Ok((boot.floor, None)),
        Some(_) => now.as_secs(),
        // A new store: nothing has been accepted yet.
        None => 0,
    };
    Ok((floor, Some(record::write(&Boot { boot_id: boot_id.to_owned(), floor })?)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::sqlite::Sqlite;

    #[test]
    fn the_first_opening_of_a_boot_sets_the_floor() {
        let folder = tempfile::tempdir().unwrap();
        let store = Sqlite::open(&folder.path().join("tfa.db")).unwrap();
        let open = |boot: &str, seconds| floor(&store, boot, Duration::from_secs(seconds)).unwrap();
        assert_eq!(open("first", 1000), 0, "nothing was accepted before the store was made");
        assert_eq!(open("first", 2000), 0);
        assert_eq!(open("second", 3000), 3000);
        assert_eq!(open("second", 4000), 3000);
        assert_eq!(open("", 5000), 5000, "without a boot id every opening may follow a reboot");
        assert_eq!(open("", 6000), 6000);
    }

    #[test]
    fn the_kernel_names_its_boot() {
        assert_eq!(kernel_boot_id().len(), 36);
    }
}
