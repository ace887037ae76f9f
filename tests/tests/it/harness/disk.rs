//! What a disk keeps of a folder when the power is cut, worked out from the record that `tests/shim/faults.c` makes.
//!
//! A file's content is kept up to its last sync; which files there are, up to the last sync of the folder. Of what came
//! after, a disk may have kept anything: writes in any order, and of each write any of its sectors.

use std::collections::BTreeMap;
use std::path::Path;

use rand::rngs::StdRng;
use rand::{RngExt as _, SeedableRng as _};

const HEADER: usize = 48;
const NAME: usize = 31;
const SECTOR: usize = 512;
/// Longest record of one run.
const MOST: u64 = 1 << 30;

/// Whether a sync is one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Sync {
    /// What was synced is kept.
    Honest,
    /// Nothing is kept but what was there at first.
    Lie,
}

/// What is left of what was not synced.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Unsynced {
    /// Nothing.
    Lost,
    /// Everything.
    Kept,
    /// What came first, and a part of the next.
    Beginning,
    /// Any sectors of any writes.
    AnySectors,
}

impl Unsynced {
    /// Each of them as often.
    pub(crate) fn any(random: &mut StdRng) -> Self {
        match random.random_range(0..4) {
            0 => Self::Lost,
            1 => Self::Kept,
            2 => Self::Beginning,
            _ => Self::AnySectors,
        }
    }
}

#[derive(Clone, Debug)]
enum Change {
    Write { at: usize, data: Vec<u8> },
    Truncate(usize),
}

#[derive(Clone, Debug, Default)]
struct File {
    synced: Vec<u8>,
    unsynced: Vec<Change>,
}

/// Files by their names.
pub(crate) type Folder = BTreeMap<String, Vec<u8>>;

/// A disk under one folder.
#[derive(Clone, Debug)]
pub(crate) struct Disk {
    files: Vec<File>,
    /// Which file has which name, as the processes see it.
    seen: BTreeMap<String, usize>,
    /// The same as of the folder's last sync, and what has changed since.
    synced: BTreeMap<String, usize>,
    unsynced: Vec<(String, Option<usize>)>,
}

impl Disk {
    /// All of `folder` is on disk.
    pub(crate) fn of(folder: &Folder) -> Self {
        let (names, contents): (Vec<_>, Vec<_>) = folder.clone().into_iter().unzip();
        let file = |synced| File { synced, unsynced: Vec::new() };
        let seen: BTreeMap<_, _> = names.into_iter().zip(0..).collect();
        let files = contents.into_iter().map(file).collect();
        Self { files, synced: seen.clone(), seen, unsynced: Vec::new() }
    }

    /// Takes what was recorded. The last change may be cut off, of a process that was killed: it was not made then.
    pub(crate) fn replay(&mut self, mut record: &[u8], sync: Sync) {
        while let Some((header, rest)) = record.split_at_checked(HEADER) {
            let (what, at, length) = (header[0], number(header, NAME + 1), number(header, NAME + 9));
            let name = header[1..=NAME].split(|byte| *byte == 0).next().unwrap();
            let name = std::str::from_utf8(name).unwrap();
            let Some((data, rest)) = rest.split_at_checked(if what == b'w' { length } else { 0 }) else {
                return;
            };
            record = rest;
            match what {
                b'c' => self.rename(name, Some(self.files.len())),
                b'u' => self.rename(name, None),
                b'w' => self.change(name, Change::Write { at, data: data.to_vec() }),
                b't' => self.change(name, Change::Truncate(at)),
                b's' if sync == Sync::Lie => {}
                b's' if name == "." => {
                    self.synced = self.seen.clone();
                    self.unsynced.clear();
                }
                b's' => {
                    let file = &mut self.files[self.seen[name]];
                    file.unsynced.drain(..).for_each(|change| change.apply(&mut file.synced));
                }
                other => panic!("{other} is no change"),
            }
        }
    }

    fn rename(&mut self, name: &str, file: Option<usize>) {
        if file.is_some() {
            self.files.push(File::default());
        }
        set(&mut self.seen, name, file);
        self.unsynced.push((name.to_owned(), file));
    }

    fn change(&mut self, name: &str, change: Change) {
        self.files[self.seen[name]].unsynced.push(change);
    }

    /// The folder as the processes see it: nothing recorded is missing.
    pub(crate) fn seen(&self) -> Folder {
        let whole = |file: usize| self.files[file].after(Unsynced::Kept, &mut StdRng::seed_from_u64(0));
        self.seen.iter().map(|(name, file)| (name.clone(), whole(*file))).collect()
    }

    /// The folder as it is found when the power is back.
    pub(crate) fn after_cut(&self, unsynced: Unsynced, random: &mut StdRng) -> Folder {
        let mut names = self.synced.clone();
        let kept = match unsynced {
            Unsynced::Lost => 0,
            Unsynced::Kept => self.unsynced.len(),
            // A file system keeps their order.
            Unsynced::Beginning | Unsynced::AnySectors => random.random_range(0..=self.unsynced.len()),
        };
        for (name, file) in &self.unsynced[..kept] {
            set(&mut names, name, *file);
        }
        names.into_iter().map(|(name, file)| (name, self.files[file].after(unsynced, random))).collect()
    }
}

