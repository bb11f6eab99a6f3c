// Patterns and words in any zone, at any instant from 1990 to 2037, against both libraries. A
// case counts when both say the same, and nothing that it names is near an edge of its zone.
import { everyday, pick } from "./patterns.mjs";
import { COUNT, askCronParser, askCroner } from "./references.mjs";
import { DAY, firings, rule } from "./rule.mjs";
import { words } from "./words.mjs";
import { END, START, agree, edges, zoneNames, zoneOf } from "./zones.mjs";

const FROM = Date.UTC(1990, 0, 1) / 1000;
const names = zoneNames();

export function draw(random, i) {
	const made = i % 10 === 9 ? words(random) : [everyday(random)];
	return { text: made[0], meant: made[1] ?? made[0], zone: pick(random, names),
		second: FROM + random(END - FROM) };
}

const inside = (list) => list.filter((second) => second >= START && second < END);
const clipped = ({ next, previous }) => ({ next: inside(next), previous: inside(previous) });
const same = (a, b) => String(a.next) === String(b.next) && String(a.previous) === String(b.previous);

// What the answer says something about: as far as it reaches, or all years.
function reach({ next, previous }) {
	return [previous[COUNT - 1] ?? START, next[COUNT - 1] ?? END - 1];
}

function nearEdge(rule, zone, low, high) {
	return edges(zone, low - DAY, high + DAY).some(({ at, before, after }) => {
		const first = Math.floor((at + Math.min(before, after)) / DAY) - 1;
		const last = Math.floor((at + Math.max(before, after)) / DAY) + 1;
		for (let day = first; day <= last; day++)
			if (rule.holdsOn(day))
				return true;
		return false;
	});
}

function byRule(rule, zone, second, low, high) {
	return { next: [...firings(rule, zone.spans, second + 1, high + 1).keys()].slice(0, COUNT),
		previous: [...firings(rule, zone.spans, low, second).keys()].reverse().slice(0, COUNT) };
}

function judgeElapsed({ meant, second }, ours) {
	const expected = { next: Array.from({ length: COUNT }, (_, i) => second + (i + 1) * meant), previous: [] };
	return ours.refused || !same(ours, expected) ? { failed: { expected } }
		: { counts: "words of elapsed time agree" };
}

// counts: agreed; skipped: why it does not count; failed: who said what.
export function judge({ text, meant, zone: name, second }, ours) {
	if (typeof meant === "number")
		return judgeElapsed({ meant, second }, ours);
	const zone = zoneOf(name);
	if (zone === null)
		return { skipped: "Node does not know the zone" };
	const croner = askCroner(meant, name, second);
	if (croner.refused)
		return { skipped: "croner refuses the pattern" };
	const wanted = clipped(croner), [low, high] = reach(wanted), read = rule(meant);
	if (!agree(zone, low, high))
		return { skipped: "zone data of Node and of the system differ in these years" };
	if (nearEdge(read, zone, low, high))
		return { skipped: "near an edge of the zone" };
	return compare({ text, meant, name, second }, ours, wanted,
		byRule(read, zone, second, low, high));
}

const NOTHING = { next: [], previous: [] };

function compare({ text, meant, name, second }, ours, croner, byRule) {
	const asked = askCronParser(meant, name, second);
	const parser = asked.refused ? asked : clipped(asked), mine = ours.refused ? NOTHING : clipped(ours);
	const answers = { croner, "cron-parser": parser, "the rule": byRule };
	if (!parser.refused && !same(parser, croner)) {
		const [who] = Object.entries(answers).find(([, answer]) => same(answer, mine)) ?? [];
		return who ? { skipped: `croner and cron-parser part, ours is as ${who}` } : { failed: answers };
	}
	if (ours.refused || !same(mine, croner) || !same(byRule, croner))
		return { failed: answers };
	const kind = text === meant ? "patterns" : "words";
	return parser.refused
		? { aside: `${kind} that cron-parser refuses: ours, croner and the rule agree` }
		: { counts: `${kind}: ours, both libraries and the rule agree` };
}
