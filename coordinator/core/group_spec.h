/* What is asked of a group: can it be served, and is it what the group has? */
#ifndef WEIR_CORE_GROUP_SPEC_H
#define WEIR_CORE_GROUP_SPEC_H

#include "coordinator/core/group.h"

enum error_code group_spec_check(const struct group_spec *spec, const char **out_message); /* can it be served? */
/* What it asks for that the group has otherwise; NULL: nothing. */
const char *group_conflict(const struct group *g, const struct group_spec *spec);
bool group_has_filters(const struct group *g, const struct group_spec *spec); /* these and no others, in any order */

#endif
