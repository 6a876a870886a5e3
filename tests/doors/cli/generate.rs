//! `tfa generate`: completions and manual pages.

use std::fs;
use std::path::Path;
use std::process::Command;

use tfa::engine::config::keys::KEYS;

use super::{Site, error, text};

#[test]
fn completions_and_pages_know_the_functions() {
    let site = Site::new();
    let share = site.folder.path().join("share");
    assert_eq!(site.tfa(&["generate", share.to_str().unwrap()]).status.code(), Some(0));
    let read = |name: &str| fs::read_to_string(share.join(name)).unwrap();
    for file in
        ["bash-completion/completions/whmapi1", "zsh/site-functions/_whmapi1", "bash-completion/completions/tfa"]
    {
        assert!(read(file).contains("twofactorauth_policy_status"), "{file}");
    }
    // The generator for fish knows options alone.
    assert!(read("fish/vendor_completions.d/whmapi1.fish").contains("-l output"));
    let completed = Command::new("bash")
        .args(["-c", "source \"$1\"; COMP_WORDS=(whmapi1 twofactorauth_pol); COMP_CWORD=1; _whmapi1 whmapi1 twofactorauth_pol whmapi1; echo \"${COMPREPLY[@]}\"", "bash"])
        .arg(share.join("bash-completion/completions/whmapi1"))
        .output()
        .unwrap();
    assert_eq!(text(&completed).trim(), "twofactorauth_policy_status", "{}", error(&completed));
}

/// The files below a folder, by their paths there.
fn files(folder: &Path) -> Vec<String> {
    let output = Command::new("find").current_dir(folder).args([".", "-type", "f"]).output().unwrap();
    let mut files: Vec<_> = text(&output).lines().map(|line| line.trim_start_matches("./").to_owned()).collect();
    files.sort();
    files
}

#[test]
fn every_page_is_correct_and_has_its_sections() {
    let site = Site::new();
    let share = site.folder.path().join("share");
    site.run(&["generate", share.to_str().unwrap()]);
    let pages: Vec<_> = files(&share).into_iter().filter(|file| file.starts_with("man/")).collect();
    assert!(pages.len() > 20 && pages.iter().any(|page| page == "man/man1/tfa-policy-enable.1"), "{pages:?}");
    for page in pages {
        let output = Command::new("man").args(["--warnings", "--local-file"]).arg(share.join(&page)).output();
        let output = output.expect("man is installed");
        assert_eq!((output.status.code(), error(&output)), (Some(0), ""), "{page}");
        let shown = text(&output);
        if page == "man/man5/tfa.toml.5" {
            assert!(KEYS.iter().all(|key| shown.contains(key.name)), "{shown}");
            continue;
        }
        for section in ["FILES", "ENVIRONMENT", "EXAMPLES", "EXIT STATUS"] {
            let (_, after) = shown.split_once(&format!("\n{section}\n")).unwrap_or_else(|| panic!("{page}: {section}"));
            let body = after.lines().next().unwrap();
            assert!(body.starts_with("  "), "{page}: {section} is empty");
        }
    }
}

#[test]
fn the_links_are_left_out() {
    let site = Site::new();
    let share = |name: &str| site.folder.path().join(name);
    site.run(&["generate", share("all").to_str().unwrap()]);
    site.run(&["generate", "--no-links", share("some").to_str().unwrap()]);
    let (all, some) = (files(&share("all")), files(&share("some")));
    let is_link = |file: &&String| {
        let name = file.rsplit('/').next().unwrap();
        ["whmapi1", "_whmapi1", "uapi", "_uapi"].contains(&name.split('.').next().unwrap())
    };
    assert_eq!(all.iter().filter(is_link).count(), 8, "two programs, three shells and a page");
    assert_eq!(some, all.iter().filter(|file| !is_link(file)).cloned().collect::<Vec<_>>());
}
