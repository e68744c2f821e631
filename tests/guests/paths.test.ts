import { guests } from "./guest.ts";
import { paths } from "./paths.ts";

paths.on(guests);
