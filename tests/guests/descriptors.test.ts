import { guests } from "./guest.ts";
import { descriptors } from "./descriptors.ts";

descriptors.on(guests);
