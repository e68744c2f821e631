import { guests } from "./guest.ts";
import { files } from "./files.ts";

files.on(guests);
