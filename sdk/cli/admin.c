/* See admin.h. */
#include "sdk/cli/admin.h"

weir_status cli_admin_open(const struct cli *cli, weir_admin **out_admin)
{
    weir_admin_options options = WEIR_ADMIN_OPTIONS_INIT;
    CLI_CONNECT(cli, options);
    options.connect_timeout_ms = CLI_CONNECT_MS;
    weir_status status = weir_admin_open(&options, out_admin);
    if (status != WEIR_FORBIDDEN) return status;
    options.as_client = true;
    return weir_admin_open(&options, out_admin);
}
