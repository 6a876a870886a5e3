//! "Did you mean …?" for the names of functions and users.

use std::iter;

/// How alike two names must be, from 0 to 1, as clap has it for commands.
const LIKENESS: f64 = 0.7;

/// Returns the candidate that is most like `word`, as the end of a message; an empty text if none is like it.
pub fn for_word<'a>(word: &str, candidates: impl Iterator<Item = &'a str>) -> String {
    let mut best: Option<(f64, &str)> = None;
    for candidate in candidates {
        let likeness = strsim::jaro(word, candidate);
        if likeness > best.map_or(LIKENESS, |(likeness, _)| likeness) {
            best = Some((likeness, candidate));
        }
    }
    best.map(|(_, name)| format!(" Did you mean \"{name}\"?")).unwrap_or_default()
}

/// Returns the function that is most like `word`, whatever prefix it lacks, as the end of a message.
pub fn for_function<'a>(word: &str, functions: impl Iterator<Item = &'a str> + Clone) -> String {
    let ending = functions.clone().find(|name| name.strip_suffix(word).is_some_and(|prefix| prefix.ends_with('_')));
    match ending {
        Some(name) => for_word(name, iter::once(name)),
        None => for_word(word, functions),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_nearest_name_is_suggested() {
        let names = || ["example", "exemplar", "other"].into_iter();
        assert_eq!(for_word("exmaple", names()), " Did you mean \"example\"?");
        assert_eq!(for_word("xyz", names()), "");
    }

    #[test]
    fn a_function_is_found_by_its_ending() {
        let names = || ["twofactorauth_policy_status", "twofactorauth_login_status", "applist"].into_iter();
        for word in ["policy_status", "twofactorauth_policy_staus", "twofactorauth_policystatus"] {
            assert_eq!(for_function(word, names()), " Did you mean \"twofactorauth_policy_status\"?", "{word}");
        }
    }
}
