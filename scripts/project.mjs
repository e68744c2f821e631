/**
 * Where the project is. Replace OWNER here before the first release; nothing else names it.
 */
export const repository = "https://github.com/OWNER/wasi";
