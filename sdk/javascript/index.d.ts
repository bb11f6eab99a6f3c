// The types of `import { ... } from "stepmill"`. Times are milliseconds, or texts as in
// YAML: "10s", "1h30m".

export type Json = null | boolean | number | string | Json[] | { [key: string]: Json };

export type WorkflowStatus =
	"PENDING" | "RUNNING" | "PAUSED" | "COMPLETED" | "FAILED" | "CANCELLED" | "TIMED_OUT" | "CRASHED";
export type StepStatus =
	"PENDING" | "QUEUED" | "RUNNING" | "RETRYING" | "WAITING" | "WAITING_APPROVAL" | "COMPLETED" |
	"FAILED" | "SKIPPED" | "CANCELLED";
export type ArtifactType =
	"SCREENSHOT" | "LOG_FILE" | "SESSION_FILE" | "TEST_REPORT" | "BUILD_OUTPUT" | "DOCUMENT" | "OTHER";

export interface WorkflowConfig {
	/** Unique in the project: small letters, digits, ".", "_", "-". */
	name: string;
	description?: string;
	/** Of the whole run, in ms; 3600000 (an hour) unless given. */
	timeout?: number;
	/** A JSON Schema that the input of a run must fit. */
	input?: object;
	/** As in YAML. */
	trigger?: Json;
	concurrency?: Json;
	priority?: "high" | "normal" | "low";
	queue?: string;
	onInterrupt?: "resume" | "crash";
}

export interface WorkflowDefinition<Input = any, Output = unknown> {
	readonly config: Readonly<WorkflowConfig & { timeout: number }>;
	readonly main: (ctx: WorkflowContext<Input>) => Output | Promise<Output>;
}

/** Defines the workflow of this file: `export default createWorkflow({...}, async ctx => ...)`. */
export function createWorkflow<Input = any, Output = unknown>(
	config: WorkflowConfig,
	main: (ctx: WorkflowContext<Input>) => Output | Promise<Output>,
): WorkflowDefinition<Input, Output>;

export interface Retry {
	maxAttempts?: number;
	backoff?: "fixed" | "linear" | "exponential";
	delay?: number | string;
	maxDelay?: number | string;
	jitter?: boolean;
}

export interface StepOptions {
	/** What the step is called; without it, by what it does. */
	name?: string;
	/** Of each attempt. */
	timeout?: number | string;
	/** Without it a step is tried once. */
	retry?: Retry;
}

export interface WaitOptions {
	name?: string;
	timeout?: number | string;
}

export interface Attempt {
	/** The step's number. */
	step: number;
	/** 1, then higher. */
	attempt: number;
	signal: AbortSignal;
}

export interface AgentResult {
	text: string;
	sessionId: string | null;
	exitCode: number | null;
	usage: { [key: string]: number };
	[more: string]: unknown;
}

export interface Approval {
	approved: boolean;
	by: string | null;
	comment: string | null;
	at: string;
}

export interface BusEvent {
	id: string;
	source: string;
	type: string;
	data: any;
	at: string;
}

type InFolder = { cwd?: string };

export interface Git {
	ensureBranch(name: string, base?: string, args?: InFolder, options?: StepOptions):
		Promise<{ branch: string; created: boolean }>;
	ensureBranch(name: string, args?: InFolder & { base?: string }, options?: StepOptions):
		Promise<{ branch: string; created: boolean }>;
	getCurrentBranch(args?: InFolder, options?: StepOptions): Promise<{ branch: string | null }>;
	getCurrentCommit(args?: InFolder, options?: StepOptions): Promise<{ sha: string }>;
	status(args?: InFolder, options?: StepOptions): Promise<{
		branch: string | null; clean: boolean; files: { path: string; status: string }[] }>;
	stageAll(args?: InFolder, options?: StepOptions): Promise<{ files: string[] }>;
	commit(message: string, args?: InFolder & { all?: boolean }, options?: StepOptions):
		Promise<{ sha: string; branch: string | null; message: string }>;
	push(args?: InFolder & { remote?: string; branch?: string; force?: boolean },
		options?: StepOptions): Promise<{ remote: string; branch: string; sha: string }>;
	createPr(args: InFolder & { title: string; body?: string; head?: string; base?: string;
		draft?: boolean; remote?: string }, options?: StepOptions):
		Promise<{ url: string; number: number }>;
	log(args?: InFolder & { range?: string; maxCount?: number; path?: string },
		options?: StepOptions): Promise<{ sha: string; author: string; email: string;
			date: string; subject: string; body: string }[]>;
	diff(args?: InFolder & { range?: string; path?: string; stat?: boolean },
		options?: StepOptions): Promise<any>;
}

