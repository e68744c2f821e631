/** Changes to the sources of tests, for what WASI does in another way. */
import fs from "node:fs";
import path from "node:path";

/** Changes texts; one that is not as it was known is an error. */
export function changeSources(folder, changed) {
  for (const [name, changes] of Object.entries(changed)) {
    const file = path.join(folder, name);
    let text = fs.readFileSync(file, "utf8");
    for (const [before, after] of changes) {
      if (!text.includes(before)) throw new Error(`${name} is not what is known: ${before}`);
      text = text.replaceAll(before, after);
    }
    fs.writeFileSync(file, text);
  }
}

/**
 * A function `symlink` in Rust. The target of a link is relative in WASI, so an absolute one is written
 * as the way to it from the link.
 *
 * @param root the name of the standard library
 */
export function linking(root) {
  return `fn symlink<P: AsRef<${root}::path::Path>, Q: AsRef<${root}::path::Path>>(
    target: P,
    link: Q,
) -> ${root}::io::Result<()> {
    let (target, link) = (target.as_ref(), link.as_ref());
    let mut way = ${root}::path::PathBuf::new();
    if let Ok(rest) = target.strip_prefix("/") {
        for _ in link.ancestors().skip(1).filter(|folder| folder.file_name().is_some()) {
            way.push("..");
        }
        way.push(rest);
    } else {
        way.push(target);
    }
    ${root}::os::wasi::fs::symlink_path(way, link)
}
`;
}
