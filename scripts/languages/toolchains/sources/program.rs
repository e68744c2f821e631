//! Counts words of standard input, and writes, lists and reads files.
use std::{collections::BTreeMap, env, fs, io::Read, process, time::Instant};

fn main() {
    let start = Instant::now();
    let mut text = String::new();
    std::io::stdin().read_to_string(&mut text).unwrap();
    let mut words = BTreeMap::new();
    for word in text.split_whitespace() {
        *words.entry(word).or_insert(0) += 1;
    }
    println!("{words:?}");
    fs::create_dir_all("a/b").unwrap();
    fs::write("a/b/ü.txt", format!("{:?}", env::args().skip(1).collect::<Vec<_>>())).unwrap();
    fs::rename("a/b/ü.txt", "a/moved.txt").unwrap();
    let mut names: Vec<_> = fs::read_dir("a").unwrap().map(|e| e.unwrap().file_name()).collect();
    names.sort();
    println!("{names:?} {}", fs::read_to_string("a/moved.txt").unwrap());
    println!("{:?}", fs::read("none").map_err(|error| error.kind()));
    println!("{:?}", fs::remove_dir("a").map_err(|error| error.kind()));
    println!("{}", env::var("WORD").unwrap_or_default());
    assert!(start.elapsed().as_secs() < 60);
    process::exit(7)
}
