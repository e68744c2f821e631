import { guests } from "./guest.ts";
import { processes } from "./process.ts";

processes.on(guests);
