/**
 * Reparse points: what they say, and how a symbolic link is written.
 *
 * @module
 */
import { Errno } from "../../errno.ts";
import { isEscaped } from "../../text.ts";
import { isFileName } from "./names.ts";
import * as nt from "./nt.ts";

function viewOf(bytes: Uint8Array): DataView {
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}

/** The text at a place that the data itself names, or undefined if that is outside of it. */
function textAt(view: DataView, at: number, length: number, end: number): string | undefined {
  if (at + length > end || length % 2 !== 0) return undefined;
  let text = "";
  for (let i = 0; i < length; i += 2) text += String.fromCharCode(view.getUint16(at + i, true));
  return text;
}

/**
 * What a reparse point of `length` bytes leads to, as a guest reads it: backslashes become slashes.
 * What is absolute begins with a slash, so that a walk refuses it: "/C:/data" for "C:\data".
 * -PERM for kinds that are not known, and for data that makes no sense.
 */
export function linkOf(bytes: Uint8Array, length: number): string | number {
  const { Reparse } = nt;
  const view = viewOf(bytes);
  const end = Math.min(length, bytes.length);
  if (end < Reparse.symlinkNames) return -Errno.PERM;
  const tag = view.getUint32(Reparse.tag, true);
  const symlink = tag === nt.REPARSE_TAG_SYMLINK;
  if (!symlink && tag !== nt.REPARSE_TAG_MOUNT_POINT) return -Errno.PERM;
  const names = symlink ? Reparse.symlinkNames : Reparse.mountPointNames;
  const at = names + view.getUint16(Reparse.substituteOffset, true);
  const text = textAt(view, at, view.getUint16(Reparse.substituteLength, true), end);
  if (text === undefined || text.includes("\0")) return -Errno.PERM;
  const slashed = text.replaceAll("\\", "/");
  const relative = symlink &&
    (view.getUint32(Reparse.flags, true) & nt.SYMLINK_FLAG_RELATIVE) !== 0;
  return relative ? slashed : `/${slashed.replace(/^\/(?:\?\?|[?.])?\/?/, "")}`;
}

/** Whether every component of a link's text is a name that Windows takes for a file's. */
export function isTarget(target: string): boolean {
  return target.split("/").every((name) => ["", ".", ".."].includes(name) || isFileName(name));
}

/**
 * Lays a symbolic link to `target` into `bytes` and returns how many they are. Its components must
 * be names that Windows takes for files; it is kept as it is otherwise, and is relative for Windows
 * even if it begins with a slash: then to the drive.
 */
export function putLink(bytes: Uint8Array, target: string): number {
  if (isEscaped(target)) return -Errno.ILSEQ;
  if (!isTarget(target)) return -Errno.INVAL;
  const { Reparse } = nt;
  const size = 2 * target.length;
  const length = Reparse.symlinkNames + 2 * size;
  if (length > bytes.length) return -Errno.NAMETOOLONG;
  const view = viewOf(bytes);
  bytes.fill(0, 0, length);
  view.setUint32(Reparse.tag, nt.REPARSE_TAG_SYMLINK, true);
  view.setUint16(Reparse.length, length - Reparse.data, true);
  view.setUint16(Reparse.substituteLength, size, true);
  view.setUint16(Reparse.printOffset, size, true);
  view.setUint16(Reparse.printLength, size, true);
  view.setUint32(Reparse.flags, nt.SYMLINK_FLAG_RELATIVE, true);
  for (let i = 0; i < target.length; i++) {
    const unit = target[i] === "/" ? 0x5c : target.charCodeAt(i);
    view.setUint16(Reparse.symlinkNames + 2 * i, unit, true);
    view.setUint16(Reparse.symlinkNames + size + 2 * i, unit, true);
  }
  return length;
}
