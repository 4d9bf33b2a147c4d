/* What `weir groups` and `weir group` show of a group. */
#ifndef WEIR_CLI_GROUPS_H
#define WEIR_CLI_GROUPS_H

#include "sdk/cli/admin.h"

json_t *cli_group_json(const weir_group_info *group); /* gives */
void cli_group_print(const weir_group_info *group);   /* a line for each thing that is known */

#endif
