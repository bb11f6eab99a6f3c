/* What holds of agents that are known, as it would be written in stepmill.yaml. */
#ifndef CONF_AGENTS_PRESET_H
#define CONF_AGENTS_PRESET_H

extern const char agents_preset[]; /* YAML: a map by name */

#endif
