//! The name of this device at registrars: RFC 5626 section 4.1. Each account has one of its own, the same over all starts, so that
//! two accounts of one address do not take each other's place.

use crate::{io::clock, store};
use sidetone_api::{AccountId, Failure, FailureCode};
use std::{
    fs,
    io::{self, Read as _, Write as _},
    path::{Path, PathBuf},
};

const FILE: &str = "instance";
/// Of a UUID with a line end, and some room.
const LONGEST_FILE: u64 = 64;

pub(super) struct Instance {
    device: u128,
    /// `None`: for this run only.
    file: Option<PathBuf>,
}

impl Instance {
    /// The device's name in `folder`, new where there is none. A file that cannot be written is told in the log alone: the name is
    /// another one after the next start then.
    ///
    /// # Errors
    /// The system has no random numbers.
    pub(super) fn open(folder: Option<&Path>) -> Result<Self, Failure> {
        let file = folder.map(|folder| folder.join(FILE));
        if let Some(device) = file.as_deref().and_then(read) {
            return Ok(Self { device, file });
        }
        let instance = Self { device: random()?, file };
        if let Err(failure) = instance.keep() {
            tracing::warn!("{failure}");
        }
        Ok(instance)
    }

    /// Another name from now on: nobody is to recognize the device.
    ///
    /// # Errors
    /// The system has no random numbers, or the old name is still in the file.
    pub(super) fn renew(&mut self) -> Result<(), Failure> {
        self.device = random()?;
        self.keep()
    }

    /// Deletes a file beside it, where there is one.
    ///
    /// # Errors
    /// It is still there.
    pub(super) fn forget_beside(&self, name: &str) -> Result<(), Failure> {
        let Some(folder) = self.file.as_deref().and_then(Path::parent) else { return Ok(()) };
        let file = folder.join(name);
        match fs::remove_file(&file) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => {
                Err(Failure::new(FailureCode::Storage, format!("{}: {error}", file.display())))
            }
            _ => Ok(()),
        }
    }

    fn keep(&self) -> Result<(), Failure> {
        let Some(file) = &self.file else { return Ok(()) };
        write(file, &uuid(self.device))
            .map_err(|error| Failure::new(FailureCode::Storage, format!("{}: {error}", file.display())))
    }

    /// The UUID of the device itself.
    pub(super) fn device(&self) -> String {
        uuid(self.device)
    }

    /// The UUID of an account on this device.
    pub(super) fn of(&self, account: &AccountId) -> String {
        uuid(self.device ^ hash(account.as_str()))
    }
}

fn random() -> Result<u128, Failure> {
    clock::random().map(u128::from_be_bytes).map_err(|error| {
        Failure::new(FailureCode::Limit, format!("no name for this device: no randomness: {error}"))
    })
}

/// FNV-1a: tells accounts apart, and has nothing to hide.
fn hash(text: &str) -> u128 {
    const BASIS: u128 = 0x6c62_272e_07bb_0142_62b8_2175_6295_c58d;
    const PRIME: u128 = 0x0000_0000_0100_0000_0000_0000_0000_013b;
    text.bytes().fold(BASIS, |hash, byte| (hash ^ u128::from(byte)).wrapping_mul(PRIME))
}

/// Version 8 of RFC 9562: bits of our own choice.
fn uuid(bits: u128) -> String {
    let bits = bits & !(0xf << 76) & !(0x3 << 62) | 0x8 << 76 | 0x2 << 62;
    let text = format!("{bits:032x}");
    [&text[..8], &text[8..12], &text[12..16], &text[16..20], &text[20..]].join("-")
}

fn read(file: &Path) -> Option<u128> {
    let mut text = String::new();
    fs::File::open(file).ok()?.take(LONGEST_FILE).read_to_string(&mut text).ok()?;
    let digits: String = text.trim().chars().filter(|c| *c != '-').collect();
    u128::from_str_radix(&digits, 16).ok().filter(|_| digits.len() == 32)
}

/// Replaces the file whole.
fn write(file: &Path, text: &str) -> io::Result<()> {
    if let Some(folder) = file.parent() {
        store::create_folder(folder)?;
    }
    let temporary = file.with_extension("new");
    let mut writing = fs::File::create(&temporary)?;
    writing.write_all(format!("{text}\n").as_bytes())?;
    writing.sync_all()?;
    fs::rename(&temporary, file)
}

#[cfg(test)]
mod tests {
    use super::{FILE, Instance};
    use sidetone_api::AccountId;

    #[test]
    fn a_device_keeps_its_name_over_starts_and_each_account_has_another() {
        let folder = tempfile::tempdir().unwrap();
        let data = folder.path().join("data");
        let (work, home) = (AccountId::new("work"), AccountId::new("home"));
        let first = Instance::open(Some(&data)).unwrap();
        let name = first.of(&work);
        assert_eq!(Instance::open(Some(&data)).unwrap().of(&work), name);
        assert_ne!(first.of(&home), name);
        let lengths: Vec<usize> = name.split('-').map(str::len).collect();
        assert_eq!(lengths, [8, 4, 4, 4, 12], "{name}");
        assert!(name.as_bytes()[14] == b'8' && b"89ab".contains(&name.as_bytes()[19]), "{name}");
    }

    #[test]
    fn without_a_folder_it_is_another_name_each_time() {
        let account = AccountId::new("work");
        let name = || Instance::open(None).unwrap().of(&account);
        assert_ne!(name(), name());
    }

    #[test]
    fn a_file_that_holds_no_name_is_replaced_and_a_renewed_name_is_kept() {
        let folder = tempfile::tempdir().unwrap();
        let account = AccountId::new("work");
        for wrong in ["", "\0\0", "not a name", &"a".repeat(4096), "+123-4567-89ab"] {
            std::fs::write(folder.path().join(FILE), wrong).unwrap();
            let mut instance = Instance::open(Some(folder.path())).unwrap();
            let name = instance.of(&account);
            assert_eq!(Instance::open(Some(folder.path())).unwrap().of(&account), name, "{wrong:?}");
            instance.renew().unwrap();
            assert_ne!(instance.of(&account), name);
            assert_eq!(Instance::open(Some(folder.path())).unwrap().of(&account), instance.of(&account));
        }
    }

    #[test]
    fn a_name_that_cannot_be_replaced_on_disk_is_told() {
        let folder = tempfile::tempdir().unwrap();
        // A folder in the file's place.
        std::fs::create_dir(folder.path().join(FILE)).unwrap();
        let mut instance = Instance::open(Some(folder.path())).unwrap();
        assert!(instance.renew().unwrap_err().message.contains(FILE));
    }

    #[cfg(unix)]
    #[test]
    fn nobody_else_reads_it() {
        use std::os::unix::fs::PermissionsExt as _;
        let folder = tempfile::tempdir().unwrap();
        let data = folder.path().join("data");
        Instance::open(Some(&data)).unwrap();
        assert_eq!(std::fs::metadata(&data).unwrap().permissions().mode() & 0o077, 0);
    }
}
