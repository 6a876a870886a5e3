//! What the kernel knows and no safe library asks it for.

use std::io;
use std::mem::MaybeUninit;

/// Whether the kernel says that its clock is synchronised (adjtimex(2)).
pub fn clock_is_synchronised() -> io::Result<bool> {
    let mut state = MaybeUninit::<libc::timex>::zeroed();
    // SAFETY: the kernel fills in the structure, which is large enough; with `modes` 0 it changes nothing.
    let code = unsafe { libc::adjtimex(state.as_mut_ptr()) };
    if code < 0 {
        return Err(io::Error::last_os_error());
    }
    // SAFETY: it is numbers alone, all of them zeroed or filled in.
    let state = unsafe { state.assume_init() };
    Ok(code != libc::TIME_ERROR && state.status & libc::STA_UNSYNC == 0)
}

#[cfg(test)]
mod tests {
    #[test]
    fn the_kernel_answers() {
        // What it says is the machine's business; that it may be asked is ours.
        assert!(super::clock_is_synchronised().is_ok());
    }
}
