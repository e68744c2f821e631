import { ways } from "../support/hosts.ts";
import { declare } from "../support/subject.ts";
import { escapes } from "./escapes.ts";

for (const [name, way] of ways) {
  escapes.on({
    way,
    test: (sentence, options, body) => declare(`${sentence} (${name})`, options, body),
  });
}
