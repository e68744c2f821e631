/**
 * What Windows makes of a file's name. Decided here, before any call and on every system alike:
 * whatever Windows may take for a path, a stream, a device, a pattern or another name than the one
 * written is no file's name for a guest.
 *
 * Case and 8.3 aliases ("PROGRA~1") are let through: they are further names of a file that is in
 * the same directory. Whether two names mean one file is decided by its number, never by the name.
 *
 * @module
 */
import { Errno } from "../../errno.ts";
import { isEscaped } from "../../text.ts";

/** UTF-16 units of a name that NTFS, ReFS, FAT and SMB can hold. */
const NAME_MAX = 255;

/** Why a name is not a file's, by what would happen. */
export const reserved: Readonly<Record<string, RegExp>> = {
  "a path of several components": /[\\/]/,
  "a stream of a file, or a drive": /:/,
  "a pattern": /[*?"<>]/,
  "a pipe between commands": /\|/,
  // deno-lint-ignore no-control-regex
  "a control character": /[\x00-\x1f]/,
  "another name, without what is at its end": /[. ]$/,
  // spaces and whatever follows a dot do not count, superscript digits do
  "a device": /^(?:con|prn|aux|nul|conin\$|conout\$|(?:com|lpt)[0-9¹²³]) *(?:\.|$)/i,
};

const rules: readonly RegExp[] = Object.values(reserved);

/** Whether a name means the file of that name, and nothing else. */
export function isFileName(name: string): boolean {
  return name !== "" && !rules.some((rule) => rule.test(name));
}

/**
 * 0 for a name that can be handed to Windows, or -errno. `makes` says that a file is to be made:
 * what cannot be there is INVAL then, and NOENT when it is looked for.
 */
export function checkName(name: string, makes: boolean): number {
  if (!isFileName(name)) return makes ? -Errno.INVAL : -Errno.NOENT;
  if (name.length > NAME_MAX) return -Errno.NAMETOOLONG;
  // bytes that are not UTF-8 have no name here
  return isEscaped(name) ? -Errno.ILSEQ : 0;
}
