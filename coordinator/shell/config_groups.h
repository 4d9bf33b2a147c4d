/* [group NAME] sections: groups that the coordinator makes when it starts, unless they are there. Kind: shell. */
#ifndef WEIR_COORDINATOR_CONFIG_GROUPS_H
#define WEIR_COORDINATOR_CONFIG_GROUPS_H

#include "coordinator/core/core.h"
#include "sdk/program/options.h"

extern const struct program config_group_program;
bool config_group_name(const char *name); /* may it be a group's? */

/* What a section asks for. The first tenant is meant when it names none. All texts and *filters (room for GROUP_FILTERS_MAX) are lent. */
void config_group_fill(const struct options *section, struct span first_tenant, struct span *filters, struct core_group *out);

#endif
