#include <stdio.h>
#include <weir/admin.h>

int main(void)
{
    weir_admin_options options = WEIR_ADMIN_OPTIONS_INIT;
    weir_admin *admin = NULL;
    options.endpoint = "no endpoint";
    printf("%s %s\n", weir_version(), weir_status_text(weir_admin_open(&options, &admin)));
    return admin == NULL ? 0 : 1;
}
