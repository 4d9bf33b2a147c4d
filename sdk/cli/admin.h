/* Asking the coordinator about itself. */
#ifndef WEIR_CLI_ADMIN_H
#define WEIR_CLI_ADMIN_H

#include "sdk/cli/cli.h"

#include <weir/admin.h>

/* Asks as an admin, who sees all, or where the credential does not allow that as a client, who sees its own tenant. */
weir_status cli_admin_open(const struct cli *cli, weir_admin **out_admin);

#endif
