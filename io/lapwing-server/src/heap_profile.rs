//! Who holds the memory: a heap profile as jemalloc writes it.
//!
//! Touches: with feature `heap-profile`, the allocator of the whole program; a file in the data
//! directory for a moment. Never: samples unless the environment said so at start.

use std::io;

/// Why there is no profile.
#[derive(Debug)]
pub(crate) enum HeapProfileError {
    /// It was not switched on, and this is how.
    Off(&'static str),
    /// The profile could not be written or read.
    #[cfg_attr(not(feature = "heap-profile"), expect(dead_code, reason = "nothing is written then"))]
    Io(io::Error),
}

#[cfg(not(feature = "heap-profile"))]
pub(crate) fn heap_profile(_dir: &std::path::Path) -> Result<Vec<u8>, HeapProfileError> {
    Err(HeapProfileError::Off("this server was built without feature heap-profile"))
}

#[cfg(feature = "heap-profile")]
pub(crate) use with_jemalloc::heap_profile;

#[cfg(feature = "heap-profile")]
mod with_jemalloc {
    use super::HeapProfileError;
    use std::ffi::{CString, c_char};
    use std::io;
    use std::os::unix::ffi::OsStrExt;
    use std::path::Path;
    use std::ptr::null_mut;
    use tikv_jemalloc_sys::mallctl;
    use tikv_jemallocator::Jemalloc;

    #[global_allocator]
    static ALLOCATOR: Jemalloc = Jemalloc;

    const HOW: &str =
        "start the server with _RJEM_MALLOC_CONF=prof:true,lg_prof_sample:19 in its environment";

    /// Has jemalloc write a profile into `dir`, and takes it from there.
    pub(crate) fn heap_profile(dir: &Path) -> Result<Vec<u8>, HeapProfileError> {
        let path = dir.join("heap-profile.tmp");
        let name = CString::new(path.as_os_str().as_bytes())
            .map_err(|error| HeapProfileError::Io(io::Error::other(error)))?;
        if !dump(&name) {
            return Err(HeapProfileError::Off(HOW));
        }
        let bytes = std::fs::read(&path).map_err(HeapProfileError::Io);
        std::fs::remove_file(&path).map_err(HeapProfileError::Io)?;
        bytes
    }

    #[allow(unsafe_code, reason = "jemalloc knows no other way to ask for a profile")]
    fn dump(path: &CString) -> bool {
        let mut path: *const c_char = path.as_ptr();
        // SAFETY: "prof.dump" takes a pointer to a C string and copies what it needs before it returns;
        // the string outlives the call, and nothing is read back.
        let code = unsafe {
            let new = (&raw mut path).cast();
            mallctl(c"prof.dump".as_ptr(), null_mut(), null_mut(), new, size_of::<*const c_char>())
        };
        code == 0
    }
}
