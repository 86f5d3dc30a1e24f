//! A private, empty home directory that goes away with its owner, so that no test reads the developer's AWS profiles.

use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU32, Ordering};

static N_HOMES: AtomicU32 = AtomicU32::new(0);

/// The directory; removed on drop.
pub struct Home(PathBuf);

impl Home {
    /// Returns a new one.
    ///
    /// # Panics
    /// It cannot be created.
    #[must_use]
    pub fn create() -> Home {
        Home::below(&std::env::temp_dir()).expect("create a private home directory")
    }

    /// Returns a new one in memory, where Linux has a place for that: for what would wait thousands of times for the disk.
    ///
    /// # Panics
    /// It cannot be created.
    #[must_use]
    pub fn in_memory() -> Home {
        Home::in_one_of(&[Path::new("/dev/shm"), &std::env::temp_dir()])
    }

    /// Returns a new one in the first of these directories that can be written: where tests run without privileges, /dev/shm may be there
    /// and not be.
    fn in_one_of(directories: &[&Path]) -> Home {
        let mut homes = directories.iter().map(|one| Home::below(one));
        let home = homes.find_map(Result::ok);
        home.expect("create a private home directory")
    }

    fn below(directory: &Path) -> std::io::Result<Home> {
        let n = N_HOMES.fetch_add(1, Ordering::Relaxed);
        let name = format!("ssm-testbed-{}-{n}", std::process::id());
        let path = directory.join(name);
        // A process killed earlier may have had the same ID.
        let _ = std::fs::remove_dir_all(&path);
        std::fs::create_dir(&path)?;
        Ok(Home(path))
    }

    /// Returns where it is.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.0
    }
}

impl Drop for Home {
    fn drop(&mut self) {
        // What cannot be removed stays in the temporary directory; a test must not fail for it.
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::Home;

    #[test]
    fn is_private_and_goes_away() {
        let (a, b) = (Home::create(), Home::in_memory());
        assert_ne!(a.path(), b.path());
        std::fs::write(a.path().join("file"), "x").unwrap();
        let path = a.path().to_owned();
        drop(a);
        assert!(!path.exists() && b.path().exists());
    }

    #[test]
    fn is_elsewhere_where_a_directory_cannot_be_written() {
        // Nobody, root included, can make a directory there.
        let (closed, open) = (Path::new("/proc/self/fd"), std::env::temp_dir());
        let home = Home::in_one_of(&[closed, &open]);
        assert!(home.path().starts_with(open));
    }
}
