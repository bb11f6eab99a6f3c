/*
 * Crash points: places where a process may die, named for the tests that let it die
 * there. They are in shells only. Nothing of them is in an ordinary build; with the
 * build option STEPMILL_POINTS (preset "points") the environment says where:
 *
 * STEPMILL_CRASH=POINT:VISIT[:PROGRAM] - which one, at its how manieth visit of a
 * process, and of which program: supervisor, front, worker, scheduler, or what a
 * command is called.
 *
 * STEPMILL_CRASH_MARK - a file that is made by who dies, so that only one does.
 *
 * STEPMILL_POINTS_SEEN - a file to which every visit is appended.
 *
 * tests/campaign/points knows each name and fails if there is another one.
 */
#ifndef BASE_POINT_H
#define BASE_POINT_H

#ifdef STEPMILL_POINTS
void point_visit(const char *name);
void point_visit_of(const char *kind, const char *of, const char *when);
#define POINT(name)              point_visit(name)
#define POINT_OF(kind, of, when) point_visit_of(kind, of, when)
#else
#define POINT(name) ((void)0)
#define POINT_OF(kind, of, when)                                                       \
	((void)sizeof(kind), (void)sizeof(of), (void)sizeof(when))
#endif

#endif
