//! One-time codes against liboath: 10,000 random secrets, times, algorithms and lengths, through the C functions.
//!
//! `tests/oracle/liboath.c`, which is compiled here, calls liboath (Debian: liboath-dev).
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]
#![allow(clippy::arithmetic_side_effects)]

use std::ffi::CString;
use std::fmt::Write as _;
use std::io::Write as _;
use std::path::Path;
use std::process::{Command, Stdio};

use data_encoding::HEXLOWER;
use tfa::ffi::codes::{TFA_SHA1, TFA_SHA256, TFA_SHA512, tfa_generate_totp, tfa_verify_totp};

const CASES: usize = 10_000;
/// Steps on either side of a time that liboath computes.
const AROUND: u64 = 3;

/// One random case.
#[derive(Debug)]
struct Case {
    secret: Vec<u8>,
    algorithm: u32,
    digits: u32,
    period: u32,
    time: u64,
    skew: u32,
    /// The step whose code is verified, as an index into those around the time.
    chosen: usize,
}

/// A random number from the operating system: each run has other cases.
fn random() -> u64 {
    getrandom::u64().unwrap()
}

fn below(limit: u64) -> u64 {
    random() % limit
}

fn case() -> Case {
    let secret = (0..10 + below(71)).map(|_| random().to_le_bytes()[0]).collect();
    let period = [30, 30, 60, 1 + below(300) as u32][below(4) as usize];
    Case {
        secret,
        algorithm: [TFA_SHA1, TFA_SHA256, TFA_SHA512][below(3) as usize],
        digits: 6 + below(3) as u32,
        period,
        // From the fourth step on, to the year 4147.
        time: (u64::from(period) * AROUND) + below(1 << 36),
        skew: below(3) as u32,
        chosen: below(2 * AROUND + 1) as usize,
    }
}

/// The codes that liboath computes for each case: those of the steps around it, the oldest first.
fn liboath(cases: &[Case]) -> Vec<Vec<String>> {
    let source = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/oracle/liboath.c");
    let program = Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("liboath-{}", std::process::id()));
    let compiled =
        Command::new("cc").args(["-O1", "-Wall", "-Werror", "-o"]).arg(&program).args([source, "-loath"]).status();
    assert!(compiled.expect("cc runs").success(), "the oracle does not compile: install liboath-dev");
    let mut questions = String::new();
    for case in cases {
        let Case { algorithm, digits, period, time, .. } = case;
        writeln!(questions, "{} {algorithm} {digits} {period} {time} {AROUND}", HEXLOWER.encode(&case.secret)).unwrap();
    }
    let mut child = Command::new(&program).stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
    let mut input = child.stdin.take().unwrap();
    let writer = std::thread::spawn(move || input.write_all(questions.as_bytes()).unwrap());
    let output = child.wait_with_output().unwrap();
    writer.join().unwrap();
    std::fs::remove_file(&program).unwrap();
    assert!(output.status.success());
    let answers = String::from_utf8(output.stdout).unwrap();
    answers.lines().map(|line| line.split(' ').map(str::to_owned).collect()).collect()
}

#[test]
fn ten_thousand_random_codes_agree_with_liboath() {
    let cases: Vec<_> = std::iter::repeat_with(case).take(CASES).collect();
    let answers = liboath(&cases);
    assert_eq!(answers.len(), CASES);
    let (mut right, mut wrong) = (0, 0);
    for (case, codes) in cases.iter().zip(&answers) {
        assert_eq!(codes.len() as u64, 2 * AROUND + 1, "{case:?}");
        let Case { secret, algorithm, digits, period, time, skew, chosen } = case;
        // SAFETY: the pointer and the length are the secret's.
        let ours = unsafe { tfa_generate_totp(secret.as_ptr(), secret.len(), *algorithm, *digits, *period, *time) };
        let width = *digits as usize;
        assert_eq!(format!("{ours:0width$}"), codes[AROUND as usize], "{case:?}");

        // The newest step within the skew that has the chosen code, as liboath has it.
        let now = time / u64::from(*period);
        let steps = (now - AROUND..).zip(codes);
        let expected = steps
            .filter(|(step, code)| step.abs_diff(now) <= u64::from(*skew) && **code == codes[*chosen])
            .map(|(step, _)| step)
            .last();
        let code = CString::new(codes[*chosen].as_str()).unwrap();
        let mut step = 0;
        // SAFETY: pointer and length are the secret's, the code is a string, and the step is writable.
        let verdict = unsafe {
            let secret = (secret.as_ptr(), secret.len());
            tfa_verify_totp(
                secret.0,
                secret.1,
                *algorithm,
                *digits,
                *period,
                *skew,
                *time,
                code.as_ptr(),
                &raw mut step,
            )
        };
        assert_eq!((verdict, step), (i32::from(expected.is_some()), expected.unwrap_or(0)), "{case:?}");
        if verdict == 1 { right += 1 } else { wrong += 1 }
    }
    assert!(right > CASES / 5 && wrong > CASES / 5, "{right} right and {wrong} wrong codes");
}