export interface Files {
	read(path: string, args?: { encoding?: "utf8" | "base64" }, options?: StepOptions):
		Promise<{ path: string; content: string; size: number }>;
	write(path: string, content: string, args?: { encoding?: "utf8" | "base64"; append?: boolean },
		options?: StepOptions): Promise<{ path: string; size: number }>;
	exists(path: string, args?: {}, options?: StepOptions):
		Promise<{ exists: boolean; type: "file" | "folder" | null }>;
	delete(path: string, args?: { recursive?: boolean }, options?: StepOptions):
		Promise<{ deleted: boolean }>;
	list(path?: string, args?: { recursive?: boolean; pattern?: string }, options?: StepOptions):
		Promise<{ path: string; type: string; size: number }[]>;
	copy(from: string, to: string, args?: { recursive?: boolean }, options?: StepOptions):
		Promise<{ from: string; to: string; files: number }>;
}

type LogLine = (message: unknown, fields?: { [key: string]: unknown }) => void;

export class WorkflowContext<Input = any> {
	private constructor();

	readonly executionId: string;
	readonly runId: string;
	readonly projectId: string;
	/** The project's folder; the program runs in it. */
	readonly projectPath: string;
	readonly input: Input;
	/** Of the program: how often it was begun after failures. */
	readonly attempt: number;
	/** True from a cancel (or the run's timeout) until the program is ended. */
	readonly cancelled: boolean;
	/** Aborts at the same moment. */
	readonly signal: AbortSignal;

	/** A durable step: fn runs at least once, its result is recorded once. */
	run<T>(name: string, fn: (attempt: Attempt) => T | Promise<T>, options?: { retry?: Retry }):
		Promise<T>;
	/** run with retries: three attempts unless said otherwise. */
	retry<T>(name: string, fn: (attempt: Attempt) => T | Promise<T>, options?: Retry): Promise<T>;

	/** A coding agent of the configuration, by its command line. */
	runCli(name: string, agent: string, prompt: string, options?: {
		model?: string; workingDirectory?: string; permissions?: string;
		budget?: { tokens?: number; usd?: number }; outputSchema?: object; resume?: string;
		timeout?: number | string; retry?: Retry;
	}): Promise<AgentResult>;
	/** Any tool by its name. */
	tool(name: string, args?: object, options?: StepOptions): Promise<any>;
	shell(command: string, options?: StepOptions & {
		cwd?: string; env?: { [name: string]: string }; stdin?: string;
	}): Promise<{ exitCode: number; stdout: string; stderr: string }>;
	/** Any other action that the engine does: http, model, agent, skill, code. */
	call(action: string, fields: object, options?: StepOptions): Promise<any>;
	readonly git: Git;
	readonly files: Files;

	/** Comments on the step this stands in. */
	comment(message: string, metadata?: object): Promise<{ id: string }>;
	/** Comments on the run. */
	commentExecution(message: string, metadata?: object): Promise<{ id: string }>;
	set(key: string, value: unknown): Promise<void>;
	get<T = any>(key: string, fallback?: T): Promise<T>;
	has(key: string): Promise<boolean>;
	delete(key: string): Promise<void>;
	artifact(path: string, options?: {
		name?: string; type?: ArtifactType; mimeType?: string; description?: string;
	}): Promise<{ id: string; name: string; sizeBytes: number }>;

	/** Waits without holding a worker: the program is ended, and run again afterwards. */
	sleep(time: number | string | Date, options?: { name?: string }): Promise<void>;
	waitForEvent(type: string, options?: WaitOptions & { when?: string }): Promise<BusEvent | null>;
	/** A denial is thrown as StepFailed with the code "denied". */
	approval(prompt: string, options?: WaitOptions & { onTimeout?: "approve" | "deny" | "fail" }):
		Promise<Approval>;
	/** A run of another workflow: its output. */
	workflow(name: string, input?: object, options?: WaitOptions & { wait?: boolean }): Promise<any>;

	readonly log: {
		trace: LogLine; debug: LogLine; info: LogLine; warn: LogLine; error: LogLine; fatal: LogLine;
	};
}

/** Any error that the engine answers. */
export class StepmillError extends Error {
	readonly code: string;
}
/** A step failed for good; code and message are those of its error. */
export class StepFailed extends StepmillError {
	readonly step: number | undefined;
	readonly error: { code?: string; message?: string; [more: string]: unknown };
}
/** The program asks for something else than what is recorded. It cannot go on. */
export class Divergence extends StepmillError {
	readonly asked: unknown;
	readonly recorded: unknown;
}
/** The run is being ended: there are no new steps. */
export class Cancelled extends StepmillError {}
