//! A secret key for each cache folder, and digests that reveal nothing without it.

use std::io::{self, Read as _, Write as _};
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;

use fs_err as fs;

/// The name of the file with the key.
const NAME: &str = "secret";

/// How many bytes a key has.
const LENGTH: usize = 32;

/// A random key, drawn once per cache folder. Digests made with it can be compared, but an attacker cannot check a
/// list of likely values against them without the key, which only its owner can read.
#[derive(Clone, PartialEq, Eq)]
pub(in crate::build) struct Secret([u8; LENGTH]);

impl Secret {
    /// The key of the cache folder `parent`, drawn now if there is none.
    ///
    /// # Errors
    /// Where it cannot be read or written.
    pub(super) fn of(parent: &Path) -> io::Result<Secret> {
        let path = parent.join(NAME);
        if let Some(secret) = Secret::read(&path)? {
            return Ok(secret);
        }
        let mut bytes = [0; LENGTH];
        fs::File::open("/dev/urandom")?.read_exact(&mut bytes)?;
        // Readable by its owner only, and created atomically.
        let mut file = tempfile::NamedTempFile::new_in(parent)?;
        file.write_all(&bytes)?;
        match file.persist_noclobber(&path) {
            Ok(_) => Ok(Secret(bytes)),
            // Another run was first, or the existing key is damaged.
            Err(_) => match Secret::read(&path)? {
                Some(secret) => Ok(secret),
                None => {
                    fs::remove_file(&path)?;
                    Secret::of(parent)
                }
            },
        }
    }

    fn read(path: &Path) -> io::Result<Option<Secret>> {
        let bytes = match fs::read(path) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            other => other?,
        };
        let mut permissions = fs::metadata(path)?.permissions();
        if permissions.mode() & 0o077 != 0 {
            // Caches of continuous integration unpack files like this.
            permissions.set_mode(0o600);
            fs::set_permissions(path, permissions)?;
        }
        Ok(bytes.try_into().ok().map(Secret))
    }

    /// A digest of `text` that depends on the key, in hexadecimal digits.
    ///
    /// # Errors
    /// Never, in practice: where libgit2 cannot be used.
    pub(in crate::build) fn digest(&self, text: &[u8]) -> io::Result<String> {
        // The nested construction of HMAC.
        let inner = sha1(&[&self.padded(0x36), text])?;
        let outer = sha1(&[&self.padded(0x5c), inner.as_bytes()])?;
        Ok(outer.to_string())
    }

    fn padded(&self, with: u8) -> [u8; 64] {
        let mut block = [with; 64];
        for (byte, key) in block.iter_mut().zip(self.0) {
            *byte ^= key;
        }
        block
    }
}

impl std::fmt::Debug for Secret {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Secret")
    }
}

fn sha1(parts: &[&[u8]]) -> io::Result<git2::Oid> {
    let id = git2::Oid::hash_object(git2::ObjectType::Blob, &parts.concat());
    id.map_err(io::Error::other)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_folder_has_one_key_that_only_its_owner_can_read_and_others_have_others() {
        let (one, other) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
        let first = Secret::of(one.path()).unwrap();
        let path = one.path().join(NAME);
        let mode = |path: &Path| fs::metadata(path).unwrap().permissions().mode() & 0o777;
        assert_eq!(mode(&path), 0o600);
        fs::set_permissions(&path, std::fs::Permissions::from_mode(0o644)).unwrap();
        assert_eq!(Secret::of(one.path()).unwrap(), first);
        assert_eq!(mode(&path), 0o600);
        let second = Secret::of(other.path()).unwrap();
        assert_eq!(first.digest(b"x").unwrap(), first.digest(b"x").unwrap());
        assert_ne!(first.digest(b"x").unwrap(), first.digest(b"y").unwrap());
        assert_ne!(first.digest(b"x").unwrap(), second.digest(b"x").unwrap());
    }

    #[test]
    fn a_damaged_key_is_drawn_anew() {
        let temp = tempfile::tempdir().unwrap();
        fs::write(temp.path().join(NAME), "short").unwrap();
        let drawn = Secret::of(temp.path()).unwrap();
        assert_eq!(Secret::of(temp.path()).unwrap(), drawn);
    }
}
