// node --import .../register.mjs FILE: makes `import ... from "stepmill"` mean this folder,
// in whatever folder FILE lies.
import { register } from "node:module";

register("./hooks.mjs", import.meta.url);
