// What `import { ... } from "stepmill"` gives.
export { createWorkflow } from "./workflow.js";
export { WorkflowContext } from "./context.js";
export { StepmillError, StepFailed, Divergence, Cancelled } from "./errors.js";
