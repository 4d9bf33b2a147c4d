/* The mock from outside the tree: it does not close while a handle is open on it. */
#include <stdio.h>
#include <weir/admin.h>
#include <weir/mock.h>

int main(void)
{
    weir_admin_options options = WEIR_ADMIN_OPTIONS_INIT;
    weir_admin *admin = NULL;
    weir_mock *mock = NULL;
    if (weir_mock_open(NULL, &mock) != WEIR_OK) return 1;
    options.endpoint = weir_mock_endpoint(mock);
    if (weir_admin_open(&options, &admin) != WEIR_OK) return 1;
    printf("%s %s\n", weir_version(), weir_status_text(weir_mock_close(&mock)));
    weir_admin_close(&admin);
    return weir_mock_close(&mock) == WEIR_OK ? 0 : 1;
}
