//! The boot floor, which lets a login be accepted without waiting for the disk.
//!
//! A power cut can undo the last logins, and with them the record of the codes that were used. So the first opening after a
//! reboot (another boot id) records the present time, synced, as the floor: no step that could have been accepted before it
//! is accepted any more. Only a user who logs in within a minute of a reboot has to wait. Without a boot id every opening
//! counts as the first of a boot.
//!
//! A floor in the future means that the clock was ahead at that opening. The next opening lowers it to the present: codes that
//! were accepted before the power cut are of times up to then, which the lower floor still covers, and codes that were
//! accepted since are remembered with their subjects.
//!
//! Promise: no code that was accepted before a power cut is accepted after it, unless the clock was set back across the
//! reboot.

use std::fs;
use std::time::Duration;

use super::record::{self, BOOT, Boot};
use crate::store::{Change, Decision, Durability, Store, Unavailable};

/// The kernel's random id of the present boot.
const BOOT_ID: &str = "/proc/sys/kernel/random/boot_id";

/// Reads the kernel's boot id; empty when there is none.
pub fn kernel_boot_id() -> String {
    fs::read_to_string(BOOT_ID).map(|id| id.trim().to_owned()).unwrap_or_default()
}

/// The record of the boot in which a store is created: nothing was accepted yet.
pub fn first(boot_id: &str) -> Boot {
    Boot { boot_id: boot_id.to_owned(), floor: 0 }
}

/// The floor of this boot. It is recorded when this is the boot's first opening, and lowered to the present when it is in
/// the future.
pub fn floor(store: &dyn Store, boot_id: &str, now: Duration) -> Result<u64, Unavailable> {
    if !store.forgets_on_power_cut() {
        return Ok(0);
    }
    store.settle(&[BOOT], Durability::Power, |texts| {
        let boot = record::read::<Boot>(BOOT.name, texts.at(0))?;
        let boot = boot.ok_or_else(|| {
            Unavailable("The record of the boot is missing: the database was lost. Restore it from a backup".to_owned())
        })?;
        let is_this = boot.boot_id == boot_id && !boot_id.is_empty();
        if is_this && boot.floor <= now.as_secs() {
            return Ok::<_, Unavailable>((boot.floor, Decision::default()));
        }
        let new = Boot { boot_id: boot_id.to_owned(), floor: now.as_secs() };
        let changes = vec![Change { key: BOOT, text: Some(record::write(&new)?) }];
        Ok((new.floor, Decision { changes, lines: Vec::new() }))
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::sqlite::Sqlite;

    #[test]
    fn the_first_opening_of_a_boot_sets_the_floor() {
        let folder = tempfile::tempdir().unwrap();
        let store = Sqlite::create(&folder.path().join("tfa.db")).unwrap();
        let dynamic: &dyn Store = &store;
        let write = |boot: &Boot| {
            let changes = vec![Change { key: BOOT, text: Some(record::write(boot).unwrap()) }];
            let decision = Decision { changes, lines: Vec::new() };
            dynamic.settle(&[BOOT], Durability::Power, |_| Ok::<_, Unavailable>(((), decision.clone()))).unwrap();
        };
        assert!(floor(&store, "first", Duration::ZERO).unwrap_err().0.contains("lost"));
        write(&first("first"));
        let open = |boot: &str, seconds| floor(&store, boot, Duration::from_secs(seconds)).unwrap();
        assert_eq!(open("first", 1000), 0, "nothing was accepted before the store was created");
        assert_eq!(open("first", 2000), 0);
        assert_eq!(open("second", 3000), 3000);
        assert_eq!(open("second", 4000), 3000);
        assert_eq!(open("", 5000), 5000, "without a boot id every opening may follow a reboot");
        assert_eq!(open("", 6000), 6000);
        write(&Boot { boot_id: "ahead".to_owned(), floor: 90_000 });
        assert_eq!(open("ahead", 7000), 7000, "a floor in the future is lowered to the present");
        assert_eq!(open("ahead", 8000), 7000);
    }

    #[test]
    fn the_kernel_names_its_boot() {
        assert_eq!(kernel_boot_id().len(), 36);
    }
}
