/** The one place from which tests take the class under test. */
export { WASI } from "../../mod.ts";