/// The number at this place of a change's header.
fn number(header: &[u8], at: usize) -> usize {
    usize::try_from(u64::from_ne_bytes(header[at..at + 8].try_into().unwrap())).unwrap()
}

fn set(names: &mut BTreeMap<String, usize>, name: &str, file: Option<usize>) {
    match file {
        Some(file) => names.insert(name.to_owned(), file),
        None => names.remove(name),
    };
}

impl File {
    fn after(&self, unsynced: Unsynced, random: &mut StdRng) -> Vec<u8> {
        let mut content = self.synced.clone();
        let whole = match unsynced {
            Unsynced::Lost => return content,
            Unsynced::Kept => self.unsynced.len(),
            Unsynced::Beginning => random.random_range(0..=self.unsynced.len()),
            Unsynced::AnySectors => 0,
        };
        let (first, rest) = self.unsynced.split_at(whole);
        first.iter().for_each(|change| change.clone().apply(&mut content));
        let torn = if unsynced == Unsynced::Beginning { rest.len().min(1) } else { rest.len() };
        rest[..torn].iter().for_each(|change| change.tear(&mut content, random));
        content
    }
}

impl Change {
    fn apply(self, content: &mut Vec<u8>) {
        match self {
            Self::Write { at, data } => put(content, at, &data),
            Self::Truncate(length) => content.resize(length, 0),
        }
    }

    /// Applies some of it: of a write any of the disk's sectors that it covers.
    fn tear(&self, content: &mut Vec<u8>, random: &mut StdRng) {
        match self {
            Self::Write { at, data } => {
                let mut at = *at;
                let mut rest = data.as_slice();
                while !rest.is_empty() {
                    let (sector, after) = rest.split_at((SECTOR - at % SECTOR).min(rest.len()));
                    if random.random() {
                        put(content, at, sector);
                    }
                    (at, rest) = (at + sector.len(), after);
                }
            }
            Self::Truncate(length) => {
                if random.random() {
                    content.resize(*length, 0);
                }
            }
        }
    }
}

fn put(content: &mut Vec<u8>, at: usize, data: &[u8]) {
    let end = at + data.len();
    if content.len() < end {
        content.resize(end, 0);
    }
    content[at..end].copy_from_slice(data);
}

/// The files of a folder that a disk is to keep: neither the lock nor the index of the log, which says nothing after
/// a crash.
pub(crate) fn read(folder: &Path) -> Folder {
    let mut files = Folder::new();
    for entry in std::fs::read_dir(folder).unwrap() {
        let entry = entry.unwrap();
        let name = entry.file_name().into_string().unwrap();
        if !name.ends_with("-shm") && !name.ends_with(".lock") {
            files.insert(name, std::fs::read(entry.path()).unwrap());
        }
    }
    files
}

/// Makes a folder hold these files and no other.
pub(crate) fn write(folder: &Path, files: &Folder) {
    std::fs::remove_dir_all(folder).unwrap();
    std::fs::create_dir(folder).unwrap();
    for (name, content) in files {
        std::fs::write(folder.join(name), content).unwrap();
    }
}

/// The record, and an empty one in its place.
pub(crate) fn take_record(path: &Path) -> Vec<u8> {
    let length = std::fs::metadata(path).map_or(0, |file| file.len());
    assert!(length < MOST, "the record has {length} bytes");
    let record = std::fs::read(path).unwrap_or_default();
    std::fs::remove_file(path).ok();
    record
}

/// Every byte that is on the real disk was recorded; of the last change, a part may be missing.
pub(crate) fn assert_complete(real: &Folder, before: &Folder, record: &[u8]) {
    let mut disk = Disk::of(before);
    disk.replay(record, Sync::Honest);
    let recorded = disk.seen();
    let differs = |name: &String| real.get(name) != recorded.get(name);
    let different: Vec<&String> = real.keys().chain(recorded.keys()).filter(|name| differs(name)).collect();
    if different.is_empty() {
        return;
    }
    let mut disk = Disk::of(before);
    disk.replay(without_last(record), Sync::Honest);
    let without = disk.seen();
    for name in different {
        let [real, all, less] = [real, &recorded, &without].map(|folder| folder.get(name));
        let byte =
            |content: Option<&Vec<u8>>, at: usize| content.and_then(|content| content.get(at)).copied();
        let longest = [real, all, less].iter().flatten().map(|content| content.len()).max().unwrap_or(0);
        for at in 0..longest {
            let known = [byte(all, at), byte(less, at)];
            assert!(known.contains(&byte(real, at)), "byte {at} of {name} was written past the record");
        }
    }
}

fn without_last(record: &[u8]) -> &[u8] {
    let mut last = 0;
    let mut at = 0;
    while let Some(header) = record.get(at..at + HEADER) {
        last = at;
        let length = number(header, NAME + 9);
        at += HEADER + if header[0] == b'w' { length } else { 0 };
    }
    &record[..last]
}
